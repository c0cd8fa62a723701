"""Writes the truth file: what the API must answer about a simulated fleet, computed from what was sent.

Shares no code with analytics, which it is there to check.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import msgspec
from tqdm import tqdm

from schemas.wire.codes import Mode, State
from services.core.errors import ConfigurationError
from services.core.times import DAY_US, HOUR_US, SECOND_US, ceil_to, floor_to, rfc3339, seoul_day, seoul_midnight_us
from services.simulator.cohorts import Cohort, RegistryChange, cohort_history
from services.simulator.fleet import Automation, Factory, Machine
from services.simulator.machine_truth import (
    PLANNED_BUSY,
    Account,
    DailyShift,
    MachineTruth,
    RegisteredMachine,
    machine_truth,
    parts_of,
    rows_in_force,
)
from services.simulator.registration import STATE_TTL_S
from services.simulator.source import Source, World

Json = dict[str, object]

AUTOMATED = (Automation.AUTOMATIC, Automation.ROBOT)
COHORT_KINDS = tuple(field.name for field in fields(Cohort))
SECONDS_AN_HOUR = 3600


def write_truth(
    path: Path,
    world: World,
    fleet: Sequence[Factory],
    changes: Sequence[RegistryChange],
    sent_us: Mapping[str, int],
    in_use_from: dt.date,
) -> None:
    """Compute and write the truth over the whole hours that were sent.

    Args:
        sent_us: by factory, the instant up to which everything due has arrived.
        in_use_from: the day from which all machines are in use.

    Raises:
        ConfigurationError: no whole hour was sent, or the file cannot be written.
    """
    from_us, to_us = ceil_to(world.begin_us, HOUR_US), floor_to(min(sent_us.values()), HOUR_US)
    if from_us >= to_us:
        raise ConfigurationError("--truth: no whole hour was simulated; simulate more history, or longer.")
    truth = Truth(from_us, to_us, seoul_midnight_us(in_use_from))
    for factory in tqdm(fleet, desc="computing the truth", unit="factory", disable=None):
        sent = Source(world, factory).deliveries(world.begin_us, sent_us[factory.factory_id])
        rows = rows_in_force(sent)
        history = cohort_history(factory, changes)
        for machine in factory.machines:
            registered = RegisteredMachine(
                ttl_us=STATE_TTL_S * SECOND_US,
                cycle_us=None if machine.ideal_cycle_s is None else round(machine.ideal_cycle_s * SECOND_US),
                in_use_from_us=truth.in_use_from_us,
                cohort_from_us=[at_us for at_us, _ in history],
                shift=daily_shift(factory),
            )
            account = machine_truth(registered, rows.get(machine.machine_id, []), from_us, to_us)
            truth.add_machine(factory, machine, [cohort for _, cohort in history], registered, account)
    ghosts = {factory.ghost.value: factory.factory_id for factory in fleet if factory.ghost is not None}
    window = {"from": rfc3339(from_us), "to": rfc3339(to_us)}
    document = {"seed": world.seed, **window, **truth.to_json(), "ghosts": ghosts}
    try:
        path.write_bytes(msgspec.json.Encoder(decimal_format="number").encode(document))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written ({error.strerror}): choose another place.") from error


@dataclass(slots=True)
class Sums:
    """The sums of one scope over one stretch of time: microseconds, pieces, failures, things in use.

    ``counted`` sums are over counted machine-days only, ``cycled`` over those of them with an ideal cycle in force.
    """

    state_us: Counter[State] = field(default_factory=Counter)
    mode_us: Counter[Mode] = field(default_factory=Counter)
    in_use_us: int = 0
    scheduled_us: int = 0
    scheduled_evidence_us: int = 0
    good: int = 0
    scrap: int = 0
    rework: int = 0
    failures: int = 0
    counted_planned_busy_us: int = 0
    counted_pieces: int = 0
    cycled_producing_us: int = 0
    cycled_setup_us: int = 0
    cycled_planned_busy_us: int = 0
    ideal_us: int = 0
    ideal_good_us: int = 0
    factories: set[str] = field(default_factory=set)
    machines: set[str] = field(default_factory=set)
    registered: int = 0
    automated: int = 0
    connected: int = 0

    def add(self, account: Account, *, is_counted: bool, cycle_us: int | None) -> None:
        """Add a machine's account of a day."""
        self.state_us.update(account.state_us)
        self.mode_us.update(account.mode_us)
        self.scheduled_evidence_us += account.scheduled_evidence_us
        self.good += account.good
        self.scrap += account.scrap
        self.rework += account.rework
        self.failures += account.failures
        if is_counted:
            planned_busy_us = sum(account.state_us[state] for state in PLANNED_BUSY)
            self.counted_planned_busy_us += planned_busy_us
            self.counted_pieces += account.pieces
            if cycle_us is not None:
                self.cycled_producing_us += account.state_us[State.producing]
                self.cycled_setup_us += account.state_us[State.setup]
                self.cycled_planned_busy_us += planned_busy_us
                self.ideal_us += cycle_us * account.pieces
                self.ideal_good_us += cycle_us * account.good


class Truth:
    """The sums of every scope over [from_us, to_us), and of the nation by day."""

    def __init__(self, from_us: int, to_us: int, in_use_from_us: int) -> None:
        """All machines are in use from ``in_use_from_us`` on."""
        self.in_use_from_us = in_use_from_us
        self._from_us = from_us
        self._to_us = to_us
        self._scopes: dict[str, Sums] = defaultdict(Sums)
        self._days: dict[dt.date, Sums] = defaultdict(Sums)

    def add_machine(
        self,
        factory: Factory,
        machine: Machine,
        cohorts: Sequence[Cohort],
        registered: RegisteredMachine,
        truth: MachineTruth,
    ) -> None:
        """Add one machine to every scope, for the time that it was in it.

        Args:
            cohorts: those of the factory, in order; ``registered`` and ``truth`` name them by index.
        """
        for (index, day), account in truth.accounts.items():
            for sums in self._sums_of(factory, cohorts[index], day):
                sums.add(account, is_counted=day in truth.counted_days, cycle_us=registered.cycle_us)
        start_us = max(self._from_us, self.in_use_from_us)
        for part in parts_of(registered, start_us, self._to_us):
            for sums in self._sums_of(factory, cohorts[part.cohort], part.day):
                sums.in_use_us += part.length_us
                sums.scheduled_us += part.length_us if part.is_scheduled else 0
                sums.factories.add(factory.factory_id)
                sums.machines.add(f"{factory.factory_id}/{machine.machine_id}")
        # The shares of the registry are stocks, of the last instant before the end: of the window, and of each day.
        connected_days = {day for (_, day), account in truth.accounts.items() if account.is_connected}
        for scope in scopes_of(factory, cohorts[registered.cohort_at(self._to_us - 1)]):
            add_to_stocks(self._scopes[scope], machine, is_connected=bool(connected_days))
        for day in self._whole_days():
            add_to_stocks(self._days[day], machine, is_connected=day in connected_days)

    def _sums_of(self, factory: Factory, cohort: Cohort, day: dt.date) -> Iterator[Sums]:
        yield from (self._scopes[scope] for scope in scopes_of(factory, cohort))
        yield self._days[day]

    def _whole_days(self) -> list[dt.date]:
        """The days of Seoul of which the window has every hour."""
        first, last = seoul_day(self._from_us), seoul_day(self._to_us)
        days = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
        return [d for d in days if self._from_us <= (us := seoul_midnight_us(d)) and us + DAY_US <= self._to_us]

    def to_json(self) -> Json:
        """Every scope over the whole window, and the nation by day."""
        days = {day.isoformat(): item_of(self._days[day]) for day in self._whole_days()}
        return {"scopes": {scope: item_of(sums) for scope, sums in sorted(self._scopes.items())}, "days": days}


def daily_shift(factory: Factory) -> DailyShift:
    """Return the shift of the calendar that a factory is registered with."""
    start_h, end_h = factory.shifts.bounds
    return DailyShift(factory.shifts.weekdays, round(start_h * HOUR_US), round(end_h * HOUR_US))


def add_to_stocks(sums: Sums, machine: Machine, *, is_connected: bool) -> None:
    """Count a machine as registered, and as automated and connected if it is."""
    sums.registered += 1
    sums.automated += machine.automation in AUTOMATED
    sums.connected += is_connected


def scopes_of(factory: Factory, cohort: Cohort) -> list[str]:
    """Return every scope that the factory is in while it is in ``cohort``."""
    named = ((kind, getattr(cohort, kind)) for kind in COHORT_KINDS)
    return [
        "nation",
        f"factory:{factory.factory_id}",
        *(f"{kind}:{value}" for kind, value in named if value is not None),
    ]


def item_of(sums: Sums) -> Json:
    """Return the sums in the form of the API's items: exact seconds, and pieces."""
    time_us = {state.name: sums.state_us[state] for state in State if state is not State.unknown}
    unheld_us = sums.in_use_us - sum(time_us.values())
    time_us["unknown"] = sums.scheduled_us - sums.scheduled_evidence_us
    time_us["off_shift"] += unheld_us - time_us["unknown"]
    return {
        "factories": len(sums.factories),
        "machines": len(sums.machines),
        "time_s": in_seconds(time_us),
        "producing_by_mode_s": in_seconds({mode.name: sums.mode_us[mode] for mode in Mode}),
        "counts": {"good": sums.good, "scrap": sums.scrap, "rework": sums.rework},
        "failures": sums.failures,
        "kpis": kpis_of(sums),
    }


def in_seconds(times_us: Mapping[str, int]) -> Json:
    return {name: seconds(us) for name, us in times_us.items()}


def seconds(us: int) -> Decimal:
    """Convert microseconds to exact seconds."""
    return Decimal(us).scaleb(-6)


def kpis_of(sums: Sums) -> Json:
    """Return every KPI: numerator and denominator (seconds, pieces or machines), and its value."""
    apt, setup, faulted = (sums.state_us[state] for state in (State.producing, State.setup, State.faulted))
    adet = sums.state_us[State.delayed] + faulted
    busy = apt + setup + adet
    planned_busy = busy + sums.state_us[State.idle]
    pieces = sums.good + sums.scrap + sums.rework
    known_mode = sum(sums.mode_us[mode] for mode in Mode if mode is not Mode.unknown)
    return {
        "availability": ratio_of_times(apt, planned_busy),
        "utilisation_efficiency": ratio_of_times(apt, busy),
        "allocation_efficiency": ratio_of_times(busy, planned_busy),
        "technical_efficiency": ratio_of_times(apt, apt + adet),
        "setup_ratio": ratio_of_times(setup, apt + setup),
        "quality_ratio": ratio(Decimal(sums.good), Decimal(pieces)),
        "effectiveness": ratio_of_times(sums.ideal_us, sums.cycled_producing_us),
        "oee": ratio_of_times(sums.ideal_good_us, sums.cycled_planned_busy_us),
        "nee": ratio_of_times(
            (sums.cycled_producing_us + sums.cycled_setup_us) * sums.ideal_good_us,
            sums.cycled_producing_us * sums.cycled_planned_busy_us,
        ),
        "throughput_per_h": ratio(Decimal(sums.counted_pieces), seconds(sums.counted_planned_busy_us), SECONDS_AN_HOUR),
        "mtbf_h": ratio(seconds(apt), Decimal(sums.failures), Fraction(1, SECONDS_AN_HOUR)),
        "mttr_h": ratio(seconds(faulted), Decimal(sums.failures), Fraction(1, SECONDS_AN_HOUR)),
        "automated_equipment_share": ratio(Decimal(sums.automated), Decimal(sums.registered)),
        "auto_collected_share": ratio(Decimal(sums.connected), Decimal(sums.registered)),
        "automatic_production_share": ratio_of_times(sums.mode_us[Mode.automatic], known_mode),
        "coverage": ratio_of_times(sums.scheduled_evidence_us, sums.scheduled_us),
    }


def ratio_of_times(numerator_us: int, denominator_us: int) -> Json:
    return ratio(seconds(numerator_us), seconds(denominator_us))


def ratio(numerator: Decimal, denominator: Decimal, factor: Fraction | int = 1) -> Json:
    """Return both sums and their ratio times ``factor``; the value is null where the denominator is 0."""
    value = None if denominator == 0 else float(Fraction(numerator) / Fraction(denominator) * factor)
    return {"value": value, "numerator": numerator, "denominator": denominator}
