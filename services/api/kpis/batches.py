"""Makes Arrow's typed columns from the figures of many items. Pure.

Figures and a KPI's two sums are in the figures' own units (microseconds, pieces), where they are whole numbers, under
the names that the research views have.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from schemas.kpi_definitions import KpiDefinition, KpiDefinitions, Unit, flags_of
from services.api.kpis.arrow_arrays import (
    INSTANT,
    TEXT,
    WHOLE_NUMBER,
    WIDE_NUMBER,
    array_of,
    instants,
    integers,
    texts,
    truths,
)
from services.api.kpis.grids import FACTORIES, MACHINES, Grid, Numbers, is_wide
from services.api.kpis.items import COUNTS, COVERAGE, EVIDENCE, MODES, OFF_SHIFT, STATES, UNKNOWN, unknown_and_off_shift
from services.api.kpis.kpi_columns import KpiColumn, compute_column, figures_needed
from services.api.kpis.questions import Question
from services.api.kpis.windows import Buckets

SUFFIXES = {Unit.seconds: "_us", Unit.hours: "_us", Unit.seconds_squared: "_us2"}
"""What sums of time are called: they are not in the units that JSON has, in which they may be fractions."""
TIMES_IN_USE = ("in_use_us", "scheduled_us", *EVIDENCE)
STATE_COLUMNS = tuple(f"{state}_us" for state in STATES)
MODE_COLUMNS = tuple(f"producing_{mode}_us" for mode in MODES)


def sum_name(definition: KpiDefinition, part: str) -> str:
    """Return the name of the column with a KPI's numerator or denominator."""
    unit = definition.unit if part == "numerator" else definition.denominator_unit
    return f"{definition.id}_{part}{SUFFIXES.get(unit, '')}"


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of a bulk answer to a question.

    Attributes:
        ids: the KPIs asked for.
        whole: the buckets of the window as asked.
        metadata: what the answer is about, for the file's own metadata.
    """

    question: Question
    definitions: KpiDefinitions
    ids: Sequence[str]
    whole: Buckets
    metadata: dict[str, str]

    @property
    def figures(self) -> frozenset[str]:
        """The figures that the columns are made of."""
        own = {*STATE_COLUMNS, *MODE_COLUMNS, *COUNTS, *TIMES_IN_USE}
        return figures_needed(self.definitions, (*self.ids, COVERAGE)) | own

    def schema(self) -> pa.Schema:
        """Return the names and types of the columns, which depend on the question alone."""
        fields = [("scope", TEXT), ("from", INSTANT), ("to", INSTANT), ("partial", pa.bool_())]
        fields += [(name, WHOLE_NUMBER) for name in (FACTORIES, MACHINES)]
        times = (*STATE_COLUMNS, f"{UNKNOWN}_us", *MODE_COLUMNS, f"producing_{UNKNOWN}_us")
        fields += [(name, self._type_of((name,))) for name in times]
        fields += [(name, WHOLE_NUMBER) for name in COUNTS]
        known = self.definitions.by_id()
        for name in self.ids:
            kpi = known[name]
            fields += [
                (name, pa.float64()),
                (sum_name(kpi, "numerator"), self._type_of(kpi.numerator, kpi.numerator_times)),
                (sum_name(kpi, "denominator"), self._type_of(kpi.denominator, kpi.denominator_times)),
                (f"{name}_reason", TEXT),
                (f"{name}_flags", TEXT),
            ]
        if COVERAGE not in self.ids:
            fields.append((COVERAGE, pa.float64()))
        return pa.schema([*fields, ("suppressed", pa.bool_())], self.metadata)

    def _type_of(self, figures: Sequence[str], times: Sequence[str] = ()) -> pa.DataType:
        """Return the type of a sum of figures, times another sum if one is given."""
        may_be_wide = bool(times) or any(is_wide(self.question, name) for name in figures)
        return WIDE_NUMBER if may_be_wide else WHOLE_NUMBER

    def batch(self, grid: Grid, schema: pa.Schema) -> pa.RecordBatch:
        """Return the items of a grid as columns.

        Args:
            schema: this table's.
        """
        columns: list[pa.Array] = [
            texts(grid.label_places, grid.labels),
            *self._bounds(grid),
            *(integers(grid.figures[name], WHOLE_NUMBER) for name in (FACTORIES, MACHINES)),
        ]
        unknown, off_shift = unknown_and_off_shift(grid.figures)
        times = [*(off_shift if name == OFF_SHIFT else grid.figures[name] for name in STATE_COLUMNS), unknown]
        times += with_unknown(grid.figures["producing_us"], [grid.figures[name] for name in MODE_COLUMNS])
        columns += [integers(numbers, schema.field(len(columns) + at).type) for at, numbers in enumerate(times)]
        columns += [integers(grid.figures[name], WHOLE_NUMBER) for name in COUNTS]
        known = self.definitions.by_id()
        for name in self.ids:
            column = compute_column(self.definitions, name, grid.figures)
            columns += kpi_arrays(known[name], column, schema)
        if COVERAGE not in self.ids:
            columns.append(values_of(compute_column(self.definitions, COVERAGE, grid.figures)))
        columns.append(truths(np.zeros(len(grid.places), dtype=bool)))
        return pa.RecordBatch.from_arrays(columns, schema=schema)

    def _bounds(self, grid: Grid) -> list[pa.Array]:
        """Return where each item's bucket begins and ends, and whether it is not yet accounted to its end."""
        starts = np.array([bucket.from_us for bucket in grid.buckets], dtype=np.int64)
        ends = np.array([self.whole[self.whole.index_of(start)].to_us for start in starts.tolist()], dtype=np.int64)
        at = grid.bucket_places
        own = ends[at]
        return [instants(starts[at]), instants(own), truths(own > self.question.until_us)]


def with_unknown(whole: Numbers, known: Sequence[Numbers]) -> list[Numbers]:
    """Return the parts of a whole, and what is left of it."""
    return [*known, whole - sum(known[1:], start=known[0])]


def kpi_arrays(definition: KpiDefinition, column: KpiColumn, schema: pa.Schema) -> list[pa.Array]:
    """Return the columns of one KPI: value, numerator, denominator, reason, flags."""
    reasons = [rule.reason for rule in definition.reasons]
    flags = flags_of(definition)
    combined = [" ".join(flag for n, flag in enumerate(flags) if sum_ >> n & 1) for sum_ in range(2 ** len(flags))]
    return [
        values_of(column),
        integers(column.numerator, schema.field(sum_name(definition, "numerator")).type),
        integers(column.denominator, schema.field(sum_name(definition, "denominator")).type),
        texts(column.reason, reasons, ~column.has_value),
        texts(column.flags, combined),
    ]


def values_of(column: KpiColumn) -> pa.Array:
    """Return a KPI's values; null where there is none."""
    return array_of(pa.float64(), column.value, column.has_value)
