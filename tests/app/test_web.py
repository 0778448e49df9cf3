"""How new visitors come in while the event loop has much to do."""

import asyncio
import socket
from contextlib import ExitStack

import uvloop

from tidegate.app.web import doors_of, not_accepted

_VISITORS = 100
_TURNS = 10


async def _accepted_in(turns: int, doors: list[socket.socket], address: tuple[str, int]) -> int:
    """Return how many of those who came at once are accepted within so many turns of the event loop."""
    came: list[asyncio.Protocol] = []

    class Visitor(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            came.append(self)
            transport.close()

    with ExitStack() as stack:
        for _ in range(_VISITORS):
            stack.enter_context(socket.create_connection(address))
        loop = asyncio.get_running_loop()
        servers = [await loop.create_server(Visitor, sock=door) for door in doors]
        for _ in range(turns):
            await asyncio.sleep(0)
        for server in servers:
            server.close()
        return len(came)


def test_a_turn_of_the_event_loop_accepts_many_who_came_together() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=_VISITORS) as listening:
        listening.setblocking(False)
        address = listening.getsockname()
        assert uvloop.run(_accepted_in(_TURNS, doors_of(listening, 32), address)) == _VISITORS


def test_one_descriptor_would_accept_one_a_turn() -> None:
    # What `doors_of` is for: once libuv accepts more by itself, it can go.
    with socket.create_server(("127.0.0.1", 0), backlog=_VISITORS) as listening:
        listening.setblocking(False)
        address = listening.getsockname()
        assert uvloop.run(_accepted_in(_TURNS, doors_of(listening, 1), address)) < _VISITORS / 2


def test_who_is_not_accepted_yet_is_counted() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=_VISITORS) as listening, ExitStack() as stack:
        for count in range(3):
            assert not_accepted(listening) == count
            stack.enter_context(socket.create_connection(listening.getsockname()))
        accepted, _ = listening.accept()
        accepted.close()
        assert not_accepted(listening) == 2
