"""A shop's web process within the test's own: the real server, protocol and application, without its lifespan."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn

from tidegate.app.api.hot import Front
from tidegate.app.api.wire import Wire


@asynccontextmanager
async def served(front: Front) -> AsyncIterator[int]:
    """Serve on a free port, which is given, until the end."""
    config = uvicorn.Config(
        front,
        interface="asgi3",
        http=Wire,
        lifespan="off",
        log_config=None,
        proxy_headers=False,
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server.serve([listening]))
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            await serving
