"""Bulk answers of ``GET /v1/kpis``: the same items as in JSON, as typed columns."""

import io
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.api.kpis import walks
from services.api.kpis.questions import GroupBy
from services.api.streams import ARROW_STREAM, PARQUET
from services.core.times import rfc3339
from tests.api import MACHINE, Api
from tests.integration.test_api_kpi_pages import UNTIL_US, WINDOW, register

SCALES = {"s": 10**6, "h": 3600 * 10**6, "s2": 10**12}
SUFFIXES = {"s": "_us", "h": "_us", "s2": "_us2"}


async def add_counts(api: Api) -> None:
    """Pieces with an ideal cycle, so that no KPI is without a value everywhere; some more than is likely."""
    await api.put("/v1/factories/F1/machines/M1", {**MACHINE, "ideal_cycle_s": 30.5})
    await api.query("""
        INSERT INTO count_event (machine, at, product, good, scrap, rework, revision, retracted, record_id)
        SELECT m, '2017-02-28Z'::timestamptz + n * interval '7 hours', '', 10 + 300 * n * m, n % 3, n % 2, 0, false, 1
        FROM generate_series(0, 30) AS n, generate_series(1, 4) AS m WHERE n % 4 > 0
    """)
    await api.query("INSERT INTO dirty_mark SELECT shard, id, '2017-02-27Z', '2017-03-12Z' FROM machine")
    await api.settle_all(UNTIL_US)


async def ask(api: Api, accept: str, **parameters: Any) -> httpx.Response:
    """Ask for KPIs in a form."""
    headers = {"Authorization": f"Bearer {await api.key('ministry')}", "Accept": accept}
    return await api.client.get("/v1/kpis", params=parameters, headers=headers)


def table_of(answer: httpx.Response) -> pa.Table:
    """Return a bulk answer's items."""
    assert answer.status_code == HTTPStatus.OK, answer.text
    if answer.headers["content-type"] == PARQUET:
        return pq.read_table(io.BytesIO(answer.content))
    assert answer.headers["content-type"] == ARROW_STREAM
    return pa.ipc.open_stream(answer.content).read_all()


def amount(number: Any, unit: str) -> int:
    """Return a number of an answer in JSON in the figure's own units; hours have 28 digits there."""
    return round(Decimal(number) * SCALES.get(unit, 1))


def row_of(item: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return an item in JSON as the row that it is in bulk."""
    row = {name: item[name] for name in ("scope", "from", "to", "partial", "factories", "machines", "suppressed")}
    row |= {f"{state}_us": amount(value, "s") for state, value in item["time_s"].items()}
    row |= {f"producing_{mode}_us": amount(value, "s") for mode, value in item["producing_by_mode_s"].items()}
    row |= item["counts"]
    for name, kpi in item["kpis"].items():
        units = {"numerator": definitions[name]["unit"], "denominator": definitions[name]["denominator_unit"]}
        row |= {f"{name}_{part}{SUFFIXES.get(unit, '')}": amount(kpi[part], unit) for part, unit in units.items()}
        row |= {name: value_of(kpi["value"]), f"{name}_reason": kpi["reason"], f"{name}_flags": " ".join(kpi["flags"])}
    return {**row, "coverage": value_of(item["coverage"])}


def value_of(number: Any) -> float | None:
    """Return a value of an answer in JSON as the double that was written."""
    return None if number is None else float(number)


def rows_of(table: pa.Table) -> list[dict[str, Any]]:
    """Return the rows of a bulk answer, with instants as JSON has them."""
    rows = table.to_pylist()
    for row in rows:
        for name in ("from", "to"):
            row[name] = rfc3339(round(row[name].timestamp()) * 10**6 + row[name].microsecond)
    return rows


async def definitions_of(api: Api) -> dict[str, Any]:
    answer = await api.get("/v1/kpi-definitions", "ministry")
    return {kpi["id"]: kpi for kpi in answer.json()["kpis"]}


@pytest.mark.parametrize(("rows", "intervals"), [(7, ("day", "total")), (walks.ROWS, ("hour", "day", "total"))])
async def test_every_question_has_the_items_of_its_answer_in_json(
    api: Api, monkeypatch: pytest.MonkeyPatch, rows: int, intervals: tuple[str, ...]
) -> None:
    await register(api)
    await add_counts(api)
    definitions = await definitions_of(api)
    monkeypatch.setattr(walks, "ROWS", rows)
    seen = 0
    for group_by in (None, *GroupBy):
        for interval in intervals:
            asked = {**WINDOW, "interval": interval, **({"group_by": group_by} if group_by else {})}
            answer = await ask(api, "application/json", limit=10_000, **asked)
            expected = [row_of(item, definitions) for item in answer.json(parse_float=Decimal)["items"]]
            for accept in (PARQUET, ARROW_STREAM):
                table = table_of(await ask(api, accept, **asked))
                assert rows_of(table) == expected, (group_by, interval)
                assert table.schema.metadata[b"accounted_until"] == b"2017-03-04T07:06:40Z"
            seen += len(expected)
    assert seen > 50


async def test_pages_and_orders_are_those_of_json(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    await register(api)
    await add_counts(api)
    monkeypatch.setattr(walks, "RANKED", 2)
    total: dict[str, Any] = {**WINDOW, "group_by": "machine"}
    for order in ("availability", "-oee"):
        expected = (await ask(api, "application/json", order_by=order, **total)).json()["items"]
        whole = table_of(await ask(api, PARQUET, order_by=order, **total)).to_pylist()
        assert [row["scope"] for row in whole] == [item["scope"] for item in expected]
        best = await ask(api, ARROW_STREAM, order_by=order, limit=2, **total)
        assert table_of(best).to_pylist() == whole[:2]
    page: dict[str, Any] = {**total, "interval": "day", "limit": 4}
    headers = {"Authorization": f"Bearer {await api.key('ministry')}", "Accept": PARQUET}
    path, pages = f"/v1/kpis?{httpx.QueryParams(page)}", []
    while path:
        answer = await api.client.get(path, headers=headers)
        pages.append(table_of(answer).to_pylist())
        path = answer.links["next"]["url"].removeprefix("http://api") if "next" in answer.links else ""
    whole = table_of(await ask(api, PARQUET, **{**page, "limit": 10_000})).to_pylist()
    assert [row for rows in pages for row in rows] == whole
    assert all(len(rows) == 4 for rows in pages[:-1])
    assert len(pages) > 3


async def test_an_empty_answer_has_columns(api: Api) -> None:
    await api.register()
    for accept in (PARQUET, ARROW_STREAM):
        empty = table_of(await ask(api, accept, group_by="region", **WINDOW, kpi="oee"))
        assert empty.num_rows == 0
        assert empty.column_names[-7:] == [
            "oee",
            "oee_numerator_us",
            "oee_denominator_us",
            "oee_reason",
            "oee_flags",
            "coverage",
            "suppressed",
        ]


@pytest.mark.parametrize(
    ("group_by", "time"), [("factory", "int64"), ("machine", "int64"), ("region", "decimal128(38, 0)")]
)
async def test_types_depend_on_the_question_alone(api: Api, group_by: str, time: str) -> None:
    await api.register()
    expected = {
        "scope": "dictionary<values=string, indices=int32, ordered=0>",
        "from": "timestamp[us, tz=UTC]",
        "partial": "bool",
        "machines": "int64",
        "producing_us": time,
        "unknown_us": time,
        "good": "int64",
        "mtbf_h": "double",
        "mtbf_h_numerator_us": time,
        "mtbf_h_denominator": "int64",
        "oee_numerator_us": "decimal128(38, 0)",
        "oee_denominator_us": time,
        "nee_denominator_us2": "decimal128(38, 0)",
        "nee_reason": "dictionary<values=string, indices=int32, ordered=0>",
    }
    for accept in (PARQUET, ARROW_STREAM):
        schema = table_of(await ask(api, accept, group_by=group_by, **WINDOW)).schema
        assert {name: str(schema.field(name).type) for name in expected} == expected


async def test_a_bulk_answer_is_refused_like_any_other(api: Api) -> None:
    await api.register()
    for asked, status in (
        ({"scope": "factory:F9"}, HTTPStatus.NOT_FOUND),
        ({"kpi": "none"}, HTTPStatus.UNPROCESSABLE_ENTITY),
        ({"order_by": "oee", "interval": "day"}, HTTPStatus.UNPROCESSABLE_ENTITY),
    ):
        answer = await ask(api, PARQUET, **WINDOW, **asked)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
    region = await api.client.get(
        "/v1/kpis",
        params={**WINDOW, "group_by": "factory"},
        headers={"Authorization": f"Bearer {await api.key('region:KR-26')}", "Accept": PARQUET},
    )
    assert region.status_code == HTTPStatus.FORBIDDEN
