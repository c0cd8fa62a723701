"""Registers a simulated fleet, through the API like anybody else or as a file for ``jejo registry import``.

Both use the same entries: the path and the body of a PUT.
"""

import asyncio
import csv
import datetime as dt
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import httpx
from tqdm import tqdm

from services.core.errors import ConfigurationError, TransientError
from services.core.times import FIRST_INSTANT_US, rfc3339
from services.gateway import public_key
from services.simulator.cohorts import RegistryChange
from services.simulator.country import SPONSORS, ZONES
from services.simulator.fleet import Enterprise, Factory, Machine, signing_seed

T = TypeVar("T")
Entry = tuple[str, dict[str, Any]]
"""A path below the API's address, and the body to PUT there."""

KEYS_VALID_FROM = "2016-01-01T00:00:00Z"
STATE_TTL_S = 3600
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MAX_CONCURRENT_REQUESTS = 4
"""The registry's writers take turns, so more requests would only wait for each other."""


def key_id(seed: int) -> str:
    """Return the id of the factories' signing keys. It differs by seed, since other seeds make other keys."""
    return f"sim-{seed}"


def fleet_entries(
    seed: int, fleet: Sequence[Factory], in_use_from: dt.date, changes: Iterable[RegistryChange]
) -> Iterator[Entry]:
    """Yield everything to register of a fleet; each entry after those that it refers to, changes last."""
    yield from programme_entries(fleet)
    yield from enterprise_entries(fleet)
    for factory in fleet:
        yield factory_entry(factory)
        yield calendar_entry(factory)
        yield key_entry(seed, factory)
        yield from machine_entries(factory, in_use_from)
    yield from map(change_entry, changes)


def programme_entries(fleet: Iterable[Factory]) -> Iterator[Entry]:
    """Yield the zones and sponsors to which factories of the fleet belong."""
    zones, sponsors = ({getattr(factory, name) for factory in fleet} for name in ("zone", "sponsor"))
    for zone in ZONES:
        if zone.zone_id in zones:
            body = {"name": zone.name, "region": zone.region, "designated_on": zone.designated_on.isoformat()}
            yield f"/v1/zones/{zone.zone_id}", body
    for sponsor in SPONSORS:
        if sponsor.sponsor_id in sponsors:
            yield f"/v1/sponsors/{sponsor.sponsor_id}", {"name": sponsor.name}


def enterprise_entries(fleet: Iterable[Factory]) -> Iterator[Entry]:
    """Yield the enterprises that own the factories, each once."""
    yield from (enterprise_entry(owner) for owner in dict.fromkeys(factory.enterprise for factory in fleet))


def enterprise_entry(owner: Enterprise, from_us: int = FIRST_INSTANT_US) -> Entry:
    body = {"name": owner.name, "employees": owner.employees, "effective_from": rfc3339(from_us)}
    return f"/v1/enterprises/{owner.enterprise_id}", body


def factory_entry(factory: Factory, from_us: int = FIRST_INSTANT_US) -> Entry:
    return (
        f"/v1/factories/{factory.factory_id}",
        {
            "name": factory.name,
            "enterprise_id": factory.enterprise.enterprise_id,
            "region": factory.region,
            "sector": factory.sector,
            "zone": factory.zone,
            "sponsor": factory.sponsor,
            "level": factory.level,
            "established_on": factory.established_on.isoformat() if factory.established_on else None,
            "effective_from": rfc3339(from_us),
        },
    )


def calendar_entry(factory: Factory) -> Entry:
    """Return the entry of a factory's calendar, by which breaks are scheduled. Simulated factories work on holidays."""
    start_h, end_h = factory.shifts.bounds
    days = [WEEKDAYS[weekday] for weekday in factory.shifts.weekdays]
    weekly = [{"days": days, "from": clock(start_h), "to": clock(end_h)}]
    return f"/v1/factories/{factory.factory_id}/calendar", {"weekly": weekly, "holidays": False, "exceptions": []}


def clock(hours: float) -> str:
    """Return a time of day as the registry has it."""
    return f"{int(hours):02d}:{round(hours % 1 * 60):02d}"


def key_entry(seed: int, factory: Factory) -> Entry:
    public = public_key(signing_seed(seed, factory.factory_id))
    body = {"public_key": public, "valid_from": KEYS_VALID_FROM, "valid_to": None}
    return f"/v1/factories/{factory.factory_id}/gateway-keys/{key_id(seed)}", body


def machine_entries(factory: Factory, in_use_from: dt.date) -> Iterator[Entry]:
    for machine in factory.machines:
        yield f"/v1/factories/{factory.factory_id}/machines/{machine.machine_id}", machine_body(machine, in_use_from)


def machine_body(machine: Machine, in_use_from: dt.date) -> dict[str, Any]:
    return {
        "name": machine.name,
        "kind": machine.kind,
        "automation": machine.automation.value,
        "state_ttl_s": STATE_TTL_S,
        "ideal_cycle_s": machine.ideal_cycle_s,
        "capacity_per_h": None,
        "in_use_from": in_use_from.isoformat(),
        "in_use_to": None,
    }


def change_entry(change: RegistryChange) -> Entry:
    """Return the entry that puts a change into effect at its instant."""
    if isinstance(change.new, Factory):
        return factory_entry(change.new, change.at_us)
    return enterprise_entry(change.new, change.at_us)


IMPORT_NAMES = {
    "enterprises": ("enterprise", "enterprise_id"),
    "zones": ("zone", "zone_id"),
    "sponsors": ("sponsor", "sponsor_id"),
    "factories": ("factory", "factory_id"),
    "gateway-keys": ("gateway_key", "key_id"),
    "machines": ("machine", "machine_id"),
}
"""By collection in a path: what an import file calls a thing of it, and the column of its id."""


def write_import_file(
    path: Path, seed: int, fleet: Sequence[Factory], in_use_from: dt.date, changes: Sequence[RegistryChange]
) -> None:
    """Write the fleet as CSV for ``jejo registry import``, a line for each entry.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    lines = [import_line(entry) for entry in fleet_entries(seed, fleet, in_use_from, changes)]
    columns = dict.fromkeys(name for line in lines for name in line)
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(lines)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written ({error.strerror}): choose another place.") from error


def import_line(entry: Entry) -> dict[str, object]:
    """Return an entry's cells by column, without those that are null."""
    path, body = entry
    parts = path.removeprefix("/v1/").split("/")
    if parts[-1] == "calendar":
        (weekly,) = body["weekly"]
        days = f"{weekly['days'][0]}-{weekly['days'][-1]}"
        shifts = f"{days} {weekly['from']}-{weekly['to']}"
        return {"thing": "calendar", "factory_id": parts[1], "weekly": shifts, "holidays": "false"}
    thing = IMPORT_NAMES[parts[-2]][0]
    ids = {IMPORT_NAMES[collection][1]: own_id for collection, own_id in zip(parts[::2], parts[1::2], strict=True)}
    return {"thing": thing, **ids, **{name: value for name, value in body.items() if value is not None}}


def register_fleet(
    api_url: str,
    api_key: str,
    seed: int,
    fleet: Sequence[Factory],
    in_use_from: dt.date,
    changes: Sequence[RegistryChange] = (),
) -> None:
    """PUT every zone, sponsor, enterprise, factory, key and machine of the fleet, then the changes.

    What is registered already is put again unchanged, except that machines keep the day they came into use.

    Raises:
        TransientError: the API does not answer, or fails.
        ConfigurationError: the API refuses the key or an entry.
    """
    try:
        asyncio.run(register(api_url, api_key, seed, fleet, in_use_from, changes))
    except httpx.HTTPError as error:
        raise TransientError(
            f"The API at {api_url} does not answer ({error}): start it, or correct --api-url."
        ) from error
    except httpx.InvalidURL as error:
        raise ConfigurationError(f"--api-url {api_url} is not an address ({error}): write http://HOST:PORT.") from error


async def register(
    api_url: str,
    api_key: str,
    seed: int,
    fleet: Sequence[Factory],
    in_use_from: dt.date,
    changes: Sequence[RegistryChange],
) -> None:
    """PUT one kind of thing after another, since each refers to those before."""
    headers = {"Authorization": f"Bearer {api_key}"}
    async with httpx.AsyncClient(base_url=api_url, headers=headers, timeout=30) as client:
        await put_all(client, "zones and sponsors", programme_entries(fleet))
        await put_all(client, "enterprises", enterprise_entries(fleet))
        are_new = await put_all(client, "factories", map(factory_entry, fleet))
        await put_all(client, "calendars", map(calendar_entry, fleet))
        await put_all(client, "keys", [key_entry(seed, factory) for factory in fleet])
        machines = [
            put(client, path, body) if is_new else put_if_missing(client, path, body)
            for factory, is_new in zip(fleet, are_new, strict=True)
            for path, body in machine_entries(factory, in_use_from)
        ]
        await run_concurrently(machines, "machines")
        for change in changes:
            await put(client, *change_entry(change))


async def put_all(client: httpx.AsyncClient, what: str, entries: Iterable[Entry]) -> list[bool]:
    """PUT entries of one kind, in any order. Return whether each was missing before, in the order of ``entries``."""
    return await run_concurrently([put(client, path, body) for path, body in entries], what)


async def run_concurrently(requests: Sequence[Coroutine[Any, Any, T]], what: str) -> list[T]:
    """Run a few requests at a time; return their results in order. The first failure cancels the rest."""
    room = asyncio.Semaphore(MAX_CONCURRENT_REQUESTS)
    with tqdm(total=len(requests), desc=f"registering {what}", unit="", disable=None, leave=False) as bar:

        async def run(request: Coroutine[Any, Any, T]) -> T:
            try:
                async with room:
                    result = await request
            finally:
                request.close()
            bar.update()
            return result

        tasks = [asyncio.ensure_future(run(request)) for request in requests]
        try:
            return list(await asyncio.gather(*tasks))
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for request in requests:
                request.close()
            raise


async def put(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> bool:
    """PUT an entry. Return whether it was missing before."""
    response = await client.put(path, json=body)
    check(response)
    return response.status_code == httpx.codes.CREATED


async def put_if_missing(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> bool:
    """PUT an entry unless it is registered. Return whether it was missing."""
    known = await client.get(path)
    if known.status_code == httpx.codes.NOT_FOUND:
        return await put(client, path, body)
    check(known)
    return False


def check(response: httpx.Response) -> None:
    """Raise if a request did not succeed.

    Raises:
        TransientError: the API failed.
        ConfigurationError: the API refused the request.
    """
    if response.is_server_error:
        raise TransientError(f"The API failed at {response.request.url} ({response.status_code}): look at its log.")
    if not response.is_success:
        raise ConfigurationError(
            f"The API refused {response.request.url} ({response.status_code}: {response.text[:300]}): "
            "use an admin's key and an API of this version."
        )
