"""`tidegate web`: the server before the application."""

from contextlib import suppress

import uvicorn
from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops, SSLProtocols
from granian.http import HTTP1Settings, HTTP2Settings

from tidegate.app.api.wire import HEAD_BYTES_MAX, HEAD_SECONDS, Wire
from tidegate.base.config import Config

_APPLICATION = "tidegate.app.api.application:application"
_BACKLOG = 4096
_STREAMS_MAX = 100
_PING_SECONDS = 15
_PING_ANSWER_SECONDS = 10
_LAST_REQUESTS_SECONDS = 10


def serve(config: Config) -> None:
    """Serve until a signal ends the process; with a certificate, TLS 1.3 and nothing older, HTTP/2 where asked for.

    Plain HTTP, as it comes from a proxy, is served by one process in its event loop's own thread, which is what a flood
    needs; TLS, HTTP/2 and more than one process by Granian, whose threads stand beside the loop.
    """
    if config.tls_cert or config.web_workers > 1:
        _serve_beside(config)
    else:
        _serve_plain(config)


def _serve_plain(config: Config) -> None:
    settings = uvicorn.Config(
        _APPLICATION,
        factory=True,
        host=config.host,
        port=config.port,
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
    )
    listening = settings.bind_socket()  # of both families where the host is ::, which the event loop's own is not
    with suppress(KeyboardInterrupt):
        uvicorn.Server(settings).run(sockets=[listening])


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
