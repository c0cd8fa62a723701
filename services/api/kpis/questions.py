"""A KPI question, and what its parts are in SQL: labels, conditions, buckets."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from services.api.kpis.scopes import COHORTS, GroupBy, Scope
from services.api.kpis.tables import SEOUL, cohort
from services.api.kpis.windows import Bucket, Interval, floor
from services.api.registry.tables import INSTANT, factory, machine
from services.core.times import from_us, seoul_day

Conditions = list[sa.ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for.

    ``buckets`` are in order, begin before ``until_us``, and do not end after it: up to there everything is accounted.
    ``only``: the labels, where a page of factories or machines has been chosen.
    """

    scope: Scope
    group_by: GroupBy | None
    interval: Interval
    buckets: Sequence[Bucket]
    until_us: int
    only: Sequence[str] | None = None

    @property
    def by_machine(self) -> bool:
        return self.scope.machine_id is not None or self.group_by is GroupBy.MACHINE

    @property
    def by_factory(self) -> bool:
        return self.scope.factory_id is not None or self.group_by is GroupBy.FACTORY

    @property
    def in_whole_days(self) -> bool:
        """Whether days of Seoul are fine enough; the running one is complete as far as anything is."""
        start, end = self.buckets[0].from_us, self.buckets[-1].to_us
        ends_well = end == self.until_us or floor(end, Interval.DAY) == end
        return self.interval is not Interval.HOUR and floor(start, Interval.DAY) == start and ends_well

    @property
    def label(self) -> "sa.ColumnElement[str]":
        """The label of each item's scope; null where a machine belongs to no such group."""
        if self.group_by is None:
            return sa.literal(self.scope.label)
        if self.group_by is GroupBy.MACHINE:
            return sa.literal("machine:") + factory.c.factory_id + "/" + machine.c.machine_id
        if self.group_by is GroupBy.FACTORY:
            return sa.literal("factory:") + factory.c.factory_id
        return sa.literal(f"{self.group_by}:") + cohort.c[self.group_by]

    def conditions(self) -> Conditions:
        """What a row must be to be counted. It has a cohort, and a factory or machine where one is named."""
        found: Conditions = [cohort.c[kind] == value for kind, value in self.scope.cohorts]
        if self.scope.is_empty:
            found.append(sa.false())
        if self.scope.factory_id is not None:
            found.append(factory.c.factory_id == self.scope.factory_id)
        if self.scope.machine_id is not None:
            found.append(machine.c.machine_id == self.scope.machine_id)
        if self.group_by in COHORTS:
            found.append(cohort.c[str(self.group_by)].is_not(None))
        if self.only is not None and self.group_by is GroupBy.FACTORY:
            own = [label.partition(":")[2] for label in self.only]
            found.append(factory.c.factory_id == sa.any_(sa.literal(own, ARRAY(sa.Text))))
        if self.only is not None and self.group_by is GroupBy.MACHINE:
            pairs = [label.partition(":")[2].partition("/")[::2] for label in self.only]
            found.append(sa.tuple_(factory.c.factory_id, machine.c.machine_id).in_(pairs))
        return found

    def bucket_of(self, at: "sa.ColumnElement[dt.datetime]") -> "sa.ColumnElement[dt.datetime]":
        """The beginning of the bucket that an hour or a day lies in."""
        if self.interval is Interval.TOTAL:
            return instant(self.buckets[0].from_us)
        if self.interval is Interval.HOUR:
            return at
        return sa.func.timezone(SEOUL, sa.func.date_trunc(self.interval.value, sa.func.timezone(SEOUL, at)))

    def bucket_of_day(self, day: "sa.ColumnElement[dt.date]") -> "sa.ColumnElement[dt.datetime]":
        """The beginning of the bucket that a day lies in."""
        midnight = sa.func.timezone(SEOUL, sa.cast(day, sa.TIMESTAMP))
        return midnight if self.interval is Interval.DAY else self.bucket_of(midnight)

    def in_window(self, at: "sa.ColumnElement[dt.datetime]") -> "sa.ColumnElement[bool]":
        """Whether an hour lies in one of the buckets."""
        return sa.and_(at >= instant(self.buckets[0].from_us), at < instant(self.buckets[-1].to_us))

    @property
    def first_day(self) -> dt.date:
        """The first of Seoul's days that the buckets touch."""
        return seoul_day(self.buckets[0].from_us)

    @property
    def last_day(self) -> dt.date:
        return seoul_day(self.buckets[-1].to_us - 1)

    def bucket_table(self) -> sa.TableValuedAlias:
        """The buckets as a relation: bounds, and the first and last of Seoul's days that they touch."""
        bounds = [[from_us(b.from_us) for b in self.buckets], [from_us(b.to_us) for b in self.buckets]]
        days = [[seoul_day(b.from_us) for b in self.buckets], [seoul_day(b.to_us - 1) for b in self.buckets]]
        return (
            sa.func.unnest(
                *(sa.literal(values, ARRAY(INSTANT)) for values in bounds),
                *(sa.literal(values, ARRAY(sa.Date)) for values in days),
            )
            .table_valued(
                sa.column("bucket", INSTANT),
                sa.column("ends_at", INSTANT),
                sa.column("first_day", sa.Date),
                sa.column("last_day", sa.Date),
            )
            .render_derived(name="b")
        )


def instant(us: int) -> "sa.BindParameter[dt.datetime]":
    return sa.literal(from_us(us), INSTANT)
