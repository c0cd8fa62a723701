"""Time held by states, in columns: closed, which is in an hour's account, and open, which goes on. Pure."""

from dataclasses import dataclass, fields
from functools import cache

import numpy as np
import numpy.typing as npt

from schemas.figure_definitions import HeldTime
from schemas.wire.codes import Mode, State
from services.analytics.figures import SUMS, TIMES
from services.analytics.in_force import NO_CYCLE, Holds, Ints, StateRows, Versions
from services.core.times import HOUR_US, floor_to


@dataclass(frozen=True, slots=True)
class Held:
    """Parts of held time, each within one hour, one version and one row's hold."""

    machine: Ints
    start_us: Ints
    length_us: Ints
    state: Ints
    mode: Ints
    with_cycle: npt.NDArray[np.bool_]
    outside: npt.NDArray[np.bool_]
    cohort: Ints


@dataclass(frozen=True, slots=True)
class OpenHolds:
    """What holds machines at ``accounted_until``, at most one state a machine.

    The time before ``from_us`` is in the machine's closed hours. It holds until ``until_us`` unless a row or a change
    in the registry ends it earlier, which marks the machine. Where a shift begins or ends, another hold follows.
    ``state`` is as it is accounted: idle time outside a shift is off_shift.
    """

    machine: Ints
    cohort: Ints
    state: Ints
    mode: Ints
    with_cycle: Ints
    outside: Ints
    from_us: Ints
    until_us: Ints

    def chosen(self, rows: npt.NDArray[np.bool_]) -> "OpenHolds":
        """Return some of the rows."""
        return OpenHolds(*[getattr(self, name)[rows] for name in OPEN_HOLD_COLUMNS])


OPEN_HOLD_COLUMNS = tuple(field.name for field in fields(OpenHolds))


@dataclass(frozen=True, slots=True)
class InstantsAhead:
    """Instants from which on a state that is known now will hold: where a version begins, or the time in use."""

    machine: Ints
    at_us: Ints


def accounted_state(state: Ints, outside: npt.NDArray[np.bool_] | Ints) -> Ints:
    """Return states as they are accounted: a calendar moves idle time outside its shifts to off_shift."""
    accounted: Ints = np.where((state == State.idle) & (outside == 1), State.off_shift, state)
    return accounted


def is_open(states: StateRows, found: Holds, until_us: int) -> npt.NDArray[np.bool_]:
    """Return whether each hold goes on at ``until_us``, by a row before that."""
    return (states.at_us[found.row] < until_us) & (found.start_us <= until_us) & (found.end_us > until_us)


def closed_until(states: StateRows, found: Holds, until_us: int) -> Ints:
    """Return to where each hold is closed: one that goes on, to the beginning of the running hour only.

    The running hour begins at ``until_us`` if that is the beginning of an hour.
    """
    running_us = floor_to(until_us, HOUR_US)
    closed: Ints = np.where(
        is_open(states, found, until_us), np.maximum(found.start_us, running_us), np.minimum(found.end_us, until_us)
    )
    return closed


def open_holds(
    states: StateRows, versions: Versions, found: Holds, until_us: int, reached: npt.NDArray[np.bool_]
) -> OpenHolds:
    """Return the holds that go on at ``until_us``, of those of which all rows up to there are known (``reached``)."""
    going_on = np.flatnonzero(is_open(states, found, until_us) & reached)
    row, v = found.row[going_on], found.version[going_on]
    return OpenHolds(
        states.machine[row],
        versions.cohort[v],
        accounted_state(states.state[row], versions.outside[v]),
        states.mode[row],
        (versions.cycle_us[v] != NO_CYCLE).astype(np.int64),
        versions.outside[v],
        np.maximum(found.start_us[going_on], floor_to(until_us, HOUR_US)),
        found.end_us[going_on],
    )


def instants_ahead(states: StateRows, found: Holds, until_us: int, reached: npt.NDArray[np.bool_]) -> InstantsAhead:
    """Return from when on rows before ``until_us`` will hold otherwise than there: the next such instant of each row.

    What goes on to the end of the running hour is found again there, when the hour is closed.
    """
    later = reached & (states.at_us[found.row] < until_us) & (found.start_us > until_us)
    later &= found.start_us < found.end_us
    row, first = np.unique(found.row[later], return_index=True)
    machine, at_us = states.machine[row], found.start_us[later][first]
    going_on = is_open(states, found, until_us) & reached
    ends = dict(zip(found.row[going_on].tolist(), found.end_us[going_on].tolist(), strict=True))
    at_hour = floor_to(until_us, HOUR_US) + HOUR_US
    marked = [at != at_hour or ends.get(own) != at for own, at in zip(row.tolist(), at_us.tolist(), strict=True)]
    chosen = np.array(marked, bool)
    return InstantsAhead(machine[chosen], at_us[chosen])


def open_time(holds: OpenHolds, until_us: int) -> Held:
    """Return the part of open holds before ``until_us``."""
    end = np.minimum(holds.until_us, until_us)
    before = np.flatnonzero(holds.from_us < end)
    start = holds.from_us[before]
    return Held(
        holds.machine[before],
        start,
        end[before] - start,
        holds.state[before],
        holds.mode[before],
        holds.with_cycle[before] == 1,
        holds.outside[before] == 1,
        holds.cohort[before],
    )


KINDS_OF_TIME = len(State) * len(Mode) * 4


def add_times(sums: Ints, places: npt.NDArray[np.intp], held: Held) -> None:
    """Add held time: by all that decides toward which figures it counts, then to these."""
    wanted = places >= 0
    kind = kind_of_time(held.state, held.mode, held.with_cycle, held.outside)
    by_kind = np.zeros((len(sums), KINDS_OF_TIME), np.int64)
    np.add.at(by_kind, (places[wanted], kind[wanted]), held.length_us[wanted])
    for name, rule in TIMES.items():
        sums[:, SUMS.index(name)] = by_kind[:, kinds_counted(rule)].sum(axis=1)


def kind_of_time(
    state: Ints, mode: Ints, with_cycle: npt.NDArray[np.bool_] | int, outside: npt.NDArray[np.bool_] | int
) -> Ints:
    """Return a number for all that decides toward which figures held time counts; ``state`` is as accounted."""
    return ((state * len(Mode) + mode) * 2 + with_cycle) * 2 + outside


@cache
def kinds_counted(rule: HeldTime) -> list[int]:
    """Return the kinds of held time that count toward a figure."""
    states = [State[name] for name in rule.states]
    modes = list(Mode) if rule.modes is None else [Mode[name] for name in rule.modes]
    cycles = (1,) if rule.with_ideal_cycle else (0, 1)
    outside = (0,) if rule.within_shifts else (0, 1)
    return [
        ((state * len(Mode) + mode) * 2 + cycle) * 2 + out
        for state in states
        for mode in modes
        for cycle in cycles
        for out in outside
    ]
