"""Writes what the API must answer about a simulated fleet, reckoned from what was sent."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path

import msgspec
from tqdm import tqdm

from services.core.errors import ConfigurationError
from services.core.times import DAY_US, HOUR_US, SECOND_US, ceil_to, floor_to, rfc3339, seoul_day, seoul_midnight_us
from services.simulator.changes import Change, Cohort, cohorts
from services.simulator.fleet import Automation, Factory, Machine
from services.simulator.registration import STATE_TTL_S
from services.simulator.source import Source, World
from services.simulator.truth import MachineTruth, Registered, cut, machine_truth, rows_that_count
from services.simulator.truth_sums import Json, Sums, item_of

AUTOMATED = (Automation.AUTOMATIC, Automation.ROBOT)
GROUPS = tuple(field.name for field in fields(Cohort))


def write_truth(
    path: Path,
    world: World,
    fleet: Sequence[Factory],
    changed: list[Change],
    sent_us: Mapping[str, int],
    in_use_from: dt.date,
) -> None:
    """Reckon and write.

    Args:
        sent_us: by factory, up to when all that was due has arrived.
        in_use_from: of all machines.

    Raises:
        ConfigurationError: no whole hour was sent, or the file cannot be written.
    """
    from_us, to_us = ceil_to(world.begin_us, HOUR_US), floor_to(min(sent_us.values()), HOUR_US)
    if from_us >= to_us:
        raise ConfigurationError("--truth: no whole hour was simulated; simulate more history, or longer.")
    truth = Truth(from_us, to_us, seoul_midnight_us(in_use_from))
    for factory in tqdm(fleet, desc="reckoning the truth", unit="factory", disable=None):
        sent = Source(world, factory).deliveries(world.begin_us, sent_us[factory.factory_id])
        rows = rows_that_count(sent)
        belongs = cohorts(factory, changed)
        for machine in factory.machines:
            truth.add_machine(factory, machine, belongs, rows.get(machine.machine_id, []))
    answer = {"seed": world.seed, "from": rfc3339(from_us), "to": rfc3339(to_us), **truth.answer()}
    try:
        path.write_bytes(msgspec.json.Encoder(decimal_format="number").encode(answer))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written ({error.strerror}): choose another place.") from error


class Truth:
    """The sums of every scope over a window, and of the nation by day."""

    def __init__(self, from_us: int, to_us: int, in_use_from_us: int) -> None:
        self._from_us = from_us
        self._to_us = to_us
        self._in_use_from_us = in_use_from_us
        self._scopes: dict[str, Sums] = defaultdict(Sums)
        self._days: dict[dt.date, Sums] = defaultdict(Sums)

    def add_machine(
        self, factory: Factory, machine: Machine, belongs: list[tuple[int, Cohort]], rows: Sequence[object]
    ) -> None:
        """Add what one machine did, to every scope that it was in while it did it."""
        cycle_us = None if machine.ideal_cycle_s is None else round(machine.ideal_cycle_s * SECOND_US)
        begins = [at_us for at_us, _ in belongs]
        registered = Registered(STATE_TTL_S * SECOND_US, cycle_us, self._in_use_from_us, begins)
        truth = machine_truth(registered, rows, self._from_us, self._to_us)  # type: ignore[arg-type]
        for (place, day), account in truth.accounts.items():
            for sums in self._sums_of(factory, belongs[place][1], day):
                sums.add(account, is_counted=day in truth.counted_days, cycle_us=cycle_us)
        self._add_time_in_use(factory, machine, belongs, registered)
        self._add_stock(factory, machine, belongs, registered, truth)

    def _add_time_in_use(
        self, factory: Factory, machine: Machine, belongs: list[tuple[int, Cohort]], registered: Registered
    ) -> None:
        start_us = max(self._from_us, self._in_use_from_us)
        for place, day, length_us in cut(registered, start_us, self._to_us):
            for sums in self._sums_of(factory, belongs[place][1], day):
                sums.in_use_us += length_us
                sums.factories.add(factory.factory_id)
                sums.machines.add(f"{factory.factory_id}/{machine.machine_id}")

    def _add_stock(
        self,
        factory: Factory,
        machine: Machine,
        belongs: list[tuple[int, Cohort]],
        registered: Registered,
        truth: MachineTruth,
    ) -> None:
        """The shares of the registry are stocks, of the last instant before the end: of the window, and of each day."""
        last = belongs[registered.cohort_at(self._to_us - 1)][1]
        connected_days = {day for (_, day), account in truth.accounts.items() if account.is_connected}
        for scope in scopes_of(factory, last):
            self._stock(self._scopes[scope], machine, is_connected=bool(connected_days))
        for day in self._whole_days():
            self._stock(self._days[day], machine, is_connected=day in connected_days)

    def _stock(self, sums: Sums, machine: Machine, *, is_connected: bool) -> None:
        sums.registered += 1
        sums.automated += machine.automation in AUTOMATED
        sums.connected += is_connected

    def _sums_of(self, factory: Factory, cohort: Cohort, day: dt.date) -> Iterator[Sums]:
        yield from (self._scopes[scope] for scope in scopes_of(factory, cohort))
        yield self._days[day]

    def _whole_days(self) -> list[dt.date]:
        """The days of Seoul that lie in the window with all of their hours."""
        first, last = seoul_day(self._from_us), seoul_day(self._to_us)
        days = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
        return [d for d in days if self._from_us <= (us := seoul_midnight_us(d)) and us + DAY_US <= self._to_us]

    def answer(self) -> Json:
        """Scopes over the whole window; the nation by day."""
        days = {day.isoformat(): item_of(self._days[day]) for day in self._whole_days()}
        return {"scopes": {scope: item_of(sums) for scope, sums in sorted(self._scopes.items())}, "days": days}


def scopes_of(factory: Factory, cohort: Cohort) -> list[str]:
    """Every scope that the factory is in while in a cohort."""
    named = ((group, getattr(cohort, group)) for group in GROUPS)
    return [
        "nation",
        f"factory:{factory.factory_id}",
        *(f"{group}:{value}" for group, value in named if value is not None),
    ]
