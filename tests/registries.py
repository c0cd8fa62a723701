"""Registries for tests, as ingest holds them in memory."""

from collections.abc import Mapping, Sequence

import numpy as np

from services.ingest.judging.registry import NO_MACHINES, Factory, KeyVersion, Registry, with_machines
from services.ingest.model import FactTable

Span = tuple[int, int]
LONG_AGO_US, LONG_HENCE_US = 0, 4_000_000_000_000_000


def registry_of(
    factories: Mapping[str, Mapping[str, Sequence[Span]]],
    keys: Mapping[str, Mapping[str, tuple[KeyVersion, ...]]] | None = None,
    sealed_before_us: Mapping[FactTable, int] | None = None,
) -> Registry:
    """Return a registry of factories with machines and their spans in use; ids count from 1 in the order given."""
    found: dict[str, Factory] = {}
    rows: list[tuple[int, int, int]] = []
    machine = 0
    for number, (factory_id, machines) in enumerate(factories.items(), start=1):
        found[factory_id] = Factory(number, keys=dict((keys or {}).get(factory_id, {})))
        for machine_id, spans in machines.items():
            machine += 1
            found[factory_id].machines[machine_id] = machine
            rows += [(machine, *span) for span in spans or [(0, 0)]]
    columns = np.array(rows, np.int64).reshape(-1, 3)
    known = with_machines(NO_MACHINES, columns[:, 0], np.zeros(len(columns), np.int16), columns[:, 1], columns[:, 2])
    return Registry(1, found, known, dict(sealed_before_us or dict.fromkeys(FactTable, LONG_AGO_US)))
