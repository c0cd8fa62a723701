"""Files of signed records: written as they are read, and damage is reported wherever it is."""

import itertools
import tracemalloc
from pathlib import Path

import pytest

from services.core.errors import ConfigurationError
from services.gateway.record_files import MAGIC, DamagedFile, RecordFile, read_records
from services.gateway.records import ReadingRow, Record, RecordWriter

HEADERS = (("jejo-key-id", b"k1"), ("jejo-signature", bytes(range(64))))
RECORDS = [
    Record(b"F000001", b"{}", HEADERS, 1),
    Record("F공장".encode(), b"", (), 0),
    Record(b"", b"\x00" * 300, (("", b""), ("이름", b"\x00\xff")), 2**32 - 1),
]


def write(path: Path, records: list[Record]) -> None:
    with RecordFile(path) as file:
        for record in records:
            file.send(record)


def test_records_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "records"
    write(path, RECORDS)
    assert list(read_records(path)) == RECORDS
    write(path, [])
    assert list(read_records(path)) == []
    assert list(tmp_path.iterdir()) == [path]


def test_a_writers_records_are_kept_with_their_signatures(tmp_path: Path) -> None:
    writer = RecordWriter(factory_id="F1", gateway_id="g", key_id="k", seed=bytes(32), boot_id="b", maximum_rows=3)
    records = writer.write([ReadingRow("M1", n, "x_pct", n / 7) for n in range(10)], 0)
    path = tmp_path / "records"
    with RecordFile(path) as file:
        for record in records:
            file.send(record)
        assert (file.records, file.rows) == (4, 10)
    assert list(read_records(path)) == records


def test_a_file_cut_short_anywhere_is_reported_after_its_whole_records(tmp_path: Path) -> None:
    path = tmp_path / "records"
    write(path, RECORDS)
    whole = path.read_bytes()
    for length in range(len(MAGIC), len(whole)):
        path.write_bytes(whole[:length])
        found: list[Record] = []
        with pytest.raises(DamagedFile, match=r"is damaged after record \d \(it .*write the file again"):
            found.extend(read_records(path))
        assert found == RECORDS[: len(found)]


def test_a_changed_byte_anywhere_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "records"
    write(path, RECORDS)
    whole = path.read_bytes()
    for place, flip in itertools.product(range(len(MAGIC), len(whole)), (0x01, 0x80)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :])
        with pytest.raises(DamagedFile):
            list(read_records(path))


def test_bytes_after_the_end_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "records"
    write(path, RECORDS)
    path.write_bytes(path.read_bytes() + b"\x00")
    with pytest.raises(DamagedFile, match="after record 3"):
        list(read_records(path))


def test_an_unfinished_file_does_not_get_its_name(tmp_path: Path) -> None:
    path = tmp_path / "records"
    with pytest.raises(AttributeError):
        write(path, [RECORDS[0], None])  # type: ignore[list-item]
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_file_of_records_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "records"
    path.write_bytes(b"thing,factory_id\n")
    with pytest.raises(ConfigurationError, match="is no file of records"):
        list(read_records(path))
    with pytest.raises(ConfigurationError, match="cannot be read"):
        list(read_records(tmp_path / "none"))
    with pytest.raises(ConfigurationError, match="cannot be written"):
        RecordFile(tmp_path / "none" / "records")


def test_neither_writing_nor_reading_holds_the_file_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "records"
    record = Record(b"F1", bytes(100_000), HEADERS, 1000)
    tracemalloc.start()
    try:
        with RecordFile(path) as file:
            for _ in range(300):
                file.send(record)
        assert sum(1 for _ in read_records(path)) == 300
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000 < path.stat().st_size
