"""A line through bad minutes: answers lost, Valkey and worker killed, over the opening. No place lost, none twice."""

import asyncio
import os
import signal
from datetime import UTC, datetime, timedelta

import httpx
import msgspec
import pytest

from tests.faults.flood import settings
from tests.faults.polling import Polls
from tests.gate.queue.rooms import ROOM, Shopper, shoppers
from tests.offer.festivals import definition, offer
from tidegate.app.compose import App, opened
from tidegate.app.publication import PublicationDesk
from tidegate.app.supervisor import Supervisor, festival
from tidegate.gate.queue.contracts import PLACE_HEADER, QueueState
from tidegate.offer.campaign.contracts import CampaignDefinition

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("flood")]

_CROWD = 60
_CAP = 8
_OPENS_AFTER = timedelta(seconds=25)
_PATIENCE_SECONDS = 60
_POLLS = 100_000
"""The benchmark sends a million (`bench/waiting.py`)."""


def _drop() -> CampaignDefinition:
    """A campaign that opens in half a minute, with its line open now and sealed in between."""
    start = datetime.now(UTC) + _OPENS_AFTER
    room = msgspec.structs.replace(
        ROOM,
        opens_at=start - timedelta(minutes=30),
        seals_at=start - timedelta(seconds=6),
        cap=_CAP,
        per_minute=6_000,
    )
    return msgspec.structs.replace(definition([offer("A", quota=1_000)], start=start), waiting_room=room)


def _headers(shopper: Shopper, place: str | None = None) -> dict[str, str]:
    signed_in = {"Authorization": f"Bearer {shopper.session.token}"}
    return {**signed_in, PLACE_HEADER: place} if place else signed_in


async def _take(client: httpx.AsyncClient, shopper: Shopper) -> str:
    """Take a place, again and again until there is an answer; the first answer is given up before it can come."""
    patience = 0.002
    while True:
        try:
            answer = await client.post("/api/v1/places", json={}, headers=_headers(shopper), timeout=patience)
            if answer.status_code == 201:
                return str(answer.json()["token"])
        except httpx.TransportError:
            pass
        patience = 10.0
        await asyncio.sleep(0.2)


async def _state(client: httpx.AsyncClient) -> QueueState | None:
    answer = await client.get("/api/v1/queue")
    return QueueState(answer.json()["state"]) if answer.status_code == 200 else None


async def _until(client: httpx.AsyncClient, state: QueueState) -> None:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while await _state(client) is not state:
            await asyncio.sleep(0.1)


async def _in_and_out(client: httpx.AsyncClient, shopper: Shopper, place: str) -> None:
    """Ask until let in, stay for a moment, leave."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while (await client.post("/api/v1/passes", headers=_headers(shopper, place))).status_code != 201:
            await asyncio.sleep(0.4)
    await asyncio.sleep(0.2)
    left = await client.delete("/api/v1/places/current", headers=_headers(shopper, place))
    assert left.status_code == 204


def _kill(pid: int | None) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


async def test_a_line_outlives_lost_answers_and_killed_components() -> None:
    with settings() as config:
        async with (
            festival(config) as supervisor,
            opened(supervisor.config) as app,
            httpx.AsyncClient(base_url=config.public_url, timeout=15) as client,
        ):
            drop = _drop()
            await PublicationDesk(app).publish(drop, "test")
            await app.refresh()
            crowd = await shoppers(app, _CROWD)
            await _until(client, QueueState.GATHERING)
            places = await _through_the_pre_queue(client, supervisor, crowd)
            await _until(client, QueueState.OPEN)
            visits = [
                asyncio.create_task(_in_and_out(client, shopper, place))
                for shopper, place in zip(crowd, places, strict=True)
            ]
            await asyncio.sleep(1)
            _kill(supervisor.process("worker").pid)
            _kill(supervisor.servers[1].pid)
            await asyncio.gather(*visits)
            await _agrees(app, drop)


async def test_a_hundred_thousand_polls_through_killed_web_and_valkey_lose_no_place() -> None:
    """The crowd polls without a pause while the web process and Valkey are killed again and again, over the opening."""
    with settings() as config:
        async with (
            festival(config) as supervisor,
            opened(supervisor.config) as app,
            httpx.AsyncClient(base_url=config.public_url, timeout=15) as client,
        ):
            drop = _drop()
            await PublicationDesk(app).publish(drop, "test")
            await app.refresh()
            crowd = await shoppers(app, _CROWD)
            await _until(client, QueueState.GATHERING)
            places = await asyncio.gather(*[_take(client, shopper) for shopper in crowd])
            polls = Polls(config.public_url, [_headers(*each) for each in zip(crowd, places, strict=True)])
            polling = asyncio.create_task(polls.run())
            for part in (1, 3):
                await polls.until(_POLLS * part // 5, _PATIENCE_SECONDS)
                _kill(supervisor.process("web").pid)
                await polls.until(_POLLS * (part + 1) // 5, _PATIENCE_SECONDS)
                _kill(supervisor.servers[1].pid)
            await polls.until(_POLLS, _PATIENCE_SECONDS)
            polls.calm = True
            assert await asyncio.gather(*[_take(client, shopper) for shopper in crowd]) == places
            await _until(client, QueueState.OPEN)
            _kill(supervisor.process("web").pid)
            entering = [_in_twice_at_once(client, shopper, place) for shopper, place in zip(crowd, places, strict=True)]
            await asyncio.gather(*entering)
            polls.over = True
            await polling
            assert polls.odd == set()
            await _agrees(app, drop)


async def _in_twice_at_once(client: httpx.AsyncClient, shopper: Shopper, place: str) -> None:
    """Ask for a pass twice at a time until let in, and leave: however often one asks, one entry comes of it."""

    async def ask() -> int:
        try:
            return (await client.post("/api/v1/passes", headers=_headers(shopper, place))).status_code
        except httpx.TransportError:
            return 0

    async with asyncio.timeout(_PATIENCE_SECONDS):
        while 201 not in await asyncio.gather(ask(), ask()):
            await asyncio.sleep(0.3)
        while (await _left(client, shopper, place)) != 204:
            await asyncio.sleep(0.1)


async def _left(client: httpx.AsyncClient, shopper: Shopper, place: str) -> int:
    try:
        return (await client.delete("/api/v1/places/current", headers=_headers(shopper, place))).status_code
    except httpx.TransportError:
        return 0


async def _through_the_pre_queue(client: httpx.AsyncClient, supervisor: Supervisor, crowd: list[Shopper]) -> list[str]:
    """Take places while Valkey dies, and again after it; then kill the worker before it has sealed the list."""
    taking = [asyncio.create_task(_take(client, shopper)) for shopper in crowd]
    _kill(supervisor.servers[1].pid)
    places = await asyncio.gather(*taking)
    assert await asyncio.gather(*[_take(client, shopper) for shopper in crowd]) == places
    _kill(supervisor.process("worker").pid)
    await _until(client, QueueState.SEALED)
    assert await asyncio.gather(*[_take(client, shopper) for shopper in crowd]) == places
    return places


async def _agrees(app: App, drop: CampaignDefinition) -> None:
    """Each place was used once, never more were inside than the cap, and the draw and its order can be recomputed."""
    async with app.db.read() as tx:
        found = await app.queue.verify(tx, drop.id)
        checks = await app.queue.check(tx)
        row = await (
            await tx.execute(
                "select count(*), count(distinct serial), count(distinct account_id), max(inside_then),"
                " (select count(*) from queue.place) from queue.entry where entered_at is not null"
            )
        ).fetchone()
    assert [each.name for each in found.findings if not each.holds] == []
    assert [each.name for each in checks if not each.holds] == []
    assert row is not None
    entered, serials, accounts, inside_most, places = row
    assert (entered, serials, accounts, places) == (_CROWD, _CROWD, _CROWD, _CROWD)
    assert inside_most <= _CAP
