"""SQL that ranks labels by a KPI. It reads the figures that this KPI is made of, and no others."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from services.api.kpis import queries
from services.api.kpis.questions import GroupBy, Question
from services.api.kpis.ranking import Ranking
from services.api.kpis.selection import NUMBERED, conditions, instant, label_of
from services.api.kpis.tables import (
    CONNECTED,
    DAY_COUNTS,
    HOUR_SUMS,
    IN_USE,
    cohort,
    factory_day,
    factory_span,
    machine_span,
)
from services.api.registry.tables import factory, machine

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
    kpi = ranking.kpi
    in_use, *others = [query.subquery() for query in sources(replace(question, by_number=True), kpi.figures)]
    joined: sa.FromClause = in_use
    for other in others:
        joined = joined.outerjoin(other, other.c.label == in_use.c.label)
    # What no source has is offered for none of these scopes.
    nothing: Number = sa.literal(0)
    figures = {name: next((s.c[name] for s in (in_use, *others) if name in s.c), nothing) for name in kpi.figures}
    value = rank(
        product(figures, kpi.numerator, kpi.numerator_times),
        product(figures, kpi.denominator, kpi.denominator_times),
    )
    label: Number = in_use.c.label
    if question.group_by is GroupBy.MACHINE:
        joined, label = joined.join(machine, machine.c.id == label), machine.c.factory
    if question.group_by in NUMBERED:
        joined, label = joined.join(factory, factory.c.id == label), label_of(question)
    return sa.select(label.label("label"), value.label("rank")).select_from(joined)


def product(figures: Mapping[str, Number], names: Sequence[str], times: Sequence[str]) -> Number:
    """A sum of figures, times another sum if one is given; figures that a label does not have are 0."""

    def total(names: Sequence[str]) -> Number:
        first, *more = [sa.cast(sa.func.coalesce(figures[name], 0), sa.Numeric) for name in names]
        return sum(more, start=first)

    return total(names) * total(times) if times else total(names)


def rank(numerator: Number, denominator: Number) -> Number:
    """A whole number that orders ratios exactly: that of a greater ratio is greater, that of an equal one is equal.

    Null where there is no ratio.
    """
    return sa.func.div(numerator * SCALE, sa.func.nullif(denominator, 0), type_=sa.Numeric)


def labels_in_use(question: Question) -> queries.Query:
    """The labels of which something is in use within the window, from no more tables than it takes to tell."""
    start, end = instant(question.buckets[0].from_us), instant(question.buckets[-1].to_us)
    if is_of_factory_days(question):
        f = factory_span.c
        found = sa.select(f.factory.label("label")).distinct().where(f.from_at < end, f.to_at > start)
        return found.where(f.cohort == sa.any_(cohorts_of(question))) if question.scope.cohorts else found
    scope, s = question.scope, machine_span.c
    labels = {GroupBy.FACTORY: s.factory, GroupBy.MACHINE: s.machine}
    label = label_of(question) if question.group_by not in labels else labels[question.group_by]
    source = sa.join(machine_span, cohort, cohort.c.id == s.cohort)
    if scope.factory_id is not None:
        source = source.join(factory, factory.c.id == s.factory)
    if scope.machine_id is not None:
        source = source.join(machine, machine.c.id == s.machine)
    found = sa.select(label.label("label")).distinct().select_from(source)
    return found.where(*queries.spans_touching(question), *conditions(question))


def is_of_factory_days(question: Question) -> bool:
    """Whether factories are ranked by accounts of whole days, in some cohorts or in all."""
    return question.group_by is GroupBy.FACTORY and question.in_whole_days and question.scope.factory_id is None


def cohorts_of(question: Question) -> "sa.ColumnElement[Any]":
    """The numbers of the scope's cohorts as an array, by which an index that begins with them is walked once."""
    return sa.func.array(sa.select(cohort.c.id).where(*conditions(question)).scalar_subquery())


def factory_sums(question: Question) -> queries.Query:
    """Figures of the accounts of factories in the scope's cohorts, from their days alone."""
    d = factory_day.c
    within = [d.cohort == sa.any_(cohorts_of(question))] if question.scope.cohorts else []
    figures = (sa.func.sum(d[name]).label(name) for name in (*(figure.id for figure in HOUR_SUMS), *DAY_COUNTS))
    days = d.day.between(question.first_day, question.last_day)
    return sa.select(d.factory.label("label"), *figures).where(*within, days).group_by(d.factory)


def sources(question: Question, figures: Set[str]) -> Iterator[queries.Query]:
    """The queries that have these figures; the first has every label.

    They have other figures, too, but the server computes only those columns of a subquery that are used.
    """
    are_days_kept = question.in_whole_days and not question.by_machine
    day_counts = figures & DAY_COUNTS.keys()
    yield queries.time_in_use(question) if figures & set(IN_USE) else labels_in_use(question)
    if figures & {figure.id for figure in HOUR_SUMS} or (day_counts and are_days_kept):
        yield factory_sums(question) if is_of_factory_days(question) else queries.account_sums(question)
    if day_counts and not are_days_kept:
        yield queries.day_counts(question)
    if CONNECTED in figures:
        yield queries.machines_connected(question)
