"""Answers that are sent while they are made: what is published is read, once, in order."""

import asyncio
from pathlib import Path

import pytest

from services.api import streams
from services.api.problems import Problem
from services.api.streams import Pipe, Workshop


@pytest.mark.parametrize("segment", [1, 1000, 10**9])
async def test_what_is_published_is_read(monkeypatch: pytest.MonkeyPatch, segment: int) -> None:
    monkeypatch.setattr(streams, "SEGMENT_BYTES", segment)
    monkeypatch.setattr(streams, "CHUNK_BYTES", 300)
    content = bytes(n % 251 for n in range(10_000))
    pipe = Pipe()

    async def make() -> None:
        for at in range(0, len(content), 700):
            pipe.write(memoryview(content)[at : at + 700])
            await asyncio.sleep(0)
            pipe.flush()
            pipe.publish(is_whole=at + 700 >= len(content))
            await asyncio.sleep(0.001 if at % 3 == 0 else 0)
        pipe.end()

    making = asyncio.create_task(make())
    chunks = [chunk async for chunk in pipe.read()]
    await making
    pipe.close()
    assert b"".join(chunks) == content
    assert max(map(len, chunks)) <= 300


async def test_what_was_sent_is_removed_from_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "SEGMENT_BYTES", 1000)
    pipe = Pipe()
    before, received = open_files(), 0
    reading = pipe.read()
    for count in range(1, 21):
        pipe.write(bytes(1000))
        pipe.flush()
        pipe.publish()
        while received < count * 1000 - 1:
            received += len(await anext(reading))
        assert open_files() <= before + 2
    pipe.end()
    pipe.close()


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_an_answer_that_is_not_whole_lacks_its_last_byte() -> None:
    pipe = Pipe()
    for content in (b"one", b"two"):
        pipe.write(content)
        pipe.flush()
        pipe.publish()
    pipe.end()
    assert b"".join([chunk async for chunk in pipe.read()]) == b"onetw"
    pipe.close()


async def test_nothing_that_is_not_published_is_read() -> None:
    pipe = Pipe()
    pipe.write(b"one")
    pipe.flush()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await anext(pipe.read())
    pipe.close()


async def test_a_workshop_has_so_many_places() -> None:
    workshop = Workshop(1, patience_s=0.01)
    for _ in range(2):
        async with workshop.place():
            with pytest.raises(Problem, match="As many bulk answers"):
                async with workshop.place():
                    pass
