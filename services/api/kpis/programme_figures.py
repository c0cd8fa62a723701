"""Figures of the programme: enterprises with a smart factory, and the population that they are a share of.

They are stocks at the last instant of a bucket, for the nation, a region, a sector, or a sector of a region. An
enterprise counts once in each scope. A population is known where every region and sector with a factory has one.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.kpis.programme_queries import ENTERPRISES, LACKING, POPULATION, programme_rows
from services.api.kpis.questions import GroupBy, Question
from services.api.kpis.sums import Key, Sums
from services.api.kpis.tables import PROGRAMME
from services.api.kpis.windows import Bucket
from services.core.times import from_us, seoul_day, to_us

KINDS = {GroupBy.REGION, GroupBy.SECTOR}
"""What a population is broken down by."""
SMART, POPULATED, OFFERED = "stock_smart_enterprises", "stock_population", "stock_offered"


@dataclass(frozen=True, slots=True)
class Stock:
    """The figures of one scope and bucket."""

    enterprises: int
    population: int

    def figures(self) -> dict[str, int]:
        """Return them by id."""
        return {SMART: self.enterprises, POPULATED: self.population, OFFERED: 1}


@dataclass(frozen=True, slots=True)
class ProgrammeFigures:
    """What was read of the programme to answer a question; two equal ones have equal answers.

    Attributes:
        rows: of ``programme_queries``; none where the scope is not offered.
    """

    offered: bool
    rows: tuple[Sequence[Any], ...] = ()

    def stocks(self, question: Question) -> "defaultdict[str, list[Stock]]":
        """Return the figures of each region or sector (or of the one scope) in each bucket, in order."""
        by_value: dict[str, list[Sequence[Any]]] = defaultdict(list)
        for row in self.rows:
            by_value[row[1]].append(row)
        nothing = [Stock(0, 0)] * len(question.buckets)
        found: defaultdict[str, list[Stock]] = defaultdict(lambda: nothing)
        found.update({value: stocks_of(question.buckets, rows) for value, rows in by_value.items()})
        return found

    def add_to(self, question: Question, found: Mapping[Key, Sums]) -> None:
        """Set the figures of every bucket."""
        if not self.offered:
            return
        places = {bucket.from_us: place for place, bucket in enumerate(question.buckets)}
        stocks = self.stocks(question)
        for (label, start_us), sums in found.items():
            sums.figures |= stocks[value_of(question, label)][places[start_us]].figures()


NOT_OFFERED = ProgrammeFigures(offered=False)


def value_of(question: Question, label: str) -> str:
    """Return the region or sector of a label by which scopes are grouped; empty for the one scope."""
    return "" if question.group_by is None else label.partition(":")[2]


def stocks_of(buckets: Sequence[Bucket], rows: Sequence[Sequence[Any]]) -> list[Stock]:
    """Return the figures of one scope in each bucket, in order, from its rows."""
    steps = {number: int(amount) for kind, _, number, amount, *_ in rows if kind == ENTERPRISES}
    populations = {number: int(amount) for kind, _, number, amount, *_ in rows if kind == POPULATION}
    lacking = [(number, to_us(first), to_us(end)) for kind, _, number, _, first, end in rows if kind == LACKING]
    found, enterprises = [], 0
    for place, bucket in enumerate(buckets):
        enterprises += steps.get(place, 0)
        last_us, year = bucket.to_us - 1, year_of(bucket)
        is_lacking = any(of == year and first <= last_us < end for of, first, end in lacking)
        found.append(Stock(enterprises, 0 if is_lacking else populations.get(year, 0)))
    return found


def is_offered(question: Question) -> bool:
    """Whether a question is about the nation, regions, sectors, or sectors of regions."""
    scope = question.scope
    asked = {kind for kind, _ in scope.cohorts} | ({question.group_by} if question.group_by is not None else set())
    return asked <= KINDS and scope.factory_id is None and not scope.is_empty


async def read_programme(connection: AsyncConnection, question: Question, wanted: Collection[str]) -> ProgrammeFigures:
    """Return the programme's figures for a question; none where they are not wanted, or the scope is not offered.

    Args:
        wanted: the figures needed.
    """
    if not PROGRAMME & set(wanted) or not is_offered(question):
        return NOT_OFFERED
    within = {str(kind): value for kind, value in question.scope.cohorts}
    ends = [from_us(bucket.to_us) for bucket in question.buckets]
    years = year_of(question.buckets[0]), year_of(question.buckets[-1])
    statement, parameters = programme_rows(str(question.group_by or ""), within, ends, years)
    rows = await connection.execute(statement, parameters)
    return ProgrammeFigures(offered=True, rows=tuple(rows.all()))


def year_of(bucket: Bucket) -> int:
    """Return the Seoul year of a bucket's last instant."""
    return seoul_day(bucket.to_us - 1).year
