"""`tidegate web`: Granian serving the application."""

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings

from tidegate.base.config import Config

_BACKLOG = 4096
_HEADER_SECONDS = 5


def serve(config: Config) -> None:
    """Serve until a signal ends the process."""
    Granian(
        "tidegate.app.api.application:application",
        factory=True,
        address=config.host,
        port=config.port,
        interface=Interfaces.ASGI,
        http=HTTPModes.auto,
        loop=Loops.uvloop,
        workers=config.web_workers,
        backlog=_BACKLOG,
        backpressure=_BACKLOG,
        websockets=False,
        respawn_failed_workers=True,
        http1_settings=HTTP1Settings(header_read_timeout=_HEADER_SECONDS * 1000),
        log_access=False,
    ).serve()
