"""Kills or stops a process of ``jejo analytics`` within a chosen kind of transaction, at a chosen point of it."""

import os
import signal
import threading
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum

from services.analytics import account_queries, cohort_queries, fleet_queries, queries
from tests.faults.proxy import BIND, PARSE, QUERY, Action


class Kind(Enum):
    """The kinds of transaction in which analytics writes."""

    SINGLE_MARKS = "settle, single marks"
    SHARD_HOUR = "settle, a shard's hour"
    WHOLE_HOUR = "settle, a whole hour"
    ROLL_UP = "roll_up"
    ADVANCE = "advance"
    END_OF_HOUR = "advance, to the end of the hour"
    MIDNIGHT = "advance, from midnight"


class Point(Enum):
    """Where within a transaction, once it has written."""

    AMID = "between two statements"
    """After a number of further statements, or before COMMIT if there are fewer."""
    WRITTEN = "before COMMIT"
    """Everything is written, but the server never gets the COMMIT."""
    COMMITTING = "during COMMIT"
    """The server gets the COMMIT, and the process dies without its answer."""


SIGNS = {
    queries.TAKE_PAST_MARKS: Kind.SINGLE_MARKS,
    queries.TAKE_SHARD_HOUR: Kind.SHARD_HOUR,
    fleet_queries.TAKE_HOUR_MARKS: Kind.WHOLE_HOUR,
    cohort_queries.DROP_COHORT_HOURS: Kind.ROLL_UP,
    cohort_queries.DROP_COHORT_DAYS: Kind.ROLL_UP,
    queries.MOVE_ACCOUNTED_UNTIL: Kind.ADVANCE,
    queries.MARK_SHARDS_THAT_HOLD: Kind.END_OF_HOUR,
}
"""The first statement by which each kind writes; at midnight it is a COPY, after the holds were read."""


@dataclass(frozen=True, slots=True)
class Strike:
    """The signal that the process gets, and where. ``statements`` is for AMID: how many after the first that writes."""

    kind: Kind
    point: Point
    statements: int = 2
    number: signal.Signals = signal.SIGKILL


@dataclass
class Strikes:
    """``arm`` chooses where the process ``pid`` is struck next; ``struck`` counts where processes were struck.

    The connections of one process at a time may lead through the proxy. While one is started, ``starting`` is locked.
    """

    pid: int = 0
    armed: Strike | None = None
    struck: Counter[tuple[Kind, Point]] = field(default_factory=Counter)
    watchers: list["TransactionWatcher"] = field(default_factory=list)
    starting: threading.Lock = field(default_factory=threading.Lock)

    def arm(self, strike: Strike) -> None:
        """Strike once, as soon as a transaction is there."""
        self.armed = strike

    def watch(self) -> "TransactionWatcher":
        """Return the watcher of a new connection."""
        self.watchers.append(TransactionWatcher(self))
        return self.watchers[-1]

    def open_kinds(self) -> set[Kind]:
        """Return the kinds of transaction that have written and were not committed by the process."""
        return {watcher.kind for watcher in self.watchers if watcher.kind is not None}

    def forget(self) -> None:
        """Forget the connections of a process that has ended."""
        self.watchers.clear()

    def action_at(self, kind: Kind, statements: int, *, commits: bool) -> Action:
        """Strike, if this is the place, and return what to do with the statement that was to come."""
        strike = self.armed
        if strike is None or strike.kind is not kind:
            return Action.PASS
        if not commits and (strike.point is not Point.AMID or statements < strike.statements):
            return Action.PASS
        self.armed = None
        with self.starting:
            os.kill(self.pid, strike.number)
        self.struck[kind, strike.point] += 1
        if strike.number is not signal.SIGKILL:
            return Action.PASS
        return Action.CUT_ANSWER if strike.point is Point.COMMITTING else Action.CUT


@dataclass
class TransactionWatcher:
    """Knows of which kind the open transaction of a connection is, and how many statements came since it wrote first.

    Attributes:
        prepared: the statements that were prepared, by the names that the client gave them.
    """

    strikes: Strikes
    prepared: dict[bytes, str] = field(default_factory=dict)
    kind: Kind | None = None
    advances: bool = False
    statements: int = 0

    def decide(self, kind: bytes, message: bytes) -> Action:
        """Follow the statements that are executed, and strike at the armed place."""
        if kind == PARSE:
            name, sql = message[5:].split(b"\0", 2)[:2]
            self.prepared[name] = sql.decode()
        elif kind == BIND:
            return self.execute(self.prepared.get(message[5:].split(b"\0", 2)[1], ""))
        elif kind == QUERY:
            return self.execute(message[5:-1].decode())
        return Action.PASS

    def execute(self, sql: str) -> Action:
        """Take note of a statement that is about to be executed."""
        commits = sql.startswith("COMMIT")
        action = Action.PASS
        if self.kind is not None:
            self.statements += 1
            action = self.strikes.action_at(self.kind, self.statements, commits=commits)
        if action is Action.PASS and (commits or sql.startswith(("BEGIN", "ROLLBACK"))):
            self.kind, self.advances, self.statements = None, False, 0
        elif sql == queries.LOCK_EVERYTHING:
            self.advances = True
        else:
            self.recognise(sql)
        return action

    def recognise(self, sql: str) -> None:
        """Find out from a statement of which kind the transaction is."""
        if sql == queries.MARK_SHARDS_THAT_HOLD:
            self.kind, self.statements = Kind.END_OF_HOUR, 0
        elif self.kind is None and self.advances and sql == account_queries.READ_HOLDS:
            self.kind = Kind.MIDNIGHT
        elif self.kind is None:
            self.kind = SIGNS.get(sql)
