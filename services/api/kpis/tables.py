"""The tables that KPIs are read from, as far as queries name them. The migrations are the authority."""

import sqlalchemy as sa

from services.api.instants import INSTANT

SEOUL = "Asia/Seoul"

PLAIN = (
    *("producing_us", "setup_us", "delayed_us", "faulted_us", "idle_us", "planned_stop_us", "off_shift_us"),
    *("producing_automatic_us", "producing_semi_automatic_us", "producing_manual_us", "evidence_us"),
    *("good", "scrap", "rework", "failures"),
)
PER_COUNTED_DAY = ("cycle_producing_us", "cycle_setup_us", "cycle_busy_us", "ideal_pq_us", "ideal_good_us")
COUNTED = ("counted_busy_us", "counted_pieces", *(f"counted_{name}" for name in PER_COUNTED_DAY))
DAY_COUNTS = ("count_days", "counted_days")
BUSY = ("producing_us", "setup_us", "delayed_us", "faulted_us", "idle_us")
PIECES = ("good", "scrap", "rework")


def columns(*names: str) -> "list[sa.ColumnClause[int]]":
    return [sa.column(name, sa.BigInteger) for name in names]


analytics_state = sa.table("analytics_state", sa.column("accounted_until", INSTANT))
cohort = sa.table(
    "cohort",
    sa.column("id", sa.Integer),
    *(sa.column(name, sa.Text) for name in ("region", "sector", "zone", "sponsor", "level", "size")),
)
machine_span = sa.table(
    "machine_span",
    *columns("machine", "factory", "cohort"),
    sa.column("from_at", INSTANT),
    sa.column("to_at", INSTANT),
    sa.column("automated", sa.Boolean),
    sa.column("first_day", sa.Date),
    sa.column("end_day", sa.Date),
)
machine_hour = sa.table(
    "machine_hour",
    *columns("machine", "cohort", *PLAIN, *PER_COUNTED_DAY, "signed_count_rows"),
    sa.column("hour", INSTANT),
)
machine_day = sa.table(
    "machine_day",
    *columns("machine"),
    sa.column("day", sa.Date),
    *(sa.column(name, sa.Boolean) for name in ("has_counts", "counted", "connected")),
)
factory_hour = sa.table("factory_hour", *columns("factory", "cohort", *PLAIN, *COUNTED), sa.column("hour", INSTANT))
factory_day = sa.table(
    "factory_day", *columns("factory", "cohort", *PLAIN, *COUNTED, *DAY_COUNTS), sa.column("day", sa.Date)
)
cohort_hour = sa.table("cohort_hour", *columns("cohort", *PLAIN, *COUNTED), sa.column("hour", INSTANT))
cohort_day = sa.table("cohort_day", *columns("cohort", *PLAIN, *COUNTED, *DAY_COUNTS), sa.column("day", sa.Date))
