"""What time, pieces and rows count toward, by hand: both implementations take the rules from the list of figures.

Were a rule in ``figures.json`` wrong, the two would agree on the wrong figure. So what each figure is made of is
written down here once more, from ISO 22400-2 and the KPI definitions.
"""

import ast
import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from schemas.wire.codes import Mode, State
from services.analytics.accounts import CountRows, HourRanges, account
from services.analytics.figures import SUMS, WIDE
from services.analytics.in_force import NO_CYCLE, NO_PATTERN, StateRows, Versions
from services.analytics.verification import reference
from services.analytics.verification.reference import MachineVersion, account_machine
from services.core.times import FIRST_INSTANT_US, HOUR_US, LAST_INSTANT_US, MINUTE_US, SECOND_US

ORIGIN_US = 1_480_000_000_000_000 // HOUR_US * HOUR_US
TTL_US = 10 * MINUTE_US
CYCLE_US = 7 * SECOND_US

OF_STATE = {
    "unknown": set(),
    "producing": {"producing_us", "evidence_us", "scheduled_evidence_us"},
    "setup": {"setup_us", "evidence_us", "scheduled_evidence_us"},
    "delayed": {"delayed_us", "evidence_us", "scheduled_evidence_us"},
    "faulted": {"faulted_us", "evidence_us", "scheduled_evidence_us"},
    "idle": {"idle_us", "evidence_us", "scheduled_evidence_us"},
    "planned_stop": {"planned_stop_us", "evidence_us", "scheduled_evidence_us"},
    "off_shift": {"off_shift_us", "evidence_us", "scheduled_evidence_us"},
}
WITH_CYCLE = {
    "producing": {"cycle_producing_us", "cycle_busy_us"},
    "setup": {"cycle_setup_us", "cycle_busy_us"},
    "delayed": {"cycle_busy_us"},
    "faulted": {"cycle_busy_us"},
    "idle": {"cycle_busy_us"},
}
PRODUCING_IN_MODE = {
    "unknown": set(),
    "automatic": {"producing_automatic_us"},
    "semi_automatic": {"producing_semi_automatic_us"},
    "manual": {"producing_manual_us"},
}

KNOWN = {"state_rows"}.union(*OF_STATE.values(), *WITH_CYCLE.values(), *PRODUCING_IN_MODE.values())
"""The figures that are pinned down here; a later one should be, too."""

StateRow = tuple[int, State, Mode]
CountRow = tuple[int, int, int, int, int]
"""Instant, good, scrap, rework, signed."""
Accounted = dict[str, int]
Implementation = Callable[[list[StateRow], list[CountRow], int], Accounted]


def in_columns(states: list[StateRow], counts: list[CountRow], cycle_us: int) -> Accounted:
    """The figures of one machine's hour, in columns."""

    def column(values: list[int]) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
        return np.array(values, np.int64)

    always = FIRST_INSTANT_US, LAST_INSTANT_US
    versions = [*always, TTL_US, cycle_us, *always, 1, NO_PATTERN, 0]
    found = account(
        StateRows(column([1] * len(states)), *(column([row[n] for row in states]) for n in range(3))),
        CountRows(column([1] * len(counts)), *(column([row[n] for row in counts]) for n in range(5))),
        Versions(column([1]), *(column([value]) for value in versions)),
        HourRanges(column([1]), column([ORIGIN_US]), column([ORIGIN_US + HOUR_US])),
        LAST_INSTANT_US,
    ).closed
    rows = zip(found.sums.tolist(), found.wide.tolist(), strict=True)
    named = [dict(zip((*SUMS, *WIDE), (*sums, *wide), strict=True)) for sums, wide in rows]
    return {name: amount for figures in named for name, amount in figures.items() if amount}


def plainly(states: list[StateRow], counts: list[CountRow], cycle_us: int) -> Accounted:
    """The same by the second implementation."""
    version = MachineVersion(
        FIRST_INSTANT_US, LAST_INSTANT_US, TTL_US, cycle_us or None, FIRST_INSTANT_US, LAST_INSTANT_US, False, ("one",)
    )
    found = account_machine(
        states, counts, [version], LAST_INSTANT_US, FIRST_INSTANT_US, ORIGIN_US, ORIGIN_US + HOUR_US
    )
    return {name: amount for figures in found.values() for name, amount in figures.items() if amount}


both = pytest.mark.parametrize("implementation", [in_columns, plainly])
each_cycle = pytest.mark.parametrize("cycle_us", [NO_CYCLE, CYCLE_US])


@both
@each_cycle
@pytest.mark.parametrize(("state", "mode"), list(itertools.product(State, Mode)))
def test_held_time_counts_toward_its_figures(
    implementation: Implementation, cycle_us: int, state: State, mode: Mode
) -> None:
    expected = set(OF_STATE[state.name])
    if state is State.producing:
        expected |= PRODUCING_IN_MODE[mode.name]
    if cycle_us:
        expected |= WITH_CYCLE.get(state.name, set())
    found = implementation([(ORIGIN_US, state, mode)], [], cycle_us)
    known = {name: amount for name, amount in found.items() if name in KNOWN}
    assert known == {"state_rows": 1} | dict.fromkeys(expected, TTL_US)


@both
@each_cycle
def test_pieces_and_their_ideal_time(implementation: Implementation, cycle_us: int) -> None:
    rows = [(ORIGIN_US, 100, 10, 1, 1), (ORIGIN_US + 1, 200, 20, 2, 0)]
    expected = {"good": 300, "scrap": 30, "rework": 3, "count_rows": 2, "signed_count_rows": 1}
    if cycle_us:
        expected |= {"ideal_pq_us": 333 * CYCLE_US, "ideal_good_us": 300 * CYCLE_US}
    assert implementation([], rows, cycle_us) == expected


@both
@pytest.mark.parametrize("before", State)
def test_a_failure_follows_a_known_sound_state(implementation: Implementation, before: State) -> None:
    rows = [(ORIGIN_US, before, Mode.unknown), (ORIGIN_US + MINUTE_US, State.faulted, Mode.unknown)]
    sound = before not in (State.unknown, State.faulted)
    assert implementation(rows, [], NO_CYCLE).get("failures", 0) == int(sound)


def test_the_second_implementation_shares_no_code_of_the_first() -> None:
    folder = Path(reference.__file__).parent
    imported = {
        name
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [])
        if name.startswith("services.analytics")
    }
    assert imported
    assert {name for name in imported if not name.startswith("services.analytics.verification")} == set()
    assert "numpy" not in "".join(path.read_text() for path in folder.glob("*.py"))
