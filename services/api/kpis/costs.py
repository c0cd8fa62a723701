"""Refuses a KPI question that is too large, by the number of its buckets, before any sum is read.

What counts is what is asked: each bucket of the window, for each label of which something is in use within it.
"""

from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.kpis import queries
from services.api.kpis.questions import GroupBy, Question
from services.api.kpis.windows import Buckets
from services.api.problems import Problem, unprocessable
from services.api.registry.things import Level, Region, Size

MOST_BUCKETS = 1_000_000
MOST_BULK_BUCKETS = 20_000_000
"""A bulk answer has all its items, one part after the other: 30,000 factories by day are 11 million a year."""
FEW = {GroupBy.REGION: len(Region), GroupBy.LEVEL: len(Level), GroupBy.SIZE: len(Size)}
"""Kinds of groups of which there is a fixed number."""


def bound_of(*, is_bulk: bool) -> int:
    """Return how many buckets a question may have in all."""
    return MOST_BULK_BUCKETS if is_bulk else MOST_BUCKETS


def check_window(buckets: Buckets, most: int) -> None:
    """Check that a window alone has no more buckets than a question may have.

    Args:
        most: how many that is.

    Raises:
        Problem: 422 that says how to narrow the question.
    """
    if len(buckets) > most:
        raise too_many(most, f"{len(buckets):,} of interval {buckets.interval}")


async def check_cost(connection: AsyncConnection, question: Question, most_buckets: int) -> int:
    """Check that a question has no more buckets than it may have. Return how many labels it can have at most.

    The number is an upper bound where that is enough: nothing is refused that is within the bound. Labels in use are
    counted only where the upper bound is too high, and no further than needed.

    Args:
        question: with its whole window, accounted or not.
        most_buckets: how many it may have.

    Raises:
        Problem: 422 that says how to narrow the question.
    """
    room = most_buckets // len(question.buckets)
    most = await at_most(connection, question)
    if most <= room:
        return most
    counted = int((await connection.execute(queries.count_labels(question, room + 1))).scalar_one())
    if counted > room:
        buckets = f"{len(question.buckets):,} of interval {question.interval}"
        raise too_many(most_buckets, f"{buckets}, for each {question.group_by} of at least {counted:,}")
    return counted


async def at_most(connection: AsyncConnection, question: Question) -> int:
    """Return a number of labels that a question does not exceed, from what is quickest to read."""
    group_by, scope = question.group_by, question.scope
    alone = scope.machine_id is not None or (scope.factory_id is not None and group_by is GroupBy.FACTORY)
    if group_by is None or alone:
        return 1
    if group_by in FEW:
        return FEW[group_by]
    return int((await connection.execute(queries.known_labels(question))).scalar_one())


def too_many(most: int, buckets: str) -> Problem:
    """Return the refusal of a question with too many buckets."""
    return unprocessable(
        f"A question may have {most:,} buckets in all, and this one has more ({buckets}): ask for a longer "
        "interval or a shorter window, narrow the scope, or group by something of which there is less."
    )
