"""A whole installation as processes, for tests that speak to it from outside: web, worker, channels, servers."""

import asyncio
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tests.ports import installation_port
from tidegate.app.supervisor import Supervisor, festival
from tidegate.app.up import prepare
from tidegate.base.config import Config


class Live(msgspec.Struct, frozen=True):
    """Where it is reached, and the staff's password."""

    url: str
    password: str
    supervisor: Supervisor


@contextmanager
def installation(campaign: Path | None = None, settings: Mapping[str, str] | None = None) -> Iterator[Live]:
    """Run a whole installation on a data folder of its own; its event loop lives in a thread beside the test."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    with tempfile.TemporaryDirectory(prefix="tidegate-live-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        own = {"TIDEGATE_DATA_DIR": folder, "TIDEGATE_PORT": str(installation_port())}
        config = Config.from_env({**own, **(settings or {})})
        running = festival(config)
        try:
            supervisor = asyncio.run_coroutine_threadsafe(running.__aenter__(), loop).result(120)
            password = asyncio.run_coroutine_threadsafe(prepare(supervisor, campaign), loop).result(60)
            yield Live(url=supervisor.config.public_url, password=password, supervisor=supervisor)
        finally:
            asyncio.run_coroutine_threadsafe(running.__aexit__(None, None, None), loop).result(60)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(10)
            loop.close()


def until(holds: Callable[[], bool], *, seconds: float = 60, every: float = 0.1) -> None:
    """Look again and again, every so many seconds, until it holds."""
    ends_at = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends_at, "it never came to that"
        time.sleep(every)
