"""The order of a page by the exact value of a KPI, and the places in it at which pages end. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from schemas.kpi_definitions import KpiDefinition
from services.analytics import FigureSums, product
from services.api.cursors import make_cursor, read_cursor

DESCENDING = "-"
SCALE = 10**100
"""Of ranks: denominators are below 1e50, so fractions that differ at all differ by more than 1e-100."""
RANK = re.compile("[0-9]{1,300}")


class CursorKey(NamedTuple):
    """What a cursor has: its order, the rank in decimal digits (too long for a number of JSON), and the label."""

    order_by: str
    rank: str | None
    label: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a label is in the order.

    Attributes:
        rank: grows with the KPI's value, and is equal where the values are (``rank_queries.rank``); None without a
            value, which comes last in both directions.
        label: decides between equal ranks, in the order of code points.
    """

    rank: int | None
    label: str


@dataclass(frozen=True, slots=True)
class Ranking:
    """An order by a KPI, and the place after which the page begins, if it is not the first.

    The KPI's scale does not matter: it is the same for every label.
    """

    kpi: KpiDefinition
    is_descending: bool
    after: Place | None = None

    @property
    def order_by(self) -> str:
        """The order as a caller asks for it."""
        return f"{DESCENDING if self.is_descending else ''}{self.kpi.id}"

    def cursor(self, place: Place) -> str:
        """Return the cursor of the page that begins after a place."""
        rank = None if place.rank is None else str(place.rank)
        return make_cursor(CursorKey(self.order_by, rank, place.label))


def parse_ranking(order_by: str, cursor: str | None, known: Mapping[str, KpiDefinition], buckets: int) -> Ranking:
    """Return the order that a caller asks for.

    Args:
        known: the KPIs by id.
        buckets: how many buckets the window has.

    Raises:
        ValueError: if the KPI is unknown, a label would have several values, or the cursor is not one of this order.
    """
    kpi = known.get(order_by.removeprefix(DESCENDING))
    if kpi is None:
        raise ValueError(
            f"there is no KPI {order_by.removeprefix(DESCENDING)} to order by; GET /v1/kpi-definitions lists them, "
            "and - before an id means the highest first"
        )
    if buckets > 1:
        raise ValueError(
            f"a scope needs one value to be ordered by, and this window has {buckets} buckets; ask for interval=total, "
            "or for a window of one bucket"
        )
    ranking = Ranking(kpi, order_by.startswith(DESCENDING))
    return ranking if cursor is None else Ranking(kpi, ranking.is_descending, parse_place(cursor, ranking.order_by))


def parse_place(cursor: str, order_by: str) -> Place:
    """Return the place after which a page begins.

    Raises:
        ValueError: if the API did not make the cursor, or made it for another order.
    """
    try:
        key = read_cursor(cursor, CursorKey)
    except ValueError:
        key = None
    if key is None or key.order_by != order_by or not (key.rank is None or RANK.fullmatch(key.rank)):
        raise ValueError(
            f"this cursor is not of order_by={order_by}; send it as `next_cursor` gave it, with the order of that page"
        )
    return Place(None if key.rank is None else int(key.rank), key.label)


def ranked(ranking: Ranking, sums: Mapping[str, FigureSums], most: int) -> list[Place]:
    """Return the next places in the order of a KPI, from the figures of every label that has a machine in use.

    It is the order of ``rank_queries``, for labels of which there are few.
    """
    places = [Place(rank_of(ranking.kpi, figures), label) for label, figures in sums.items()]
    places.sort(key=lambda place: order_key(ranking, place))
    after = ranking.after
    if after is not None:
        places = [place for place in places if order_key(ranking, place) > order_key(ranking, after)]
    return places[:most]


def order_key(ranking: Ranking, place: Place) -> tuple[bool, int, str]:
    """Return what places are ordered by: those without a value come last."""
    rank = 0 if place.rank is None else place.rank
    return place.rank is None, -rank if ranking.is_descending else rank, place.label


def rank_of(kpi: KpiDefinition, figures: FigureSums) -> int | None:
    """Return the whole number that orders a KPI's ratios exactly, as ``rank_queries.rank`` does; None without one."""
    denominator = product(figures, kpi.denominator, kpi.denominator_times)
    if denominator == 0:
        return None
    return product(figures, kpi.numerator, kpi.numerator_times) * SCALE // denominator
