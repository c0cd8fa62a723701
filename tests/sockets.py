"""Keeps sockets out of the tiers that need no servers: unit, property and contract."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

METHODS = ("connect", "connect_ex", "bind", "sendto", "sendmsg")


class SocketUsed(AssertionError):
    """A test of a tier without servers used a socket."""


@pytest.fixture(scope="module", autouse=True)
def no_sockets() -> Iterator[None]:
    """Let every use of a socket fail, in the module's tests and fixtures. What asyncio needs for itself still works."""

    def refuse(*arguments: Any, **options: Any) -> None:
        raise SocketUsed("This tier needs no servers: move the test to tests/integration.")

    with pytest.MonkeyPatch.context() as patch:
        for method in METHODS:
            patch.setattr(socket.socket, method, refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        yield
