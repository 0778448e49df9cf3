"""A body has to arrive: who drips it byte by byte (slowloris) is refused after a while and holds nothing any longer.

The server itself cuts slow heads off (`app/web.py`); a slow body it waits for without an end.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from tidegate.base.errors import Refusal

BODY_SECONDS = 10.0
"""For the whole body, from the moment that the request is read, give or take a second: 64 KiB at 52 kbit/s."""

Receive = Callable[[], Awaitable[dict[str, Any]]]

T = TypeVar("T")


class RequestTooSlow(Refusal):
    """The body did not arrive in time."""

    code = "request-too-slow"
    status = 408
    title = "The request came too slowly"


def too_slow(seconds: float) -> RequestTooSlow:
    """Return the refusal of a body that did not arrive within so many seconds."""
    return RequestTooSlow(
        f"The body did not arrive within {seconds:.0f} s. Nothing was changed. Send the request again."
    )


class BodyWatch:
    """Cuts off whoever waits for a body for too long.

    One look every `look_seconds` at all of them, while there are any; a timer for each would cost an order three times
    as much.
    """

    def __init__(self, seconds: float = BODY_SECONDS, *, look_seconds: float = 1.0) -> None:
        self._seconds = seconds
        self._look_seconds = look_seconds
        self._waiting: dict[asyncio.Task[Any], float] = {}
        self._cut: set[asyncio.Task[Any]] = set()
        self._looking = False

    async def in_time(self, read: Callable[[Receive], Awaitable[T]], receive: Receive) -> T:
        """Return what `read` makes of the whole body. Raises RequestTooSlow once the time is over."""
        return await self._watched(read, receive, self._deadline())

    def within(self, receive: Receive) -> Receive:
        """Return `receive`, which raises RequestTooSlow once the time is over and the body is not yet whole."""
        deadline = self._deadline()
        whole = False

        async def receive_in_time() -> dict[str, Any]:
            nonlocal whole
            if whole:  # what comes now is the end of the connection, which may take as long as it likes
                return await receive()
            message = await self._watched(_next, receive, deadline)
            whole = message["type"] != "http.request" or not message.get("more_body", False)
            return message

        return receive_in_time

    def _deadline(self) -> float:
        loop = asyncio.get_running_loop()
        if not self._looking:
            self._looking = True
            loop.call_later(self._look_seconds, self._look, loop)
        return loop.time() + self._seconds

    async def _watched(self, read: Callable[[Receive], Awaitable[T]], receive: Receive, deadline: float) -> T:
        task = asyncio.current_task()
        assert task is not None
        self._waiting[task] = deadline
        try:
            return await read(receive)
        except asyncio.CancelledError:
            if task not in self._cut:
                raise
            task.uncancel()
            raise too_slow(self._seconds) from None
        finally:
            self._cut.discard(task)
            del self._waiting[task]

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for task in [task for task, deadline in self._waiting.items() if deadline <= now]:
            self._cut.add(task)
            task.cancel()
        self._looking = bool(self._waiting)
        if self._looking:
            loop.call_later(self._look_seconds, self._look, loop)


async def _next(receive: Receive) -> dict[str, Any]:
    return await receive()
