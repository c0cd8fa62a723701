"""Whatever is in a log: it is read or reported, it spoils nothing else, and its rows are valid."""

from collections import Counter
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.wire.decode import Body, Claim, decode_record
from services.core.errors import ConfigurationError
from services.gateway.log_files import decode
from services.gateway.mtconnect.devices import parse_devices
from services.gateway.mtconnect.dialects import MAZAK
from services.gateway.mtconnect.lines import LineReader
from services.gateway.mtconnect.model import DeviceModel
from services.gateway.mtconnect.problems import Place, ProblemKind, Problems
from services.gateway.records import RecordWriter
from services.gateway.replay import row_time
from tests.property.shdr_devices import Kind, make_device, to_xml
from tests.property.shdr_grammar import Reading, observed, readings_of
from tests.property.shdr_meanings import BEGAN_US, Moment, make_history
from tests.property.shdr_rows import counted, translate
from tests.property.shdr_writer import LogWriter, encoded, write_files

SEEDS = st.integers(0, 2**64 - 1)
TOKENS = (
    *(b"|", b'"', b"\\", b"||", b'"|', b'|"', b"@", b"*", b":", b" ", b"\t", b"\0", b"\xff", b"0", b"-", b".", b","),
    *(
        b"UNAVAILABLE",
        b"|execution|READY",
        b"VMC1:",
        b"2024-03-04T08:00:00Z|",
        b"--multiline--A",
        b"@ASSET@|",
        b"1e999",
    ),
    *(b"* device: X", b"\x1f\x8b", b"\xff\xfe", "가".encode(), "가".encode("cp949"), b"9" * 400),
)
READY_MADE = (
    b"2024-03-04T08:00:00Z|execution|READY|mode|AUTOMATIC|Sload|12.5\n2024-03-04T08:00:05Z|alarm|FAULT|410|HIGH||text\n"
    b"2024-03-04T08:01:00Z|execution|ACTIVE|PartCountAct|5\n2024-03-04T08:02:00Z|PartCountAct|6|avail|AVAILABLE\n"
)


def damage(rng: Random, content: bytes, others: bytes = b"") -> bytes:
    """Change some bytes: flip, cut, repeat, insert, or join with others."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        start = rng.randrange(len(content) + 1)
        end = min(len(content), start + rng.choice((1, 1, 2, 7, 30)))
        match rng.randrange(7):
            case 0:
                content = content[:start] + bytes([rng.randrange(256)]) + content[start + 1 :]
            case 1:
                content = content[:start] + rng.choice(TOKENS) + content[start + 1 :]
            case 2:
                content = content[:start] + rng.choice(TOKENS) + content[start:]
            case 3:
                content = content[:start] + content[end:]
            case 4:
                content = content[:end] + content[start:]
            case 5:
                content = content[:start]
            case _:
                content = content[:start] + others
    return content


@given(st.one_of(st.binary(max_size=200), SEEDS))
@example(b"\xff\xfe")
def test_no_bytes_raise_anything_but_a_configuration_error(source: bytes | int) -> None:
    """Bytes are read by a device's model and by a ready-made one; what rows they give are valid."""
    rng = Random(source)
    device = make_device(rng)
    files, ready_made = [source, source] if isinstance(source, bytes) else [b"", b""], READY_MADE
    if isinstance(source, int):
        files, _ = write_files(rng, device, make_history(rng, device, 6))
        files = [damage(rng, content, rng.choice(files)) for content in files]
        ready_made = damage(rng, READY_MADE, READY_MADE)
    for model, contents in ((device, files), (None, [ready_made, *files[:1]])):
        try:
            rows, _ = translate(model, contents)
        except ConfigurationError:
            continue
        assert rows == sorted(rows, key=row_time)
        writer = RecordWriter(factory_id="F1", gateway_id="g", key_id="k", seed=bytes(32), boot_id="b")
        for record in writer.write([sourced.row for sourced in rows], BEGAN_US):
            claim = decode_record(record.value)
            assert isinstance(claim, Claim)
            assert isinstance(claim.body, Body)
            assert not claim.body.refused


@settings(max_examples=300)
@given(SEEDS)
def test_a_damaged_line_changes_no_other(seed: int) -> None:
    """Other lines are read as without it.

    Not covered: a line that says how those behind it are to be read, which is a protocol message or the beginning of a
    block; and what a line's values mean for those behind it, as the total of a counter.
    """
    rng = Random(seed)
    device = make_device(rng)
    (model,) = parse_devices(to_xml(device))
    texts = LogWriter(rng, device).write(make_history(rng, device, 4)).texts
    place = rng.randrange(len(texts))
    damaged, _ = damaged_text(rng, texts[place], texts[0])
    if damaged.lstrip().startswith("*") or "--multiline--" in damaged:
        return
    without = read_all(model, texts[:place] + texts[place + 1 :])
    read = read_all(model, [*texts[:place], damaged, *texts[place + 1 :]])
    assert read[:place] + read[place + 1 :] == without


@settings(max_examples=1000)
@given(SEEDS)
def test_a_damaged_line_is_read_as_meant_or_reported_or_valid_by_itself(seed: int) -> None:
    """A damaged line that is read in another way has more to report than the line had, or is itself valid.

    It is valid if the standard allows to read it as it was read; ``readings_of`` knows every way, and nothing of the
    reader's rules for choosing one.

    Not covered: what is valid by itself cannot be known to be damaged. A digit may become another one, a text any text;
    a line that is cut off may end in a whole value or an empty text, or be empty; what follows a lost line end goes on
    with the text before it; and any line may become a protocol message by a ``*``. Nor are ready-made models, by which
    an unknown key may be a condition; nor blocks of lines; nor what the order of the lines says about a connection.
    """
    rng = Random(seed)
    device = make_device(rng)
    (model,) = parse_devices(to_xml(device))
    history = [without_unknown_keys(moment) for moment in make_history(rng, device, 2)]
    texts = LogWriter(rng, device, noise=0).write([moment for moment in history if moment.meanings]).texts
    whole = rng.choice([*texts, ""])
    meant, reported_of_whole = read_alone(model, whole)
    assert meant in readings_of(whole, device)
    damaged, problems = damaged_text(rng, whole, rng.choice([*texts, ""]))
    read, reported = read_alone(model, damaged)
    if "--multiline--" not in damaged and read != meant and reported + problems <= reported_of_whole:
        assert read in readings_of(damaged, device), damaged


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("|execution|ACTIVE", ProblemKind.TIMESTAMP),
        ("2024-03-04T08:00:00@09:00|execution|ACTIVE", ProblemKind.TIMESTAMP),
        ("2024-03-04T08:00:00@123Z|execution|ACTIVE", ProblemKind.TIMESTAMP),
        ("2024-03-04T08:00:00-03:|execution|ACTIVE", ProblemKind.TIMESTAMP),
        ("2024-03-04T08:00:00+09:90|execution|ACTIVE", ProblemKind.TIMESTAMP),
        ("2024-03-04T08:00:00Z|@xecution|ACTIVE", ProblemKind.UNKNOWN_KEY),
    ],
)
def test_a_line_that_cannot_be_valid_is_reported(text: str, problem: ProblemKind) -> None:
    read, reported = read_alone(MAZAK, text)
    assert reported == {problem: 1}
    assert read is None or not read[1]


def damaged_text(rng: Random, whole: str, other: str) -> tuple[str, Counter[ProblemKind]]:
    """Damage a line's bytes. Return them as text again, without line ends, and what is reported of their encoding."""
    problems = Problems()
    raw = damage(rng, encoded(whole, is_korean=rng.random() < 0.5), other.encode())
    return decode(b" ".join(raw.splitlines()), Place(""), problems), counted(problems)


def read_all(model: DeviceModel, texts: Sequence[str]) -> list[Reading]:
    reader = LineReader(model, frozenset(), Problems())
    return [read_with(reader, text) for text in texts]


def read_alone(model: DeviceModel, text: str) -> tuple[Reading, Counter[ProblemKind]]:
    problems = Problems()
    return read_with(LineReader(model, frozenset(), problems), text), counted(problems)


def read_with(reader: LineReader, text: str) -> Reading:
    line = reader.read(text)
    return (line.at_us, tuple(observed(one) for one in line.observations)) if line else None


def without_unknown_keys(moment: Moment) -> Moment:
    return Moment(moment.at_us, tuple(one for one in moment.meanings if one.item.kind is not Kind.UNKNOWN))
