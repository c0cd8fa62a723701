"""The SHDR reader on files: compression, damage, several files, and edge cases of the format."""

import gzip
from pathlib import Path

import pytest

from services.core.errors import ConfigurationError
from services.gateway.shdr import Condition, Level, Tally, parse_fields, parse_timestamp, read_lines, read_log

TEXT = "2024-03-04T08:00:00Z|execution|READY\n2024-03-04T08:00:01Z|execution|ACTIVE\n"


def test_plain_and_compressed_files_give_the_same_lines(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    (tmp_path / "b.gz").write_bytes(gzip.compress(TEXT.encode()))
    assert read_log([tmp_path / "a.txt"])[0] == read_log([tmp_path / "b.gz"])[0]


def test_lines_of_several_files_are_ordered_by_timestamp(tmp_path: Path) -> None:
    late, early = TEXT.splitlines(keepends=True)[1], TEXT.splitlines(keepends=True)[0]
    (tmp_path / "late.txt").write_text(late)
    (tmp_path / "early.txt").write_text(early)
    lines, tally = read_log([tmp_path / "late.txt", tmp_path / "early.txt"])
    assert [line.values for line in lines] == [(("execution", "READY"),), (("execution", "ACTIVE"),)]
    assert tally.lines == 2


def test_lines_of_one_timestamp_keep_the_order_of_the_files(tmp_path: Path) -> None:
    for name, values in (("z", "31"), ("a", "20")):
        (tmp_path / name).write_text(
            "".join(f"2024-03-04T08:00:0{n}Z|k|{n}\n2024-03-04T08:00:00Z|k|{n}\n" for n in values)
        )
    lines, _ = read_log([tmp_path / "z", tmp_path / "a"])
    assert [line.values[0][1] for line in lines] == ["3", "1", "2", "0", "0", "1", "2", "3"]


def test_a_truncated_compressed_file_is_read_up_to_the_damage(tmp_path: Path) -> None:
    texts = [
        f"2024-03-04T08:{n // 60:02}:{n % 60:02}.{n * 7919 % 1000:03}Z|Srpm|{n * 104729 % 9973}\n" for n in range(3600)
    ]
    whole = gzip.compress("".join(texts).encode())
    (tmp_path / "cut.gz").write_bytes(whole[: len(whole) // 2])
    lines, tally = read_log([tmp_path / "cut.gz"])
    assert 500 < len(lines) < 3600
    assert tally.malformed >= 1
    assert any("ends early" in example for example in tally.examples)


def test_bytes_that_are_not_text_spoil_only_their_line(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"\xff\xfe\x00|x\n" + TEXT.encode())
    lines, tally = read_log([tmp_path / "log"])
    assert (len(lines), tally.malformed) == (2, 1)


def test_a_missing_file_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_log([tmp_path / "none"])


def test_lines_may_end_with_carriage_return_and_line_feed(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(TEXT.replace("\n", "\r\n").encode())
    assert read_log([tmp_path / "log"])[0][1].values == (("execution", "ACTIVE"),)


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("c|FAULT|12|HIGH|LOW|oh", Condition("c", Level.FAULT, "12", "oh")),
        ("c|normal||||", Condition("c", Level.NORMAL, "", "")),
        ("c|Unavailable||||", Condition("c", Level.UNAVAILABLE, "", "")),
    ],
)
def test_a_condition_is_recognised_by_its_shape(text: str, condition: Condition) -> None:
    assert parse_fields(f"2024-03-04T08:00:00Z|{text}".split("|")).condition == condition


def test_three_pairs_that_begin_with_unavailable_are_not_a_condition() -> None:
    line = parse_fields(["2024-03-04T08:00:00Z", "pallet", "UNAVAILABLE", "a", "1", "b", "2"])
    assert line.values == (("pallet", "UNAVAILABLE"), ("a", "1"), ("b", "2"))


@pytest.mark.parametrize(
    "text", ["", "2024-03-04", "2024-03-04T08:00Z", "2024-02-30T08:00:00Z", "1999-12-31T00:00:00Z"]
)
def test_an_invalid_timestamp_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match=r"timestamp|day|month"):
        parse_timestamp(text)


def test_seven_digits_are_floored() -> None:
    assert parse_timestamp("2024-03-04T08:00:00.9999999Z") == parse_timestamp("2024-03-04T08:00:00.999999Z")


def test_an_asset_block_without_an_end_does_not_hide_the_lines_after_it() -> None:
    texts = ["2024-03-04T08:00:00Z|@ASSET@|1|Tool|--multiline--A", "<Tool>", "2024-03-04T08:00:01Z|execution|READY"]
    tally = Tally()
    assert [line.values for line in read_lines(texts, "log", tally)] == [(("execution", "READY"),)]
    assert (tally.assets, tally.malformed) == (2, 1)
