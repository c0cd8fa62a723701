"""Cuts or stalls a connection of ingest at chosen moments of its transactions."""

from dataclasses import dataclass, field
from enum import Enum

from tests.faults.proxy import COPY_DATA, PARSE, QUERY, Action


class Moment(Enum):
    """When a connection is cut, or with STALL halted for a while; only transactions that copy rows count."""

    IN_COPY = Action.CUT_WITHIN
    """After a part of the rows was passed on to the server."""
    BEFORE_COMMIT = Action.CUT
    """The server never gets the COMMIT."""
    AFTER_COMMIT = Action.CUT_ANSWER
    """The server has answered the COMMIT, but the client never gets the answer."""
    STALL = Action.STALL
    """The COMMIT is passed on late, and then all goes on."""


@dataclass
class Cuts:
    """``arm`` chooses the next moment to act at, on any connection; ``fired`` counts what has happened."""

    fired: dict[Moment, int] = field(default_factory=lambda: dict.fromkeys(Moment, 0))
    armed: Moment | None = None

    def arm(self, moment: Moment) -> None:
        """Act once, at the next such moment of any connection."""
        self.armed = moment

    def watch(self) -> "CopyWatcher":
        """Return the watcher of a new connection."""
        return CopyWatcher(self)

    def action_at(self, kind: bytes, *, commits: bool) -> Action:
        """Return what to do now, at the armed moment; it is disarmed then."""
        moment = self.armed
        if moment is None or not (kind == COPY_DATA if moment is Moment.IN_COPY else commits):
            return Action.PASS
        self.armed = None
        self.fired[moment] += 1
        return moment.value


@dataclass
class CopyWatcher:
    """Knows whether the open transaction of a connection has copied rows."""

    cuts: Cuts
    copied: bool = False

    def decide(self, kind: bytes, message: bytes) -> Action:
        """Act at the armed moment."""
        commits = kind in (QUERY, PARSE) and message[5:].strip(b"\0;\n ").upper().startswith(b"COMMIT")
        action = self.cuts.action_at(kind, commits=commits and self.copied)
        self.copied = (self.copied or kind == COPY_DATA) and not commits
        return action
