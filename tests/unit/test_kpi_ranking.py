"""The order of a page as callers write it, and its cursors: what is understood, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.kpi_definitions import read_definitions
from services.api.cursors import make_cursor
from services.api.kpis.ranking import Place, Ranking, parse_ranking

KNOWN = read_definitions().by_id()
LONGEST_CURSOR = 500
LABEL = f"machine:{'F' * 32}/{'M' * 64}"


def ranking_of(order_by: str, cursor: str | None = None, buckets: int = 1) -> Ranking:
    return parse_ranking(order_by, cursor, KNOWN, buckets)


@pytest.mark.parametrize(("order_by", "is_descending"), [("oee", False), ("-oee", True)])
def test_a_minus_means_the_highest_first(order_by: str, is_descending: bool) -> None:
    ranking = ranking_of(order_by)
    assert (ranking.kpi.id, ranking.is_descending, ranking.after) == ("oee", is_descending, None)
    assert ranking.order_by == order_by


@given(
    st.sampled_from([*KNOWN, *(f"-{name}" for name in KNOWN)]),
    st.none() | st.integers(0, 10**130),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=len(LABEL)),
)
def test_a_cursor_stands_for_its_place(order_by: str, rank: int | None, label: str) -> None:
    place = Place(rank, label)
    assert ranking_of(order_by, ranking_of(order_by).cursor(place)).after == place


@pytest.mark.parametrize("order_by", [f"-{name}" for name in KNOWN])
def test_the_longest_cursor_is_short_enough_to_be_sent(order_by: str) -> None:
    assert len(ranking_of(order_by).cursor(Place(10**130, LABEL))) <= LONGEST_CURSOR


@pytest.mark.parametrize(
    ("order_by", "sentence"),
    [
        ("happiness", "no KPI happiness"),
        ("-happiness", "no KPI happiness"),
        ("--oee", "no KPI -oee"),
        ("+oee", "no KPI"),
        ("OEE", "no KPI"),
        ("", "no KPI"),
        ("scope", "no KPI"),
    ],
)
def test_an_unknown_kpi_is_refused(order_by: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        ranking_of(order_by)


def test_several_buckets_are_refused() -> None:
    with pytest.raises(ValueError, match="this window has 24 buckets; ask for interval=total"):
        ranking_of("oee", buckets=24)


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        make_cursor(("factory:F1", 1_488_294_000_000_000)),
        make_cursor(("oee", "5", "factory:F1")),
        make_cursor(("-availability", "5", "factory:F1")),
        make_cursor(("-oee", 5, "factory:F1")),
        make_cursor(("-oee", "-5", "factory:F1")),
        make_cursor(("-oee", "1e9", "factory:F1")),
        make_cursor(("-oee", "٣", "factory:F1")),
        make_cursor(("-oee", "5\n", "factory:F1")),
        make_cursor(("-oee", "", "factory:F1")),
        make_cursor(("-oee", None)),
        make_cursor(("-oee", "5", None)),
    ],
)
def test_a_cursor_that_is_not_of_this_order_is_refused(cursor: str) -> None:
    with pytest.raises(ValueError, match="this cursor is not of order_by=-oee"):
        ranking_of("-oee", cursor)
