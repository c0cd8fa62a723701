"""The tables that KPIs are read from, as far as queries name them. The migrations are the authority."""

import sqlalchemy as sa

from schemas.figure_definitions import FIGURES, ColumnType, FromProgramme, FromRegistry, MachineDays, Table, figures_of
from services.api.instants import INSTANT

SEOUL = "Asia/Seoul"

HOUR_SUMS = figures_of(Table.FACTORY_HOUR)
"""The figures that factories and cohorts have for every hour and every day."""
DAY_COUNTS = {figure.id: figure.rule.are for figure in FIGURES if isinstance(figure.rule, MachineDays)}
"""Those that they have by day only, and the columns of ``machine_day`` that these count."""
CONNECTED = "stock_connected"
IN_USE = [figure.id for figure in FIGURES if isinstance(figure.rule, FromRegistry) and figure.id != CONNECTED]
PROGRAMME = frozenset(figure.id for figure in FIGURES if isinstance(figure.rule, FromProgramme))
"""Those that ``programme_figures`` computes; 0 where a scope has none."""
SERVED = [*(figure.id for figure in HOUR_SUMS), *DAY_COUNTS, *IN_USE, CONNECTED, *sorted(PROGRAMME)]
"""All figures that any scope has."""

TYPES = {ColumnType.INTEGER: sa.Integer, ColumnType.BIGINT: sa.BigInteger, ColumnType.NUMERIC: sa.Numeric}


def numbers(*names: str) -> "list[sa.ColumnClause[int]]":
    """Columns of the numbers by which tables refer to each other."""
    return [sa.column(name, sa.BigInteger) for name in names]


def figures(table: Table) -> "list[sa.ColumnClause[int]]":
    """The columns of the figures that a table keeps."""
    return [sa.column(figure.id, TYPES[figure.tables[table]]) for figure in figures_of(table)]


analytics_state = sa.table("analytics_state", sa.column("accounted_until", INSTANT))
cohort = sa.table(
    "cohort",
    sa.column("id", sa.Integer),
    *(sa.column(name, sa.Text) for name in ("region", "sector", "zone", "sponsor", "level", "size")),
)
machine_span = sa.table(
    "machine_span",
    *numbers("machine", "factory", "cohort"),
    sa.column("pattern", sa.Integer),
    sa.column("from_at", INSTANT),
    sa.column("to_at", INSTANT),
    sa.column("automated", sa.Boolean),
    sa.column("first_day", sa.Date),
    sa.column("end_day", sa.Date),
)
machine_hour = sa.table(
    "machine_hour",
    *numbers("factory", "machine", "cohort"),
    sa.column("hour", INSTANT),
    *figures(Table.MACHINE_HOUR),
)
machine_day = sa.table(
    "machine_day",
    *numbers("factory", "machine"),
    sa.column("day", sa.Date),
    *(sa.column(name, sa.Boolean) for name in ("has_counts", "counted", "connected")),
)
factory_hour = sa.table(
    "factory_hour", *numbers("factory", "cohort"), sa.column("hour", INSTANT), *figures(Table.FACTORY_HOUR)
)
factory_day = sa.table(
    "factory_day", *numbers("factory", "cohort"), sa.column("day", sa.Date), *figures(Table.FACTORY_DAY)
)
cohort_hour = sa.table("cohort_hour", *numbers("cohort"), sa.column("hour", INSTANT), *figures(Table.COHORT_HOUR))
cohort_day = sa.table("cohort_day", *numbers("cohort"), sa.column("day", sa.Date), *figures(Table.COHORT_DAY))


def group_key() -> "list[sa.ColumnClause[str]]":
    """The columns that say which group a row is about."""
    return [sa.column(name, sa.Text) for name in ("kind", "within", "value")]


group_day = sa.table("group_day", *group_key(), sa.column("day", sa.Date), *figures(Table.GROUP_DAY))
group_step = sa.table(
    "group_step",
    *group_key(),
    sa.column("at", INSTANT),
    sa.column("seen_to", INSTANT),
    *(
        sa.column(name, sa.Integer)
        for name in ("machines_in", "machines_out", "factories_in", "factories_out", "automated", "days")
    ),
)
schedule_step = sa.table(
    "schedule_step",
    *group_key(),
    sa.column("pattern", sa.Integer),
    sa.column("at", INSTANT),
    sa.column("machines", sa.Integer),
)
factory_span = sa.table(
    "factory_span", *numbers("factory", "cohort"), sa.column("from_at", INSTANT), sa.column("to_at", INSTANT)
)
