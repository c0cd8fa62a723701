"""Ingest's view of the registry, held in memory and brought up to date before every batch.

A registry change committed before a record was appended applies to that record, because the version is read after the
record was polled.
"""

from dataclasses import dataclass, field

import asyncpg

from services.core.database import Connection
from services.ingest import queries
from services.ingest.model import FactTable


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


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine's id, its shard of accounting work, and its time in use as half-open spans of microseconds."""

    machine: int
    shard: int
    in_use: tuple[tuple[int, int], ...]

    def is_in_use_at(self, us: int) -> bool:
        return any(start <= us < end for start, end in self.in_use)


@dataclass(slots=True)
class Registry:
    """Factories, keys and machines by their ids on the wire."""

    version: int = -1
    factories: dict[str, int] = field(default_factory=dict)
    keys: dict[tuple[str, str], tuple[KeyVersion, ...]] = field(default_factory=dict)
    machines: dict[tuple[str, str], Machine] = field(default_factory=dict)
    sealed_before_us: dict[FactTable, int] = field(default_factory=dict)

    async def refresh(self, connection: Connection) -> bool:
        """Load what changed since the last refresh, in one consistent snapshot.

        Returns:
            Whether the registry has changed.
        """
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            horizon = await connection.fetch(queries.FACT_HORIZON)
            self.sealed_before_us = {FactTable(row["table_name"]): row["sealed_before"] for row in horizon}
            version = await connection.fetchval(queries.REGISTRY_VERSION)
            if version == self.version:
                return False
            if version < self.version:
                # The database was restored to an earlier state: load everything again.
                self.version = -1
                for known in (self.factories, self.keys, self.machines):
                    known.clear()
            factories = await connection.fetch(queries.FACTORIES_CHANGED, self.version)
            keys = await connection.fetch(queries.KEYS_CHANGED, self.version)
            machines = await connection.fetch(queries.MACHINES_CHANGED, self.version)
        self.factories.update((row["factory_id"], row["factory"]) for row in factories)
        found: dict[tuple[str, str], list[KeyVersion]] = {}
        for row in keys:
            own_versions = found.setdefault((row["factory_id"], row["key_id"]), [])
            if row["effective_from"] is not None:
                own_versions.append(key_version(row))
        self.keys.update((name, tuple(versions)) for name, versions in found.items())
        spans: dict[tuple[str, str], list[tuple[int, int]]] = {}
        for row in machines:
            name = (row["factory_id"], row["machine_id"])
            own = spans.setdefault(name, [])
            if row["from_at"] is not None:
                own.append((row["from_at"], row["to_at"]))
            self.machines[name] = Machine(row["machine"], row["shard"], tuple(own))
        self.version = version
        return True
