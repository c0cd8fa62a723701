"""The words of MTConnect's controlled vocabularies, and what they mean to Jejo. Pure.

Logs write them in upper or lower case.
"""

from collections.abc import Mapping
from enum import Enum

from schemas.wire.codes import Mode, State
from services.gateway.mtconnect.model import Role

UNAVAILABLE = "UNAVAILABLE"
ACTIVE = "ACTIVE"
TRIGGERED = "TRIGGERED"


class Level(Enum):
    """The level of a condition."""

    NORMAL = "NORMAL"
    WARNING = "WARNING"
    FAULT = "FAULT"
    UNAVAILABLE = "UNAVAILABLE"


LEVELS = {level.value: level for level in Level}

EXECUTIONS = {
    ACTIVE: State.producing,
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

FUNCTIONAL_MODES = {
    "SETUP": State.setup,
    "TEARDOWN": State.setup,
    "MAINTENANCE": State.planned_stop,
    "PROCESS_DEVELOPMENT": State.planned_stop,
}

CONTROLLER_MODES = {
    "AUTOMATIC": Mode.automatic,
    "SEMI_AUTOMATIC": Mode.semi_automatic,
    "MANUAL": Mode.manual,
    "MANUAL_DATA_INPUT": Mode.manual,
}

WORDS: Mapping[Role, frozenset[str]] = {
    Role.EXECUTION: frozenset(EXECUTIONS),
    Role.FUNCTIONAL_MODE: frozenset(FUNCTIONAL_MODES) | {"PRODUCTION"},
    Role.CONTROLLER_MODE: frozenset(CONTROLLER_MODES) | {"EDIT"},
    Role.EMERGENCY_STOP: frozenset({"ARMED", TRIGGERED}),
    Role.AVAILABILITY: frozenset({"AVAILABLE"}),
}
"""By role, every word that its data items may have besides UNAVAILABLE."""


def normalised(value: str) -> str:
    """Return a word as the standard writes it: in upper case, without blanks around it."""
    return value.strip().upper()


def is_unavailable(value: str) -> bool:
    """Return whether a value says that nothing is known."""
    return normalised(value) == UNAVAILABLE
