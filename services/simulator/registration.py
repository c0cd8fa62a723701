"""Enters a simulated fleet in the registry, through the API like anybody else, some requests at a time."""

import asyncio
import datetime as dt
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, TypeVar

import httpx
from tqdm import tqdm

from services.core.errors import ConfigurationError, TransientError
from services.core.times import FIRST_INSTANT_US, rfc3339
from services.gateway import public_key
from services.simulator.changes import Change
from services.simulator.country import SPONSORS, ZONES
from services.simulator.fleet import Enterprise, Factory, Machine, signing_seed

T = TypeVar("T")
Entry = tuple[str, dict[str, Any]]
"""A path below the API's address, and the body to put there."""

KEYS_VALID_FROM = "2016-01-01T00:00:00Z"
STATE_TTL_S = 3600
AT_ONCE = 4
"""Requests under way: the registry's writers take turns, so that more would only wait for each other."""


def key_id(seed: int) -> str:
    """The id of a simulated factory's key: another seed is another key, not a change of this one."""
    return f"sim-{seed}"


def register_fleet(
    api_url: str,
    api_key: str,
    seed: int,
    fleet: Sequence[Factory],
    in_use_from: dt.date,
    changed: Sequence[Change] = (),
) -> None:
    """Put every zone, sponsor, enterprise, factory, key and machine that the fleet has, and what changes later.

    What is registered already is put again as it is, but machines keep the day they came into use.

    Raises:
        TransientError: the API does not answer or is at fault.
        ConfigurationError: the API refuses the key or an entry.
    """
    try:
        asyncio.run(register(api_url, api_key, seed, fleet, in_use_from, changed))
    except httpx.HTTPError as error:
        raise TransientError(
            f"The API at {api_url} does not answer ({error}): start it, or correct --api-url."
        ) from error
    except httpx.InvalidURL as error:
        raise ConfigurationError(f"--api-url {api_url} is no address ({error}): write http://HOST:PORT.") from error


async def register(
    api_url: str,
    api_key: str,
    seed: int,
    fleet: Sequence[Factory],
    in_use_from: dt.date,
    changed: Sequence[Change],
) -> None:
    """One kind of thing after the other, since each belongs to one before."""
    headers = {"Authorization": f"Bearer {api_key}"}
    owners = {factory.enterprise.enterprise_id: factory.enterprise for factory in fleet}
    async with httpx.AsyncClient(base_url=api_url, headers=headers, timeout=30) as client:
        await put_all(client, "zones and sponsors", programme_entries(fleet))
        await put_all(client, "enterprises", [enterprise_entry(owner) for owner in owners.values()])
        new = await some_at_once([put(client, *factory_entry(factory)) for factory in fleet], "factories")
        await put_all(client, "keys", [key_entry(seed, factory) for factory in fleet])
        machines = [
            put(client, path, body) if is_new else put_unless_known(client, path, body)
            for factory, is_new in zip(fleet, new, strict=True)
            for path, body in machine_entries(factory, in_use_from)
        ]
        await some_at_once(machines, "machines")
        for change in changed:
            await put(client, *change_entry(change))


async def put_all(client: httpx.AsyncClient, what: str, entries: Iterable[Entry]) -> None:
    await some_at_once([put(client, path, body) for path, body in entries], what)


async def some_at_once(requests: Sequence[Coroutine[Any, Any, T]], what: str) -> list[T]:
    """Their answers in order; after a failure no other is begun."""
    room = asyncio.Semaphore(AT_ONCE)
    with tqdm(total=len(requests), desc=f"registering {what}", unit="", disable=None, leave=False) as bar:

        async def one(request: Coroutine[Any, Any, T]) -> T:
            try:
                async with room:
                    answer = await request
            finally:
                request.close()
            bar.update()
            return answer

        tasks = [asyncio.ensure_future(one(request)) for request in requests]
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
    """Put an entry; whether there was none before."""
    response = await client.put(path, json=body)
    check(response)
    return response.status_code == httpx.codes.CREATED


async def put_unless_known(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> bool:
    """Put an entry where there is none."""
    known = await client.get(path)
    if known.status_code == httpx.codes.NOT_FOUND:
        return await put(client, path, body)
    check(known)
    return False


def programme_entries(fleet: Iterable[Factory]) -> Iterable[Entry]:
    """The zones and sponsors that the fleet's factories name."""
    zones, sponsors = ({getattr(factory, name) for factory in fleet} for name in ("zone", "sponsor"))
    for zone in ZONES:
        if zone.zone_id in zones:
            body = {"name": zone.name, "region": zone.region, "designated_on": zone.designated_on.isoformat()}
            yield f"/v1/zones/{zone.zone_id}", body
    for sponsor in SPONSORS:
        if sponsor.sponsor_id in sponsors:
            yield f"/v1/sponsors/{sponsor.sponsor_id}", {"name": sponsor.name}


def enterprise_entry(owner: Enterprise, from_us: int = FIRST_INSTANT_US) -> Entry:
    """The registry's entry of an enterprise."""
    body = {"name": owner.name, "employees": owner.employees, "effective_from": rfc3339(from_us)}
    return f"/v1/enterprises/{owner.enterprise_id}", body


def factory_entry(factory: Factory, from_us: int = FIRST_INSTANT_US) -> Entry:
    """The registry's entry of a factory."""
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


def change_entry(change: Change) -> Entry:
    """The registry's entry of what a factory or an enterprise becomes."""
    if isinstance(change.now, Factory):
        return factory_entry(change.now, change.at_us)
    return enterprise_entry(change.now, change.at_us)


def key_entry(seed: int, factory: Factory) -> Entry:
    """The registry's entry of a factory's key."""
    public = public_key(signing_seed(seed, factory.factory_id))
    body = {"public_key": public, "valid_from": KEYS_VALID_FROM, "valid_to": None}
    return f"/v1/factories/{factory.factory_id}/gateway-keys/{key_id(seed)}", body


def machine_entries(factory: Factory, in_use_from: dt.date) -> Iterable[Entry]:
    """The registry's entries of a factory's machines."""
    for machine in factory.machines:
        yield f"/v1/factories/{factory.factory_id}/machines/{machine.machine_id}", machine_body(machine, in_use_from)


def machine_body(machine: Machine, in_use_from: dt.date) -> dict[str, Any]:
    """One machine as the registry takes it."""
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


def check(response: httpx.Response) -> None:
    """See that the API did as it was asked.

    Raises:
        TransientError: the API failed.
        ConfigurationError: it refused.
    """
    if response.is_server_error:
        raise TransientError(f"The API failed at {response.request.url} ({response.status_code}): look at its log.")
    if not response.is_success:
        raise ConfigurationError(
            f"The API refused {response.request.url} ({response.status_code}: {response.text[:300]}): "
            "use an admin's key and an API of this version."
        )
