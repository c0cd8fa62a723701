"""The migrated database has the columns that the list of figures declares, with their types and comments."""

from schemas.figure_definitions import Table
from services.core.database import connect
from tests.figure_columns import columns_of, differences


async def test_columns_types_and_comments_are_those_of_the_list(database: str) -> None:
    connection = await connect(database)
    try:
        assert await differences(connection) == []
    finally:
        await connection.close()


async def test_a_wrong_column_type_or_comment_is_reported(database: str) -> None:
    connection = await connect(database)
    try:
        await connection.execute("COMMENT ON COLUMN cohort_day.good IS 'Something else.'")
        await connection.execute("ALTER TABLE cohort_hour ALTER failures TYPE integer")
        await connection.execute("ALTER TABLE cohort_hour DROP COLUMN rework, ADD COLUMN reworked bigint")
        found = await differences(connection)
        assert len(await columns_of(connection, Table.COHORT_HOUR)) == 23
    finally:
        await connection.close()
    assert {line.split("'")[1] for line in found} == {"good", "failures", "rework", "reworked"}
    assert {line.split(":")[0] for line in found} == {"cohort_day", "cohort_hour"}
