"""The address that the API listens at."""

import asyncio
import socket

import pytest

from services.api.cli import listen
from services.cli import main
from services.core.errors import ConfigurationError


async def test_answers_are_sent_without_delay() -> None:
    """Otherwise the end of an answer waits until its beginning is acknowledged, which takes 40 ms."""
    without_delay = asyncio.get_running_loop().create_future()

    def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        without_delay.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    listener = listen("127.0.0.1", 0)
    async with await asyncio.start_server(accept, sock=listener):
        _, writer = await asyncio.open_connection(*listener.getsockname())
        assert await without_delay
        writer.close()
        await writer.wait_closed()


def test_an_address_in_use_is_reported() -> None:
    with listen("127.0.0.1", 0) as listener:
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"cannot listen at 127.0.0.1:{port} .*set JEJO_API_PORT"):
            listen("127.0.0.1", port)


def test_the_command_reports_an_address_in_use(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("JEJO_API_PORT", str(taken.getsockname()[1]))
        assert main(["api"]) == 2
    assert "set JEJO_API_PORT to another port" in capsys.readouterr().err.splitlines()[-1]
