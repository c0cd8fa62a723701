"""``GET /v1/factories/{factory_id}/data-quality``."""

from collections.abc import Iterator
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response

from services.analytics import Percentiles, QualityDay
from services.api.access import AnyReader
from services.api.dependencies import Now, Pools
from services.api.models import described_as
from services.api.pages import CSV_ANSWER, csv_response, wants_csv
from services.api.problems import unprocessable
from services.api.quality.models import (
    LONGEST_DAYS,
    QualityDays,
    QualityItem,
    QualityPercentiles,
    QualityQuery,
    QualityRows,
)
from services.api.quality.queries import read_days
from services.api.registry.fields import FactoryId
from services.api.registry.visibility import check_may_see, factory_number
from services.core.times import DAY_US, SECOND_US, seoul_day, seoul_midnight_us

router = APIRouter(prefix="/v1", tags=["factories"])

CSV_COLUMNS = (
    *("day", "records", "rows_accepted", "rows_duplicate", "rows_clashed", "rows_revised", "rows_refused", "refused"),
    *("sequence_gaps", "lost_records", "late_share", "receipt_delay_p50_s", "receipt_delay_p99_s"),
    *("clock_offset_p50_s", "clock_offset_p99_s"),
)


@router.get("/factories/{factory_id}/data-quality", responses={200: described_as(QualityDays, CSV_ANSWER)})
async def get_data_quality(
    factory_id: FactoryId,
    query: Annotated[QualityQuery, Query()],
    databases: Pools,
    now: Now,
    reader: AnyReader,
    request: Request,
) -> Response:
    """What of the data that a factory sent could be used, by day of receipt, up to the present."""
    first, end = seoul_day(query.from_), seoul_day(query.to)
    if (seoul_midnight_us(first), seoul_midnight_us(end)) != (query.from_, query.to):
        raise unprocessable(f"Ask for whole days in Seoul: `from={first}` and `to={end}` are the nearest before.")
    if not 0 < query.to - query.from_ <= LONGEST_DAYS * DAY_US:
        raise unprocessable(f"Let `from` be before `to`, by at most {LONGEST_DAYS} days.")
    await check_may_see(databases, reader, factory_id, now)
    async with databases.read.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        days = await read_days(connection, await factory_number(connection, factory_id), first, end)
    items = [describe(day) for day in days]
    if wants_csv(request):
        return csv_response(request, CSV_COLUMNS, map(list, map(cells, items)), None)
    return Response(msgspec.json.encode(QualityDays(items)), media_type="application/json", headers={"Vary": "Accept"})


def describe(day: QualityDay) -> QualityItem:
    """Return a day as the API shows it."""
    return QualityItem(
        day=day.day.isoformat(),
        records=day.records,
        rows=QualityRows(day.accepted, day.duplicate, day.clashed, day.revised, dict(day.refused)),
        sequence_gaps=day.gaps,
        lost_records=day.lost,
        late_share=None if day.late is None or day.accepted == 0 else day.late / day.accepted,
        receipt_delay_s=in_seconds(day.receipt_delay),
        clock_offset_s=in_seconds(day.clock_offset),
    )


def in_seconds(percentiles: Percentiles) -> QualityPercentiles:
    """Return percentiles in seconds."""
    p50, p99 = (None if us is None else us / SECOND_US for us in (percentiles.p50_us, percentiles.p99_us))
    return QualityPercentiles(p50, p99)


def cells(item: QualityItem) -> Iterator[object]:
    """Yield an item's cells in the order of CSV_COLUMNS; reasons are ``reason:number``, separated by spaces."""
    rows = item.rows
    yield from (item.day, item.records, rows.accepted, rows.duplicate, rows.clashed, rows.revised)
    yield sum(rows.refused.values())
    yield " ".join(f"{reason}:{number}" for reason, number in rows.refused.items())
    yield from (item.sequence_gaps, item.lost_records, item.late_share)
    yield from (item.receipt_delay_s.p50, item.receipt_delay_s.p99, item.clock_offset_s.p50, item.clock_offset_s.p99)
