"""Writes a page of KPIs as JSON or CSV, part by part, so that memory holds one part at a time."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Protocol

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.kpi_definitions import KpiDefinitions
from services.api.kpis.groups import groups_of
from services.api.kpis.items import ItemMaker, csv_columns, csv_row, figures_needed
from services.api.kpis.kept_sums import Kept, read_kept, sums_of
from services.api.kpis.models import KpiItem, KpiPage
from services.api.kpis.paging import ENUMERATED, WHOLE, Page, choose_page, choose_ranked_page, page_of, parts_of
from services.api.kpis.programme_figures import ProgrammeFigures, read_programme
from services.api.kpis.questions import Question
from services.api.kpis.ranking import Ranking
from services.api.kpis.reading import read_figures
from services.api.kpis.rendered import Remembered, item_key
from services.api.kpis.sums import Key, Sums
from services.api.kpis.tables import CONNECTED
from services.api.kpis.windows import Buckets
from services.api.pages import csv_lines
from services.api.spool import Spool
from services.api.turns import Turn

encoder = msgspec.json.Encoder(decimal_format="number")
FIRST_MEMBER = b'{"items":['
ITEMS = Remembered[bytes](8 * 1024 * 1024)
PAGES = Remembered[tuple[bytes, Page]](12 * 1024 * 1024)
"""Of all answers of the process: two years of the nation by day, and some forty such questions of a year."""


class Form(Protocol):
    """How items are written."""

    def opening(self) -> bytes:
        """Return what comes before all items."""

    @property
    def key(self) -> Hashable:
        """What tells this way of writing items from others."""

    @property
    def separator(self) -> bytes:
        """What stands between two items."""

    def item(self, item: KpiItem) -> bytes:
        """Return an item."""

    def closing(self, page: KpiPage) -> bytes:
        """Return what comes after all items; ``page`` has none of them."""


class JsonForm:
    """A page as it would be encoded as a whole."""

    separator = b","

    def __init__(self, ids: Sequence[str], definition_version: int) -> None:
        self.key = ("json", definition_version, *ids)

    def opening(self) -> bytes:
        return FIRST_MEMBER

    def item(self, item: KpiItem) -> bytes:
        return encoder.encode(item)

    def closing(self, page: KpiPage) -> bytes:
        return encoder.encode(page).removeprefix(FIRST_MEMBER)


class CsvForm:
    """A header line and a line for each item."""

    separator = b""

    def __init__(self, ids: Sequence[str], definition_version: int, *, byte_order_mark: bool) -> None:
        self.key = ("csv", definition_version, *ids)
        self._ids = ids
        self._first = "utf-8-sig" if byte_order_mark else "utf-8"

    def opening(self) -> bytes:
        return csv_lines([csv_columns(self._ids)]).encode(self._first)

    def item(self, item: KpiItem) -> bytes:
        return csv_lines([csv_row(item, self._ids)]).encode()

    def closing(self, page: KpiPage) -> bytes:
        return b""


class Answer:
    """An answer that is being written. ``spool`` holds it; whoever made the answer closes that.

    Attributes:
        ids: the KPIs asked for.
    """

    def __init__(self, form: Form, definitions: KpiDefinitions, ids: Sequence[str], whole: Buckets) -> None:
        self.spool = Spool()
        self._form, self.definitions, self.ids, self._whole = form, definitions, ids, whole
        self._figures = figures_needed(definitions, ids)
        self._is_first = True
        self.spool.write(form.opening())

    async def write_page(
        self,
        connection: AsyncConnection,
        question: Question,
        begun: Buckets,
        after: Key | None,
        limit: int,
        labels: int,
    ) -> Page:
        """Read and write the items after a key, at most ``limit``. Return which they are.

        Args:
            begun: the question's buckets.
            labels: how many it has at most.
        """
        if question.group_by not in ENUMERATED and labels * len(begun) <= WHOLE:
            # All is no more than a part of a page. To find out what is on the page first would cost as much.
            groups = groups_of(question)
            if groups is not None and CONNECTED not in self._figures:
                kept = await read_kept(connection, question, groups, self._figures)
                programme = await read_programme(connection, question, self._figures)
                return await self._write_kept(question, kept, programme, begun, after, limit)
            sums = await read_figures(connection, question, self._figures)
            page = page_of([key for key in sorted(sums) if after is None or key > after], limit)
            self.spool.write(await self._written(page.keys, sums, question.until_us))
            return page
        page = await choose_page(connection, question, begun, after, limit)
        await self._write_parts(connection, question, begun, page)
        return page

    async def write_ranked_page(
        self, connection: AsyncConnection, question: Question, begun: Buckets, ranking: Ranking, limit: int
    ) -> Page:
        """Read and write the next items in the order of a KPI, at most ``limit``. Return which they are.

        Args:
            begun: the question's buckets, of which there is one.
        """
        page = await choose_ranked_page(connection, question, begun, ranking, limit)
        await self._write_parts(connection, question, begun, page)
        return page

    async def _write_kept(
        self,
        question: Question,
        kept: Kept,
        programme: ProgrammeFigures,
        begun: Buckets,
        after: Key | None,
        limit: int,
    ) -> Page:
        """Write the items after a key from what is kept of groups; as the last time, if it has not changed."""
        known = (self._form.key, self._whole, question.scope, question.group_by, begun, after, limit, kept, programme)
        found = PAGES.get(known)
        if found is None:
            sums = await sums_of(question, kept)
            programme.add_to(question, sums)
            page = page_of([key for key in sorted(sums) if after is None or key > after], limit)
            found = await self._written(page.keys, sums, question.until_us), page
            PAGES.add(known, found, len(found[0]))
        written, page = found
        self.spool.write(written)
        return page

    async def _write_parts(self, connection: AsyncConnection, question: Question, begun: Buckets, page: Page) -> None:
        """Read and write the items of a page, part by part."""
        for part in parts_of(question, begun, page):
            sums = await read_figures(connection, part.question, self._figures)
            self.spool.write(await self._written(part.keys, sums, question.until_us))

    async def _written(self, keys: Sequence[Key], sums: Mapping[Key, Sums], until_us: int) -> bytes:
        """Return the items of some keys as they follow what has been written."""
        turn, maker = Turn(), ItemMaker(until_us, self.definitions, self.ids)
        parts: list[bytes] = []
        for label, start_us in keys:
            bucket, own = self._whole.starting_at(start_us), sums[label, start_us]
            known = item_key(self._form.key, label, bucket, own, partial=bucket.to_us > until_us)
            written = ITEMS.get(known)
            if written is None:
                written = self._form.item(maker.make(label, bucket, own))
                ITEMS.add(known, written, len(written))
            parts += (written,) if self._is_first else (self._form.separator, written)
            self._is_first = False
            await turn.end_if_long()
        return b"".join(parts)

    def end(self, page: KpiPage) -> None:
        """Write what comes after the items."""
        self.spool.write(self._form.closing(page))
