"""Cuts a bulk answer into parts that are read one by one: all labels and buckets of a question, in order."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.kpis import queries
from services.api.kpis.bulk_queries import labels_in_use
from services.api.kpis.paging import BEFORE_ALL, ENUMERATED, Page, choose_ranked_page, parts_of
from services.api.kpis.questions import Question
from services.api.kpis.ranking import Ranking, parse_place
from services.api.kpis.sums import Key
from services.api.kpis.windows import Bucket, Buckets

ROWS = 8_192
"""The most items of a part: some 10 MB while it is read and encoded."""
LABELS = 5_000
RANKED = 10_000
"""How many items in the order of a KPI are chosen at once."""


@dataclass(frozen=True, slots=True)
class BulkPart:
    """Some of an answer's labels and buckets; of these, only the items of some keys, if there are any."""

    question: Question
    keys: Sequence[Key] | None = None


async def walk(connection: AsyncConnection, question: Question, begun: Buckets) -> AsyncIterator[BulkPart]:
    """Yield all items of a question in parts, in the order of label and time.

    Args:
        begun: the question's buckets.
    """
    most = min(LABELS, max(1, ROWS // len(begun)))
    if question.group_by in ENUMERATED:
        first = ""
        while labels := (await connection.execute(queries.labels_from(question, first, most))).scalars().all():
            for part in cut(question, begun, labels):
                yield part
            first = labels[-1] + BEFORE_ALL
        return
    if question.group_by is None:
        labels = [question.scope.label]
    else:
        labels = (await connection.execute(labels_in_use(question))).scalars().all()
    for at in range(0, len(labels), most):
        for part in cut(question, begun, labels[at : at + most]):
            yield part


def cut(question: Question, begun: Buckets, labels: Sequence[str]) -> Iterator[BulkPart]:
    """Yield all buckets of some labels: at once, unless one label has more than a part."""
    only = None if question.group_by is None else tuple(labels)
    for at in range(0, len(begun), ROWS):
        buckets: list[Bucket] = begun[at : at + ROWS]
        yield BulkPart(replace(question, buckets=buckets, only=only))


async def walk_ranked(
    connection: AsyncConnection, question: Question, begun: Buckets, ranking: Ranking
) -> AsyncIterator[BulkPart]:
    """Yield all items of a question in parts, in the order of a KPI."""
    while True:
        page = await choose_ranked_page(connection, question, begun, ranking, RANKED)
        for part in on_page(question, begun, page):
            yield part
        if page.next_cursor is None:
            return
        ranking = replace(ranking, after=parse_place(page.next_cursor, ranking.order_by))


def on_page(question: Question, begun: Buckets, page: Page) -> Iterator[BulkPart]:
    """Yield the items of a page in parts, in its order."""
    for part in parts_of(question, begun, page):
        yield BulkPart(part.question, part.keys)
