"""A whole running installation for rehearsals: every process of it, on servers and ports of its own."""

import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tidegate.app.compose import App, opened
from tidegate.app.demo.wiring import rehearsal_of
from tidegate.app.supervisor import festival
from tidegate.base.config import Config
from tidegate.watch.rehearsal.api import Rehearsal


@dataclass(frozen=True)
class Running:
    """The installation, its rehearsal, and where its shop answers."""

    app: App
    rehearsal: Rehearsal
    url: str


def free_port() -> int:
    """Return a port that is free together with those of the sandbox channels beside it."""
    for port in range(21_000, 30_000, 10):
        if all(_is_free(port + offset) for offset in (0, 1, 2, 101, 102)):
            return port
    raise AssertionError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    """The whole installation, stopped after the test."""
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    port = free_port()
    environment = {"TIDEGATE_DATA_DIR": str(data_dir), "TIDEGATE_PORT": str(port), "TIDEGATE_HOLD_SECONDS": "20"}
    async with festival(Config.from_env(environment)) as supervisor, opened(supervisor.config) as app:
        yield Running(app, rehearsal_of(app), f"http://127.0.0.1:{port}")
