"""Attack mode on a whole installation: on under a real flood, while orders go on, and off again after it."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from threading import Event

import httpx
import pytest

from tests.live import Live, installation, until
from tidegate.app.compose import opened
from tidegate.trust.identity.contracts import Role

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("flood")]

PATIENCE_SECONDS = 90.0
LOOK_SECONDS = 0.5
"""Asking more often would itself be above the threshold to stop."""
MINIMUM_STAY_SECONDS = 10
PASSWORD = "a long phrase of the tests"
DEFENCES = """
[[defence]]
name = "scanners"
starts = "static_only"
trigger = { signal = "requests", start_at = 20, stop_below = 5 }
second = { signal = "failures", start_at = "30 %", stop_below = "10 %" }
window = "5 s"
minimum_stay = "10 s"
expires = "10 min"
"""


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    for file in (files("tidegate.offer.campaign") / "template").iterdir():
        if "." in file.name:
            (tmp_path / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    festival = tmp_path / "festival.toml"
    festival.write_text(festival.read_text(encoding="utf-8") + DEFENCES, encoding="utf-8")
    with installation(festival) as live:
        yield live


def _flood(url: str, over: Event) -> None:
    """Look for holes, as scanners do; four of them ask for up to a hundred wrong addresses a second."""
    with httpx.Client(base_url=url) as client:
        while not over.is_set():
            client.get("/wp-login.php")
            time.sleep(0.04)


async def _add_officer(live: Live) -> None:
    async with opened(live.supervisor.config) as app, app.db.transaction() as tx:
        await app.identity.add_staff(tx, "officer", Role.RISK, PASSWORD)


def test_it_comes_on_by_itself_and_goes_off_when_the_flood_ends(live: Live) -> None:
    asyncio.run(_add_officer(live))
    over = Event()
    with httpx.Client(base_url=live.url) as client, ThreadPoolExecutor(4) as pool:
        assert client.post("/api/v1/staff/sessions", json={"name": "officer", "password": PASSWORD}).status_code == 201

        def search() -> int:
            return client.get("/search?q=kettle").status_code

        assert search() == 200
        floods = [pool.submit(_flood, live.url, over) for _ in range(4)]
        try:
            until(lambda: search() == 503, seconds=PATIENCE_SECONDS, every=LOOK_SECONDS)
            assert client.get("/").status_code == 200
            assert client.get("/sign-in").status_code == 200
            assert client.post("/api/v1/orders", json={}).status_code == 401
            [status] = client.get("/api/v1/defences").json()
            assert status["on"] is True
            # The flood now gets 503 instead of 404: what a defence holds off is not taken for calm.
            for _ in range(MINIMUM_STAY_SECONDS + 5):
                assert search() == 503
                time.sleep(1)
        finally:
            over.set()
        for flood in floods:
            flood.result()
        until(lambda: search() == 200, seconds=PATIENCE_SECONDS, every=LOOK_SECONDS)
        ended, started = client.get("/api/v1/defences/record").json()
    assert (started["happening"], started["why"]) == ("started", "signals")
    assert started["signals"]["requests"] >= 20
    assert started["signals"]["failures"] >= 3_000
    assert (ended["happening"], ended["why"]) == ("ended", "calm")
