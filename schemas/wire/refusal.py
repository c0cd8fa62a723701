"""Why something on the wire is refused."""

from dataclasses import dataclass

from schemas.wire.codes import Reason


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reason code, and one sentence that says what to do."""

    reason: Reason
    message: str
