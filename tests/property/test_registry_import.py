"""Imports against plain models: lines as a CSV writer writes them, cells against JSON, many statements against few."""

import csv
import datetime as dt
import io
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.api.registry.csv_file import Line, read_lines
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
def test_lines_come_back_as_they_were_written(rows: list[tuple[str, str, str]], end: str) -> None:
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
def test_cells_say_what_json_says_and_are_refused_where_json_is(body: dict[str, Any]) -> None:
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


statements = st.lists(
    st.tuples(st.integers(0, 2), st.one_of(st.none(), st.integers(0, 15).map(lambda n: FIRST_INSTANT_US + n))),
    max_size=5,
)


@given(statements, statements.filter(bool))
def test_many_statements_at_once_leave_what_one_by_one_leave(
    earlier: list[tuple[int, int | None]], said: list[tuple[int, int | None]]
) -> None:
    def after(versions: list[Version[Content]], statements: list[tuple[int, int | None]]) -> list[Version[Content]]:
        for employees, effective_from_us in statements:
            versions = apply(versions, revise(versions, Enterprise("E", employees), effective_from_us, NOW))
        return versions

    before = after([], earlier)
    registrations = [Registration(ENTERPRISE, "E1", Enterprise("E", employees), at) for employees, at in said]
    written = rewrite(ENTERPRISE, 1, not before, before, registrations, NOW)
    stored = [version for version in before if version not in written.retired] + list(written.added)
    assert sorted(stored, key=lambda version: version.from_us) == after(before, said)
    assert len(written.revisions) == len(said)
    assert not set(map(repr, written.added)) & set(map(repr, before))
