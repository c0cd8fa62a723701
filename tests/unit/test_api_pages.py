"""Cursors, and when and how a page is answered as CSV."""

import csv
import io

import pytest
from fastapi import Request

from services.api.cursors import make_cursor, read_cursor
from services.api.pages import (
    FORMULA_STARTS,
    csv_response,
    wants_byte_order_mark,
    wants_csv,
)


def asking(accept: str | None) -> Request:
    headers = [] if accept is None else [(b"accept", accept.encode())]
    scope = {"type": "http", "method": "GET", "path": "/v1/kpis", "query_string": b"limit=2", "headers": headers}
    return Request({**scope, "scheme": "http", "server": ("api", 80)})


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, False),
        ("*/*", False),
        ("application/json", False),
        ("text/csv", True),
        ("text/*", True),
        ("text/csv, */*;q=0.5", True),
        ("text/csv;q=0.5, application/json", False),
        ("text/csv;q=0", False),
        ("TEXT/CSV; charset=utf-8", True),
        ("text/csv;q=much", False),
        ("text/html,application/xhtml+xml,*/*;q=0.8", False),
    ],
)
def test_csv_is_sent_to_callers_who_prefer_it(accept: str | None, expected: bool) -> None:
    assert wants_csv(asking(accept)) is expected


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, False),
        ("text/csv", False),
        ("text/csv; header=present", False),
        ("text/csv; header=present; bom=present", True),
        ("text/csv;BOM=Present", True),
        ('text/csv; bom="present"', True),
        ("text/csv; bom=present; q=0.9, application/json; q=0.5", True),
        ("text/csv; bom=absent", False),
        ("text/csv, application/json; bom=present; q=0.5", False),
    ],
)
def test_a_byte_order_mark_is_sent_on_request(accept: str | None, expected: bool) -> None:
    request = asking(accept)
    assert wants_byte_order_mark(request) is expected
    if wants_csv(request):
        body = bytes(csv_response(request, ("name",), [("제조",)], None).body)
        assert body.startswith(b"\xef\xbb\xbf") is expected
        assert body.decode("utf-8-sig") == "name\r\n제조\r\n"


@pytest.mark.parametrize("text", ["=1+1", "'=1+1", "''", "'", "＋1호기", "-", "@a", "\t", "\n=1", "a=", "", "'s", "a'"])
def test_guards_can_be_undone(text: str) -> None:
    body = bytes(csv_response(asking("text/csv"), ("name", "n"), [(text, 1)], None).body).decode()
    _, (served, _) = csv.reader(io.StringIO(body, newline=""))
    assert not served.startswith(FORMULA_STARTS)
    assert served.removeprefix("'") == text


def test_cursors_can_be_read_back() -> None:
    key = ("machine:F1/M1", 1_488_294_000_000_000)
    assert read_cursor(make_cursor(key), tuple[str, int]) == key


@pytest.mark.parametrize("text", ["", "x", "%", "аааа", make_cursor([1, 2])])
def test_invalid_cursors_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="next_cursor"):
        read_cursor(text, tuple[str, int])


def test_cells_are_written_as_documented() -> None:
    rows = [("a,b", None, True, 1.5), ("=1+1", False, "제조", -1), ("＝1", "\n=1", "a=", "")]
    answer = csv_response(asking("text/csv"), ("name", "x", "y", "z"), rows, "c")
    assert (
        bytes(answer.body).decode() == 'name,x,y,z\r\n"a,b",,true,1.5\r\n\'=1+1,false,제조,-1\r\n\'＝1,"\'\n=1",a=,\r\n'
    )
    assert answer.headers["link"] == '<http://api/v1/kpis?limit=2&cursor=c>; rel="next"'
    assert answer.headers["content-type"].startswith("text/csv")
