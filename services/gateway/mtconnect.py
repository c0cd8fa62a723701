"""What a machine's MTConnect values mean: state, mode and counts, as ``docs/kpis.md`` says. Pure.

A state, in this order: execution or availability UNAVAILABLE is unknown; Execution ACTIVE is producing, or what
FunctionalMode says where it speaks; an e-stop triggered or an active Fault is faulted; then FunctionalMode; then
Execution. FunctionalMode PRODUCTION, or none, does not speak. Words are compared in any case. Execution that was never
heard is unknown like UNAVAILABLE; so is a word that is not in the table, where nothing before it decides.
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
    """What a data item is to Jejo, whatever an adapter calls it."""

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
    """What a state row says beside machine and time; ``reason`` is the machine's own word for a time not producing."""

    state: State
    mode: Mode
    reason: str | None


NOTHING_KNOWN = Status(State.unknown, Mode.unknown, None)


class ActiveFaults:
    """The conditions at level FAULT, by data item and code.

    FAULT with a code raises that one. NORMAL without a code ends all of its data item, with a code that one. WARNING
    with a code ends the fault of that code: it has become a warning. UNAVAILABLE ends all of its data item, since what
    cannot be seen is no evidence of a fault.
    """

    def __init__(self) -> None:
        self._texts: dict[tuple[str, str], str] = {}

    def __bool__(self) -> bool:
        return bool(self._texts)

    def apply(self, condition: Condition) -> None:
        """Take note of one condition."""
        one = (condition.key, condition.code)
        if condition.level is Level.FAULT:
            self._texts[one] = condition.text
        elif condition.level is Level.UNAVAILABLE or (condition.level is Level.NORMAL and not condition.code):
            self._texts = {other: text for other, text in self._texts.items() if other[0] != condition.key}
        else:
            self._texts.pop(one, None)

    def first(self) -> str:
        """The longest-standing fault in words: data item, code, text, without control characters."""
        (key, code), text = next(iter(self._texts.items()))
        words = " ".join(part for part in (key, code, text) if part)
        return "".join(character for character in words if character.isprintable())


@dataclass(slots=True)
class Signals:
    """What a machine last said of each role, and the faults it has."""

    values: dict[Role, str] = field(default_factory=dict)
    faults: ActiveFaults = field(default_factory=ActiveFaults)

    def status(self) -> Status:
        """The state, mode and reason that these make."""
        state, reason = self._state()
        if state is State.unknown:
            return NOTHING_KNOWN
        mode = CONTROLLER_MODES.get(self._word(Role.CONTROLLER_MODE), Mode.unknown)
        return Status(state, mode, reason[:MAX_STRING] if reason else None)

    def _word(self, role: Role) -> str:
        return word(self.values.get(role, ""))

    def _state(self) -> tuple[State, str | None]:
        execution, functional_mode = self._word(Role.EXECUTION), self._word(Role.FUNCTIONAL_MODE)
        if execution in ("", UNAVAILABLE) or self._word(Role.AVAILABILITY) == UNAVAILABLE:
            return State.unknown, None
        if execution == ACTIVE:
            state = FUNCTIONAL_MODES.get(functional_mode, State.producing)
            return state, None if state is State.producing else functional_mode
        if self._word(Role.EMERGENCY_STOP) == TRIGGERED:
            return State.faulted, Role.EMERGENCY_STOP.name
        if self.faults:
            return State.faulted, self.faults.first()
        if functional_mode in FUNCTIONAL_MODES:
            return FUNCTIONAL_MODES[functional_mode], functional_mode
        return EXECUTIONS.get(execution, State.unknown), execution


def word(value: str) -> str:
    """A value as the standard writes it."""
    return value.strip().upper()


def is_known_execution(value: str) -> bool:
    """Whether a value of Execution is one that a state can be read from, or UNAVAILABLE."""
    return word(value) in EXECUTIONS or word(value) in (ACTIVE, UNAVAILABLE)


class PartCounter:
    """Turns a running total of parts into increments.

    The first value, and the first after UNAVAILABLE, is a baseline. A rise is the count. A fall is a reset, and the new
    value is the count, be it zero. An unchanged total is no count.
    """

    def __init__(self) -> None:
        self._total: int | None = None

    def count(self, value: str) -> int | None:
        """The parts made since the last value; None where this one tells of none.

        Raises:
            ValueError: the value is neither UNAVAILABLE nor a whole number of parts; the total is as before.
        """
        if word(value) == UNAVAILABLE:
            self._total = None
            return None
        total = parse_total(value)
        before, self._total = self._total, total
        if before is None or total == before:
            return None
        return total - before if total > before else total


def parse_total(value: str) -> int:
    """A running total, also where an adapter writes ``12.000000``.

    Raises:
        ValueError: not a whole number from 0 to 2^31-1.
    """
    whole, _, fraction = value.strip().partition(".")
    if not (whole.isascii() and whole.isdigit()) or fraction.strip("0") or int(whole) > MAX_INT32:
        raise ValueError(f"{value[:40]!r} is no number of parts")
    return int(whole)
