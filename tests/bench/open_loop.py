"""Sends HTTP requests at a fixed rate, whether or not earlier ones have been answered, over a few kept connections.

A request's time runs from the instant at which it was due, so waiting for a free connection counts: a service that
falls behind cannot slow down whoever measures it.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

CONTENT_LENGTH = b"content-length:"


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go, and the headers of each connection's requests."""

    host: str
    port: int
    headers: Sequence[Mapping[str, str]]


async def times_at_rate(target: Target, paths: Sequence[str], rate: float, requests: int) -> list[float]:
    """Ask the paths in turn, ``rate`` a second. Return each request's seconds from when it was due."""
    due: asyncio.Queue[tuple[float, str]] = asyncio.Queue()
    took: list[float] = []
    connections = [asyncio.create_task(keep_asking(target, headers, due, took)) for headers in target.headers]
    begins = time.perf_counter() + 0.1
    for n in range(requests):
        at = begins + n / rate
        await asyncio.sleep(max(0.0, at - time.perf_counter()))
        due.put_nowait((at, paths[n % len(paths)]))
    await due.join()
    await end(connections)
    return took


async def rate_of(target: Target, paths: Sequence[str], seconds: float) -> float:
    """Ask paths in turn over all connections, one request after the other on each. Return how many a second."""
    due: asyncio.Queue[tuple[float, str]] = asyncio.Queue()
    took: list[float] = []
    asked = 0
    connections = [asyncio.create_task(keep_asking(target, headers, due, took)) for headers in target.headers]
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        while due.qsize() < len(connections):
            due.put_nowait((time.perf_counter(), paths[asked % len(paths)]))
            asked += 1
        await asyncio.sleep(0.001)
    await due.join()
    spent = time.perf_counter() - began
    await end(connections)
    return len(took) / spent


async def end(connections: Sequence["asyncio.Task[None]"]) -> None:
    """Close connections that have nothing to do, and raise what went wrong on any of them."""
    for connection in connections:
        connection.cancel()
    for outcome in await asyncio.gather(*connections, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome


async def keep_asking(
    target: Target, headers: Mapping[str, str], due: "asyncio.Queue[tuple[float, str]]", took: list[float]
) -> None:
    """Ask what is due over one connection, until cancelled."""
    reader, writer = await asyncio.open_connection(target.host, target.port, limit=1 << 20)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    try:
        while True:
            at, path = await due.get()
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: {target.host}\r\n{lines}\r\n".encode())
                await read_answer(reader)
                took.append(time.perf_counter() - at)
            finally:
                due.task_done()
    finally:
        writer.close()


async def read_answer(reader: asyncio.StreamReader) -> bytes:
    """Read one answer. Return its body.

    Raises:
        AssertionError: it is not 200.
    """
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.lower().startswith(CONTENT_LENGTH)
    )
    body = await reader.readexactly(length)
    assert head.split(b" ", 2)[1] == str(HTTPStatus.OK.value).encode(), head + body
    return body
