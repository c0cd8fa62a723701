"""This tier needs no servers."""

from tests.sockets import no_sockets

__all__ = ["no_sockets"]
