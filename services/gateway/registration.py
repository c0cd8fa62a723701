"""Enters a simulated fleet in the registry, through the API like anybody else."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

import httpx
from tqdm import tqdm

from services.core.errors import ConfigurationError, TransientError
from services.gateway.fleet import Factory, Machine, signing_seed
from services.gateway.keys import public_key

Entry = tuple[str, dict[str, Any]]
"""A path below the API's address, and the body to put there."""

KEYS_VALID_FROM = "2016-01-01T00:00:00Z"
STATE_TTL_S = 600


def key_id(seed: int) -> str:
    """The id of a simulated factory's key: another seed is another key, not a change of this one."""
    return f"sim-{seed}"


def register_fleet(api_url: str, api_key: str, seed: int, fleet: tuple[Factory, ...], in_use_from: dt.date) -> None:
    """Put every enterprise, factory, machine and key. What is registered already keeps the day it came into use.

    Raises:
        TransientError: the API does not answer or is at fault.
        ConfigurationError: the API refuses the key or an entry.
    """
    headers = {"Authorization": f"Bearer {api_key}"}
    try:
        with httpx.Client(base_url=api_url, headers=headers, timeout=30) as client:
            for factory in tqdm(fleet, desc="registering", unit="factory", disable=None):
                for path, body in factory_entries(seed, factory):
                    check(client.put(path, json=body))
                for path, body in machine_entries(factory, in_use_from):
                    known = client.get(path)
                    check(client.put(path, json=body) if known.status_code == httpx.codes.NOT_FOUND else known)
    except httpx.HTTPError as error:
        raise TransientError(
            f"The API at {api_url} does not answer ({error}): start it, or correct --api-url."
        ) from error
    except httpx.InvalidURL as error:
        raise ConfigurationError(f"--api-url {api_url} is no address ({error}): write http://HOST:PORT.") from error


def factory_entries(seed: int, factory: Factory) -> Iterable[Entry]:
    """The registry entries of an enterprise, its factory and the factory's key, in that order."""
    yield f"/v1/enterprises/{factory.enterprise_id}", {"name": factory.enterprise_name, "employees": factory.employees}
    yield (
        f"/v1/factories/{factory.factory_id}",
        {
            "name": factory.name,
            "enterprise_id": factory.enterprise_id,
            "region": factory.region,
            "sector": factory.sector,
            "zone": None,
            "sponsor": None,
            "level": factory.level,
            "established_on": factory.established_on.isoformat() if factory.established_on else None,
        },
    )
    public = public_key(signing_seed(seed, factory.factory_id))
    yield (
        f"/v1/factories/{factory.factory_id}/gateway-keys/{key_id(seed)}",
        {"public_key": public, "valid_from": KEYS_VALID_FROM, "valid_to": None},
    )


def machine_entries(factory: Factory, in_use_from: dt.date) -> Iterable[Entry]:
    """The registry entries of a factory's machines."""
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
