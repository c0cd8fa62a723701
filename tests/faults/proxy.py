"""A TCP proxy in front of PostgreSQL that cuts or stalls connections at chosen moments of a client's transaction."""

import asyncio
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto

from deploy.local.passwords import add_pgpass_entries, ensure_passwords, remove_pgpass_entries
from deploy.local.servers import PostgresServer

CHUNK = 65536
COPY_DATA, QUERY, PARSE = b"d", b"Q", b"P"
STALL_S = 1.5


class Moment(Enum):
    """When a connection is cut, or with STALL halted for a while; only transactions that copy rows count."""

    IN_COPY = auto()
    """After a part of the rows was passed on to the server."""
    BEFORE_COMMIT = auto()
    """The server never gets the COMMIT."""
    AFTER_COMMIT = auto()
    """The server has answered the COMMIT, but the client never gets the answer."""
    STALL = auto()
    """The COMMIT is passed on late, and then all goes on."""


@dataclass
class Frontend:
    """Splits what a client sends into messages, and knows whether the open transaction has copied rows.

    A client's first messages (a request for TLS, which the server declines, and the start-up) have no type byte.
    """

    buffer: bytearray = field(default_factory=bytearray)
    started: bool = False
    copied: bool = False

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
    """Listens on a port of 127.0.0.1. ``arm`` chooses the next moment to act at; ``fired`` counts what has happened."""

    target: int
    port: int = 0
    fired: dict[Moment, int] = field(default_factory=lambda: dict.fromkeys(Moment, 0))
    armed: Moment | None = None

    def arm(self, moment: Moment) -> None:
        """Act once, at the next such moment of any connection."""
        self.armed = moment

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
            asyncio.ensure_future(self.pass_on(reader, forth, back, muted)),
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

    async def pass_on(
        self,
        reader: asyncio.StreamReader,
        forth: asyncio.StreamWriter,
        back: asyncio.StreamReader,
        muted: asyncio.Event,
    ) -> None:
        """Pass the client's messages on, and return, so that the connection is cut, at the armed moment."""
        frontend = Frontend()
        with suppress(ConnectionError):
            while data := await reader.read(CHUNK):
                for kind, message in frontend.messages(data):
                    commits = kind in (QUERY, PARSE) and message[5:].strip(b"\0;\n ").upper().startswith(b"COMMIT")
                    moment = self.moment_of(kind, commits=commits and frontend.copied)
                    frontend.copied = (frontend.copied or kind == COPY_DATA) and not commits
                    if moment is Moment.IN_COPY:
                        forth.write(message[: len(message) // 2])
                        await forth.drain()
                        return
                    if moment is Moment.BEFORE_COMMIT:
                        return
                    if moment is Moment.STALL:
                        await asyncio.sleep(STALL_S)
                    if moment is Moment.AFTER_COMMIT:
                        muted.set()
                    forth.write(message)
                    await forth.drain()

    def moment_of(self, kind: bytes, *, commits: bool) -> Moment | None:
        """Return the moment to act at now, if it is the armed one; it is disarmed then."""
        moment = self.armed
        if moment is None or not (kind == COPY_DATA if moment is Moment.IN_COPY else commits):
            return None
        self.armed = None
        self.fired[moment] += 1
        return moment


@contextmanager
def proxy_of(server: PostgresServer) -> Iterator[Proxy]:
    """Run a proxy in front of a server, in a thread; the server's passwords are good for its port, too."""
    proxy = Proxy(server.port)
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
