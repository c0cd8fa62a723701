"""Ingest's view of the registry: an immutable snapshot in memory, brought up to date before every batch.

A registry change committed before a record was appended applies to that record, because the version is read after the
record was polled. A batch is judged by one snapshot throughout, while the next batch may already have a newer one.
The whole country fits: 600,000 machines take about 150 bytes each.
"""

import sys
from array import array
from dataclasses import dataclass, field, replace

import asyncpg
import numpy as np
import numpy.typing as npt

from services.core.database import Connection
from services.ingest.judging import queries
from services.ingest.model import FactTable, Ints

ROWS_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """A public key as registered for [effective_from, effective_to), with the bounds of its validity."""

    gateway_key: int
    effective_from_us: int
    effective_to_us: int
    public_key: bytes
    valid_from_us: int
    valid_to_us: int | None
    revoked_at_us: int | None
    compromised_since_us: int | None

    def is_valid_at(self, us: int) -> bool:
        """Return whether a record received at this instant may be signed with the key."""
        ends = (self.effective_to_us, self.valid_to_us, self.revoked_at_us, self.compromised_since_us)
        return max(self.effective_from_us, self.valid_from_us) <= us and all(end is None or us < end for end in ends)


@dataclass(frozen=True, slots=True)
class Factory:
    """A factory's id, its machines' ids by their names, and the versions of its keys by theirs."""

    factory: int
    machines: dict[str, int] = field(default_factory=dict)
    keys: dict[str, tuple[KeyVersion, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Machines:
    """What is known of machines, in arrays indexed by their ids.

    A machine is in use in [from_us, to_us). One with several such spans has an empty one here, and all in ``several``;
    one that was never in use has an empty one too. ``shard`` is a machine's shard of accounting work.
    """

    from_us: Ints
    to_us: Ints
    shard: npt.NDArray[np.int16]
    several: dict[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)

    def is_in_use_at(self, machine: int, us: int) -> bool:
        spans = self.several.get(machine) or ((int(self.from_us[machine]), int(self.to_us[machine])),)
        return any(start <= us < end for start, end in spans)


NO_MACHINES = Machines(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int16))


@dataclass(frozen=True, slots=True)
class Registry:
    """The registry at one version: factories by their ids on the wire, machines, and the horizon of each fact table."""

    version: int = -1
    factories: dict[str, Factory] = field(default_factory=dict)
    machines: Machines = NO_MACHINES
    sealed_before_us: dict[FactTable, int] = field(default_factory=dict)


async def refresh_registry(connection: Connection, known: Registry) -> Registry:
    """Return a snapshot of what is registered now; ``known`` itself if nothing has changed since."""
    version, sealed_before_us = await read_version(connection)
    if version == known.version and sealed_before_us == known.sealed_before_us:
        return known
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        version, sealed_before_us = await read_version(connection)
        if version < known.version:
            # The database was restored to an earlier state: load everything again.
            known = Registry()
        if version == known.version:
            return replace(known, sealed_before_us=sealed_before_us)
        factories = await read_factories(connection, known)
        machines = await read_machines(connection, known, factories)
    return Registry(version, factories, machines, sealed_before_us)


async def read_version(connection: Connection) -> tuple[int, dict[FactTable, int]]:
    """Return the registry's version and the horizon of each fact table."""
    rows = await connection.fetch(queries.REGISTRY_VERSION)
    return rows[0]["version"], {FactTable(row["table_name"]): row["sealed_before"] for row in rows}


async def read_factories(connection: Connection, known: Registry) -> dict[str, Factory]:
    """Return all factories; those whose machines or keys have changed are copies, so that they can be completed."""
    factories = dict(known.factories)
    for row in await connection.fetch(queries.FACTORIES_CHANGED, known.version):
        factories.setdefault(row["factory_id"], Factory(row["factory"]))
    found: dict[tuple[str, str], list[KeyVersion]] = {}
    async for row in connection.cursor(queries.KEYS_CHANGED, known.version, prefetch=ROWS_AT_ONCE):
        versions = found.setdefault((row["factory_id"], row["key_id"]), [])
        if row["effective_from"] is not None:
            versions.append(key_version(row))
    for (factory_id, key_id), versions in found.items():
        factory = own_copy(factories, known, factory_id)
        factory.keys[key_id] = tuple(versions)
    return factories


def own_copy(factories: dict[str, Factory], known: Registry, factory_id: str) -> Factory:
    """Return a factory that no earlier snapshot shares."""
    factory = factories[factory_id]
    if factory is known.factories.get(factory_id):
        factory = factories[factory_id] = replace(factory, machines=dict(factory.machines), keys=dict(factory.keys))
    return factory


async def read_machines(connection: Connection, known: Registry, factories: dict[str, Factory]) -> Machines:
    """Return all machines, and add the changed ones' names to their factories."""
    machine, shard, from_us, to_us = (array("q") for _ in range(4))
    async for row in connection.cursor(queries.MACHINES_CHANGED, known.version, prefetch=ROWS_AT_ONCE):
        own_copy(factories, known, row["factory_id"]).machines[sys.intern(row["machine_id"])] = row["machine"]
        machine.append(row["machine"])
        shard.append(row["shard"])
        from_us.append(row["from_at"] or 0)
        to_us.append(row["to_at"] or 0)
    return with_machines(
        known.machines,
        np.array(machine, np.int64),
        np.array(shard, np.int16),
        np.array(from_us, np.int64),
        np.array(to_us, np.int64),
    )


def with_machines(known: Machines, machine: Ints, shard: npt.NDArray[np.int16], from_us: Ints, to_us: Ints) -> Machines:
    """Return the machines with those given, a span in each row and a machine's rows together, in place of the known."""
    if len(machine) == 0:
        return known
    count = max(len(known.shard), int(machine.max()) + 1)
    grown = Machines(
        np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(count, np.int16), dict(known.several)
    )
    for name in ("from_us", "to_us", "shard"):
        getattr(grown, name)[: len(known.shard)] = getattr(known, name)
    grown.shard[machine], grown.from_us[machine], grown.to_us[machine] = shard, from_us, to_us
    for changed in set(known.several) & set(machine.tolist()):
        del grown.several[changed]
    again = machine[1:] == machine[:-1]
    for one in set(machine[1:][again].tolist()):
        rows = np.flatnonzero(machine == one)
        grown.several[one] = tuple(zip(from_us[rows].tolist(), to_us[rows].tolist(), strict=True))
        grown.from_us[one] = grown.to_us[one] = 0
    return grown


def key_version(row: asyncpg.Record) -> KeyVersion:
    """Convert a row of ``queries.KEYS_CHANGED``."""
    return KeyVersion(
        gateway_key=row["gateway_key"],
        effective_from_us=row["effective_from"],
        effective_to_us=row["effective_to"],
        public_key=row["public_key"],
        valid_from_us=row["valid_from"],
        valid_to_us=row["valid_to"],
        revoked_at_us=row["revoked_at"],
        compromised_since_us=row["compromised_since"],
    )
