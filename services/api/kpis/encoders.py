"""Writes batches of items as Parquet or as an Arrow IPC stream.

A file of which the end is missing cannot be read as a shorter one. Parquet's end is a footer; an Arrow stream that is
broken off ends within a message (``streams.Pipe``).
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from services.api.kpis.batches import Table
from services.api.kpis.forms import FormKind
from services.api.kpis.grids import Reading
from services.api.streams import Pipe, Workshop

LEAST_ROWS, MOST_ROWS = 8_192, 65_536
GROUPS = 256
"""How many row groups a large Parquet file has. Their columns are all in its footer, and in memory until then, at 1.7
kB each; the items of one group are in memory until it is written."""
WITH_STATISTICS = ["scope", "from"]
"""The columns of which a Parquet file has the bounds of each row group; those of all would fill its footer."""


class Encoder(Protocol):
    """Writes batches in a format. Used from one thread at a time."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Write some items."""

    def close(self) -> None:
        """Write what ends the file."""


class Sink:
    """A pipe as a file that Arrow writes to. It stays open when Arrow closes its file."""

    closed = False

    def __init__(self, pipe: Pipe) -> None:
        self.write = pipe.write
        self.flush = pipe.flush

    def close(self) -> None:
        """Arrow closes what it writes to; a pipe is closed when it is read."""


class ParquetEncoder:
    """A Parquet file.

    Args:
        most_items: no answer has more.
    """

    def __init__(self, pipe: Pipe, schema: pa.Schema, most_items: int) -> None:
        self._schema = schema
        self._full = min(MOST_ROWS, max(LEAST_ROWS, most_items // GROUPS))
        sink = pa.PythonFile(Sink(pipe), "w")
        self._writer = pq.ParquetWriter(sink, schema, compression="zstd", write_statistics=WITH_STATISTICS)
        self._waiting: list[pa.RecordBatch] = []

    def write(self, batch: pa.RecordBatch) -> None:
        self._waiting.append(batch)
        if sum(waiting.num_rows for waiting in self._waiting) >= self._full:
            self._write_waiting()

    def _write_waiting(self) -> None:
        if self._waiting:
            table = pa.Table.from_batches(self._waiting, self._schema).unify_dictionaries()
            self._waiting.clear()
            self._writer.write_table(table)

    def close(self) -> None:
        self._write_waiting()
        self._writer.close()


class ArrowEncoder:
    """An Arrow IPC stream, each batch with dictionaries of its own."""

    def __init__(self, pipe: Pipe, schema: pa.Schema, most_items: int) -> None:
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        self._writer = pa.ipc.new_stream(pa.PythonFile(Sink(pipe), "w"), schema, options=options)

    def write(self, batch: pa.RecordBatch) -> None:
        self._writer.write_batch(batch)

    def close(self) -> None:
        self._writer.close()


ENCODERS: dict[FormKind, type[ParquetEncoder] | type[ArrowEncoder]] = {
    FormKind.PARQUET: ParquetEncoder,
    FormKind.ARROW: ArrowEncoder,
}


class Scribe:
    """Encodes one part at a time in the workshop's thread, while the next one is read. Call ``rest`` afterwards.

    Args:
        pipe: what is written into; it must not be closed before ``rest`` has returned.
    """

    def __init__(self, form: FormKind, table: Table, most_items: int, pipe: Pipe, workshop: Workshop) -> None:
        self._workshop = workshop
        self._table, self._schema, self._pipe = table, table.schema(), pipe
        self._encoder: Encoder = ENCODERS[form](pipe, self._schema, most_items)
        self._writing: asyncio.Task[None] | None = None

    async def write(self, reading: Reading) -> None:
        """Begin to encode what was read, when what came before is encoded. Then that is published."""
        await self._finish()
        self._begin(lambda: self._write(reading))

    async def close(self) -> None:
        """Finish, write what ends the file, and publish it all."""
        await self._finish()
        self._begin(self._encoder.close)
        await self._finish(is_whole=True)

    def _write(self, reading: Reading) -> None:
        grid = reading.grid()
        if len(grid.places):
            self._encoder.write(self._table.batch(grid, self._schema))

    async def rest(self) -> None:
        """Return when no thread writes, without regard to errors."""
        if self._writing is not None:
            await asyncio.wait({self._writing})

    def _begin(self, write: Callable[[], None]) -> None:
        def write_and_flush() -> None:
            write()
            self._pipe.flush()

        self._writing = asyncio.create_task(self._workshop.run(write_and_flush))

    async def _finish(self, *, is_whole: bool = False) -> None:
        if self._writing is not None:
            # To await the task itself would cancel it, but not its thread, with this one.
            await asyncio.wait({self._writing})
            self._writing.result()
            self._writing = None
            self._pipe.publish(is_whole=is_whole)
