"""Makes a bulk answer: all items of a KPI question as Parquet or as an Arrow stream, one part in memory at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.datastructures import MutableHeaders

from schemas.kpi_definitions import KpiDefinitions
from services.api.database import Databases
from services.api.kpis.batches import Table
from services.api.kpis.definitions import meanings_for
from services.api.kpis.encoders import Scribe
from services.api.kpis.forms import FormKind
from services.api.kpis.grids import read_part
from services.api.kpis.paging import Page, choose_page, choose_ranked_page
from services.api.kpis.questions import Question
from services.api.kpis.ranking import Ranking
from services.api.kpis.sums import Key, read_accounted_until
from services.api.kpis.walks import BulkPart, on_page, walk, walk_ranked
from services.api.kpis.windows import Buckets
from services.api.streams import Pipe, Workshop
from services.core.times import rfc3339


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a bulk answer is to have.

    Attributes:
        question: with its whole window, accounted or not.
        whole: its buckets.
        most_items: no answer has more.
        ids: the KPIs asked for.
        ranking: the order by a KPI, if it is not by scope and time.
        after: the item that a page begins after.
        limit: the most items of a page; None for all items there are.
    """

    form: FormKind
    question: Question
    whole: Buckets
    most_items: int
    definitions: KpiDefinitions
    ids: list[str]
    ranking: Ranking | None
    after: Key | None
    limit: int | None


@dataclass(frozen=True, slots=True)
class BulkAnswer:
    """An answer that is about to be made, once.

    Attributes:
        reader_place: the reader's place among requests, given back when the answer is made.
        deadline_s: how long making it may take.
        link: returns the Link header's value for the page that begins at a cursor.
    """

    wanted: Wanted
    databases: Databases
    workshop: Workshop
    reader_place: AsyncExitStack
    deadline_s: float
    link: Callable[[str], str]

    async def make(self, pipe: Pipe, headers: MutableHeaders) -> None:
        """Write the answer.

        Raises:
            Problem: 503 if as many are being made as may be.
            TimeoutError: it took too long.
        """
        async with self.reader_place, self.workshop.place(), asyncio.timeout(self.deadline_s):
            await self._make(pipe, headers)

    async def _make(self, pipe: Pipe, headers: MutableHeaders) -> None:
        scribe: Scribe | None = None
        try:
            async with self.databases.read.connect() as connection:
                await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                until_us = await read_accounted_until(connection)
                begun = self.wanted.whole.until(until_us or 0)
                question = replace(self.wanted.question, buckets=begun, until_us=until_us or 0)
                table = self._table(question, until_us)
                scribe = Scribe(self.wanted.form, table, self.wanted.most_items, pipe, self.workshop)
                if until_us and begun:
                    async for part in self._parts(connection, question, begun, headers):
                        await scribe.write(await read_part(connection, part.question, table.figures, part.keys))
            await scribe.close()
        finally:
            if scribe is not None:
                await scribe.rest()

    def _table(self, question: Question, until_us: int | None) -> Table:
        definitions, ids = self.wanted.definitions, self.wanted.ids
        metadata = {
            "definition_version": str(definitions.definition_version),
            "meanings": msgspec.json.encode(meanings_for(definitions, ids)).decode(),
        }
        if until_us is not None:
            metadata["accounted_until"] = rfc3339(until_us)
        return Table(question, self.wanted.definitions, self.wanted.ids, self.wanted.whole, metadata)

    async def _parts(
        self, connection: AsyncConnection, question: Question, begun: Buckets, headers: MutableHeaders
    ) -> AsyncIterator[BulkPart]:
        """Yield the answer's parts. A page's header leads to the next page."""
        wanted = self.wanted
        if wanted.limit is None:
            whole = walk(connection, question, begun)
            if wanted.ranking is not None:
                whole = walk_ranked(connection, question, begun, wanted.ranking)
            async for part in whole:
                yield part
            return
        page: Page
        if wanted.ranking is None:
            page = await choose_page(connection, question, begun, wanted.after, wanted.limit)
        else:
            page = await choose_ranked_page(connection, question, begun, wanted.ranking, wanted.limit)
        if page.next_cursor is not None:
            headers["Link"] = self.link(page.next_cursor)
        for part in on_page(question, begun, page):
            yield part
