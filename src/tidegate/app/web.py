"""`tidegate web`: Granian serving the application."""

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops, SSLProtocols
from granian.http import HTTP1Settings, HTTP2Settings

from tidegate.base.config import Config

_BACKLOG = 4096
_HEADER_SECONDS = 5
"""For a request's whole head, counted from the end of the request before: also how long an idle connection is kept."""
_HEAD_BYTES_MAX = 64 * 1024
_STREAMS_MAX = 100
_PING_SECONDS = 15
_PING_ANSWER_SECONDS = 10


def serve(config: Config) -> None:
    """Serve until a signal ends the process; with a certificate, TLS 1.3 and nothing older, HTTP/2 where asked for."""
    Granian(
        "tidegate.app.api.application:application",
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
        http1_settings=HTTP1Settings(header_read_timeout=_HEADER_SECONDS * 1000, max_buffer_size=_HEAD_BYTES_MAX),
        http2_settings=HTTP2Settings(
            max_headers_size=_HEAD_BYTES_MAX,
            max_concurrent_streams=_STREAMS_MAX,
            keep_alive_interval=_PING_SECONDS * 1000,
            keep_alive_timeout=_PING_ANSWER_SECONDS,
        ),
        ssl_cert=config.tls_cert,
        ssl_key=config.tls_key,
        ssl_protocol_min=SSLProtocols.tls13,
        log_access=False,
    ).serve()
