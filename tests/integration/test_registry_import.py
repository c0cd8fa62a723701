"""``jejo registry import``: one change of the registry, every mistake reported, all of a file or nothing."""

import asyncio
import base64
import datetime as dt
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from services.api.cli import IMPORT_EXAMPLE
from services.cli import main
from services.core.database import connect
from services.core.times import FIRST_INSTANT_US, LAST_INSTANT_US, seoul_midnight_us

PUBLIC = base64.b64encode(bytes(SigningKey(bytes(32)).verify_key)).decode()
HEADER = (
    "thing,enterprise_id,zone_id,sponsor_id,factory_id,machine_id,key_id,name,region,zone,sponsor,sector,level,kind,"
    "automation,in_use_from,public_key,valid_from"
)
ROOT = Path(__file__).parents[2]
TABLES = ("enterprise", "zone", "sponsor", "factory", "machine", "gateway_key")
GOOD = f"""{HEADER}
machine,,,,F1,CNC-01,,Mazak 1,,,,,,machining_centre,automatic,2016-01-01,,
gateway_key,,,,F1,,k1,,,,,,,,,,{PUBLIC},2016-01-01
factory,E1,,,F1,,,창원 2,KR-48,Z1,S1,C29,basic,,,,,
,,,,,,,,,,,,,,,,,
sponsor,E1,,S1,,,,"Hanbit, Group",,,,,,,,,,
zone,,Z1,,,,,반월시화,KR-41,,,,,,,,,
enterprise,E1,,,,,,한빛정밀,,,,,,,,,,
"""


@pytest.fixture
def importing(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Import":
    monkeypatch.setenv("JEJO_DATABASE_URL", database)
    return Import(database, tmp_path / "registry.csv")


class Import:
    """Runs the command on a file's text or bytes."""

    def __init__(self, database_url: str, path: Path) -> None:
        self.database_url = database_url
        self.path = path

    def run(self, file: str | bytes, *options: str) -> int:
        self.path.write_bytes(file if isinstance(file, bytes) else file.encode())
        return main(["registry", "import", str(self.path), *options])

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        async def fetch() -> list[tuple[Any, ...]]:
            connection = await connect(self.database_url)
            try:
                return [tuple(row) for row in await connection.fetch(sql, *parameters)]
            finally:
                await connection.close()

        return asyncio.run(fetch())

    def things(self) -> list[int]:
        return [self.query(f"SELECT count(*) FROM {table}_version")[0][0] for table in TABLES]

    @property
    def version(self) -> int:
        ((version,),) = self.query("SELECT version FROM registry_version")
        return int(version)


def test_a_file_in_any_order_is_one_change_of_the_registry(
    importing: Import, capsys: pytest.CaptureFixture[str]
) -> None:
    assert importing.run(GOOD) == 0
    assert capsys.readouterr().out.splitlines() == [
        *(f"{thing}: 1 new, 0 changed, 0 as before" for thing in TABLES),
        "imported",
    ]
    assert importing.things() == [1] * 6
    assert importing.version == 1
    assert importing.query("SELECT name, zone, sponsor, effective_from, changed_in FROM factory_version") == [
        ("창원 2", "Z1", "S1", FIRST_INSTANT_US, 1)
    ]
    assert importing.query("SELECT name FROM sponsor_version WHERE enterprise = 1") == [("Hanbit, Group",)]
    assert importing.query("SELECT machines FROM factory_in_use") == [(1,)]
    changed = GOOD.replace("Mazak 1", "Mazak 2").replace("2016-01-01,,", "2017-01-01,,")
    assert importing.run(changed) == 0
    assert capsys.readouterr().out.splitlines()[4] == "machine: 0 new, 1 changed, 0 as before"
    assert importing.version == 2
    assert importing.query("SELECT from_at, to_at FROM dirty_mark") == [(FIRST_INSTANT_US, LAST_INSTANT_US)]
    assert importing.run(changed) == 0
    assert importing.version == 2
    assert importing.query("SELECT count(*) FROM dirty_mark") == [(1,)]


def test_a_dry_run_reports_the_same_and_changes_nothing(importing: Import, capsys: pytest.CaptureFixture[str]) -> None:
    assert importing.run(GOOD, "--dry-run") == 0
    assert capsys.readouterr().out.splitlines() == [
        *(f"{thing}: 1 new, 0 changed, 0 as before" for thing in TABLES),
        "dry run: nothing was imported",
    ]
    assert importing.things() == [0] * 6
    assert importing.version == 0


MISTAKES = [
    ("enterprise,E1,,,,,,,,,,,,,,,,", "name: every enterprise needs one; fill this cell"),
    ("enterprise,,,,,,,No id,,,,,,,,,,", "enterprise_id: every enterprise needs one; fill this cell"),
    ("enterprise,e1,,,,,,A,,,,,,,,,,", "enterprise_id: string should match pattern"),
    ("enterprise,E10,,,,,, ,,,,,,,,,,", "name: write a name that is not blank, not ' '"),
    ("enterprise,E2,,,,,,A,KR-48,,,,,,,,,", "region: no enterprise has one; leave this cell empty"),
    (
        "robot,E3,,,,,,A,,,,,,,,,,",
        "thing: write one of enterprise, zone, sponsor, factory, calendar, machine, gateway_key, not 'rob",
    ),
    (",E3,,,,,,A,,,,,,,,,,", "thing: write one of enterprise, zone"),
    ("zone,,Z1,,,,,A,KR-99,,,,,,,,,", "region: input should be 'KR-11'"),
    (
        "sponsor,E9,,S1,,,,A,,,,,,,,,,",
        "enterprise_id: enterprise E9 is not registered; register it, add a line for it, or",
    ),
    ("factory,E9,,,F9,,,A,KR-48,Z9,S9,C29,basic,,,,,", "enterprise_id: enterprise E9 is not registered"),
    (None, "zone: zone Z9 is not registered"),
    (None, "sponsor: sponsor S9 is not registered"),
    ("factory,E1,,,F1,,,A,KR-48,Z1,S1,C29,super,,,,,", "level: input should be 'none', 'basic'"),
    ("machine,,,,F1,M 1,,A,,,,,,mill,automatic,2016-01-01,,", "machine_id: string should match pattern"),
    ("machine,,,,F1,M2,,A,,,,,,mill,automatic,20160101,,", "in_use_from: write a day, as 2017-05-01, not '20160101'"),
    ("machine,,,,F1,M3,,A,,,,,,mill,magic,1999-12-31,,", "automation: input should be"),
    (None, "in_use_from: input should be greater than or equal to"),
    ("machine,,,,F1,M4,,A,,,,,,mill,manual,2016-01-01,,", None),
    (
        "machine,,,,F1,M4,,B,,,,,,mill,manual,2016-01-01,,",
        "machine_id: line 16 registers the same machine from the same",
    ),
    ("machine,,,,F7,M4,,B,,,,,,mill,manual,2016-01-01,,", "factory_id: factory F7 is not registered"),
    ("gateway_key,,,,F1,,k1,,,,,,,,,,c2hvcnQ=,2016-01-01", "public_key: write the base64 of the 32 raw bytes"),
    ("gateway_key,,,,F1,,k2,,,,,,,,,,NUL\x00,soon", "public_key: write the base64"),
    (None, "valid_from: write RFC 3339 with an offset"),
    ("machine,,,,F1", "line: has 5 cells where the header has 18"),
    ('enterprise,E5,,,,,,"two\nlines",,,,,,,,,,', None),
    ("enterprise,E6,,,,,,,,,,,,,,,,", "name: every enterprise needs one"),
    ('enterprise,E7,,,,,,"A" B,,,,,,,,,,', "line: cannot be read as CSV"),
    ("enterprise,E8,,,,,,,,,,,,,,,,", "name: every enterprise needs one"),
]


def test_every_mistake_is_reported_and_nothing_is_imported(
    importing: Import, capsys: pytest.CaptureFixture[str]
) -> None:
    """Naming the thing of an invalid line does not make a line invalid: F1's level is reported, not its machines."""
    lines = [line for line, _ in MISTAKES if line is not None]
    expected, at, last_line = [], 1, 1
    for line, reason in MISTAKES:
        if line is not None:
            at, last_line = last_line + 1, last_line + 1 + line.count("\n")
        if reason is not None:
            expected.append(f"{importing.path}:{at}: {reason}")
    assert importing.run("\n".join([HEADER, *lines])) == 2
    printed = capsys.readouterr()
    *named, last = printed.err.splitlines()
    assert [found[: len(wanted)] for found, wanted in zip(named, expected, strict=False)] == expected
    assert len(named) == len(expected)
    bad = len({line.split(":")[1] for line in expected})
    assert last == (
        f"jejo: Nothing was imported: {bad} lines are invalid. Correct what is listed above, and import the file again."
    )
    assert printed.out == ""
    assert importing.things() == [0] * 6
    assert importing.version == 0


def test_one_invalid_line_among_many_imports_nothing(importing: Import, capsys: pytest.CaptureFixture[str]) -> None:
    many = "".join(f"machine,,,,F1,M{n},,M,,,,,,mill,manual,2016-01-01,,\n" for n in range(3000))
    assert importing.run(GOOD + many + "machine,,,,F2,M1,,M,,,,,,mill,manual,2016-01-01,,\n") == 2
    first, last = capsys.readouterr().err.splitlines()
    assert first.startswith(f"{importing.path}:3009: factory_id: factory F2 is not registered")
    assert last.startswith("jejo: Nothing was imported: 1 line is invalid.")
    assert importing.things() == [0] * 6


def test_an_import_that_fails_leaves_nothing(importing: Import, capsys: pytest.CaptureFixture[str]) -> None:
    """The database refuses the last table that is written; everything before it is rolled back."""
    statement = "ALTER TABLE gateway_key_version ADD CHECK (gateway_key < 0)"
    importing.query(statement)
    assert importing.run(GOOD) == 2
    assert "jejo: Nothing was imported: the database failed" in capsys.readouterr().err
    assert importing.things() == [0] * 6
    assert importing.version == 0


FILES = {
    "Excel's byte order mark": (b"\xef\xbb\xbf" + GOOD.encode(), None),
    "Excel's line ends": (GOOD.replace("\n", "\r\n").encode(), None),
    "CP949": (GOOD.encode("cp949"), "is not UTF-8 (line 4) but seems to be CP949 (EUC-KR); save it as UTF-8"),
    "UTF-16": (GOOD.encode("utf-16"), "is not UTF-8 (line 1) but UTF-16; save it as UTF-8"),
    "neither": (b"thing\n\xff\xff\xff", "is not UTF-8 (line 2); save it as UTF-8"),
    "nothing": (b"", "1: line: the file is empty"),
    "a header alone": (b"thing,name\n", "1: line: no line follows the header"),
    "a spreadsheet's empty columns": (
        "".join(f"{line},,\n" for line in GOOD.splitlines()).encode(),
        None,
    ),
    "empty cells beyond the header": (
        "".join(f"{line}{',,' if number else ''}\n" for number, line in enumerate(GOOD.splitlines())).encode(),
        None,
    ),
    "a cell in an empty column": (
        "".join(f"{line},,{'x' if number == 3 else ''}\n" for number, line in enumerate(GOOD.splitlines())).encode(),
        ":4: line: has 'x' in a column without a name; name the column in the header, or empty the cell",
    ),
    "a cell beyond the header": (
        "".join(f"{line}{',x' if number == 3 else ''}\n" for number, line in enumerate(GOOD.splitlines())).encode(),
        ":4: line: has 19 cells where the header has 18",
    ),
    "no thing": (b"name\nA\n", "1: thing: the header lacks this column"),
    "semicolons": (GOOD.replace(",", ";").encode(), "1: thing: the header lacks this column"),
    "an unknown column": (b"thing,nmae\nenterprise,A\n", "1: nmae: unknown column; the columns are thing, enter"),
    "a column of lines": (b'thing,"name\nA"\n', "1: line: unknown column; the columns are thing, enter"),
    "a column twice": (b"thing,name,name\nenterprise,A,A\n", "1: name: the header has this column twice"),
}


@pytest.mark.parametrize("name", FILES)
def test_files_as_programs_write_them(importing: Import, capsys: pytest.CaptureFixture[str], name: str) -> None:
    content, refused = FILES[name]
    assert importing.run(content) == (0 if refused is None else 2)
    assert (refused or "") in capsys.readouterr().err
    assert importing.things() == [1 if refused is None else 0] * 6


@pytest.mark.parametrize("cell", ["1_2", " 12", "+12", "\uff11\uff12", "true", "1e2", "-1"])
def test_employees_are_written_in_digits(importing: Import, capsys: pytest.CaptureFixture[str], cell: str) -> None:
    assert importing.run(f"thing,enterprise_id,name,employees\nenterprise,E1,A,{cell}\n") == 2
    assert f":2: employees: write a whole number, not {cell!r}" in capsys.readouterr().err
    assert importing.things() == [0] * 6


def test_names_are_imported_in_one_form(importing: Import) -> None:
    decomposed = unicodedata.normalize("NFD", GOOD.replace("한빛정밀", " 한빛정밀\u3000").replace("Mazak", " Mazak"))
    assert importing.run(decomposed) == 0
    for table, name in (
        ("enterprise", "한빛정밀"),
        ("factory", "창원 2"),
        ("zone", "반월시화"),
        ("machine", "Mazak 1"),
    ):
        assert importing.query(f"SELECT name FROM {table}_version") == [(name,)]
    version = importing.version
    assert importing.run(GOOD) == 0
    assert importing.version == version


def test_a_missing_file_and_an_invalid_instant(
    importing: Import, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["registry", "import", str(tmp_path / "none.csv")]) == 2
    assert "cannot be read (No such file or directory)" in capsys.readouterr().err
    assert importing.run(GOOD, "--effective-from", "soon") == 2
    assert "Correct --effective-from: write RFC 3339" in capsys.readouterr().err


def test_an_import_from_an_instant_on(importing: Import) -> None:
    assert importing.run(GOOD) == 0
    own = "thing,enterprise_id,name,effective_from\nenterprise,E1,Renamed,\nenterprise,E2,B,2021-01-01\n"
    assert importing.run(own, "--effective-from", "2020-01-01") == 0
    sql = "SELECT name, effective_from FROM enterprise_version WHERE retired_at IS NULL ORDER BY effective_from"
    assert importing.query(sql) == [
        ("한빛정밀", FIRST_INSTANT_US),
        ("Renamed", 1_577_804_400_000_000),
        ("B", 1_609_426_800_000_000),
    ]


def test_several_versions_of_a_thing_apply_in_the_file_s_order(importing: Import) -> None:
    file = "thing,enterprise_id,name,effective_from\n" + "".join(
        f"enterprise,E1,{name},{when}\n" for name, when in (("A", ""), ("C", "2020-01-01"), ("B", "2010-01-01"))
    )
    assert importing.run(file) == 0
    sql = "SELECT name, retired_at FROM enterprise_version ORDER BY effective_from"
    assert importing.query(sql) == [("A", None), ("B", None), ("C", None)]
    assert importing.version == 1


def test_a_database_that_is_unavailable_or_empty(
    importing: Import, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, database_template: str
) -> None:
    monkeypatch.setenv("JEJO_DATABASE_URL", database_template)
    assert importing.run(GOOD) == 2
    assert "run `jejo migrate` on this database first" in capsys.readouterr().err
    monkeypatch.setenv("JEJO_DATABASE_URL", "postgresql://jejo@127.0.0.1:1/jejo")
    assert importing.run(GOOD) == 2
    assert "Nothing was imported: the database failed" in capsys.readouterr().err


def test_the_examples_in_the_documentation_can_be_imported(
    importing: Import, capsys: pytest.CaptureFixture[str]
) -> None:
    section = (ROOT / "docs/operations.md").read_text().split("\n## Bulk import\n")[1]
    assert importing.run(section.split("```csv\n")[1].split("```")[0]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "imported"
    assert importing.things() == [1, 1, 1, 2, 1, 0]
    assert importing.run(IMPORT_EXAMPLE) == 0


CALENDARS = """thing,factory_id,weekly,holidays,exceptions,effective_from
calendar,F1,mon-fri 08:00-20:00; sat 08:00-12:00,true,2026-12-26; 2026-12-27 08:00-12:00,
calendar,F1,sun-mon 22:00-06:00,,,2027-01-01
calendar,F1,none,,,2028-01-01T00:00:00+09:00
"""

WORKDAYS = (
    '{"weekly": {"0": [[480, 1200]], "1": [[480, 1200]], "2": [[480, 1200]], "3": [[480, 1200]], '
    '"4": [[480, 1200]], "5": [[480, 720]]}, "holidays": true, '
    '"exceptions": {"2026-12-26": [], "2026-12-27": [[480, 720]]}}'
)


def test_calendars_are_imported(importing: Import, capsys: pytest.CaptureFixture[str]) -> None:
    assert importing.run(GOOD) == 0
    capsys.readouterr()
    assert importing.run(CALENDARS) == 0
    assert capsys.readouterr().out.splitlines() == ["calendar: 1 new, 0 changed, 0 as before", "imported"]
    first, second = seoul_midnight_us(dt.date(2027, 1, 1)), seoul_midnight_us(dt.date(2028, 1, 1))
    assert importing.query(
        "SELECT effective_from, effective_to, content::text FROM calendar_version LEFT JOIN calendar ON id = calendar "
        "ORDER BY effective_from"
    ) == [
        (
            FIRST_INSTANT_US,
            first,
            WORKDAYS,
        ),
        (first, second, '{"weekly": {"0": [[1320, 1800]], "6": [[1320, 1800]]}, "holidays": false, "exceptions": {}}'),
        (second, LAST_INSTANT_US, None),
    ]
    spans = importing.query("SELECT from_at, to_at FROM dirty_mark ORDER BY from_at")
    assert spans == [(start, LAST_INSTANT_US) for start in (FIRST_INSTANT_US, first, second)]
    assert importing.run(CALENDARS) == 0
    assert capsys.readouterr().out.splitlines()[0] == "calendar: 0 new, 0 changed, 1 as before"
    assert importing.version == 2


def test_a_factory_is_imported_with_its_calendar(importing: Import) -> None:
    header, *lines = GOOD.splitlines()
    calendar = "calendar,,,,F1" + "," * 14 + "mon 08:00-20:00"
    assert importing.run("\n".join([f"{header},weekly", calendar, *(f"{line}," for line in lines)])) == 0
    assert importing.query("SELECT count(*) FROM calendar_version") == [(1,)]
    assert importing.query("SELECT count(*) FROM dirty_mark") == [(0,)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("calendar,F1,mon 08:00-20:00 19:00-23:00,,,", "3: weekly: the shifts 08:00-20:00 and 19:00-23:00 of mon over"),
        ("calendar,F1,mon-fry 08:00-20:00,,,", "3: weekly: there is no day 'fry'"),
        ("calendar,F9,mon 08:00-20:00,,,", "3: factory_id: factory F9 is not registered"),
        ("calendar,F1,mon 08:00-20:00,,,2026-12-01T00:00:00Z", "3: effective_from: a calendar begins at midnight"),
        ("calendar,F1,mon 08:00-20:00,,,", "3: factory_id: line 2 registers the same calendar from the same instant"),
    ],
)
def test_one_invalid_calendar_imports_nothing(
    importing: Import, capsys: pytest.CaptureFixture[str], line: str, reason: str
) -> None:
    assert importing.run(GOOD) == 0
    header, good, *_ = CALENDARS.splitlines()
    capsys.readouterr()
    assert importing.run("\n".join([header, good, line])) == 2
    assert capsys.readouterr().err.startswith(f"{importing.path}:{reason}")
    assert importing.query("SELECT count(*) FROM calendar_version") == [(0,)]
    assert importing.query("SELECT count(*) FROM calendar") == [(0,)]
    assert importing.version == 1
