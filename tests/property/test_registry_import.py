"""Imports compared with plain models: lines with a CSV writer's, cells with JSON's, many puts with single ones."""

import csv
import datetime as dt
import io
import re
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from services.api.registry.csv_file import BadLine, Line, read_lines
from services.api.registry.importing import THING, parse_lines
from services.api.registry.models import MachinePut
from services.api.registry.things import ENTERPRISE, MACHINE, Content, Enterprise
from services.api.registry.versions import Version, apply, revise
from services.api.registry.writes import Registration, rewrite
from services.core.times import FIRST_INSTANT_US, rfc3339

COLUMNS = ("thing", "a", "b")
NOW = FIRST_INSTANT_US + 10
texts = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=6)


@given(st.lists(st.tuples(texts, texts, texts), max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_lines_are_read_as_they_were_written(rows: list[tuple[str, str, str]], end: str) -> None:
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator=end)
    writer.writerow(COLUMNS)
    expected, number = [], 2
    for row in rows:
        writer.writerow(row)
        if any(row):
            cells = {name: cell for name, cell in zip(COLUMNS, row, strict=True) if cell}
            expected.append(Line(number, cells))
        number += 1 + sum(cell.count("\n") for cell in row)
    assert list(read_lines(written.getvalue(), "thing", COLUMNS)) == expected


@given(st.lists(st.tuples(texts, texts, texts), max_size=8), st.lists(st.integers(0, 3), max_size=4), st.integers(0, 3))
def test_empty_columns_change_nothing(rows: list[tuple[str, str, str]], places: list[int], surplus: int) -> None:
    """Unnamed empty columns anywhere, as spreadsheets write them, and empty cells beyond the last column."""

    def with_empty(cells: tuple[str, ...]) -> list[str]:
        wider = list(cells)
        for place in places:
            wider.insert(place, "")
        return wider

    def written(lines: list[list[str]]) -> str:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(lines)
        return text.getvalue()

    plain = written([list(COLUMNS), *map(list, rows)])
    spread = written([with_empty(COLUMNS), *(with_empty(row) + [""] * surplus for row in rows)])
    expected = list(read_lines(plain, "thing", COLUMNS))
    assert list(read_lines(spread, "thing", COLUMNS)) == expected


@given(st.lists(st.sampled_from(["", "x"]), min_size=1, max_size=4))
def test_a_cell_in_an_unnamed_column_makes_its_line_invalid(extra: list[str]) -> None:
    header, line = ",".join([*COLUMNS, *("" for _ in extra)]), ",".join(["enterprise", "1", "2", *extra])
    (found,) = read_lines(f"{header}\n{line}\n", "thing", COLUMNS)
    if "x" in extra:
        assert isinstance(found, BadLine)
        assert (found.number, found.field) == (2, "line")
        assert "'x' in a column without a name" in found.reason
    else:
        assert found == Line(2, {"thing": "enterprise", "a": "1", "b": "2"})


days = st.dates(min_value=dt.date(2000, 1, 1)).map(str)
seconds = st.one_of(st.integers(1, 86_400), st.sampled_from([1.5, 12.25, 86_399.999999]))
machines = st.fixed_dictionaries(
    {
        "name": st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=128),
        "kind": st.sampled_from(["mill", "robot_arm", "", "Mill"]),
        "automation": st.sampled_from(["manual", "robot", "magic"]),
        "in_use_from": days,
    },
    optional={
        "state_ttl_s": seconds,
        "ideal_cycle_s": st.one_of(seconds, st.just(0)),
        "capacity_per_h": st.one_of(st.integers(-1, 100), st.floats(0.1, 1e9)),
        "in_use_to": days,
        "effective_from": st.integers(FIRST_INSTANT_US, FIRST_INSTANT_US + 10**15).map(rfc3339),
    },
)


@given(machines)
def test_cells_mean_what_json_means_and_are_refused_where_it_is(body: dict[str, Any]) -> None:
    line = Line(
        2, {THING: "machine", "factory_id": "F1", "machine_id": "M1"} | {k: str(v) for k, v in body.items() if v != ""}
    )
    found = parse_lines([line], None)
    try:
        put = MachinePut.model_validate(body)
        expected = [Registration(MACHINE, "M1", put.content(), put.effective_from, "F1")]
    except ValueError:
        expected = []
    assert found.registrations == expected
    assert bool(found.bad) is not bool(expected)


def employees_of(cell: str) -> int | None:
    """Returns the employees that a line registers; None if the cell is refused."""
    found = parse_lines([Line(2, {THING: "enterprise", "enterprise_id": "E1", "name": "E", "employees": cell})], None)
    if found.bad:
        assert [line.field for line in found.bad] == ["employees"]
        return None
    (one,) = found.registrations
    assert isinstance(one.content, Enterprise)
    return one.content.employees


@given(st.integers(0, 2**31 - 1))
def test_digits_are_accepted_as_employees(number: int) -> None:
    assert employees_of(str(number)) == number


@given(st.text("0123456789_+-. eEx\u00a0\uff11\u0661tru", min_size=1, max_size=6))
@example("1_2")
@example(" 12")
@example("12 ")
@example("+12")
@example("-0")
@example("\uff11\uff12")
@example("\u0661\u0662")
@example("0x10")
@example("1e2")
@example("true")
@example("True")
@example("12.5")
def test_only_digits_are_accepted_as_employees(cell: str) -> None:
    expected = int(float(cell)) if re.fullmatch(r"[0-9]+(\.0+)?", cell) else None
    assert employees_of(cell) == expected


puts = st.lists(
    st.tuples(st.integers(0, 2), st.one_of(st.none(), st.integers(0, 15).map(lambda n: FIRST_INSTANT_US + n))),
    max_size=5,
)


@given(puts, puts.filter(bool))
def test_many_registrations_at_once_leave_the_versions_that_single_ones_leave(
    earlier: list[tuple[int, int | None]], later: list[tuple[int, int | None]]
) -> None:
    def after(versions: list[Version[Content]], sent: list[tuple[int, int | None]]) -> list[Version[Content]]:
        for employees, effective_from_us in sent:
            versions = apply(versions, revise(versions, Enterprise("E", employees), effective_from_us, NOW))
        return versions

    before = after([], earlier)
    registrations = [Registration(ENTERPRISE, "E1", Enterprise("E", employees), at) for employees, at in later]
    written = rewrite(ENTERPRISE, 1, before, registrations, NOW)
    stored = [version for version in before if version not in written.retired] + list(written.added)
    assert sorted(stored, key=lambda version: version.from_us) == after(before, later)
    assert len(written.revisions) == len(later)
    assert not set(map(repr, written.added)) & set(map(repr, before))
