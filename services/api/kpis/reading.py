"""Reads what a KPI question is about: from sums that are kept where these can answer, else from accounts and spans."""

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.kpis import factory_queries, queries
from services.api.kpis.groups import groups_of
from services.api.kpis.kept_sums import read_kept_sums, read_kept_times
from services.api.kpis.programme_figures import read_programme
from services.api.kpis.questions import Question
from services.api.kpis.sums import Key, Sums, Times, add_connected, read_sums
from services.api.kpis.tables import CONNECTED, IN_USE, SERVED
from services.api.turns import Turn
from services.core.times import to_us


async def read_figures(connection: AsyncConnection, question: Question, wanted: Collection[str]) -> dict[Key, Sums]:
    """Return the sums of every bucket in which a machine is in use.

    Args:
        wanted: the figures needed; others may be 0.
    """
    groups = groups_of(question)
    if factory_queries.can_answer(question):
        found = await read_factories(connection, question)
    elif groups is None:
        found = await read_sums(connection, question)
    else:
        found = await read_kept_sums(connection, question, groups, wanted)
    if CONNECTED in wanted:
        await add_connected(connection, question, found)
    (await read_programme(connection, question, wanted)).add_to(question, found)
    return found


async def read_factories(connection: AsyncConnection, question: Question) -> dict[Key, Sums]:
    """Return the sums of factories that are named, over one bucket, for those that have a machine in use in it."""
    statement, parameters = factory_queries.sums_of_factories(question)
    found: dict[Key, Sums] = {}
    turn = Turn()
    for row in (await connection.execute(statement, parameters)).mappings():
        label = question.scope.label if question.group_by is None else f"{question.group_by}:{row['factory_id']}"
        figures = dict.fromkeys(SERVED, 0) | {name: int(row[name]) for name in (*IN_USE, *factory_queries.SUMMED)}
        found[label, question.buckets[0].from_us] = Sums(figures, 1, row["machines"])
        await turn.end_if_long()
    return found


async def read_times(connection: AsyncConnection, question: Question, first: str) -> Times:
    """Return when something is in use, by label from ``first`` on."""
    groups = groups_of(question)
    if groups is None:
        return await read_span_times(connection, question, first)
    return await read_kept_times(connection, question, groups, first)


async def read_span_times(connection: AsyncConnection, question: Question, first: str) -> Times:
    """Do as ``read_times``, from spans in use."""
    found: list[tuple[str, int, int]] = []
    turn = Turn()
    for row in await connection.execute(queries.times_in_use(question, first)):
        found.append((row.label, to_us(row.from_at), to_us(row.to_at)))
        await turn.end_if_long()
    return found
