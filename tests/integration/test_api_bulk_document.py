"""The lines of docs/api.md that read bulk answers, as they stand, on a real server."""

import re
import urllib.request
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa

from services.api.streams import ARROW_STREAM, PARQUET
from tests.api_process import running_api
from tests.country import DAYS, FACTORIES

DOCUMENT = (Path(__file__).parents[2] / "docs/api.md").read_text().partition("\n## Bulk\n")[2]
LINES = re.findall(r"(?s)```python\n(.*?)```", DOCUMENT)[0].splitlines()
NAMES = {"pandas": pd, "polars": pl, "duckdb": duckdb, "pyarrow": pa, "urllib": urllib}
QUESTION = "/v1/kpis?group_by=factory&interval=day&from=2026-03-01&to=2026-04-10&kpi=availability&kpi=oee"


def columns_of(found: Any) -> dict[str, str]:
    """Return the columns of what a line returns, with their types in the words of the library."""
    if isinstance(found, pd.DataFrame):
        return {str(name): str(kind) for name, kind in found.dtypes.items()}
    if isinstance(found, pl.DataFrame):
        return {name: str(kind) for name, kind in found.schema.items()}
    return dict(zip(found.columns, map(str, found.types), strict=True))


EXPECTED = {
    pd.DataFrame: ("category", "datetime64[us, UTC]", "int64", "float64", "object"),
    pl.DataFrame: ("Categorical", "Datetime(time_unit='us', time_zone='UTC')", "Int64", "Float64", "Decimal"),
    duckdb.DuckDBPyRelation: ("VARCHAR", "TIMESTAMP WITH TIME ZONE", "BIGINT", "DOUBLE", "DECIMAL(38,0)"),
}
TYPED = ("scope", "from", "producing_us", "availability", "oee_numerator_us")


async def test_each_line_reads_the_answer(country: str, tmp_path: Path) -> None:
    seen = set()
    with running_api(country, tmp_path) as api:
        headers = await api.headers("document")
        for line in LINES:
            accept = PARQUET if "_parquet" in line else ARROW_STREAM
            found = eval(line, {**NAMES, "url": api.url + QUESTION, "headers": {**headers, "Accept": accept}})
            rows = len(found.fetchall()) if isinstance(found, duckdb.DuckDBPyRelation) else len(found)
            assert rows == FACTORIES * DAYS
            columns = columns_of(found)
            for name, kind in zip(TYPED, EXPECTED[type(found)], strict=True):
                assert columns[name].startswith(kind), (line, name)
            seen.add(type(found))
    assert seen == EXPECTED.keys()


def test_the_document_has_these_lines() -> None:
    assert len(LINES) == 5
    for line in LINES:
        compile(line, "line", "eval")
