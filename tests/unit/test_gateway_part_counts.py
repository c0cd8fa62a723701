"""Part counters of a machine: good and bad pieces, several components, programs, and what is implausible."""

import pytest

from services.gateway.mtconnect.model import DataItem, PartKind, Role
from services.gateway.mtconnect.observations import Value
from services.gateway.mtconnect.part_counts import PartCounts
from services.gateway.mtconnect.problems import Place, ProblemKind, Problems

MINUTE_US = 60_000_000
Report = tuple[str, str] | tuple[str, str, str]


def item(id: str, parts: PartKind, scope: str = "p1", *, counts_each: bool = False) -> DataItem:
    return DataItem(id, (id,), scope=("d", scope), role=Role.PART_COUNT, parts=parts, counts_each=counts_each)


ALL, GOOD, BAD = item("all", PartKind.ALL), item("good", PartKind.GOOD), item("bad", PartKind.BAD)


def count(
    items: list[DataItem], *minutes: list[Report], ideal_cycle_us: int | None = None
) -> tuple[dict[tuple[int, str], tuple[int, int]], list[str]]:
    """Report values minute by minute, each with its counter's id and maybe the program that runs.

    Returns:
        By minute and program, good and bad pieces; and what is reported.
    """
    problems = Problems()
    counts = PartCounts(items, ideal_cycle_us, problems)
    by_id = {item.id: item for item in items}
    for minute, reports in enumerate(minutes):
        for id, text, *program in reports:
            place = Place("log", minute + 1)
            counts.observe(minute * MINUTE_US, Value(by_id[id], text), place, program[0] if program else "")
    made = {(at_us // MINUTE_US, program): (pieces.good, pieces.bad) for (at_us, program), pieces in counts.finish()}
    reported = [f"{problem.kind.name} {place}: {detail}" for problem in problems for place, detail in problem.first]
    return made, reported


def test_a_counter_of_all_pieces_gives_good_ones() -> None:
    assert count([ALL], [("all", "5")], [("all", "7")], [("all", "7")], [("all", "8.0")]) == (
        {(1, ""): (2, 0), (3, ""): (1, 0)},
        [],
    )


def test_good_and_bad_counters_speak_for_themselves() -> None:
    made, reported = count(
        [ALL, GOOD, BAD],
        [("all", "10"), ("good", "8"), ("bad", "2")],
        [("all", "12"), ("good", "9"), ("bad", "3")],
    )
    assert (made, reported) == ({(1, ""): (1, 1)}, [])


def test_good_is_all_less_bad_if_no_counter_has_the_good_ones() -> None:
    made, reported = count([ALL, BAD], [("all", "10"), ("bad", "2")], [("all", "13"), ("bad", "3")])
    assert (made, reported) == ({(1, ""): (2, 1)}, [])


def test_a_bad_piece_is_taken_off_the_next_total_that_can_contain_it() -> None:
    made, reported = count(
        [ALL, BAD], [("all", "0"), ("bad", "0")], [("bad", "3")], [("all", "2")], [("all", "3")], [("all", "5")]
    )
    assert made == {(1, ""): (0, 3), (2, ""): (0, 0), (3, ""): (0, 0), (4, ""): (2, 0)}
    assert reported == []


def test_bad_pieces_that_no_total_contains_are_scrap_and_reported() -> None:
    made, reported = count([ALL, BAD], [("all", "0"), ("bad", "0")], [("all", "1"), ("bad", "3")])
    assert made == {(1, ""): (0, 3)}
    assert reported == ["BAD_PARTS log:2: 2"]


def test_a_counter_of_bad_pieces_alone_gives_scrap() -> None:
    assert count([BAD], [("bad", "0")], [("bad", "2")]) == ({(1, ""): (0, 2)}, [])


def test_a_counter_of_good_pieces_that_never_counts_is_missing() -> None:
    reports: list[list[Report]] = [[("all", "0"), ("good", "8")], [("all", "4")], [("good", "8")]]
    assert count([ALL, GOOD], *reports) == ({(1, ""): (4, 0)}, [])


def test_a_counter_of_good_pieces_that_is_never_available_is_missing() -> None:
    made, _ = count([ALL, GOOD], [("all", "0"), ("good", "UNAVAILABLE")], [("all", "4")])
    assert made == {(1, ""): (4, 0)}


def test_the_pieces_of_several_components_add_up() -> None:
    second = item("other", PartKind.ALL, "p2")
    made, _ = count(
        [ALL, second], [("all", "10"), ("other", "100")], [("all", "11"), ("other", "103")], [("other", "104")]
    )
    assert made == {(1, ""): (4, 0), (2, ""): (1, 0)}


def test_each_component_has_its_own_bad_pieces() -> None:
    second, second_bad = item("other", PartKind.ALL, "p2"), item("other_bad", PartKind.BAD, "p2")
    start: list[Report] = [(id, "0") for id in ("all", "other", "other_bad")]
    made, reported = count([ALL, second, second_bad], start, [("all", "5"), ("other_bad", "1")], [("other", "5")])
    assert (made, reported) == ({(1, ""): (5, 1), (2, ""): (4, 0)}, [])


def test_pieces_are_of_the_program_that_ran_when_they_were_completed() -> None:
    made, _ = count([ALL], [("all", "0", "O1")], [("all", "2", "O1")], [("all", "3", "O2")])
    assert made == {(1, "O1"): (2, 0), (2, "O2"): (1, 0)}


def test_two_programs_at_one_instant_are_two_counts() -> None:
    second = item("other", PartKind.ALL, "p2")
    made, _ = count([ALL, second], [("all", "0", "A"), ("other", "0", "B")], [("all", "1", "A"), ("other", "2", "B")])
    assert made == {(1, "A"): (1, 0), (1, "B"): (2, 0)}


OUTER, OUTER_BAD = (
    DataItem(id, (id,), scope=("d",), role=Role.PART_COUNT, parts=parts)
    for id, parts in (("outer", PartKind.ALL), ("outer_bad", PartKind.BAD))
)


def test_an_outer_counter_counts_for_the_components_in_it() -> None:
    made, reported = count([OUTER, ALL], [("outer", "0"), ("all", "0")], [("outer", "5"), ("all", "3")])
    assert (made, reported) == ({(1, ""): (5, 0)}, ["INNER_COUNT log:2: all"])


def test_an_outer_counter_that_never_counts_silences_none() -> None:
    made, reported = count([OUTER, ALL], [("outer", "UNAVAILABLE"), ("all", "0")], [("outer", "7"), ("all", "3")])
    assert (made, reported) == ({(1, ""): (3, 0)}, [])


def test_bad_pieces_of_an_outer_counter_are_taken_off_the_totals_in_it() -> None:
    start: list[Report] = [("outer_bad", "0"), ("all", "0")]
    made, _ = count([OUTER_BAD, ALL], start, [("all", "12"), ("outer_bad", "2")], [("all", "13")])
    assert made == {(1, ""): (10, 2), (2, ""): (1, 0)}


def test_bad_pieces_of_an_inner_counter_are_taken_off_the_total_around_it() -> None:
    made, reported = count([OUTER, BAD], [("outer", "0"), ("bad", "0")], [("outer", "5"), ("bad", "1")])
    assert (made, reported) == ({(1, ""): (4, 1)}, [])


EACH = item("each", PartKind.ALL, counts_each=True)


def test_a_counter_of_each_piece_counts_every_report() -> None:
    made, _ = count([EACH], [("each", "1")], [("each", "1")], [("each", "UNAVAILABLE")], [("each", "3")])
    assert made == {(0, ""): (1, 0), (1, ""): (1, 0), (3, ""): (3, 0)}


def test_a_report_of_each_piece_beyond_the_ideal_cycle_does_not_count() -> None:
    made, reported = count([EACH], [("each", "1")], [("each", "9999")], [("each", "2")], ideal_cycle_us=MINUTE_US)
    assert (made, reported) == ({(0, ""): (1, 0), (2, ""): (2, 0)}, ["BEYOND_CYCLE log:2: each=9999"])


def test_a_report_of_each_piece_that_the_log_has_twice_counts_once() -> None:
    assert count([EACH], [("each", "1"), ("each", "1")]) == ({(0, ""): (1, 0)}, [])


def test_reports_of_each_piece_may_be_bad_ones() -> None:
    bad = item("bad", PartKind.BAD, counts_each=True)
    assert count([bad], [("bad", "1")], [("bad", "1")])[0] == {(0, ""): (0, 1), (1, ""): (0, 1)}


@pytest.mark.parametrize(
    ("totals", "ideal_cycle_us", "kind"),
    [
        (("10", "5000", "11"), None, ProblemKind.SPIKE),
        (("10", "0", "11"), None, ProblemKind.DIP),
        (("10", "18", "11"), MINUTE_US, ProblemKind.BEYOND_CYCLE),
    ],
)
def test_implausible_totals_are_reported_where_they_stand(
    totals: tuple[str, str, str], ideal_cycle_us: int | None, kind: ProblemKind
) -> None:
    minutes: list[list[Report]] = [[("all", total)] for total in totals]
    made, reported = count([ALL], *minutes, ideal_cycle_us=ideal_cycle_us)
    assert made == {(2, ""): (1, 0)}
    assert reported == [f"{kind.name} log:2: all={totals[1]}"]


def test_what_waits_to_be_judged_stands_at_the_end() -> None:
    assert count([ALL], [("all", "10")], [("all", "500")])[0] == {(1, ""): (490, 0)}


def test_without_counters_there_are_no_pieces() -> None:
    assert count([], []) == ({}, [])
