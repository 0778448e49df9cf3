"""A body that does not arrive is cut off; one that does, and whatever ends a request otherwise, is left alone."""

import asyncio
from typing import Any

import pytest

from tidegate.app.api.slowness import BodyWatch, RequestTooSlow

WHOLE = {"type": "http.request", "body": b"x", "more_body": False}
PART = {"type": "http.request", "body": b"x", "more_body": True}


def pieces(*messages: dict[str, Any]) -> Any:
    """A client that sends these, and then nothing more."""
    rest = list(messages)

    async def receive() -> dict[str, Any]:
        if rest:
            return rest.pop(0)
        await asyncio.Event().wait()
        raise AssertionError("nothing more is sent")

    return receive


async def test_a_whole_body_comes_through() -> None:
    receive = BodyWatch(0, look_seconds=0.05).within(pieces(PART, PART, WHOLE, {"type": "http.disconnect"}))
    assert [await receive() for _ in range(4)] == [PART, PART, WHOLE, {"type": "http.disconnect"}]


@pytest.mark.parametrize("sent", [(), (PART,), (PART, PART)])
async def test_a_body_that_stops_coming_is_cut_and_the_task_goes_on(sent: tuple[dict[str, Any], ...]) -> None:
    receive = BodyWatch(0, look_seconds=0.05).within(pieces(*sent))
    for _ in sent:
        await receive()
    with pytest.raises(RequestTooSlow):
        await receive()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_after_the_body_nobody_is_cut() -> None:
    receive = BodyWatch(0, look_seconds=0.05).within(pieces(WHOLE))
    await receive()
    waiting = asyncio.ensure_future(receive())
    await asyncio.sleep(0.2)  # some looks
    assert not waiting.done()
    waiting.cancel()


async def test_a_task_that_is_cancelled_by_others_is_cancelled() -> None:
    watch = BodyWatch()
    waiting = asyncio.ensure_future(watch.within(pieces())())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
