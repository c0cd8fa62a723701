"""Finds the registry version in force at a row's instant, and how long the row's state holds. Pure, in columns."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from schemas.wire.codes import State

Ints = npt.NDArray[np.int64]

NO_CYCLE = 0
NO_PATTERN = 0
FAR = np.int64(2**62)


@dataclass(frozen=True, slots=True)
class StateRows:
    """States in force, sorted by machine and instant, each instant once; ``state`` and ``mode`` are database codes."""

    machine: Ints
    at_us: Ints
    state: Ints
    mode: Ints


@dataclass(frozen=True, slots=True)
class Versions:
    """Registry versions sorted by machine and instant: in force for [from, to), in use within [in_use_from, in_use_to).

    ``cycle_us`` is the ideal cycle, NO_CYCLE if none is registered; ``cohort`` is the number of the machine's cohort;
    ``pattern`` that of the shifts in force, NO_PATTERN without a calendar. ``outside`` is 1 for versions that were cut
    at shifts (``shifts.cut_at_shifts``) and lie outside these, else 0.
    """

    machine: Ints
    from_us: Ints
    to_us: Ints
    ttl_us: Ints
    cycle_us: Ints
    in_use_from_us: Ints
    in_use_to_us: Ints
    cohort: Ints
    pattern: Ints
    outside: Ints

    def repeated(self, times: Ints) -> "Versions":
        """Return every version as many times as given, one copy after the other."""
        return Versions(*[np.repeat(getattr(self, field.name), times) for field in fields(self)])


@dataclass(frozen=True, slots=True)
class InForce:
    """Pairs of a row's position and a version's position."""

    row: npt.NDArray[np.intp]
    version: npt.NDArray[np.intp]


def position_in_force(machine: Ints, at_us: Ints, versions: Versions) -> npt.NDArray[np.intp]:
    """Return the position of the last version of each row's machine that begins at or before the row's instant.

    A position before the machine's first version means that no version has begun.
    """
    # Machine and instant do not fit in one number; machine and the rank of an instant among all beginnings do.
    beginnings = np.unique(versions.from_us)
    width = len(beginnings) + 1
    begun = versions.machine * width + np.searchsorted(beginnings, versions.from_us, "right")
    return np.searchsorted(begun, machine * width + np.searchsorted(beginnings, at_us, "right"), "right") - 1


def rows_in_use(machine: Ints, at_us: Ints, versions: Versions, until_us: int) -> InForce:
    """Return the rows before ``until_us`` at whose instant the machine is in use, each with the version in force."""
    position = position_in_force(machine, at_us, versions)
    row = np.flatnonzero((position >= 0) & (at_us < until_us))
    v = position[row]
    at = at_us[row]
    good = (
        (versions.machine[v] == machine[row])
        & (versions.in_use_from_us[v] <= at)
        & (at < np.minimum(versions.to_us[v], versions.in_use_to_us[v]))
    )
    return InForce(row[good], v[good])


def pair_with_versions(states: StateRows, versions: Versions) -> InForce:
    """Return every row with every version that may be in force while it holds."""
    known, where = np.unique(versions.machine, return_inverse=True)
    longest = np.zeros(len(known), np.int64)
    np.maximum.at(longest, where, versions.ttl_us)
    row = np.flatnonzero(np.isin(states.machine, known))
    machine, at = states.machine[row], states.at_us[row]
    last_instant = np.minimum(next_instants(states)[row], at + longest[np.searchsorted(known, machine)]) - 1
    first = np.maximum(position_in_force(machine, at, versions), np.searchsorted(versions.machine, machine, "left"))
    count = np.maximum(position_in_force(machine, last_instant, versions) - first + 1, 0)
    within = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    return InForce(np.repeat(row, count), np.repeat(first, count) + within)


@dataclass(frozen=True, slots=True)
class Holds:
    """Time [start, end) held by one row, within one version and the time in use; empty where end is not after start."""

    row: npt.NDArray[np.intp]
    version: npt.NDArray[np.intp]
    start_us: Ints
    end_us: Ints


def holds(states: StateRows, versions: Versions) -> Holds:
    """Return every row's hold, cut by versions and by the time in use; an unknown state holds nothing.

    A row holds until the next one, and at most for the TTL in force at the instant held.
    """
    pairs = pair_with_versions(states, versions)
    known = states.state[pairs.row] != State.unknown
    row, v = pairs.row[known], pairs.version[known]
    at = states.at_us[row]
    start = np.maximum.reduce([at, versions.from_us[v], versions.in_use_from_us[v]])
    end = np.minimum.reduce(
        [next_instants(states)[row], at + versions.ttl_us[v], versions.to_us[v], versions.in_use_to_us[v]]
    )
    return Holds(row, v, start, end)


def next_instants(states: StateRows) -> Ints:
    """Return the instant of each row's successor on the same machine; FAR for the last one."""
    following = np.full(len(states.at_us), FAR)
    same = states.machine[1:] == states.machine[:-1]
    following[:-1][same] = states.at_us[1:][same]
    return following
