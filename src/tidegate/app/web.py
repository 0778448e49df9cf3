"""`tidegate web`: the server before the application."""

import multiprocessing
import signal
import socket
import struct
from contextlib import suppress
from functools import partial

import uvicorn
from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops, SSLProtocols
from granian.http import HTTP1Settings, HTTP2Settings
from uvicorn.supervisors import Multiprocess

from tidegate.app.api.wire import HEAD_BYTES_MAX, HEAD_SECONDS, Wire
from tidegate.base.config import Config
from tidegate.base.metrics import accept_queue

_APPLICATION = "tidegate.app.api.application:application"
_BACKLOG = 4096
_ACCEPTED_A_TURN = 32
"""Connections that a turn of all event loops accepts at most: they listen under so many descriptors of one socket, an
equal share each, so that no process takes all who come together.

libuv, since 1.45, accepts one a turn of each (libuv/libuv#3696). While turns took ten milliseconds, new visitors stood
in the kernel's queue for seconds, and nothing here could see it.
"""
_STREAMS_MAX = 100
_PING_SECONDS = 15
_PING_ANSWER_SECONDS = 10
_LAST_REQUESTS_SECONDS = 10
_UNACKED = struct.Struct("=8x4I I").unpack_from
"""The beginning of Linux's tcp_info, up to tcpi_unacked: of a socket that listens, who is in its queue."""


def serve(config: Config) -> None:
    """Serve until a signal ends the process; with a certificate, TLS 1.3 and nothing older, HTTP/2 where asked for.

    Plain HTTP, as it comes from a proxy, is served in the event loop's own thread of each process, which is what a
    flood needs; TLS and HTTP/2 by Granian, whose threads stand beside the loop.
    """
    if config.tls_cert:
        _serve_beside(config)
    else:
        _serve_plain(config)


def _serve_plain(config: Config) -> None:
    settings = uvicorn.Config(
        _APPLICATION,
        factory=True,
        host=config.host,
        port=config.port,
        workers=config.web_workers,
        interface="asgi3",
        http=Wire,
        ws="none",
        loop="uvloop",
        lifespan="on",
        backlog=_BACKLOG,
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="error",
        timeout_graceful_shutdown=_LAST_REQUESTS_SECONDS,
        timeout_notify=1,
    )
    listening = settings.bind_socket()  # of both families where the host is ::, which the event loop's own is not
    settings.callback_notify = partial(_each_second, listening, config.port)
    doors = doors_of(listening, max(_ACCEPTED_A_TURN // config.web_workers, 1))
    if config.web_workers > 1:
        Multiprocess(settings, sockets=doors).run()
        return
    with suppress(KeyboardInterrupt):
        uvicorn.Server(settings).run(sockets=doors)


def doors_of(listening: socket.socket, count: int) -> list[socket.socket]:
    """Return `count` descriptors under which an event loop listens; the queue of who comes is one."""
    return [listening, *(listening.dup() for _ in range(count - 1))]


def not_accepted(listening: socket.socket) -> int | None:
    """Return how many connections are made and stand in the kernel's queue; None where the system does not tell."""
    if not hasattr(socket, "TCP_INFO"):
        return None
    return int(_UNACKED(listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 64))[-1])


async def _each_second(listening: socket.socket, port: int) -> None:
    """Count who stands outside; end this process in order when the one that began it was killed: nobody else would."""
    waiting = not_accepted(listening)
    if waiting is not None:
        accept_queue.labels(str(port)).set(waiting)
    parent = multiprocessing.parent_process()
    if parent is not None and not parent.is_alive():
        signal.raise_signal(signal.SIGTERM)


def _serve_beside(config: Config) -> None:
    Granian(
        _APPLICATION,
        factory=True,
        address=config.host,
        port=config.port,
        interface=Interfaces.ASGI,
        # Without TLS no browser speaks HTTP/2, and to find out which one it is the server would wait without an end.
        http=HTTPModes.auto if config.tls_cert else HTTPModes.http1,
        loop=Loops.uvloop,
        workers=config.web_workers,
        backlog=_BACKLOG,
        backpressure=_BACKLOG,
        websockets=False,
        respawn_failed_workers=True,
        http1_settings=HTTP1Settings(header_read_timeout=int(HEAD_SECONDS * 1000), max_buffer_size=HEAD_BYTES_MAX),
        http2_settings=HTTP2Settings(
            max_headers_size=HEAD_BYTES_MAX,
            max_concurrent_streams=_STREAMS_MAX,
            keep_alive_interval=_PING_SECONDS * 1000,
            keep_alive_timeout=_PING_ANSWER_SECONDS,
        ),
        ssl_cert=config.tls_cert,
        ssl_key=config.tls_key,
        ssl_protocol_min=SSLProtocols.tls13,
        log_access=False,
    ).serve()
