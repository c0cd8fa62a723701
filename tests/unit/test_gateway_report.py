"""What a replay prints: rows, summaries and problems."""

import pytest

from schemas.wire.codes import Mode, State
from services.gateway.mtconnect.lines import Tally
from services.gateway.mtconnect.problems import PLACES_KEPT, Place, ProblemKind, Problems
from services.gateway.records import CountRow, ReadingRow, Row, StateRow
from services.gateway.replay import MachineReport
from services.gateway.report import problem_lines, row_line, summary
from services.gateway.translate import SourcedRow

AT_US = 1_709_539_200_000_000


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (StateRow("M01", AT_US, State.producing, Mode.automatic), "state producing mode=automatic"),
        (StateRow("M01", AT_US, State.idle, Mode.unknown, "READY"), "state idle reason=READY"),
        (StateRow("M01", AT_US, State.unknown, Mode.unknown), "state unknown"),
        (CountRow("M01", AT_US, good=3), "count good=3 scrap=0"),
        (CountRow("M01", AT_US, good=3, scrap=1, product="O1"), "count good=3 scrap=1 product=O1"),
        (ReadingRow("M01", AT_US, "x_load_pct", 12.5), "reading x_load_pct 12.5"),
    ],
)
def test_a_row_is_written_with_its_place_in_the_log(row: Row, text: str) -> None:
    assert row_line(SourcedRow(row, Place("log", 7))) == f"log:7: M01 2024-03-04T08:00:00Z {text}"


def report(problems: Problems) -> MachineReport:
    return MachineReport("M01", "mazak", Tally(lines=9, unread=1, assets=2, protocol=3, other=4), problems, rows=5)


def test_the_summary_counts_lines_and_rows() -> None:
    assert summary(report(Problems())) == (
        "M01: mazak, 9 lines (1 not read, 2 of assets, 3 of protocol, 4 of other devices), 5 rows"
    )


def test_a_problem_is_written_with_its_number_places_and_what_to_do() -> None:
    problems = Problems()
    problems.add(ProblemKind.VALUE, Place("log", 3, 22), "Xload=abc")
    problems.add(ProblemKind.VALUE, Place("log", 4, 22), "Xload=def")
    problems.add(ProblemKind.COMPRESSION, Place("log"), "")
    assert list(problem_lines(report(problems))) == [
        ("M01: damaged compressed file (once): log. The file is read up to the damage. Get it again if you can."),
        (
            "M01: invalid value (2 times): log:3:22: Xload=abc; log:4:22: Xload=def. "
            "It is skipped; an invalid word makes Execution or ControllerMode unknown. Correct the adapter."
        ),
    ]


def test_only_the_first_places_of_different_content_are_kept() -> None:
    problems = Problems()
    for number in range(20):
        problems.add(ProblemKind.UNKNOWN_KEY, Place("log", number + 1, 22), f"k{number // 2}")
    (problem,) = problems
    assert problem.count == problems.count(ProblemKind.UNKNOWN_KEY) == 20
    assert [str(place) for place, _ in problem.first] == [f"log:{line}:22" for line in (1, 3, 5, 7, 9)]
    assert len(problem.first) == PLACES_KEPT
    assert problems.count(ProblemKind.VALUE) == 0


def test_problems_come_in_the_order_of_their_kinds() -> None:
    problems = Problems()
    for kind in reversed(ProblemKind):
        problems.add(kind, Place("log", 1), "x")
    assert [problem.kind for problem in problems] == list(ProblemKind)


@pytest.mark.parametrize("kind", list(ProblemKind))
def test_each_kind_of_problem_has_a_name_of_its_own_and_advice(kind: ProblemKind) -> None:
    assert [other for other in ProblemKind if other.title == kind.title] == [kind]
    assert kind.advice.endswith(".")
