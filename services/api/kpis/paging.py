"""Chooses the items of a page from the registry's spans in use, and cuts them into parts that are read one by one.

A page costs what its items cost, whatever the question would cost as a whole: neither labels nor buckets are read that
are not on it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.cursors import make_cursor
from services.api.kpis import programme_figures, queries
from services.api.kpis.groups import groups_of
from services.api.kpis.questions import GroupBy, Question
from services.api.kpis.rank_queries import ranked_labels
from services.api.kpis.ranking import Place, Ranking, ranked
from services.api.kpis.reading import read_figures, read_times
from services.api.kpis.sums import Key, Times
from services.api.kpis.tables import PROGRAMME
from services.api.kpis.windows import Buckets
from services.api.turns import Turn

PART = 250
"""The most items of factories or machines that are read at once: what the client decodes in one go takes a few ms."""
WHOLE = 1000
"""The most items of other groups, whose every query scans the spans in use: a few MB."""
ENUMERATED = (GroupBy.FACTORY, GroupBy.MACHINE)
BEFORE_ALL = "\x01"
"""A label with this appended comes after the label, and before all that follow it."""


@dataclass(frozen=True, slots=True)
class Page:
    """The keys of a page's items, in order, and the cursor of the next page, None if there is none."""

    keys: Sequence[Key]
    next_cursor: str | None


def page_of(keys: Sequence[Key], limit: int) -> Page:
    """Return the page that has the first of some keys."""
    return Page(keys[:limit], make_cursor(keys[limit - 1]) if len(keys) > limit else None)


@dataclass(frozen=True, slots=True)
class Part:
    """Some of a page's items, and the question that they answer."""

    question: Question
    keys: Sequence[Key]


def check_cursor(question: Question, label: str) -> None:
    """Check that a cursor's label may come from the question.

    Raises:
        ValueError: it comes from another one.
    """
    fits = label == question.scope.label if question.group_by is None else label.startswith(f"{question.group_by}:")
    # PostgreSQL's texts cannot contain NUL; neither can a label.
    if not fits or "\0" in label:
        raise ValueError("send the cursor with the question that it belongs to")


async def choose_page(
    connection: AsyncConnection, question: Question, buckets: Buckets, after: Key | None, limit: int
) -> Page:
    """Return the keys of the next items: those buckets of each label in which something is in use.

    Args:
        buckets: the question's.
        after: the last key of the page before.
    """
    if question.group_by in ENUMERATED:
        keys = await keys_by_label(connection, question, buckets, after, limit + 1)
    else:
        rows = await read_times(connection, question, "" if after is None else after[0])
        keys = await keys_in(rows, buckets, after, limit + 1)
    return page_of(keys, limit)


async def choose_ranked_page(
    connection: AsyncConnection, question: Question, buckets: Buckets, ranking: Ranking, limit: int
) -> Page:
    """Return the keys of the next items in the order of a KPI.

    Args:
        buckets: the question's, of which there is one.
    """
    places = await read_places(connection, question, ranking, limit + 1)
    keys = [(place.label, buckets.from_us) for place in places[:limit]]
    return Page(keys, ranking.cursor(places[limit - 1]) if len(places) > limit else None)


async def read_places(connection: AsyncConnection, question: Question, ranking: Ranking, most: int) -> list[Place]:
    """Return the next places in the order of a KPI: as the database finds them, but of groups from their figures."""
    is_offered = bool(ranking.kpi.figures & PROGRAMME) and programme_figures.is_offered(question)
    if groups_of(question) is None and not is_offered:
        rows = await connection.execute(ranked_labels(question, ranking, most))
        return [Place(None if row.rank is None else int(row.rank), row.label) for row in rows]
    found = await read_figures(connection, question, ranking.kpi.figures)
    return ranked(ranking, {label: sums.figures for (label, _), sums in found.items()}, most)


async def keys_by_label(
    connection: AsyncConnection, question: Question, buckets: Buckets, after: Key | None, most: int
) -> list[Key]:
    """Return the next keys of factories or machines, at most ``most``, looking at no more labels than these need."""
    found: list[Key] = []
    first = "" if after is None else after[0]
    # Enough, where all are in use all the time; the first label's buckets may be on the page before.
    count = min(-(-most // len(buckets)) + 1, most + 1)
    while True:
        labels = (await connection.execute(queries.labels_from(question, first, count))).scalars().all()
        if labels:
            chosen = replace(question, only=tuple(labels))
            rows = await read_times(connection, chosen, "") if len(buckets) > 1 else whole(labels, buckets)
            found += await keys_in(rows, buckets, after, most - len(found))
        if len(found) >= most or len(labels) < count:
            return found
        first, count = labels[-1] + BEFORE_ALL, min(2 * count, most + 1)


def whole(labels: Sequence[str], buckets: Buckets) -> Times:
    """Return labels as in use over the whole window, which is one bucket."""
    return [(label, buckets.from_us, buckets.to_us) for label in labels]


async def keys_in(times: Times, buckets: Buckets, after: Key | None, most: int) -> list[Key]:
    """Return the first keys after ``after``, at most ``most``, whose buckets the times in use touch."""
    found: list[Key] = []
    label_before, free = "", 0
    turn = Turn()
    for label, from_us, to_us in times:
        if label != label_before:
            label_before, free = label, following(buckets, after, label)
        last = buckets.index_of(to_us - 1)
        indexes = range(max(free, buckets.index_of(from_us)), last + 1)
        found += [(label, buckets.start_of(i)) for i in indexes[: most - len(found)]]
        if len(found) >= most:
            break
        free = max(free, last + 1)
        await turn.end_if_long()
    return found


def following(buckets: Buckets, after: Key | None, label: str) -> int:
    """Return the index of a label's first bucket that comes after a key."""
    if after is None or label > after[0] or after[1] < buckets.from_us:
        return 0
    if label < after[0] or after[1] >= buckets.to_us:
        return len(buckets)
    return buckets.index_of(after[1]) + 1


def parts_of(question: Question, buckets: Buckets, page: Page) -> Iterator[Part]:
    """Yield a page's items in parts, in order.

    A part has some labels and some buckets, and is read as if each label had all of these. With many buckets, the
    first and the last label of a page, of which only some are on it, therefore are parts of their own.
    """
    most = PART if question.group_by in ENUMERATED else WHOLE
    for at in range(0, len(page.keys), most):
        keys = page.keys[at : at + most]
        if len(buckets) <= most:
            yield part_of(question, buckets, keys)
            continue
        for own in edges_apart(keys):
            yield part_of(question, buckets, own)


def edges_apart(keys: Sequence[Key]) -> Iterator[Sequence[Key]]:
    """Yield the keys of the first label, of those between, and of the last label."""
    edges = {keys[0][0], keys[-1][0]}
    for _, own in groupby(keys, lambda key: key[0] if key[0] in edges else None):
        yield list(own)


def part_of(question: Question, buckets: Buckets, keys: Sequence[Key]) -> Part:
    """Return the part that some keys are."""
    labels = tuple(dict.fromkeys(label for label, _ in keys))
    starts = sorted({start for _, start in keys})
    asked = tuple(buckets[buckets.index_of(start)] for start in starts)
    return Part(replace(question, buckets=asked, only=None if question.group_by is None else labels), keys)
