"""Adds up what machines truly did, by scope, and says it in the API's words. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from schemas.wire.codes import Mode, State
from services.simulator.truth import BUSY, Account

Json = dict[str, object]
SECONDS_AN_HOUR = 3600


@dataclass(slots=True)
class Sums:
    """The sums of one scope over one stretch of time: microseconds, pieces, failures, things in use.

    ``counted`` sums are over counted machine-days only, ``cycled`` over those of them with an ideal cycle in force.
    """

    state_us: Counter[State] = field(default_factory=Counter)
    mode_us: Counter[Mode] = field(default_factory=Counter)
    in_use_us: int = 0
    good: int = 0
    scrap: int = 0
    rework: int = 0
    failures: int = 0
    counted_busy_us: int = 0
    counted_pieces: int = 0
    cycled_producing_us: int = 0
    cycled_setup_us: int = 0
    cycled_busy_us: int = 0
    ideal_us: int = 0
    ideal_good_us: int = 0
    factories: set[str] = field(default_factory=set)
    machines: set[str] = field(default_factory=set)
    registered: int = 0
    automated: int = 0
    connected: int = 0

    def add(self, account: Account, *, is_counted: bool, cycle_us: int | None) -> None:
        """Add what a machine did on a day."""
        self.state_us.update(account.state_us)
        self.mode_us.update(account.mode_us)
        self.good += account.good
        self.scrap += account.scrap
        self.rework += account.rework
        self.failures += account.failures
        if is_counted:
            busy_us = sum(account.state_us[state] for state in BUSY)
            self.counted_busy_us += busy_us
            self.counted_pieces += account.pieces
            if cycle_us is not None:
                self.cycled_producing_us += account.state_us[State.producing]
                self.cycled_setup_us += account.state_us[State.setup]
                self.cycled_busy_us += busy_us
                self.ideal_us += cycle_us * account.pieces
                self.ideal_good_us += cycle_us * account.good


def item_of(sums: Sums) -> Json:
    """The sums as the API's item says them: seconds and pieces, exactly."""
    time_us = {state.name: sums.state_us[state] for state in State if state is not State.unknown}
    time_us["unknown"] = sums.in_use_us - sum(time_us.values())
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
    """Exact seconds."""
    return Decimal(us).scaleb(-6)


def kpis_of(sums: Sums) -> Json:
    """Every KPI: its two sums (seconds, or things), and the one divided by the other."""
    apt, setup, faulted = (sums.state_us[state] for state in (State.producing, State.setup, State.faulted))
    adet = sums.state_us[State.delayed] + faulted
    busy = apt + setup + adet
    planned = busy + sums.state_us[State.idle]
    pieces = sums.good + sums.scrap + sums.rework
    known_mode = sum(sums.mode_us[mode] for mode in Mode if mode is not Mode.unknown)
    evidence = sum(us for state, us in sums.state_us.items() if state is not State.unknown)
    return {
        "availability": of_times(apt, planned),
        "utilisation_efficiency": of_times(apt, busy),
        "allocation_efficiency": of_times(busy, planned),
        "technical_efficiency": of_times(apt, apt + adet),
        "setup_ratio": of_times(setup, apt + setup),
        "quality_ratio": ratio(Decimal(sums.good), Decimal(pieces)),
        "effectiveness": of_times(sums.ideal_us, sums.cycled_producing_us),
        "oee": of_times(sums.ideal_good_us, sums.cycled_busy_us),
        "nee": of_times(
            (sums.cycled_producing_us + sums.cycled_setup_us) * sums.ideal_good_us,
            sums.cycled_producing_us * sums.cycled_busy_us,
        ),
        "throughput_per_h": ratio(Decimal(sums.counted_pieces), seconds(sums.counted_busy_us), SECONDS_AN_HOUR),
        "mtbf_h": ratio(seconds(apt), Decimal(sums.failures), Fraction(1, SECONDS_AN_HOUR)),
        "mttr_h": ratio(seconds(faulted), Decimal(sums.failures), Fraction(1, SECONDS_AN_HOUR)),
        "automated_equipment_share": ratio(Decimal(sums.automated), Decimal(sums.registered)),
        "auto_collected_share": ratio(Decimal(sums.connected), Decimal(sums.registered)),
        "automatic_production_share": of_times(sums.mode_us[Mode.automatic], known_mode),
        "coverage": of_times(evidence, sums.in_use_us),
    }


def of_times(numerator_us: int, denominator_us: int) -> Json:
    return ratio(seconds(numerator_us), seconds(denominator_us))


def ratio(numerator: Decimal, denominator: Decimal, factor: Fraction | int = 1) -> Json:
    """Both sums as they are, and their ratio times a factor; null without a denominator."""
    value = None if denominator == 0 else float(Fraction(numerator) / Fraction(denominator) * factor)
    return {"value": value, "numerator": numerator, "denominator": denominator}
