"""Fields of a line of SHDR, however they are written; and no line takes more than linear time."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.models import ModelSource
from services.gateway.mtconnect.dialects import MAZAK
from services.gateway.mtconnect.lines import LineReader
from services.gateway.mtconnect.problems import Problems
from services.gateway.mtconnect.tokenizer import located_fields, open_quotes, split_fields
from tests.property.shdr_writer import needs_quotes, quoted

# A text that ends within a line cannot contain the line's end; blanks around a field are not part of it.
TEXTS = st.text(st.one_of(st.sampled_from('|"\\ @:*'), st.characters(exclude_characters="\r\n")), max_size=12).map(
    str.strip
)
BLANKS = st.text(" \t", max_size=3)


@st.composite
def written_fields(draw: st.DrawFn) -> tuple[str, list[str], list[int]]:
    """A line; its fields; and the column of each, from 1: that of its quotation mark if it is quoted."""
    line, fields = "", draw(st.lists(TEXTS, min_size=1, max_size=8))
    columns: list[int] = []
    for field in fields:
        line += "|" if columns else ""
        line += draw(BLANKS)
        columns.append(len(line) + 1)
        line += quoted(field) if needs_quotes(field) or draw(st.booleans()) else field
        line += draw(BLANKS)
    # An empty field that is not quoted has nothing to point at: its column is that of the bar behind it.
    return line, fields, columns


@given(written_fields())
def test_a_written_line_gives_back_its_fields(written: tuple[str, list[str], list[int]]) -> None:
    line, fields, _ = written
    assert split_fields(line) == fields
    assert list(open_quotes(line)) == []


@given(written_fields())
def test_columns_point_at_the_fields(written: tuple[str, list[str], list[int]]) -> None:
    line, fields, columns = written
    located = list(located_fields(line))
    assert [field for field, _ in located] == fields
    for (field, column), expected in zip(located, columns, strict=True):
        if field or line[expected - 1 : expected] == '"':
            assert column == expected
        else:
            assert line[expected - 1 : column - 1].strip() == ""


@given(st.text(st.one_of(st.sampled_from('|"\\ a'), st.characters()), max_size=40))
def test_any_text_has_one_field_more_than_bars_outside_quoted_fields(line: str) -> None:
    located = list(located_fields(line))
    assert split_fields(line) == [field for field, _ in located]
    columns = [column for _, column in located]
    assert columns == sorted(set(columns))
    assert 1 <= len(located) <= line.count("|") + 1
    if '"' not in line:
        assert len(located) == line.count("|") + 1
    for column in open_quotes(line):
        assert line[column - 1] == '"'


STAMP = "2024-03-04T08:00:00Z"
LONG = 100_000
# Whatever has bars has as many keys, each of which is reported.
LONG_WITH_BARS = 30_000
UNITS = (
    *('"', "\\", '\\"', '"\\', '|"', '|"\\', "\\|", '"\\|', " ", "\t", "\0", "\u3000", "가", "*", ":", "1", "9.", "1e"),
    *("| ", "|", "|a", "|a|b", "|@", "|:", "|execution", "|execution|x", "|Sload|1x", "|c|FAULT", "|a:execution|1"),
    *("--multiline--", "|c|NORMAL|||||"),
)
BEGINNINGS = ("", f"{STAMP}|", "*", "* device: a", f'{STAMP}|execution|"', f"{STAMP}|Sload|", f"{STAMP}@")


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_no_line_takes_more_than_linear_time(beginning: str) -> None:
    """No text takes longer than 0.2 s, half a minute and more if it is read again for every field."""
    source = ModelSource(dialect=MAZAK)
    for unit in UNITS:
        line = beginning + unit * ((LONG_WITH_BARS if "|" in unit else LONG) // len(unit)) + "\t x"
        began = time.process_time()
        LineReader(MAZAK, frozenset({"M1"}), Problems()).read(line)
        list(open_quotes(line))
        source.choose("M1", [line])
        assert time.process_time() - began < 2, f"{line[:60]!r}"
