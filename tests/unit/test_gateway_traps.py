"""Hand-written logs, one for each trap in real logs, and the rows that they must give."""

from pathlib import Path

from schemas.wire.codes import Mode, State
from services.core.times import SECOND_US
from services.gateway.models import ModelSource
from services.gateway.mtconnect.problems import ProblemKind
from services.gateway.mtconnect.tokenizer import parse_timestamp
from services.gateway.records import CountRow, ReadingRow, Row, StateRow
from services.gateway.replay import MachineReport, Options, translate_machine

FIXTURES = Path(__file__).parents[1] / "fixtures" / "shdr"


def translate_files(*paths: Path, readings: bool = True) -> tuple[list[Row], MachineReport]:
    rows, report = translate_machine("M01", paths, ModelSource(), Options(60 * SECOND_US, readings=readings))
    return [found.row for found in rows], report


def translate(name: str) -> list[Row]:
    return translate_files(FIXTURES / name)[0]


def at(time: str, day: str = "2024-03-04") -> int:
    return parse_timestamp(f"{day}T{time}Z")


def states(rows: list[Row]) -> list[tuple[int, State, Mode]]:
    return [(row.at_us, row.state, row.mode) for row in rows if isinstance(row, StateRow)]


def reasons(rows: list[Row]) -> list[str | None]:
    return [row.reason for row in rows if isinstance(row, StateRow)]


def counts(rows: list[Row]) -> list[tuple[int, int]]:
    return [(row.at_us, row.good) for row in rows if isinstance(row, CountRow)]


def test_old_values_in_an_opening_snapshot_hold_but_are_no_evidence() -> None:
    rows = translate("snapshot_of_old_values.txt")
    assert states(rows) == [
        (at("08:00:00"), State.idle, Mode.automatic),
        (at("08:00:30"), State.producing, Mode.automatic),
        (at("08:01:00"), State.producing, Mode.automatic),
    ]
    assert [row.value for row in rows if isinstance(row, ReadingRow)] == [1200.0, 1250.0]


def test_lines_written_late_take_effect_at_their_own_time() -> None:
    assert states(translate("clocks_run_backwards.txt")) == [
        (at("08:00:00"), State.idle, Mode.unknown),
        (at("08:00:10"), State.idle, Mode.automatic),
        (at("08:00:20"), State.delayed, Mode.automatic),
        (at("08:00:40"), State.producing, Mode.automatic),
        (at("08:01:00"), State.idle, Mode.automatic),
    ]


def test_unavailable_execution_or_availability_is_unknown_in_upper_or_lower_case() -> None:
    assert states(translate("drop_outs.txt")) == [
        (at("08:00:00"), State.producing, Mode.automatic),
        (at("08:00:10"), State.unknown, Mode.unknown),
        (at("08:00:20"), State.producing, Mode.manual),
        (at("08:00:30"), State.unknown, Mode.unknown),
        (at("08:00:50"), State.idle, Mode.manual),
    ]


def test_the_last_state_of_the_day_is_asserted_at_the_last_line_before_the_night() -> None:
    assert states(translate("stale_night.txt")) == [
        (at("19:00:00"), State.idle, Mode.unknown),
        (at("19:00:50"), State.idle, Mode.unknown),
        (at("08:00:00", "2024-03-05"), State.idle, Mode.unknown),
        (at("08:00:10", "2024-03-05"), State.producing, Mode.unknown),
    ]


def test_a_counter_counts_rises_and_restarts_after_a_fall_or_unavailable() -> None:
    assert counts(translate("counter.txt")) == [
        (at("08:01:00"), 1),
        (at("08:03:00"), 3),
        (at("08:04:00"), 2),
        (at("08:08:00"), 1),
        (at("08:09:00"), 0),
    ]


def test_a_counter_that_never_moves_counts_nothing() -> None:
    assert counts(translate("counter_never_moves.txt")) == []


def test_malformed_lines_are_read_as_far_as_they_are_readable() -> None:
    rows, report = translate_files(FIXTURES / "malformed.txt")
    assert states(rows) == [
        (at("08:00:00"), State.idle, Mode.unknown),
        (at("08:00:10"), State.idle, Mode.automatic),
        (at("08:00:20"), State.faulted, Mode.automatic),
        (at("08:00:30"), State.producing, Mode.automatic),
    ]
    assert (report.tally.lines, report.tally.unread, report.tally.protocol) == (13, 6, 2)
    assert [(problem.kind, problem.count, str(problem.first[0][0])) for problem in report.problems] == [
        (ProblemKind.TIMESTAMP, 5, "malformed.txt:2:1"),
        (ProblemKind.CUT_OFF, 2, "malformed.txt:5:26"),
        (ProblemKind.EMPTY_KEY, 1, "malformed.txt:9:26"),
    ]


def test_asset_blocks_are_neither_values_nor_evidence() -> None:
    rows, report = translate_files(FIXTURES / "assets.txt")
    assert states(rows) == [
        (at("08:00:00"), State.idle, Mode.unknown),
        (at("08:00:10"), State.producing, Mode.unknown),
        (at("08:00:20"), State.idle, Mode.unknown),
    ]
    assert (report.tally.assets, report.tally.unread) == (8, 0)
    assert [(problem.kind, problem.count) for problem in report.problems] == [(ProblemKind.ASSET_END, 1)]


def test_other_paths_and_spindles_do_not_mix_with_the_first() -> None:
    rows = translate("two_paths.txt")
    assert states(rows) == [
        (at("08:00:00"), State.idle, Mode.automatic),
        (at("08:00:20"), State.producing, Mode.automatic),
    ]
    assert {(row.metric, row.value) for row in rows if isinstance(row, ReadingRow)} == {
        ("spindle_speed_rpm", 1000.0),
        ("spindle_2_speed_rpm", 2500.0),
    }
    assert counts(rows) == []


def test_faults_are_set_and_cleared_by_code_and_active_overrides_them() -> None:
    rows = translate("conditions.txt")
    assert [(row_at, state) for row_at, state, _ in states(rows)] == [
        (at("08:00:00"), State.idle),
        (at("08:00:20"), State.faulted),
        (at("08:00:40"), State.faulted),
        (at("08:01:00"), State.idle),
        (at("08:01:10"), State.faulted),
        (at("08:01:20"), State.producing),
        (at("08:01:30"), State.faulted),
        (at("08:01:40"), State.delayed),
        (at("08:01:50"), State.faulted),
        (at("08:02:00"), State.delayed),
        (at("08:02:10"), State.faulted),
        (at("08:02:20"), State.delayed),
    ]
    assert reasons(rows)[:4] == ["READY", "system_cond 1102 INTERFERE", "system_cond 1103 DOOR OPEN", "READY"]
    assert reasons(rows)[8] == "EMERGENCY_STOP"


def test_functional_mode_overrides_active_but_not_an_emergency_stop() -> None:
    assert [(row_at, state) for row_at, state, _ in states(translate("functional_mode.txt"))] == [
        (at("08:00:00"), State.planned_stop),
        (at("08:00:11"), State.producing),
        (at("08:00:20"), State.setup),
        (at("08:00:30"), State.faulted),
        (at("08:00:40"), State.idle),
    ]


def test_timestamps_are_floored_to_microseconds_and_are_utc_without_an_offset() -> None:
    assert [row_at for row_at, _, _ in states(translate("timestamps.txt"))] == [
        at("08:00:00.123456"),
        at("08:00:01.5"),
        at("08:00:02"),
    ]


def test_a_log_with_many_pairs_on_a_line() -> None:
    rows = translate("hurco.txt")
    assert states(rows) == [
        (at("08:00:00.046875"), State.idle, Mode.unknown),
        (at("08:00:10"), State.producing, Mode.unknown),
        (at("08:00:30"), State.idle, Mode.unknown),
        (at("08:00:40"), State.delayed, Mode.unknown),
    ]
    assert counts(rows) == [(at("08:00:30.015625"), 1)]


def test_a_second_file_that_repeats_the_first_adds_nothing() -> None:
    paths = [FIXTURES / "drop_outs.txt"] * 2
    rows, _ = translate_files(*paths)
    assert rows == translate("drop_outs.txt")


def test_a_change_while_nobody_listened_ends_the_earlier_hold(tmp_path: Path) -> None:
    """A later log's opening shows that the state changed days ago: from then on neither state has evidence."""
    first, second = tmp_path / "1.txt", tmp_path / "2.txt"
    first.write_text("2024-03-04T17:00:00Z|execution|ACTIVE\n2024-03-04T17:01:00Z|Srpm|5\n")
    second.write_text(
        "2024-03-04T17:03:00Z|execution|READY\n2024-03-07T08:00:00Z|Srpm|0\n2024-03-07T08:00:05Z|Srpm|1\n"
    )
    rows, _ = translate_files(first, second, readings=False)
    assert states(rows) == [
        (at("17:00:00"), State.producing, Mode.unknown),
        (at("17:01:00"), State.producing, Mode.unknown),
        (at("17:03:00"), State.unknown, Mode.unknown),
        (at("08:00:00", "2024-03-07"), State.idle, Mode.unknown),
        (at("08:00:05", "2024-03-07"), State.idle, Mode.unknown),
    ]
