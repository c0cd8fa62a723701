"""Derives a machine's state, mode and counts from its MTConnect values. Pure.

The first of these rules that applies decides the state:

1. Execution or Availability is UNAVAILABLE, or Execution was never reported: unknown.
2. Execution is ACTIVE: the state of FunctionalMode if it has one (see ``FUNCTIONAL_MODES``), else producing.
3. The emergency stop is triggered, or a Fault is active: faulted.
4. FunctionalMode has a state: that state.
5. The state of Execution (see ``EXECUTIONS``); unknown if the value is not in the table.

Values are compared without regard to case.
"""

from dataclasses import dataclass, field
from enum import Enum, auto

from schemas.wire.codes import Mode, State
from schemas.wire.limits import MAX_INT32, MAX_STRING
from services.gateway.shdr import Condition, Level

UNAVAILABLE = "UNAVAILABLE"
ACTIVE = "ACTIVE"
TRIGGERED = "TRIGGERED"


class Role(Enum):
    """What Jejo uses a data item for, whatever an adapter calls it."""

    EXECUTION = auto()
    AVAILABILITY = auto()
    EMERGENCY_STOP = auto()
    FUNCTIONAL_MODE = auto()
    CONTROLLER_MODE = auto()
    PART_COUNT = auto()


FUNCTIONAL_MODES = {
    "SETUP": State.setup,
    "TEARDOWN": State.setup,
    "MAINTENANCE": State.planned_stop,
    "PROCESS_DEVELOPMENT": State.planned_stop,
}

EXECUTIONS = {
    "FEED_HOLD": State.delayed,
    "INTERRUPTED": State.delayed,
    "OPTIONAL_STOP": State.delayed,
    "PROGRAM_OPTIONAL_STOP": State.delayed,
    "PROGRAM_STOPPED": State.delayed,
    "WAIT": State.delayed,
    "READY": State.idle,
    "STOPPED": State.idle,
    "PROGRAM_COMPLETED": State.idle,
}

CONTROLLER_MODES = {
    "AUTOMATIC": Mode.automatic,
    "SEMI_AUTOMATIC": Mode.semi_automatic,
    "MANUAL": Mode.manual,
    "MANUAL_DATA_INPUT": Mode.manual,
}


@dataclass(frozen=True, slots=True)
class Status:
    """A machine's state, mode and reason; ``reason`` is the machine's own word for why it is not producing."""

    state: State
    mode: Mode
    reason: str | None


UNKNOWN = Status(State.unknown, Mode.unknown, None)


class ActiveFaults:
    """The conditions at level FAULT, by data item and code.

    FAULT sets the fault of its code. NORMAL without a code clears all faults of its data item, with a code that one.
    WARNING clears the fault of its code, which has become a warning. UNAVAILABLE clears all faults of its data item,
    since a condition that cannot be observed is no evidence of a fault.
    """

    def __init__(self) -> None:
        self._texts: dict[tuple[str, str], str] = {}

    def __bool__(self) -> bool:
        return bool(self._texts)

    def apply(self, condition: Condition) -> None:
        """Set or clear faults by one condition."""
        fault = (condition.key, condition.code)
        if condition.level is Level.FAULT:
            self._texts[fault] = condition.text
        elif condition.level is Level.UNAVAILABLE or (condition.level is Level.NORMAL and not condition.code):
            self._texts = {other: text for other, text in self._texts.items() if other[0] != condition.key}
        else:
            self._texts.pop(fault, None)

    def first(self) -> str:
        """Describe the longest-standing fault: data item, code and text, without control characters."""
        (key, code), text = next(iter(self._texts.items()))
        words = " ".join(part for part in (key, code, text) if part)
        return "".join(character for character in words if character.isprintable())


@dataclass(slots=True)
class Signals:
    """A machine's latest value of each role, and its active faults."""

    values: dict[Role, str] = field(default_factory=dict)
    faults: ActiveFaults = field(default_factory=ActiveFaults)

    def status(self) -> Status:
        """Derive the status by the rules above."""
        state, reason = self._state()
        if state is State.unknown:
            return UNKNOWN
        mode = CONTROLLER_MODES.get(self._value(Role.CONTROLLER_MODE), Mode.unknown)
        return Status(state, mode, reason[:MAX_STRING] if reason else None)

    def _value(self, role: Role) -> str:
        return normalised(self.values.get(role, ""))

    def _state(self) -> tuple[State, str | None]:
        execution, functional_mode = self._value(Role.EXECUTION), self._value(Role.FUNCTIONAL_MODE)
        if execution in ("", UNAVAILABLE) or self._value(Role.AVAILABILITY) == UNAVAILABLE:
            return State.unknown, None
        if execution == ACTIVE:
            state = FUNCTIONAL_MODES.get(functional_mode, State.producing)
            return state, None if state is State.producing else functional_mode
        if self._value(Role.EMERGENCY_STOP) == TRIGGERED:
            return State.faulted, Role.EMERGENCY_STOP.name
        if self.faults:
            return State.faulted, self.faults.first()
        if functional_mode in FUNCTIONAL_MODES:
            return FUNCTIONAL_MODES[functional_mode], functional_mode
        return EXECUTIONS.get(execution, State.unknown), execution


def normalised(value: str) -> str:
    """Return a value as the standard writes it: in upper case, without blanks around it."""
    return value.strip().upper()


def is_known_execution(value: str) -> bool:
    """Return whether the rules know a value of Execution."""
    return normalised(value) in EXECUTIONS or normalised(value) in (ACTIVE, UNAVAILABLE)


class PartCounter:
    """Turns a running total of parts into increments.

    The first value, and the first after UNAVAILABLE, is a baseline. If the total rises, the rise is the count. If it
    falls, the counter was reset, and the new total is the count, even if it is 0. An unchanged total is no count.
    """

    def __init__(self) -> None:
        self._total: int | None = None

    def count(self, value: str) -> int | None:
        """Return the parts made since the last value, or None if there is nothing to count.

        Raises:
            ValueError: the value is neither UNAVAILABLE nor a whole number of parts; it is ignored.
        """
        if normalised(value) == UNAVAILABLE:
            self._total = None
            return None
        total = parse_total(value)
        before, self._total = self._total, total
        if before is None or total == before:
            return None
        return total - before if total > before else total


def parse_total(value: str) -> int:
    """Parse a running total, which adapters also write as ``12.000000``.

    Raises:
        ValueError: it is not a whole number from 0 to 2^31-1.
    """
    whole, _, fraction = value.strip().partition(".")
    if not (whole.isascii() and whole.isdigit()) or fraction.strip("0") or int(whole) > MAX_INT32:
        raise ValueError(f"{value[:40]!r} is not a number of parts")
    return int(whole)
