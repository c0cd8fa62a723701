"""What a machine reported is read back from lines of SHDR, in whichever of the standard's ways they are written."""

import gzip
from collections import defaultdict
from collections.abc import Sequence
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.mtconnect.devices import parse_devices
from services.gateway.mtconnect.lines import LineReader
from services.gateway.mtconnect.problems import Place, ProblemKind, Problems
from tests.property.shdr_devices import Kind, make_device, to_xml
from tests.property.shdr_grammar import Observed, instant_of, observed
from tests.property.shdr_meanings import WORDS, Change, Meaning, Total, make_history
from tests.property.shdr_reference import history_of
from tests.property.shdr_rows import assert_rows, counted, translate
from tests.property.shdr_writer import LogWriter, disturb, write_files

# Drawing every choice by itself would take too much of hypothesis; a shorter history shrinks well enough.
SEEDS, LENGTHS = st.integers(0, 2**64 - 1), st.integers(1, 10)


@settings(max_examples=500)
@given(SEEDS, LENGTHS)
def test_lines_are_read_as_they_were_meant(seed: int, length: int) -> None:
    rng = Random(seed)
    device = make_device(rng)
    moments = make_history(rng, device, length)
    log = LogWriter(rng, device).write(moments)
    disturb(rng, log.entries)
    problems = Problems()
    (model,) = parse_devices(to_xml(device))
    reader = LineReader(model, frozenset(), problems)
    reader.begin_connection("log")
    read: dict[int, list[Observed]] = defaultdict(list)
    for text in log.texts:
        if line := reader.read(text):
            read[line.at_us] += [observed(observation) for observation in line.observations]
    expected = {moment.at_us: [one for meaning in moment.meanings for one in meant(meaning)] for moment in moments}
    assert read == expected
    assert counted(problems) == log.problems


@settings(max_examples=500)
@given(SEEDS, LENGTHS)
def test_files_give_the_rows_of_what_was_meant(seed: int, length: int) -> None:
    rng = Random(seed)
    device = make_device(rng)
    moments = make_history(rng, device, length)
    history = history_of(device, moments)
    files, expected_problems = write_files(rng, device, moments)
    rows, report = translate(device, files)
    assert_rows(device, rows, history)
    assert all(instant_at(files, sourced.place) == sourced.row.at_us for sourced in rows)
    found = counted(report.problems)
    assert found.pop(ProblemKind.BAD_PARTS, 0) == history.owed
    assert found == expected_problems
    assert report.tally.unread == 0


def instant_at(files: Sequence[bytes], place: Place) -> int | None:
    """Return the instant of the line at a place."""
    content = files[int(place.file.removeprefix("log"))]
    lines = (gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content).splitlines()
    return instant_of(lines[place.line - 1].split(b"|")[0].removeprefix(b"\xef\xbb\xbf").decode().strip())


def meant(meaning: Meaning) -> list[Observed]:
    """Return what must be observed, in the form of ``observed``: one thing, or nothing of what Jejo does not use."""
    item, value = meaning.item, meaning.value
    if item.constant or item.kind not in (*WORDS, Kind.PROGRAM, Kind.COUNTER, Kind.EACH, Kind.NUMBER, Kind.CONDITION):
        return []
    match value:
        case None:
            return [] if item.kind is Kind.NUMBER else [(item.id, "UNAVAILABLE")]
        case float():
            return [(item.id, float(f"{value * item.scale + item.offset:.12g}"))]
        case Total(total, trigger):
            return [(item.id, total, trigger)]
        case Change():
            return [(item.id, value.level, value.code, value.id, value.text)]
    return [(item.id, value)]
