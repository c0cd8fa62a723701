"""SQL that ranks labels by a KPI. It reads the figures that this KPI is made of, and no others."""

from collections.abc import Iterator, Sequence, Set
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from services.api.kpis import queries
from services.api.kpis.questions import Question
from services.api.kpis.ranking import Ranking
from services.api.kpis.selection import conditions, label_of, registered_spans
from services.api.kpis.tables import CONNECTED, DAY_COUNTS, HOUR_SUMS, IN_USE

Number = sa.ColumnElement[Any]

SCALE = sa.literal_column("1e100", sa.Numeric)
"""Denominators are below 1e50 (a million machines over 30 years are 1e21 us, and some KPIs multiply two such sums), so
fractions that differ at all differ by more than 1e-100."""


def ranked_labels(question: Question, ranking: Ranking, most: int) -> queries.Query:
    """The next labels in the order of a KPI, of which something is in use, with their ranks.

    Args:
        question: with one bucket, so that a label has one value.
    """
    r = ranks(question, ranking).subquery("r").c
    label = sa.collate(r.label, "C")
    by_rank = r.rank.desc() if ranking.is_descending else r.rank.asc()
    query = sa.select(r.label, r.rank).order_by(by_rank.nulls_last(), label).limit(most)
    if ranking.after is None:
        return query
    is_next = label > ranking.after.label
    if ranking.after.rank is None:
        return query.where(r.rank.is_(None), is_next)
    last = sa.literal(Decimal(ranking.after.rank), sa.Numeric)
    is_further = r.rank < last if ranking.is_descending else r.rank > last
    return query.where(sa.or_(is_further, sa.and_(r.rank == last, is_next), r.rank.is_(None)))


def ranks(question: Question, ranking: Ranking) -> queries.Query:
    """Every label of which something is in use, with its rank."""
    in_use, *others = [query.subquery() for query in sources(question, ranking.kpi.figures)]
    joined: sa.FromClause = in_use
    for other in others:
        joined = joined.outerjoin(other, other.c.label == in_use.c.label)

    def product(names: Sequence[str], times: Sequence[str]) -> Number:
        return total(names) * total(times) if times else total(names)

    def total(names: Sequence[str]) -> Number:
        columns = [next(source.c[name] for source in (in_use, *others) if name in source.c) for name in names]
        first, *more = [sa.cast(sa.func.coalesce(column, 0), sa.Numeric) for column in columns]
        return sum(more, start=first)

    kpi = ranking.kpi
    value = rank(
        product(kpi.numerator, kpi.numerator_times),
        product(kpi.denominator, kpi.denominator_times),
    )
    return sa.select(in_use.c.label, value.label("rank")).select_from(joined)


def rank(numerator: Number, denominator: Number) -> Number:
    """A whole number that orders ratios exactly: that of a greater ratio is greater, that of an equal one is equal.

    Null where there is no ratio.
    """
    return sa.func.div(numerator * SCALE, sa.func.nullif(denominator, 0), type_=sa.Numeric)


def labels_in_use(question: Question) -> queries.Query:
    """The labels of which something is in use within the window."""
    found = sa.select(label_of(question).label("label")).distinct().select_from(registered_spans())
    return found.where(*queries.spans_touching(question), *conditions(question))


def sources(question: Question, figures: Set[str]) -> Iterator[queries.Query]:
    """The queries that have these figures; the first has every label.

    They have other figures, too, but the server computes only those columns of a subquery that are used.
    """
    are_days_kept = question.in_whole_days and not question.by_machine
    day_counts = figures & DAY_COUNTS.keys()
    yield queries.time_in_use(question) if figures & set(IN_USE) else labels_in_use(question)
    if figures & {figure.id for figure in HOUR_SUMS} or (day_counts and are_days_kept):
        yield queries.account_sums(question)
    if day_counts and not are_days_kept:
        yield queries.day_counts(question)
    if CONNECTED in figures:
        yield queries.machines_connected(question)
