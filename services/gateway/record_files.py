"""Files of signed records: written once, sent as often as wanted.

A file has ``MAGIC``, a frame for each record, and an end, so that a file that was cut short is noticed. Numbers are
unsigned and big-endian; each text or byte string is preceded by its length in 4 bytes:

======  ================================================================================================
frame   length of the body (4 bytes), CRC-32 of the body (4 bytes), the body
body    number of rows (4 bytes), key, value, then the name and the value of each header until it ends
end     a length of 0 (4 bytes), number of records (8 bytes)
======  ================================================================================================
"""

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from services.core.errors import ConfigurationError, RecordRefused
from services.gateway.records import Record

MAGIC = b"jejo records 1\n"
NUMBER = struct.Struct(">I")
HEAD = struct.Struct(">II")
COUNT = struct.Struct(">Q")
LONGEST_BODY = 16 * 1024 * 1024
"""A longer one is damage: a value has at most 1 MiB."""
BUFFER_BYTES = 1024 * 1024


class DamagedFile(RecordRefused):
    """A file of records was cut short or changed: write it again."""

    def __init__(self, path: Path, records: int, why: str) -> None:
        super().__init__(f"{path} is damaged after record {records} ({why}): write the file again.")


class RecordFile:
    """A new file of records. It gets its name when everything is in it; until then, and after an error, it has none."""

    def __init__(self, path: Path) -> None:
        """Create the file.

        Raises:
            ConfigurationError: it cannot be created.
        """
        self.records = 0
        self.rows = 0
        self._path = path
        self._unfinished = path.with_name(path.name + ".new")
        try:
            self._file = self._unfinished.open("wb", BUFFER_BYTES)
            self._file.write(MAGIC)
        except OSError as error:
            raise self._unwritable(error) from error

    def send(self, record: Record) -> None:
        """Add a record.

        Raises:
            ConfigurationError: it cannot be written.
        """
        body = pack(record)
        try:
            self._file.write(HEAD.pack(len(body), zlib.crc32(body)))
            self._file.write(body)
        except OSError as error:
            raise self._unwritable(error) from error
        self.records += 1
        self.rows += record.rows

    def flush(self) -> None:
        """Do nothing, since only the whole file counts."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish the file, or remove it if there was an error."""
        if error is not None:
            self._file.close()
            self._unfinished.unlink(missing_ok=True)
            return
        try:
            self._file.write(NUMBER.pack(0) + COUNT.pack(self.records))
            self._file.close()
            os.replace(self._unfinished, self._path)
        except OSError as failure:
            raise self._unwritable(failure) from failure

    def _unwritable(self, error: OSError) -> ConfigurationError:
        return ConfigurationError(f"{self._path} cannot be written ({error.strerror}): choose another place.")


def read_records(path: Path) -> Iterator[Record]:
    """Yield the records of a file, one at a time, in their order.

    Raises:
        ConfigurationError: the file cannot be read, or is none of records.
        DamagedFile: it was cut short or changed; the records before the damage have been yielded.
    """
    try:
        with path.open("rb", BUFFER_BYTES) as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise ConfigurationError(f"{path} is no file of records: name one that --prepare has written.")
            yield from read_frames(path, file)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read ({error.strerror}): correct the path.") from error


def read_frames(path: Path, file: BinaryIO) -> Iterator[Record]:
    """Yield the records of an open file after its ``MAGIC``; see ``read_records``."""
    records = 0
    while True:
        head = file.read(NUMBER.size)
        if len(head) < NUMBER.size:
            raise DamagedFile(path, records, "it was cut short")
        (length,) = NUMBER.unpack(head)
        if length == 0:
            if file.read() != COUNT.pack(records):
                raise DamagedFile(path, records, "it ends with another number of records")
            return
        if length > LONGEST_BODY:
            raise DamagedFile(path, records, "the next one has an impossible length")
        checksum, body = file.read(NUMBER.size), file.read(length)
        if len(body) < length:
            raise DamagedFile(path, records, "it was cut short")
        if NUMBER.unpack(checksum) != (zlib.crc32(body),):
            raise DamagedFile(path, records, "the next one has changed")
        yield unpack(body)
        records += 1


def pack(record: Record) -> bytes:
    """Return the body of a record's frame."""
    parts = [record.key, record.value, *(part for name, value in record.headers for part in (name.encode(), value))]
    return NUMBER.pack(record.rows) + b"".join(NUMBER.pack(len(part)) + part for part in parts)


def unpack(body: bytes) -> Record:
    """Return the record of a frame's body, which is as ``pack`` returned it."""
    (rows,) = NUMBER.unpack_from(body)
    parts, at = [], NUMBER.size
    while at < len(body):
        (length,) = NUMBER.unpack_from(body, at)
        at += NUMBER.size
        parts.append(body[at : at + length])
        at += length
    key, value, *headers = parts
    names = (name.decode() for name in headers[::2])
    return Record(key, value, tuple(zip(names, headers[1::2], strict=True)), rows)
