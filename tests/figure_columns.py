"""Compares the columns of accounts in a migrated database with the list of figures."""

from schemas.figure_definitions import Table, figures_of
from services.core.database import Connection

COHORT = {"region", "sector", "zone", "sponsor", "level", "size"}
OTHER_COLUMNS = {
    Table.MACHINE_HOUR: {"factory", "machine", "hour", "cohort"},
    Table.FACTORY_HOUR: {"factory", "hour", "cohort"},
    Table.FACTORY_DAY: {"factory", "day", "cohort"},
    Table.COHORT_HOUR: {"hour", "cohort"},
    Table.COHORT_DAY: {"day", "cohort"},
    Table.GROUP_DAY: {"kind", "within", "value", "day"},
    Table.RESEARCH_MACHINE_HOUR: {"factory_id", "machine_id", "hour", "counted", "partial"} | COHORT,
    Table.RESEARCH_FACTORY_DAY: {"factory_id", "day", "partial"} | COHORT,
}
"""What the tables and views have beside figures."""

CATALOGUE = """
SELECT attname, format_type(atttypid, atttypmod), col_description(attrelid, attnum)
FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped
"""

Column = tuple[str, str, str | None]
"""Name, type and comment."""


async def columns_of(connection: Connection, table: Table) -> set[Column]:
    """Return the columns of a table or view, without those that are no figures."""
    name = table.value if "." in table else f"public.{table.value}"
    found = {tuple(row) for row in await connection.fetch(CATALOGUE, name)}
    names = {column[0] for column in found}
    assert names >= OTHER_COLUMNS[table], table
    return {column for column in found if column[0] not in OTHER_COLUMNS[table]}


def expected_columns(table: Table) -> set[Column]:
    """Return what the list of figures says of a table or view."""
    return {(figure.id, figure.tables[table].value, figure.meaning.en) for figure in figures_of(table)}


async def differences(connection: Connection) -> list[str]:
    """Return every column that the catalogue and the list do not agree on."""
    found: list[str] = []
    for table in Table:
        differing = await columns_of(connection, table) ^ expected_columns(table)
        found += [f"{table}: {column}" for column in differing]
    return sorted(found)
