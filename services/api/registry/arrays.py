"""Rows as a table within a statement: an array travels for each column, whether there is one row or 20,000."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

Row = Sequence[object]


def rows_as_table(
    columns: Sequence[sa.ColumnClause[Any]], rows: Sequence[Row], name: str = "said"
) -> sa.TableValuedAlias:
    """The rows with the names and types of the columns, in the columns' order."""
    arrays = list(zip(*rows, strict=True)) or [()] * len(columns)
    sent = [array_of(column, values) for column, values in zip(columns, arrays, strict=True)]
    named = [sa.column(column.name, column.type) for column in columns]
    return sa.func.unnest(*sent).table_valued(*named, name=name).render_derived(name=name)


def array_of(column: sa.ColumnClause[Any], values: Sequence[object]) -> sa.BindParameter[Any]:
    """Values of a column's type, as one parameter."""
    return sa.literal(list(values), ARRAY(column.type))


def is_any(column: sa.Column[Any], values: Sequence[object]) -> sa.ColumnElement[bool]:
    """Whether a column has one of the values."""
    return column == sa.any_(array_of(column, values))
