"""A body has to arrive: who drips it byte by byte (slowloris) is refused after a while and holds nothing any longer.

The server itself cuts slow headers off (`app/web.py`); a slow body it waits for without an end.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tidegate.base.errors import Refusal

BODY_SECONDS = 10.0
"""For the whole body, from the moment that the request is read: 64 KiB at 52 kbit/s."""

Receive = Callable[[], Awaitable[dict[str, Any]]]


class RequestTooSlow(Refusal):
    """The body did not arrive in time."""

    code = "request-too-slow"
    status = 408
    title = "The request came too slowly"


def within_seconds(receive: Receive, seconds: float) -> Receive:
    """Return `receive`, which raises RequestTooSlow once `seconds` are over and the body is not yet whole."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    whole = False

    async def receive_in_time() -> dict[str, Any]:
        nonlocal whole
        if whole:  # what comes now is the end of the connection, which may take as long as it likes
            return await receive()
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError:
            raise RequestTooSlow(
                f"The body did not arrive within {seconds:.0f} s. Nothing was changed. Send the request again."
            ) from None
        whole = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    return receive_in_time
