"""The registry of the model: written into the database, and kept for the reference."""

import random
from dataclasses import dataclass, field

from nacl.signing import SigningKey

from tests.faults.law import Query
from tests.faults.messages import SEALED_BEFORE_US, Gateway
from tests.faults.reference import ALWAYS, Registered
from tests.faults.workload import IN_USE_US, NEW_SINCE_US, SEAL

CHANGE = "UPDATE registry_version SET version = version + 1"
ADD_FACTORY = "INSERT INTO factory (factory_id) VALUES ($1) RETURNING id"
ADD_FACTORY_VERSION = """
INSERT INTO factory_version (factory, effective_from, effective_to, name, enterprise, region, sector, level, changed_in)
SELECT $1, '2000-01-01Z', '9999-12-31Z', 'F', e.id, 'KR-48', 'C29', 'none', v.version
FROM enterprise e CROSS JOIN registry_version v WHERE e.enterprise_id = 'E1'
"""
ADD_ENTERPRISE = "INSERT INTO enterprise (enterprise_id) VALUES ('E1')"
ADD_MACHINE = """
WITH added AS (INSERT INTO machine (factory, machine_id) VALUES ($1, $2) RETURNING id)
INSERT INTO machine_version (machine, effective_from, effective_to, name, kind, automation, state_ttl_us, in_use_from,
    changed_in)
SELECT a.id, '2000-01-01Z', '9999-12-31Z', 'M', 'mill', 'manual', 600000000, $3::text::date, v.version
FROM added a CROSS JOIN registry_version v
"""
ADD_KEY = """
WITH added AS (INSERT INTO gateway_key (factory, key_id) VALUES ($1, $2) RETURNING id)
INSERT INTO gateway_key_version (gateway_key, effective_from, effective_to, public_key, valid_from, changed_in)
SELECT a.id, '2000-01-01Z', '9999-12-31Z', $3, '2000-01-01Z', v.version FROM added a CROSS JOIN registry_version v
"""
REVOKE_KEY = """
UPDATE gateway_key_version k SET revoked_at = $3, changed_in = v.version
FROM registry_version v, gateway_key g WHERE g.id = k.gateway_key AND g.factory = $1 AND g.key_id = $2
"""


@dataclass(slots=True)
class Registry:
    """Registers factories as the workload's, each with machines M1 and NEW and a first key.

    No batch may be under way meanwhile, since a change is not one transaction.
    """

    query: Query
    registered: Registered = field(default_factory=lambda: Registered(sealed_before_us=SEALED_BEFORE_US))
    _numbers: dict[str, int] = field(default_factory=dict)

    def open(self) -> None:
        self.query(SEAL, SEALED_BEFORE_US)
        self.query(ADD_ENTERPRISE)

    def add_factory(self, factory_id: str) -> Gateway:
        """Register a factory, and return its gateway."""
        self.query(CHANGE)
        self._numbers[factory_id] = self.query(ADD_FACTORY, factory_id)[0][0]
        self.query(ADD_FACTORY_VERSION, self._numbers[factory_id])
        self._add_machine(factory_id, "M1", "2016-01-01", IN_USE_US)
        self._add_machine(factory_id, "NEW", "2017-03-01", NEW_SINCE_US)
        return self._add_key(factory_id, "k1")

    def add_machine(self, factory_id: str) -> str:
        """Register another machine, and return its id."""
        number = sum(own == factory_id for own, _ in self.registered.machines)
        self.query(CHANGE)
        self._add_machine(factory_id, f"L{number}", "2016-01-01", IN_USE_US)
        return f"L{number}"

    def replace_key(self, old: Gateway, now_us: int) -> Gateway:
        """Revoke a key from now on, and return a gateway of the same factory with a new one."""
        factory_id = old.factory_id
        number = sum(own == factory_id for own, _ in self.registered.keys)
        self.query(CHANGE)
        start, end = self.registered.keys[factory_id, old.key_id]
        self.registered.keys[factory_id, old.key_id] = (start, min(end, now_us))
        self.query(REVOKE_KEY, self._numbers[factory_id], old.key_id, min(end, now_us))
        return self._add_key(factory_id, f"k{number + 1}")

    def _add_machine(self, factory_id: str, machine_id: str, since: str, since_us: int) -> None:
        self.query(ADD_MACHINE, self._numbers[factory_id], machine_id, since)
        self.registered.machines[factory_id, machine_id] = (since_us, ALWAYS[1])

    def _add_key(self, factory_id: str, key_id: str) -> Gateway:
        seed = random.Random(f"{factory_id} {key_id}").randbytes(32)
        self.query(ADD_KEY, self._numbers[factory_id], key_id, bytes(SigningKey(seed).verify_key))
        self.registered.keys[factory_id, key_id] = ALWAYS
        return Gateway(factory_id, key_id, seed)
