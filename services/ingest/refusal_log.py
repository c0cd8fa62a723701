"""Log lines about refused records and rows: enough to find them, never so many that they fill the disk.

Every one of them is a dead letter, so a line need only say that there are some: the first of a reason at once, then at
most one line for each reason in ten seconds, with how many there were and where the first of them lies.
"""

import logging
from dataclasses import replace

from schemas.wire.codes import Reason
from services.core.logging import fields
from services.ingest.tally import Refusals, Tally

log = logging.getLogger(__name__)

EVERY_S = 10.0


class RefusalLog:
    """Says what was refused. Times are seconds of any clock that never goes back."""

    def __init__(self) -> None:
        self._quiet_until_s: dict[Reason, float] = {}
        self._untold: dict[Reason, Refusals] = {}

    def note(self, tally: Tally, now_s: float) -> None:
        """Take a written batch's refusals in, and say what may be said now."""
        for refusals in tally.refusals:
            known = self._untold.get(refusals.reason)
            added = refusals if known is None else replace(known, count=known.count + refusals.count)
            self._untold[refusals.reason] = added
        self.tell(now_s)

    def tell(self, now_s: float) -> None:
        """Say what has been kept back for long enough."""
        for reason in [r for r in self._untold if self._quiet_until_s.get(r, now_s) <= now_s]:
            self._quiet_until_s[reason] = now_s + EVERY_S
            say(self._untold.pop(reason))

    def tell_all(self) -> None:
        """Say everything, before the end."""
        for refusals in self._untold.values():
            say(refusals)
        self._untold.clear()


def say(refusals: Refusals) -> None:
    log.warning(
        "refused, the first because: %s",
        refusals.message,
        extra=fields(
            reason=refusals.reason.value,
            count=refusals.count,
            factory=refusals.factory,
            partition=refusals.partition,
            offset=refusals.offset,
        ),
    )
