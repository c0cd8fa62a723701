"""Log files: compression, damage, encodings, line ends, and the order of several files."""

import gzip
from pathlib import Path

import pytest

from services.core.errors import ConfigurationError
from services.gateway.log_files import file_lines, read_log
from services.gateway.mtconnect.dialects import MAZAK
from services.gateway.mtconnect.lines import LineReader
from services.gateway.mtconnect.observations import Line, Measurement, Value
from services.gateway.mtconnect.problems import ProblemKind, Problems

TEXT = "2024-03-04T08:00:00Z|execution|READY\n2024-03-04T08:00:01Z|execution|ACTIVE\n"
KOREAN = "2024-03-04T08:00:00Z|system_cond|FAULT|1|||비상정지\n"


def read(*paths: Path) -> tuple[list[Line], Problems]:
    problems = Problems()
    return read_log(paths, LineReader(MAZAK, frozenset(), problems), problems), problems


def values(lines: list[Line]) -> list[str]:
    """What lines observed, without the key."""
    observations = [found for line in lines for found in line.observations]
    return [
        found.text if isinstance(found, Value) else f"{found.number:g}"
        for found in observations
        if isinstance(found, Value | Measurement)
    ]


def texts(content: bytes, folder: Path) -> tuple[list[str], list[str]]:
    """Return the lines of a file, and what is reported, as ``LINE:COLUMN KIND DETAIL``."""
    path = folder / "log"
    path.write_bytes(content)
    problems = Problems()
    lines = list(file_lines(path, problems))
    reported = [
        f"{str(place).removeprefix('log:')} {problem.kind.name} {detail}"
        for problem in problems
        for place, detail in problem.first
    ]
    return lines, reported


# --- several files ---


def test_plain_and_compressed_files_give_the_same_lines(tmp_path: Path) -> None:
    for folder, content in (("a", TEXT.encode()), ("b", gzip.compress(TEXT.encode()))):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "log").write_bytes(content)
    assert read(tmp_path / "a/log")[0] == read(tmp_path / "b/log")[0] != []


def test_lines_of_several_files_are_ordered_by_timestamp(tmp_path: Path) -> None:
    early, late = TEXT.splitlines(keepends=True)
    (tmp_path / "late.txt").write_text(late)
    (tmp_path / "early.txt").write_text(early)
    lines, _ = read(tmp_path / "late.txt", tmp_path / "early.txt")
    assert values(lines) == ["READY", "ACTIVE"]
    assert [str(line.place) for line in lines] == ["early.txt:1", "late.txt:1"]


def test_lines_of_one_timestamp_keep_the_order_of_the_files(tmp_path: Path) -> None:
    for name, numbers in (("z", "31"), ("a", "20")):
        (tmp_path / name).write_text(
            "".join(f"2024-03-04T08:00:0{n}Z|Srpm|{n}\n2024-03-04T08:00:00Z|Srpm|{n}\n" for n in numbers)
        )
    lines, _ = read(tmp_path / "z", tmp_path / "a")
    assert values(lines) == ["3", "1", "2", "0", "0", "1", "2", "3"]


def test_each_file_is_a_connection_of_its_own(tmp_path: Path) -> None:
    """What a protocol message says ends with its file; so does a block of lines."""
    (tmp_path / "1").write_text("* device: OTHER\n" + TEXT + "2024-03-04T08:00:02Z|@ASSET@|1|Tool|--multiline--A\n")
    (tmp_path / "2").write_text(TEXT)
    lines, problems = read(tmp_path / "1", tmp_path / "2")
    assert values(lines) == ["READY", "ACTIVE"]
    assert {str(line.place) for line in lines} == {"2:1", "2:2"}
    assert problems.count(ProblemKind.ASSET_END) == 1
    assert problems.count(ProblemKind.OTHER_DEVICE) == 2


def test_a_missing_file_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"The log .*none cannot be read \(No such file or directory\)"):
        read(tmp_path / "none")


def test_a_folder_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read(tmp_path)


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    assert texts(b"", tmp_path) == ([], [])
    assert texts(gzip.compress(b""), tmp_path) == ([], [])


# --- damage ---


def test_a_truncated_compressed_file_is_read_up_to_the_damage(tmp_path: Path) -> None:
    stamps = (f"2024-03-04T08:{n // 60:02}:{n % 60:02}.{n * 7919 % 1000:03}Z" for n in range(3600))
    whole = gzip.compress("".join(f"{at}|Srpm|{n * 104729 % 9973}\n" for n, at in enumerate(stamps)).encode())
    (tmp_path / "cut.gz").write_bytes(whole[: len(whole) // 2])
    lines, problems = read(tmp_path / "cut.gz")
    assert 500 < len(lines) < 3600
    (problem,) = [problem for problem in problems if problem.kind is ProblemKind.COMPRESSION]
    assert (problem.count, str(problem.first[0][0])) == (1, "cut.gz")


def test_a_compressed_file_whose_end_does_not_fit_is_read_and_reported(tmp_path: Path) -> None:
    whole = bytearray(gzip.compress(TEXT.encode()))
    whole[-6] ^= 1
    lines, reported = texts(bytes(whole), tmp_path)
    assert (lines, [text.split()[1] for text in reported]) == (TEXT.splitlines(), ["COMPRESSION"])


def test_damage_within_compressed_data_is_reported(tmp_path: Path) -> None:
    whole = bytearray(gzip.compress(TEXT.encode()))
    whole[12:30] = b"\xff" * 18
    lines, reported = texts(bytes(whole), tmp_path)
    assert (lines, [text.split()[1] for text in reported]) == ([], ["COMPRESSION"])


def test_what_follows_compressed_data_is_reported(tmp_path: Path) -> None:
    lines, reported = texts(gzip.compress(TEXT.encode()) + b"more", tmp_path)
    assert (lines, [text.split()[1] for text in reported]) == (TEXT.splitlines(), ["COMPRESSION"])


# --- line ends ---


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
def test_lines_end_with_carriage_returns_or_line_feeds(tmp_path: Path, end: str) -> None:
    lines, reported = texts(TEXT.replace("\n", end).encode(), tmp_path)
    assert ([line for line in lines if line], reported) == (TEXT.splitlines(), [])


def test_places_count_the_lines_that_end_with_carriage_returns(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(TEXT.replace("\n", "\r").encode() + b"2024-03-04T08:00:02Z|mode\r")
    lines, problems = read(tmp_path / "log")
    assert [str(line.place) for line in lines] == ["log:1", "log:2", "log:3"]
    assert [str(place) for problem in problems for place, _ in problem.first] == ["log:3:22"]


def test_other_characters_that_unicode_has_for_line_ends_are_text(tmp_path: Path) -> None:
    text = "a\x0bb\x0cc\x1cd\x85e\u2028f\u2029g"
    assert texts(text.encode(), tmp_path) == ([text], [])


def test_the_last_line_needs_no_end(tmp_path: Path) -> None:
    assert texts(b"a\nb", tmp_path) == (["a", "b"], [])


# --- encodings ---


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "euc-kr"])
def test_korean_is_read_in_the_encodings_that_machines_use(tmp_path: Path, encoding: str) -> None:
    assert texts(KOREAN.encode(encoding), tmp_path) == ([KOREAN.strip()], [])


def test_characters_of_cp949_that_euc_kr_lacks_are_read(tmp_path: Path) -> None:
    text = KOREAN.replace("비상정지", "똠방 펲시").strip()
    assert texts(text.encode("cp949"), tmp_path) == ([text], [])


def test_each_line_is_decoded_by_itself(tmp_path: Path) -> None:
    assert texts(KOREAN.encode("cp949") + KOREAN.encode(), tmp_path) == ([KOREAN.strip()] * 2, [])


def test_bytes_that_are_no_text_are_replaced_and_reported(tmp_path: Path) -> None:
    lines, reported = texts(TEXT.encode() + b"2024-03-04T08:00:02Z|program|\xff\xfe|mode|MANUAL\n", tmp_path)
    assert lines[2] == "2024-03-04T08:00:02Z|program|��|mode|MANUAL"
    assert reported == [r"3:30 TEXT b'\xff\xfe|mode|MANUAL'"]


def test_bytes_that_are_not_text_spoil_only_their_line(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"\xff\x00|x\n" + TEXT.encode())
    lines, problems = read(tmp_path / "log")
    assert values(lines) == ["READY", "ACTIVE"]
    assert [problem.kind for problem in problems] == [ProblemKind.TIMESTAMP, ProblemKind.TEXT]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (TEXT.encode("utf-16"), "UTF-16"),
        (b"\xff\xfe" + TEXT.encode("utf-16-le"), "UTF-16"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "UTF-16"),
        (TEXT.encode("utf-16-le"), "UTF-16"),
        (TEXT.encode("utf-16-be"), "UTF-16"),
        (TEXT.encode("utf-32"), "UTF-32"),
        (b"\x00\x00\xfe\xff" + TEXT.encode("utf-32-be"), "UTF-32"),
        (gzip.compress(TEXT.encode("utf-16")), "UTF-16"),
    ],
)
def test_a_file_with_several_bytes_for_every_character_is_refused_by_name(
    tmp_path: Path, content: bytes, name: str
) -> None:
    (tmp_path / "log").write_bytes(content)
    with pytest.raises(ConfigurationError, match=f"is in {name}: convert it to UTF-8 \\(iconv -f {name} -t UTF-8\\)"):
        list(file_lines(tmp_path / "log", Problems()))
