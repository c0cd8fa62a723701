"""A TCP proxy in front of PostgreSQL that cuts or stalls connections where a watcher of a client's messages says so."""

import asyncio
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

from deploy.local.passwords import add_pgpass_entries, ensure_passwords, remove_pgpass_entries
from deploy.local.servers import PostgresServer

CHUNK = 65536
COPY_DATA, QUERY, PARSE, BIND = b"d", b"Q", b"P", b"B"
STALL_S = 1.5


class Action(Enum):
    """What is done with a message."""

    PASS = auto()
    CUT = auto()
    """The server never gets it; the connection is closed."""
    CUT_WITHIN = auto()
    """The server gets a part of it; the connection is closed."""
    CUT_ANSWER = auto()
    """The server answers it, but the client never gets the answer; the connection is closed."""
    STALL = auto()
    """It is passed on late, and then all goes on."""


class Watcher(Protocol):
    """Watches one connection."""

    def decide(self, kind: bytes, message: bytes) -> Action:
        """Return what to do with the client's next message; ``kind`` is its type byte, which it begins with."""


@dataclass
class Frontend:
    """Splits what a client sends into messages.

    A client's first messages (a request for TLS, which the server declines, and the start-up) have no type byte.
    """

    buffer: bytearray = field(default_factory=bytearray)
    started: bool = False

    def messages(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield (type, whole message) of each message that is complete now; the type is empty before the start-up."""
        self.buffer += data
        while True:
            head = 0 if not self.started else 1
            if len(self.buffer) < head + 4:
                return
            size = head + struct.unpack_from("!I", self.buffer, head)[0]
            if len(self.buffer) < size:
                return
            message = bytes(self.buffer[:size])
            del self.buffer[:size]
            if not self.started:
                # 80877103 requests TLS; anything else of this form is the start-up itself.
                self.started = struct.unpack_from("!I", message, 4)[0] != 80_877_103
                yield b"", message
            else:
                yield message[:1], message


@dataclass
class Proxy:
    """Listens on a port of 127.0.0.1, with a watcher for each connection."""

    target: int
    watch: Callable[[], Watcher]
    port: int = 0

    async def serve(self, ready: threading.Event, stopped: asyncio.Event) -> None:
        async with await asyncio.start_server(self.connect, "127.0.0.1", 0) as server:
            self.port = int(server.sockets[0].getsockname()[1])
            ready.set()
            await stopped.wait()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            # Sockets are closed by the loop's next turn.
            await asyncio.sleep(0)

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client until either side closes or the connection is cut."""
        try:
            back, forth = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        muted = asyncio.Event()
        tasks = [
            asyncio.ensure_future(self.pass_on(reader, forth, muted)),
            asyncio.ensure_future(self.answer(back, writer, muted)),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for side in (writer, forth):
                side.transport.abort()

    async def answer(self, back: asyncio.StreamReader, writer: asyncio.StreamWriter, muted: asyncio.Event) -> None:
        """Pass the server's answers on; return, so that the connection is cut, at the first one while muted."""
        with suppress(ConnectionError):
            while data := await back.read(CHUNK):
                if muted.is_set():
                    return
                writer.write(data)
                await writer.drain()

    async def pass_on(self, reader: asyncio.StreamReader, forth: asyncio.StreamWriter, muted: asyncio.Event) -> None:
        """Pass the client's messages on, and return, so that the connection is cut, where the watcher decides so."""
        frontend, watcher = Frontend(), self.watch()
        with suppress(ConnectionError):
            while data := await reader.read(CHUNK):
                for kind, message in frontend.messages(data):
                    action = watcher.decide(kind, message)
                    if action is Action.CUT:
                        return
                    if action is Action.CUT_WITHIN:
                        forth.write(message[: len(message) // 2])
                        await forth.drain()
                        return
                    if action is Action.STALL:
                        await asyncio.sleep(STALL_S)
                    if action is Action.CUT_ANSWER:
                        muted.set()
                    forth.write(message)
                    await forth.drain()
        if muted.is_set():
            # The client is gone; the server's answer is awaited all the same.
            await asyncio.Future()


@contextmanager
def proxy_of(server: PostgresServer, watch: Callable[[], Watcher]) -> Iterator[Proxy]:
    """Run a proxy in front of a server, in a thread; the server's passwords are good for its port, too."""
    proxy = Proxy(server.port, watch)
    loop, ready = asyncio.new_event_loop(), threading.Event()
    stopped = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(proxy.serve(ready, stopped),), name="proxy")
    thread.start()
    assert ready.wait(10)
    add_pgpass_entries(proxy.port, ensure_passwords(server.passwords))
    try:
        yield proxy
    finally:
        remove_pgpass_entries(proxy.port, server.passwords)
        loop.call_soon_threadsafe(stopped.set)
        thread.join(timeout=10)
        loop.close()
