"""Reads the figures of many labels and buckets as arrays of numbers, exactly.

An array of figures has 64-bit integers below 2**53, which arithmetic with doubles leaves exact, or else Python's
integers, which are exact and slow.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.figure_definitions import FIGURES, ColumnType, FigureUnit
from services.api.kpis import queries
from services.api.kpis.bulk_queries import SPLIT_AT, copy_rows, placed
from services.api.kpis.programme_figures import ProgrammeFigures, read_programme, value_of
from services.api.kpis.questions import Question
from services.api.kpis.sums import Key
from services.api.kpis.tables import CONNECTED, DAY_COUNTS, HOUR_SUMS, IN_USE, PROGRAMME
from services.api.kpis.windows import Bucket
from services.core.database import POSTGRES_EPOCH_US

Numbers = NDArray[Any]
"""Figures: ``int64`` below EXACT, or objects that are Python's integers."""
EXACT = 2**53
MACHINES, FACTORIES = "machines", "factories"
SIGNATURE_BYTES, TRAILER_BYTES = 19, 2
"""What a binary copy begins and ends with: ``PGCOPY``, flags, the length of an empty extension; and -1 for no row."""


NUMERIC = frozenset(figure.id for figure in FIGURES if ColumnType.NUMERIC in figure.tables.values())
COUNTS = frozenset(figure.id for figure in FIGURES if figure.unit is not FigureUnit.MICROSECONDS)


def is_wide(question: Question, name: str) -> bool:
    """Whether a sum of a figure, or another amount of time, may not fit into 64 bits.

    Time of a single factory always does. Ideal cycles times pieces, and the time of a country over years, may not.
    """
    of_one = question.by_factory or question.by_machine
    return name in NUMERIC or not (of_one or name in COUNTS or name in (MACHINES, FACTORIES))


@dataclass(frozen=True, slots=True)
class Grid:
    """The items of some labels and buckets, in order: an array of each figure, and where in the grid each item is."""

    labels: Sequence[str]
    buckets: Sequence[Bucket]
    places: NDArray[np.int64]
    figures: Mapping[str, Numbers]

    @property
    def label_places(self) -> NDArray[np.int64]:
        """The index of each item's label."""
        return self.places // len(self.buckets)

    @property
    def bucket_places(self) -> NDArray[np.int64]:
        """The index of each item's bucket."""
        return self.places % len(self.buckets)


@dataclass(frozen=True, slots=True)
class Copied:
    """What the server has answered to one of a part's queries: rows with these columns, some of which are wide."""

    names: Sequence[str]
    wide: Collection[str]
    pieces: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Reading:
    """All that was read of a part."""

    question: Question
    labels: Sequence[str]
    copied: Sequence[Copied]
    programme: ProgrammeFigures
    keys: Collection[Key] | None

    def grid(self) -> Grid:
        """Return the items. It takes some milliseconds for some thousands of them, so call it in a thread."""
        buckets = self.question.buckets
        found: dict[str, Numbers] = {}
        for copied in self.copied:
            found |= scatter(copied, len(self.labels), buckets)
        found |= programme_arrays(self.programme, self.question, self.labels)
        return items_of(self.labels, buckets, found, self.keys)


async def read_part(
    connection: AsyncConnection, question: Question, wanted: Collection[str], keys: Collection[Key] | None
) -> Reading:
    """Read the items of a question's labels and buckets: those in which a machine is in use.

    Args:
        wanted: the figures needed.
        keys: the items that are wanted, in the order in which they are; None: all, by label and time.

    Raises:
        asyncpg.PostgresError: the server refuses a query, or ends it.
    """
    labels = (question.scope.label,) if question.only is None else question.only
    sums = [name for name in (*(figure.id for figure in HOUR_SUMS), *DAY_COUNTS) if name in wanted]
    by_day = not question.by_machine and question.in_whole_days
    asked = [
        (queries.time_in_use(question), [*IN_USE, MACHINES]),
        (queries.factories_in_use(question), [FACTORIES]),
        (queries.account_sums(question), [name for name in sums if by_day or name not in DAY_COUNTS]),
    ]
    if not by_day:
        asked.append((queries.day_counts(question), list(DAY_COUNTS)))
    if CONNECTED in wanted:
        asked.append((queries.machines_connected(question), [CONNECTED]))
    copied = []
    for query, names in asked:
        wide = {name for name in names if is_wide(question, name)}
        copied.append(Copied(names, wide, await copy_rows(connection, placed(query, labels, names, wide))))
    return Reading(question, labels, copied, await read_programme(connection, question, wanted), keys)


def programme_arrays(programme: ProgrammeFigures, question: Question, labels: Sequence[str]) -> dict[str, Numbers]:
    """Return the programme's figures as arrays: a number for each label and bucket, 0 where they are not offered."""
    found = {name: np.zeros(len(labels) * len(question.buckets), dtype=np.int64) for name in PROGRAMME}
    if programme.offered:
        stocks = programme.stocks(question)
        rows = [stock.figures() for label in labels for stock in stocks[value_of(question, label)]]
        for name, column in found.items():
            column[:] = [row[name] for row in rows]
    return found


def scatter(copied: Copied, labels: int, buckets: Sequence[Bucket]) -> dict[str, Numbers]:
    """Return copied rows as an array for each column: a number for each label and bucket, 0 where there is no row."""
    fields = [("fields", ">i2"), ("_place", ">i4"), ("place", ">i8"), ("_bucket", ">i4"), ("bucket", ">i8")]
    for name in copied.names:
        fields += [(f"_{name}", ">i4"), (name, ">i8")]
        fields += [(f"_{name}_rest", ">i4"), (f"{name}_rest", ">i8")] if name in copied.wide else []
    content = memoryview(b"".join(copied.pieces))[SIGNATURE_BYTES:-TRAILER_BYTES]
    rows = np.frombuffer(content, dtype=fields)
    starts = np.array([bucket.from_us for bucket in buckets], dtype=np.int64)
    at = np.searchsorted(starts, rows["bucket"].astype(np.int64) + POSTGRES_EPOCH_US)
    places = (rows["place"].astype(np.int64) - 1) * len(buckets) + at
    found: dict[str, Numbers] = {}
    for name in copied.names:
        column = np.zeros(labels * len(buckets), dtype=np.int64)
        column[places] = rows[name]
        if name not in copied.wide:
            found[name] = column
            continue
        rest = np.zeros_like(column)
        rest[places] = rows[f"{name}_rest"]
        found[name] = column.astype(object) * SPLIT_AT + rest if column.any() else rest
    return found


def items_of(
    labels: Sequence[str],
    buckets: Sequence[Bucket],
    figures: Mapping[str, Numbers],
    keys: Collection[Key] | None,
) -> Grid:
    """Return the items of a grid of figures."""
    if keys is None:
        places = np.flatnonzero(figures[MACHINES])
    else:
        number = {label: at for at, label in enumerate(labels)}
        start = {bucket.from_us: at for at, bucket in enumerate(buckets)}
        chosen = [number[label] * len(buckets) + start[from_us] for label, from_us in keys]
        places = np.array(chosen, dtype=np.int64)
    return Grid(labels, buckets, places, {name: exact(column[places]) for name, column in figures.items()})


def exact(numbers: Numbers) -> Numbers:
    """Return numbers as Python's integers, unless all are below EXACT."""
    if numbers.dtype == object or not numbers.size or np.abs(numbers).max() < EXACT:
        return numbers
    return numbers.astype(object)
