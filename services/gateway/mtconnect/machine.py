"""Derives a machine's state and mode from the values of its data items. Pure.

A *path* is a part of the control that executes programs of its own: each data item of type EXECUTION makes one. The
first of these rules that applies decides the state of the machine:

1. Availability is UNAVAILABLE, or no path has an Execution that is known: unknown.
2. A path's Execution is ACTIVE: the state of its FunctionalMode if that has one (see ``FUNCTIONAL_MODES``), else
   producing. If several paths are ACTIVE, producing comes before any other state.
3. An emergency stop is triggered, or a Fault is active: faulted.
4. A path's FunctionalMode has a state: that state.
5. The state of Execution (see ``EXECUTIONS``): delayed if a path's is, else idle; unknown if no path's is in the table.

The mode is that of the paths which decided; if they differ, the least automatic one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.wire.codes import Mode, State
from schemas.wire.limits import MAX_STRING
from services.gateway.mtconnect.model import DataItem, DeviceModel, Role
from services.gateway.mtconnect.observations import Condition, Value
from services.gateway.mtconnect.vocabulary import (
    ACTIVE,
    CONTROLLER_MODES,
    EXECUTIONS,
    FUNCTIONAL_MODES,
    TRIGGERED,
    UNAVAILABLE,
    Level,
    normalised,
)


@dataclass(frozen=True, slots=True)
class Status:
    """A machine's state, mode and reason; ``reason`` is the machine's own word for why it is not producing."""

    state: State
    mode: Mode
    reason: str | None


UNKNOWN = Status(State.unknown, Mode.unknown, None)


class ActiveFaults:
    """The conditions at level FAULT, by data item and condition id.

    FAULT sets the fault of its code. NORMAL with a code clears that fault, without one all of its data item; a fault
    without a code is also cleared by a NORMAL whose code no fault has. WARNING clears the fault of its code, which has
    become a warning. UNAVAILABLE clears all faults of its data item, since a condition that cannot be observed is no
    evidence of a fault.
    """

    def __init__(self) -> None:
        self._faults: dict[tuple[str, str], Condition] = {}

    def __bool__(self) -> bool:
        return bool(self._faults)

    def apply(self, condition: Condition) -> None:
        """Set or clear faults by one condition."""
        if condition.level is Level.FAULT:
            self._faults[condition.item.id, condition.condition_id] = condition
            return
        for identity in self._cleared_by(condition):
            del self._faults[identity]

    def _cleared_by(self, condition: Condition) -> list[tuple[str, str]]:
        own = [identity for identity in self._faults if identity[0] == condition.item.id]
        is_normal = condition.level is Level.NORMAL
        if condition.level is Level.UNAVAILABLE or (is_normal and not condition.condition_id):
            return own
        named = [identity for identity in own if condition.condition_id in (identity[1], self._faults[identity].code)]
        return named or [identity for identity in own if is_normal and not identity[1]]

    def first(self) -> str:
        """Describe the longest-standing fault: data item, code and text, without control characters."""
        fault = next(iter(self._faults.values()))
        return printable(" ".join(part for part in (fault.item.label, fault.code, fault.text) if part))


@dataclass(frozen=True, slots=True)
class Path:
    """A path's data items; a mode that the path lacks is taken from the components that contain it."""

    execution: DataItem
    controller_mode: DataItem | None
    functional_mode: DataItem | None


class Machine:
    """The latest value of each data item of a machine that has a role, and its active faults."""

    def __init__(self, model: DeviceModel) -> None:
        self.faults = ActiveFaults()
        self._values: dict[str, str] = {}
        for item in model.items:
            known = item.constant if item.constant is not None else item.initial
            if item.role is not None and known is not None:
                self._values[item.id] = known
        modes, functional_modes = model.of_role(Role.CONTROLLER_MODE), model.of_role(Role.FUNCTIONAL_MODE)
        self._paths = [
            Path(execution, nearest(execution, modes), nearest(execution, functional_modes))
            for execution in model.of_role(Role.EXECUTION)
        ]
        self._programs = model.of_role(Role.PROGRAM)
        self._availabilities = model.of_role(Role.AVAILABILITY)
        self._emergency_stops = model.of_role(Role.EMERGENCY_STOP)

    def apply(self, observation: Value | Condition) -> None:
        """Take over a value or a condition."""
        if isinstance(observation, Condition):
            self.faults.apply(observation)
        else:
            self._values[observation.item.id] = observation.text

    def program(self, item: DataItem) -> str:
        """Return the name of the program that runs where a data item is, or an empty string if it is not known."""
        program = nearest(item, self._programs)
        text = printable(self._values.get(program.id, "")) if program is not None else ""
        return "" if normalised(text) == UNAVAILABLE else text.strip()[:MAX_STRING]

    def status(self) -> Status:
        """Derive the status by the rules above."""
        state, reason, deciding = self._decide()
        if state is State.unknown:
            return UNKNOWN
        modes = [CONTROLLER_MODES.get(self._word(path.controller_mode), Mode.unknown) for path in deciding]
        return Status(state, max(modes), reason[:MAX_STRING] if reason else None)

    def _word(self, item: DataItem | None) -> str:
        return normalised(self._values.get(item.id, "")) if item is not None else ""

    def _decide(self) -> tuple[State, str | None, Sequence[Path]]:
        available = [self._word(item) for item in self._availabilities if item.id in self._values]
        known = [path for path in self._paths if self._word(path.execution) not in ("", UNAVAILABLE)]
        if not known or (available and all(word == UNAVAILABLE for word in available)):
            return State.unknown, None, ()
        if active := [path for path in known if self._word(path.execution) == ACTIVE]:
            return self._decide_active(active)
        if any(self._word(item) == TRIGGERED for item in self._emergency_stops):
            return State.faulted, Role.EMERGENCY_STOP.name, known
        if self.faults:
            return State.faulted, self.faults.first(), known
        for path in known:
            if (word := self._word(path.functional_mode)) in FUNCTIONAL_MODES:
                return FUNCTIONAL_MODES[word], word, [path]
        for state in (State.delayed, State.idle):
            if deciding := [path for path in known if EXECUTIONS.get(self._word(path.execution)) is state]:
                return state, self._word(deciding[0].execution), deciding
        return State.unknown, None, ()

    def _decide_active(self, active: Sequence[Path]) -> tuple[State, str | None, Sequence[Path]]:
        words = [self._word(path.functional_mode) for path in active]
        producing = [path for path, word in zip(active, words, strict=True) if word not in FUNCTIONAL_MODES]
        if producing:
            return State.producing, None, producing
        return FUNCTIONAL_MODES[words[0]], words[0], active[:1]


def nearest(item: DataItem, candidates: Sequence[DataItem]) -> DataItem | None:
    """Return the candidate in the same component, in the nearest one that contains it, or in one that it contains.

    If there is none, but only one candidate in the device, it is that one.
    """
    related = [other for other in candidates if all(a == b for a, b in zip(item.scope, other.scope, strict=False))]
    containing = [other for other in related if len(other.scope) <= len(item.scope)]
    if related:
        return max(containing, key=lambda other: len(other.scope)) if containing else related[0]
    return candidates[0] if len(candidates) == 1 else None


def printable(text: str) -> str:
    """Return a text without control characters."""
    return "".join(character for character in text if character.isprintable())
