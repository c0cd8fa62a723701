"""When to assert a state: at every change, and again while the machine is heard, but never beyond. Pure.

The platform lets a state hold for the machine's ``state_ttl_s`` at most. What a machine is known to do is therefore its
status, as long as its last line is younger than that. Rows that say exactly this need not be one per line: within a
stretch at most ``reassert_us`` passes between two, and the last moment heard before a longer pause is always one. For
that, a row is written for a moment heard as soon as the next one turns out to lie too far from the last row.
"""

from schemas.wire.codes import State
from services.gateway.mtconnect import NOTHING_KNOWN, Status

Assertion = tuple[int, Status]
"""An instant in microseconds since the epoch, and the status asserted for it."""


class Asserter:
    """Turns the moments at which one machine was heard into the assertions to send.

    Whatever the moments: under any hold time of at least ``reassert_us`` the assertions cover exactly what an
    assertion at every moment would. ``unknown`` is asserted once, to end a hold, and never before there was one.
    """

    def __init__(self, reassert_us: int) -> None:
        self._reassert_us = reassert_us
        self._status = NOTHING_KNOWN
        self._asserted_us = 0
        self._heard_us = 0

    @property
    def status(self) -> Status:
        """The status last asserted."""
        return self._status

    def hear(self, at_us: int, status: Status) -> list[Assertion]:
        """The machine is heard at ``at_us``, later than ever before, and has ``status`` from then on."""
        assertions = []
        if at_us - self._asserted_us > self._reassert_us:
            assertions += self.finish()
        if status != self._status:
            assertions.append((at_us, status))
            self._status, self._asserted_us = status, at_us
        self._heard_us = at_us
        return assertions

    def finish(self) -> list[Assertion]:
        """Nothing more is heard for now: assert the last moment heard, unless that was done."""
        if self._status.state is State.unknown or self._heard_us == self._asserted_us:
            return []
        self._asserted_us = self._heard_us
        return [(self._heard_us, self._status)]
