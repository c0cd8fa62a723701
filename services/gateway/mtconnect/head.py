"""Finds the old values that a connection begins with. Pure.

An adapter begins a connection with a snapshot: its present values, with the instants at which they last changed. They
say what holds from the connection on, but are no evidence that the machine was heard at those instants. A log does not
say when a connection began, so old values are found in three ways:

- In the *head* of a log, its lines before the first one that names something again, a line is old if a line before it
  is newer: the connection began no earlier than that. A difference of up to ``SKEW_US`` may be due to different clocks,
  but not to an UNAVAILABLE line, which agents write before the adapter answers for the first time.
- If the head is in order, lines are old if they are more than ``REMEMBERED_US`` older than the first line after it.
- Anywhere, a value is old if it is older than the UNAVAILABLE of its data item before it, which agents write in lines
  of their own: the agent lost the adapter, and has its values again. Their clocks may differ by ``LOSS_SKEW_US``. Near
  such values, and while Execution is UNAVAILABLE, a line is also old if it is more than ``SKEW_US`` older than one
  before it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from services.core.times import DAY_US, MINUTE_US, SECOND_US
from services.gateway.mtconnect.model import DataItem, Role
from services.gateway.mtconnect.observations import Condition, Line, Measurement, Observation, Value
from services.gateway.mtconnect.vocabulary import Level, is_unavailable

SKEW_US = MINUTE_US
LOSS_SKEW_US = 5 * SECOND_US
REMEMBERED_US = DAY_US
LONGEST_SNAPSHOT = 1000
"""The number of lines in which a snapshot is expected to end."""


def settle_heads(lines: Sequence[Line]) -> Iterator[Line]:
    """Yield the lines of one log, with the old values of its connections as no evidence, and stated once more.

    They keep their instant, so that an earlier state ends where it is known to have ended, and are repeated at their
    connection's beginning, in the order of the log, so that they hold from then on.
    """
    length = length_of_head(lines)
    began_us = beginning(lines[:length], lines[length] if length < len(lines) else None)
    losses = Losses()
    newest_us, snapshot_end, is_spliced = 0, 0, False
    for index, line in enumerate(lines):
        connected_us = began_us if index < length and line.at_us < began_us else 0
        is_behind = line.at_us < newest_us - SKEW_US and (losses.include_execution or index < snapshot_end)
        if not connected_us and (is_behind or losses.are_newer_than(line)):
            if index >= snapshot_end:
                snapshot = lines[index : index + LONGEST_SNAPSHOT]
                snapshot_end = index + length_of_head(snapshot)
                is_spliced = snapshot_end < len(lines) and lines[snapshot_end].at_us < newest_us - SKEW_US
            # If the log goes on before the loss, it was spliced of several recordings.
            connected_us = 0 if is_spliced else newest_us
        if connected_us:
            yield from settle(line, connected_us, losses)
        else:
            yield line
        losses.note(line)
        newest_us = max(newest_us, line.at_us)


class Losses:
    """The data items that are UNAVAILABLE in the order of the log, and since when."""

    def __init__(self) -> None:
        self._lost: dict[str, tuple[DataItem, int]] = {}
        self._ever_available: set[str] = set()

    def note(self, line: Line) -> None:
        """Take note of what a line reports."""
        for observation in line.observations:
            item = observation.item
            if not is_lost(observation):
                self._lost.pop(item.id, None)
                self._ever_available.add(item.id)
            elif not line.keys:
                self._lost[item.id] = (item, line.at_us)

    @property
    def include_execution(self) -> bool:
        """Whether a path's Execution is UNAVAILABLE."""
        return any(item.role is Role.EXECUTION for item, _ in self._lost.values())

    def are_newer_than(self, line: Line) -> bool:
        """Return whether a line has a value that is older than the loss of its data item."""
        return any(
            not is_lost(found)
            and found.item.id in self._lost
            and line.at_us < self._lost[found.item.id][1] - LOSS_SKEW_US
            for found in line.observations
        )

    def restated(self, observation: Observation) -> Observation:
        """Return an old observation as it holds from a connection's beginning on.

        An old UNAVAILABLE of Availability is an agent's, unless it was ever available: many adapters never report it.
        """
        is_availability = isinstance(observation, Value) and observation.item.role is Role.AVAILABILITY
        if is_availability and is_lost(observation) and observation.item.id not in self._ever_available:
            return Value(observation.item, "")
        return observation

    def unanswered(self) -> list[Value]:
        """Return Availability without a value, if it was UNAVAILABLE all along: the adapter never reports it."""
        return [
            Value(item, "")
            for item, _ in self._lost.values()
            if item.role is Role.AVAILABILITY and item.id not in self._ever_available
        ]


def is_lost(observation: Observation) -> bool:
    """Return whether an observation says that nothing is known of its data item."""
    if isinstance(observation, Condition):
        return observation.level is Level.UNAVAILABLE
    return isinstance(observation, Value) and is_unavailable(observation.text)


def settle(line: Line, connected_us: int, losses: Losses) -> Iterator[Line]:
    """Yield an old line of a connection that began at ``connected_us``, at its own instant and at that one."""
    lasting = [found for found in line.observations if is_lasting(found)]
    yield replace(line, is_evidence=False, observations=tuple(lasting))
    restated = [losses.restated(found) for found in lasting]
    if any(found.item.role is Role.EXECUTION and not is_lost(found) for found in lasting):
        restated = [*losses.unanswered(), *restated]
    yield replace(line, at_us=connected_us, observations=tuple(restated))


def is_lasting(observation: Observation) -> bool:
    """Return whether an observation holds until the next one, and is not something that was measured or made then."""
    return not isinstance(observation, Measurement) and not observation.item.counts_each


def length_of_head(lines: Sequence[Line]) -> int:
    """Return the number of lines before the first one that names something again."""
    seen: set[str] = set()
    for index, line in enumerate(lines):
        if not seen.isdisjoint(line.keys):
            return index
        seen.update(line.keys)
    return len(lines)


def beginning(head: Sequence[Line], following: Line | None) -> int:
    """Return the instant before which values of a log's head are old, in microseconds since the epoch; 0 if none is."""
    newest_us = newest_unavailable_us = began_us = skew_us = 0
    for line in head:
        if line.at_us < newest_unavailable_us - skew_us or line.at_us < newest_us - SKEW_US:
            began_us = newest_us
        newest_us = max(newest_us, line.at_us)
        if not line.keys:
            newest_unavailable_us = max(newest_unavailable_us, line.at_us)
        elif any(found.item.role is Role.EXECUTION for found in line.observations):
            skew_us = LOSS_SKEW_US
    if began_us and (following is None or following.at_us >= began_us - SKEW_US):
        return began_us
    if not head or began_us:
        return 0
    live_us = following.at_us if following else head[-1].at_us
    return min((line.at_us for line in head if line.at_us >= live_us - REMEMBERED_US), default=live_us)
