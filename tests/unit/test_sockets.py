"""Tests without servers have no sockets to reach any by."""

import asyncio
import socket

import pytest

from tests.sockets import SocketUsed


def test_no_socket_connects() -> None:
    with socket.socket() as client, pytest.raises(SocketUsed):
        client.connect(("127.0.0.1", 5432))


def test_no_socket_listens() -> None:
    with socket.socket() as server, pytest.raises(SocketUsed):
        server.bind(("127.0.0.1", 0))


def test_no_unix_socket_connects() -> None:
    with socket.socket(socket.AF_UNIX) as client, pytest.raises(SocketUsed):
        client.connect("/run/postgresql/.s.PGSQL.5432")


async def test_asyncio_connects_nowhere() -> None:
    with pytest.raises(SocketUsed):
        await asyncio.open_connection("127.0.0.1", 5432)


def test_no_name_is_resolved() -> None:
    with pytest.raises(SocketUsed):
        socket.create_connection(("localhost", 5432))
