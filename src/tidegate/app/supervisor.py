"""`tidegate up`: starts every process of a festival on one machine, keeps them running, and stops them in order.

A process that dies is started again within a second; the embedded servers too. What was promised is in PostgreSQL, so
any of them may be killed at any moment.
"""

import asyncio
import fcntl
import logging
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

import httpx
import msgspec

from tidegate.app.process import Process, end_leftover
from tidegate.base.config import Config
from tidegate.base.db import Database
from tidegate.base.embedded.postgres import EmbeddedPostgres
from tidegate.base.embedded.process import ServerFault
from tidegate.base.embedded.servers import Server, embedded_servers, located
from tidegate.base.embedded.valkey import EmbeddedValkey
from tidegate.base.migration import migrate

log = logging.getLogger(__name__)

_LOCK = "festival.lock"
_WATCH_SECONDS = 0.5
_READY_SECONDS = 60
_FREE_TRIES = 20


class NotReady(RuntimeError):
    """The festival did not become ready in time; the message says which log to read."""


class Supervisor:
    """All processes of an installation on this machine."""

    def __init__(self, config: Config, *, worker: bool = True) -> None:
        self.config = located(config)
        self.servers: list[Server] = embedded_servers(config)
        self.processes = self._processes(worker=worker)
        self._owned: list[Server] = []
        self._claimed = (self.config.data_dir / _LOCK).open("a")

    def process(self, name: str) -> Process:
        """Return the process called `name`: web, worker, or a sandbox channel's."""
        return next(process for process in self.processes if process.name == name)

    async def start(self) -> None:
        """Start servers, migrate, start processes, and wait until the web process answers.

        Raises NotReady when it does not within a minute, or when a festival runs on this data folder already;
        ServerFault when an embedded server does not start.
        """
        _claim(self._claimed, self.config.data_dir)
        for process in self.processes:
            await asyncio.to_thread(process.end_leftover)
        await _require_free(self.config.host, self.config.port)
        _forget_metrics(self.config)
        for server in self.servers:  # one that a supervisor left running when it was killed is this one's, too
            await asyncio.to_thread(server.start)
            self._owned.append(server)
        assert self.config.database_url is not None
        await migrate(Database(self.config.database_url))
        for process in self.processes:
            process.start()
        await self._until_ready()

    async def watch(self) -> None:
        """Keep everything running, for ever."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            for server in self.servers:
                if server.pid is None:
                    await self._revive(server)
            for process in self.processes:
                process.revive()

    async def _revive(self, server: Server) -> None:
        log.warning("%s is gone and is started again", type(server).__name__)
        try:
            await asyncio.to_thread(server.start)
        except ServerFault as fault:
            log.error("%s It is tried again.", fault)  # noqa: TRY400  the sentence says it all

    async def stop(self) -> None:
        """Stop processes first, then the servers; everything committed stays."""
        await asyncio.gather(*[asyncio.to_thread(process.stop) for process in self.processes])
        for server in reversed(self._owned):
            await asyncio.to_thread(server.stop)
        self._claimed.close()

    def _processes(self, *, worker: bool) -> list[Process]:
        config = self.config
        logs = config.data_dir / "log"
        logs.mkdir(parents=True, exist_ok=True)
        environment = _environment(config)
        tidegate = [sys.executable, "-m", "tidegate"]
        channels = [
            Process(
                channel.name,
                [sys.executable, "-m", "tidegate.app.sandbox_channel", "--name", channel.name,
                 "--port", str(urlsplit(channel.url).port),
                 "--data", str(config.data_dir / "channels" / channel.name)],
                {**environment, "TIDEGATE_SANDBOX_SECRET": channel.secret},
                logs / f"{channel.name}.log",
            )
            for channel in config.channels
            if urlsplit(channel.url).hostname == "127.0.0.1"
        ]  # fmt: skip
        work = [Process("worker", [*tidegate, "worker"], environment, logs / "worker.log")] if worker else []
        web = Process("web", [*tidegate, "web"], environment, logs / "web.log")
        return [*channels, *work, web]

    async def _until_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        async with web_client(self.config) as client:
            while time.monotonic() < deadline:
                try:
                    if (await client.get("/health/ready")).status_code == 200:
                        return
                except httpx.HTTPError:
                    pass
                await asyncio.sleep(0.1)
        raise NotReady(
            f"The shop was not ready at {self.config.host}:{self.config.port} within {_READY_SECONDS} s; "
            f"see {self.process('web').log_file}."
        )


def _claim(lock: TextIO, data_dir: Path) -> None:
    """Hold a data folder: two that keep the same processes running would fight over their ports. Raises NotReady."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise NotReady(
            f"A festival runs already on {data_dir}. Nothing was started. "
            "Stop that one first, or set TIDEGATE_DATA_DIR to another folder."
        ) from None


@contextmanager
def vacated(data_dir: Path) -> Iterator[None]:
    """Hold a data folder on which nothing runs any more: what a supervisor that was killed left there is ended.

    Raises NotReady where a festival runs.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / _LOCK).open("a") as lock:
        _claim(lock, data_dir)
        for pid_file in (data_dir / "log").glob("*.pid"):
            end_leftover(pid_file)
        for server in (EmbeddedValkey(data_dir), EmbeddedPostgres(data_dir)):
            if server.pid is not None:
                server.stop()
        yield


def ending_signals() -> list[signal.Signals]:
    """Return what ends a festival in order beside Ctrl-C: a request, and a closed terminal, except under nohup."""
    return [each for each in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(each) is not signal.SIG_IGN]


def web_client(config: Config) -> httpx.AsyncClient:
    """Return a client of the web process itself, past any proxy or CDN that the public address leads to."""
    scheme = "https" if config.tls_cert else "http"
    # The certificate names the shop, not this address; that our own process answers is all that is asked of it.
    return httpx.AsyncClient(base_url=f"{scheme}://{config.authority}", timeout=2, verify=False)  # noqa: S501


async def _require_free(host: str, port: int) -> None:
    """Raise NotReady when somebody listens there: the web process would share the port and get half of the visitors.

    Whoever is about to leave it is waited for, two seconds.
    """
    for _ in range(_FREE_TRIES):
        fault = _fault_of_listening(host, port)
        if fault is None:
            return
        await asyncio.sleep(0.1)
    raise NotReady(
        f"Port {port} on {host} cannot be used ({fault}). Nothing was started. "
        "Stop what listens there, or set TIDEGATE_PORT to another port."
    )


def _fault_of_listening(host: str, port: int) -> str | None:
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as fault:
        return fault.strerror or str(fault)
    return None


def _environment(config: Config) -> dict[str, str]:
    """Return the environment of the processes: ours, with all addresses, and a folder for shared metrics."""
    return {
        **os.environ,
        "TIDEGATE_DATA_DIR": str(config.data_dir),
        "TIDEGATE_DATABASE_URL": config.database_url or "",
        "TIDEGATE_REPLICA_URL": config.replica_url or "",
        "TIDEGATE_CACHE_URL": config.cache_url or "",
        "TIDEGATE_SMS": config.sms,
        "TIDEGATE_SMS_URL": config.sms_url,
        "TIDEGATE_SMS_SECRET": config.sms_secret,
        "TIDEGATE_HOST": config.host,
        "TIDEGATE_PORT": str(config.port),
        "TIDEGATE_PUBLIC_URL": config.public_url,
        "TIDEGATE_CHANNELS": msgspec.json.encode(config.channels).decode(),
        "TIDEGATE_HOLD_SECONDS": str(config.hold_seconds or 0),
        "TIDEGATE_WAIT_TARGET_MS": str(config.wait_target_ms or 0),
        "TIDEGATE_WEB_WORKERS": str(config.web_workers),
        "TIDEGATE_TLS_CERT": str(config.tls_cert or ""),
        "TIDEGATE_TLS_KEY": str(config.tls_key or ""),
        "TIDEGATE_TRUSTED_PROXIES": ",".join(config.trusted_proxies),
        "TIDEGATE_DEFENCE_HOOK_URL": config.defence_hook_url,
        "TIDEGATE_DEFENCE_HOOK_SECRET": config.defence_hook_secret,
        "TIDEGATE_EDGE_URLS": ",".join(config.edge_urls),
        "TIDEGATE_EDGE_PURGE": config.edge_purge,
        "TIDEGATE_EDGE_PURGE_URL": config.edge_purge_url,
        "TIDEGATE_EDGE_PURGE_TOKEN": config.edge_purge_token,
        "PROMETHEUS_MULTIPROC_DIR": str(_metrics(config)),
    }


def _metrics(config: Config) -> Path:
    return config.data_dir / "metrics"


def _forget_metrics(config: Config) -> None:
    shutil.rmtree(_metrics(config), ignore_errors=True)
    _metrics(config).mkdir(parents=True)


@asynccontextmanager
async def festival(config: Config, *, worker: bool = True) -> AsyncIterator[Supervisor]:
    """Give a running installation that keeps itself running, and stop it at the end."""
    supervisor = Supervisor(config, worker=worker)
    watching: asyncio.Task[None] | None = None
    try:
        await supervisor.start()
        watching = asyncio.create_task(supervisor.watch())
        yield supervisor
    finally:
        if watching is not None:
            watching.cancel()
        await supervisor.stop()
