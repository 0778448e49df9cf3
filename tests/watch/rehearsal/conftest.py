"""A whole running installation for rehearsals: every process of it, on servers and ports of its own."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.ports import installation_port

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


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    """The whole installation, stopped after the test."""
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    port = installation_port()
    environment = {
        "TIDEGATE_DATA_DIR": str(data_dir),
        "TIDEGATE_PORT": str(port),
        "TIDEGATE_HOLD_SECONDS": "20",
        "TIDEGATE_TRUSTED_PROXIES": "127.0.0.1",
    }
    async with festival(Config.from_env(environment)) as supervisor, opened(supervisor.config) as app:
        yield Running(app, rehearsal_of(app), f"http://127.0.0.1:{port}")
