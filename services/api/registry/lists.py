"""One page of a list: what is asked for, the query, the rows as entries, and where the next page begins.

The cursor is the last row's place in the order (what is sorted by, and the id), so a page neither repeats a thing nor
leaves one out when others are registered meanwhile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.pages import make_cursor, read_cursor
from services.api.registry import bodies
from services.api.registry.entries import make_entry
from services.api.registry.list_queries import ListQuery, Order
from services.api.registry.listings import Element, Listing
from services.api.registry.store import content_of
from services.api.registry.timeline import Version
from services.core.times import from_us, to_us

E = TypeVar("E", bound=bodies.Held)

PlainText = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]*$")]
Number = Annotated[int, msgspec.Meta(ge=-1, lt=2**31)]


class Reached(msgspec.Struct, frozen=True, array_like=True):
    """What a cursor says: the order, and the last row's place in it."""

    sort: str
    order: Order
    value: PlainText | Number
    identifier: PlainText


@dataclass(frozen=True, slots=True)
class Page(Generic[E]):
    """Entries in order, and the cursor of the next page; None at the end."""

    items: Sequence[E]
    next_cursor: str | None


async def read_page(
    connection: AsyncConnection,
    listing: Listing,
    query: ListQuery,
    entry: type[E],
    now_us: int,
    only: Sequence[Element] = (),
    factory_id: str | None = None,
) -> Page[E]:
    """One page.

    Args:
        only: conditions beside those of the query: the factory that things belong to, what the reader may see.
        factory_id: the factory that things belong to, as entries say it.

    Raises:
        ValueError: the cursor is not one of this list in this order.
    """
    sort = str(query.sort)
    by, identifier = listing.sorts[sort], listing.sorts["id"]
    statement = listing.select().add_columns(by.label("sorted_by"), identifier.label("identifier"))
    statement = statement.where(*only, *(listing.filters[name] == value for name, value in query.filters.items()))
    if query.q is not None:
        statement = statement.where(sa.or_(*(contains(column, query.q) for column in listing.searched)))
    if query.cursor is not None:
        statement = statement.where(lies_beyond(by, identifier, query.cursor, sort, query.order))
    directed = sa.asc if query.order is Order.ASC else sa.desc
    statement = statement.order_by(directed(by), directed(identifier)).limit(query.limit + 1)
    at = from_us(now_us if query.at is None else query.at)
    rows = (await connection.execute(statement, {"at": at})).mappings().all()
    shown = rows[: query.limit]
    last = (
        Reached(sort, query.order, shown[-1]["sorted_by"], shown[-1]["identifier"]) if len(rows) > query.limit else None
    )
    owner = {} if factory_id is None else {"factory_id": factory_id}
    return Page([entry_of(listing, entry, row, owner) for row in shown], None if last is None else make_cursor(last))


def contains(column: Element, part: str) -> Element:
    """Whether a text has a part, whatever the case of either."""
    return sa.func.strpos(sa.func.lower(column), sa.func.lower(part)) > 0


def lies_beyond(by: Element, identifier: Element, cursor: str, sort: str, order: Order) -> Element:
    """Whether a row comes after the one that a cursor stands for.

    Raises:
        ValueError: the cursor is of another list or order.
    """
    reached = read_cursor(cursor, Reached)
    is_text = isinstance(reached.value, str)
    if (reached.sort, reached.order) != (sort, order) or is_text != isinstance(by.type, sa.String):
        raise ValueError("send a cursor with the sort and order that it was given for")
    place = sa.tuple_(by, identifier)
    last = sa.tuple_(sa.literal(reached.value, by.type), sa.literal(reached.identifier, sa.Text))
    return place > last if order is Order.ASC else place < last


def entry_of(listing: Listing, entry: type[E], row: sa.RowMapping, owner: Mapping[str, str]) -> E:
    """A row as an answer's entry."""
    version = Version(to_us(row["effective_from"]), to_us(row["effective_to"]), content_of(listing.kind, row))
    return make_entry(entry, version, {**owner, **{name: row[name] for name in listing.shown}})


def cells(entry: type[E], items: Sequence[E]) -> tuple[list[str], list[list[Any]]]:
    """Entries as a table: ids first, the rest in the entry's own order."""
    names = sorted(entry.model_fields, key=lambda name: not name.endswith("_id"))
    said = (item.model_dump(mode="json") for item in items)
    return names, [[one[name] for name in names] for one in said]
