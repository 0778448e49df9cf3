"""Runs the channel: two listeners in one process, so that the merchant's one can be closed for an outage."""

import asyncio
import contextlib
import signal
from pathlib import Path

from granian.constants import Interfaces
from granian.server.embed import Server

from tidegate.app.sandbox_channel.channel import SandboxChannel
from tidegate.app.sandbox_channel.contracts import Faults
from tidegate.app.sandbox_channel.wire import AdminDoor, MerchantDoor

_HOST = "127.0.0.1"
_ANEW_SECONDS = 0.005


class _Listener:
    """A port that can be opened and closed; closed, it refuses connections."""

    def __init__(self, app: object, port: int) -> None:
        self._app = app
        self._port = port
        self._server: Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Return when it takes connections, or was closed meanwhile."""
        if self._task is None:
            self._server = Server(
                self._app, address=_HOST, port=self._port, interface=Interfaces.ASGINL, log_enabled=False, backlog=1024
            )
            self._task = asyncio.get_running_loop().create_task(self._server.serve())
            while self._task and not await self._taken():  # noqa: ASYNC110  the server says to nobody that it listens
                await asyncio.sleep(_ANEW_SECONDS)

    async def _taken(self) -> bool:
        """Whether a connection is taken; raises what kept the server from it."""
        if self._task and self._task.done():
            await self._task
        try:
            _, connection = await asyncio.open_connection(_HOST, self._port)
        except OSError:
            return False
        connection.close()
        return True

    async def close(self) -> None:
        if self._task is not None and self._server is not None:
            self._server.stop()  # type: ignore[no-untyped-call]
            await self._task
            self._server = self._task = None


async def serve(name: str, port: int, admin_port: int, secret: bytes, data: Path) -> None:
    """Serve until SIGTERM or SIGINT."""
    channel = SandboxChannel(name, secret, data)
    merchant = _Listener(MerchantDoor(channel, secret), port)

    async def order(faults: Faults) -> None:
        channel.faults = faults
        await (merchant.close() if faults.outage == "refused" else merchant.open())

    admin = _Listener(AdminDoor(channel, order), admin_port)
    await channel.start()
    await merchant.open()
    await admin.open()
    await _stopped()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(5):
            await merchant.close()
            await admin.close()
    await channel.stop()


async def _stopped() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
