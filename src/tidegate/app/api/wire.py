"""Connections of plain HTTP/1.1, served in the event loop's own thread.

Uvicorn's protocol serves what the framework answers. What is refused at the door, and what is hot, is answered here as
soon as its bytes are read: no thread, no ASGI message and no second task stands between a socket and the lane. Slow and
oversize heads and bodies are cut off, and connections on which nothing is asked.
"""

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from time import perf_counter
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from tidegate.app.api.hot import BODY_BYTES_MAX, Front, Step, canonical, refused, too_large
from tidegate.app.api.shedding import Answer, Scope
from tidegate.app.api.slowness import BODY_SECONDS, too_slow

HEAD_SECONDS = 5.0
"""For a request's whole head, counted from the end of the request before: also how long an idle connection is kept."""
HEAD_BYTES_MAX = 64 * 1024
HEADERS_MAX = 100

_LOOK_SECONDS = 1.0
_UNHEARD_SECONDS = 1.0
"""How long the rest of a body is waited for that changes nothing: a proxy takes it ill when its peer leaves before."""
_UNREAD_SECONDS = 30.0
"""How long a client may take to read its last answer."""
_NOT_MODIFIED = 304
_TARGETS_REMEMBERED_MAX = 2_000
_TARGET_BYTES_MAX = 1_024
_TOO_LARGE_HEAD = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
)  # fmt: skip
_nobody_waits = asyncio.Event()


@lru_cache(maxsize=_TARGETS_REMEMBERED_MAX)
def _target(method: bytes, url: bytes) -> tuple[str, str, bytes] | None:
    """Return method, path and query, or None where they ask for more than a plain answer."""
    path, _, query = url.partition(b"?")
    if method == b"HEAD" or b"%" in path or b"#" in url or not (path.startswith(b"/") and path.isascii()):
        return None
    plain = path.decode()
    return (method.decode(), plain, query) if canonical(plain) == plain else None


class _Turn:
    """One request that is answered here, from its whole head to its answer; to uvicorn's protocol it is a cycle."""

    __slots__ = ("answer", "began", "body", "disconnected", "keep_alive", "response_complete", "scope", "step", "task")

    message_event = _nobody_waits

    def __init__(self, scope: Scope, began: float, answer: Answer | Step, *, keep_alive: bool) -> None:
        self.scope = scope
        self.began = began
        self.answer: Answer | None = None if callable(answer) else answer
        self.step: Step | None = answer if callable(answer) else None
        self.task: asyncio.Task[None] | None = None
        self.body = b""
        self.keep_alive = keep_alive
        self.disconnected = False
        self.response_complete = False


class Wire(HttpToolsProtocol):
    """One connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._front: Front = config.loaded_app
        self._turn: _Turn | None = None
        """The request whose body is being read here."""
        self._in_head = True
        self._head_bytes = 0
        self._idle_since: float | None = self.loop.time()
        """Since when a head is waited for; None while a request is under way."""
        self._look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to watch the connection."""
        super().connection_made(transport)
        self._look = self.loop.call_later(_LOOK_SECONDS, self._look_after)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        if self._look is not None:
            self._look.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has come."""
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > HEAD_BYTES_MAX:
            self._cut(_TOO_LARGE_HEAD)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; what stands behind a body is not one."""
        headers = self.headers
        if self._in_head and len(headers) <= HEADERS_MAX:
            name = name.lower()
            if name == b"expect":
                self.expect_100_continue = value.lower() == b"100-continue"
            headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Judge the head: answer it here, take its body here, or leave it to uvicorn and the framework."""
        if self.transport.is_closing():
            return
        if len(self.headers) > HEADERS_MAX or (self._head_bytes > HEAD_BYTES_MAX and self._is_head_too_large()):
            self._cut(_TOO_LARGE_HEAD)
            return
        self._in_head, self._head_bytes, self._idle_since = False, 0, None
        self.app = self._front
        target = _target(self.parser.get_method(), self.url) if self._is_plain() else None
        if target is not None:
            began = perf_counter()
            scope: Scope = self.scope  # type: ignore[assignment]  # the server's own type of the same mapping
            scope["method"], scope["path"], scope["query_string"] = target
            answer = self._front.judge(scope, began)
            if answer is not None:
                keep_alive = self.parser.should_keep_alive()
                self._turn = _Turn(scope, began, answer, keep_alive=keep_alive)
                self.cycle = cast("RequestResponseCycle", self._turn)
                return
            self.app = self._front.pass_on
        super().on_headers_complete()

    def _is_head_too_large(self) -> bool:
        """Return whether the head alone is: what came with it may be a body, or the next request."""
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > HEAD_BYTES_MAX

    def _is_plain(self) -> bool:
        """Return whether the request's turn has come and nothing about it asks for more than a plain answer."""
        return (
            (self.cycle is None or self.cycle.response_complete)
            and len(self.url) <= _TARGET_BYTES_MAX
            and not self.expect_100_continue
            and not self.parser.should_upgrade()
            and self.parser.get_http_version() == "1.1"
        )

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        turn = self._turn
        if turn is None:
            if self.cycle is not None:
                super().on_body(body)
        elif turn.answer is None:
            turn.body = turn.body + body if turn.body else body
            if len(turn.body) > BODY_BYTES_MAX:
                turn.answer, turn.body = refused(too_large()), b""

    def on_message_complete(self) -> None:
        """Answer, now that the request is whole."""
        self._in_head = True
        turn, self._turn = self._turn, None
        if turn is None:
            if self.cycle is not None:
                super().on_message_complete()
        elif turn.answer is not None:
            self._give(turn, turn.answer)
        elif turn.step is not None:
            turn.task = self.loop.create_task(self._carry(turn, turn.step))
            self.tasks.add(turn.task)  # a server that is told to stop waits for the last of them

    async def _carry(self, turn: _Turn, step: Step) -> None:
        try:
            answer = await self._front.carry(turn.scope, step, turn.body)
            if self.flow.write_paused:
                await self.flow.drain()
            self._give(turn, answer)
        finally:
            if turn.task is not None:
                self.tasks.discard(turn.task)

    def _give(self, turn: _Turn, answer: Answer) -> None:
        """Write the answer and be ready for the next request."""
        self._turn = None
        turn.response_complete = True
        status, headers, body = answer
        if not turn.disconnected:
            self.transport.write(self._written(status, headers, body, keep_alive=turn.keep_alive))
            if not turn.keep_alive:
                self.transport.close()
        self._front.answered(turn.scope, status, turn.began)
        self.on_response_complete()

    def _written(self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes, *, keep_alive: bool) -> bytes:
        parts = [STATUS_LINE[status]]
        for name, value in self.server_state.default_headers:
            parts += (name, b": ", value, b"\r\n")
        for name, value in headers:
            parts += (name, b": ", value, b"\r\n")
        if status != _NOT_MODIFIED:
            parts.append(b"content-length: %d\r\n" % len(body))
        parts.append(b"\r\n" if keep_alive else b"connection: close\r\n\r\n")
        parts.append(body)
        return b"".join(parts)

    def on_response_complete(self) -> None:
        """Wait for the next request from now on; uvicorn's own would set a timer each time."""
        self._idle_since = self.loop.time()
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._idle_since = None
            self._start_asgi_task(*self.pipeline.pop())

    def _look_after(self) -> None:
        """Cut the connection off if it has been idle, or slow, for too long."""
        idle = self.loop.time() - self._idle_since if self._idle_since is not None else 0.0
        if idle >= _UNREAD_SECONDS:
            self.transport.abort()
            return
        if idle >= HEAD_SECONDS:
            self.transport.close()  # once the last answer is out
        turn = self._turn
        if turn is not None and perf_counter() - turn.began >= (
            BODY_SECONDS if turn.answer is None else _UNHEARD_SECONDS
        ):
            turn.keep_alive = False
            self._give(turn, turn.answer or refused(too_slow(BODY_SECONDS)))
        self._look = self.loop.call_later(_LOOK_SECONDS, self._look_after)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        if self._owes_nothing():
            super().send_400_response(msg)
        else:
            self.transport.close()

    def _cut(self, answer: bytes) -> None:
        if self._owes_nothing():
            self.transport.write(answer)
        self.transport.close()

    def _owes_nothing(self) -> bool:
        """Return whether what is written now cannot be taken for the answer to an earlier request."""
        return not self.transport.is_closing() and (self.cycle is None or self.cycle.response_complete)
