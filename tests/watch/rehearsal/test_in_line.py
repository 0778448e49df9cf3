"""Simulated shoppers in the waiting room of the real system: a crowd with a bot farm, and work where it is asked."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx
import msgspec
import pytest
from tests.watch.rehearsal.conftest import Running
from tests.watch.rehearsal.test_replay import Silent

from tidegate.app.demo.room import PER_NETWORK, Line, with_line
from tidegate.app.publication import PublicationDesk
from tidegate.app.up import example_file
from tidegate.gate.defence.contracts import StartDefence
from tidegate.offer.campaign.api import Waiver
from tidegate.offer.campaign.commands import load_definition
from tidegate.offer.campaign.contracts import CampaignDefinition, Defence, DefenceRule, Signal, Threshold
from tidegate.offer.campaign.errors import PublicationStopped
from tidegate.trust.identity.contracts import Role
from tidegate.watch.rehearsal.contracts import BotFarm, FloodPlan, FloodReport, Group, Journey, LinePlan
from tidegate.watch.rehearsal.in_line import Edge, InLine, Manner

FARM = BotFarm(accounts=12, persons=6, networks=1)
LINE = Line(cap=40, per_minute=1_200, ramp_seconds=0, claim_seconds=10, pass_seconds=30)
SOONER = Waiver(law="cn-ecommerce-34", by="test", reason="The sale ends sooner where it opens sooner.")
RULE = DefenceRule(
    name="flood",
    starts=Defence.WORK_FOR_ALL,
    trigger=Threshold(signal=Signal.REQUESTS, start_at=1_000_000, stop_below=1),
    second=Threshold(signal=Signal.FAILURES, start_at=10_000, stop_below=1),
    window_seconds=5,
    stay_seconds=10,
    expiry_seconds=600,
)


async def opened_at(running: Running, seconds: float, **changes: Any) -> CampaignDefinition:
    """Publish the example behind a line whose sale opens in so many seconds; return when the shop shows it."""
    now = datetime.now(UTC)
    opening = (now + timedelta(seconds=seconds)).isoformat()
    definition = with_line(load_definition(example_file(), now=now, start=opening), LINE, now)
    definition = msgspec.structs.replace(definition, **changes)
    desk = PublicationDesk(running.app)
    try:
        await desk.publish(definition, "test")
    except PublicationStopped:  # on a slow machine its end, which comes sooner too, is less than a week away by now
        await desk.publish(definition, "test", [SOONER])
    async with running.app.db.read() as tx:
        await running.app.campaign.refresh(tx)
    async with httpx.AsyncClient(base_url=running.url) as client:
        for _ in range(200):
            if (await client.get("/api/v1/queue")).status_code == 200:
                return definition
            await asyncio.sleep(0.1)
    raise AssertionError("the line did not open")


@pytest.mark.slow
async def test_a_crowd_with_a_bot_farm_in_it_comes_through_the_line(running: Running) -> None:
    plan, report = await flooded(running)
    report = await running.rehearsal.reckon(plan, report)
    assert [(each.name, each.failures) for each in report.latencies if each.failures] == []
    groups = {each.group: each for each in report.groups}
    assert sum(each.accounts for each in report.groups) == plan.shoppers == 52
    farm = groups[Group.FARM]
    assert (farm.accounts, farm.persons, farm.suspected) == (12, 6, 12)
    assert PER_NETWORK <= farm.placed < farm.accounts, "one network has so many at a time; a place that ended is free"
    assert farm.refused_share == pytest.approx(1 - farm.placed / farm.accounts)
    assert groups[Group.SHOPPER].entered > 0
    assert groups[Group.SHOPPER].orders > 0
    assert sum(each.orders for each in report.groups) == report.outcomes["placed"]
    assert groups[Group.SHOPPER].refused_share == 0.0
    checks = [*running.rehearsal.check_groups(report), *await running.rehearsal.check_journal(Path(report.journal))]
    assert [check.detail for check in checks if not check.holds] == []
    async with running.app.db.snapshot() as tx:
        assert (await running.app.queue.verify(tx, "double-11")).holds
        assert [check.name for check in await running.app.queue.check(tx) if not check.holds] == []


async def flooded(running: Running) -> tuple[FloodPlan, FloodReport]:
    """Send a flood; the sale opens as soon as enough stand in line, however long a busy machine takes for that."""
    await opened_at(running, 600)
    plan = await running.rehearsal.prepare_flood(running.url, 40, 30, Silent(), farm=FARM)
    assert plan.line is not None
    comes_at = datetime.now(UTC) + timedelta(seconds=4)
    quick = msgspec.structs.replace(plan.line, poll_seconds=(0.5, 1.0), early_share=0.9, opens_at=comes_at)
    plan = msgspec.structs.replace(plan, pause_seconds=(0.2, 1.0), search_share=0.1, line=quick, opens_at=comes_at)
    flood = asyncio.create_task(running.rehearsal.flood(plan, lambda _: None))
    await standing(running, 30)
    await opened_at(running, 4)
    return plan, await flood


async def standing(running: Running, places: int) -> None:
    """Wait until so many places are taken."""
    async with asyncio.timeout(60):
        while True:
            async with running.app.db.read() as tx:
                if (await running.app.queue.figures(tx)).places >= places:
                    return
            await asyncio.sleep(0.1)


@pytest.mark.slow
async def test_a_shopper_does_the_work_where_it_is_asked_for(running: Running) -> None:
    definition = await opened_at(running, 60, defences=(RULE,))
    assert definition.waiting_room is not None
    (one, other), _ = await running.rehearsal._opening.open(2)
    await work_is_asked_for(running, other.token)
    sent: list[str] = []
    line = InLine(
        LinePlan(wanted_sku="PHN-1010", opens_at=definition.waiting_room.seals_at, claim_seconds=10),
        Journey(account_id=one.account_id, group=Group.LATECOMER),
        Manner(poll_seconds=(0.1, 0.2), signals={"shown_ms": 4_000, "fingerprint": "a-browser"}),
        Random(1),
        sender(running.url, one.token, sent),
        Edge(),
        lambda: False,
    )
    assert await asyncio.to_thread(line.stand)
    assert line.journey == Journey(account_id=one.account_id, group=Group.SHOPPER, placed=True)
    assert sent == ["place", "challenge", "place"]


async def work_is_asked_for(running: Running, token: str) -> None:
    """Start the defence that asks everybody for work; return when the web process knows."""
    async with running.app.db.transaction() as tx:
        staff = await running.app.identity.add_staff(tx, "shen.bo", Role.ENGINEER, "a long enough phrase")
        await running.app.defences.start(tx, staff, "flood", StartDefence(reason="a test"))
    async with httpx.AsyncClient(base_url=running.url, headers={"Authorization": f"Bearer {token}"}) as client:
        for _ in range(200):
            if (await client.post("/api/v1/places", json={})).status_code == 403:
                return
            await asyncio.sleep(0.1)
    raise AssertionError("work is not asked for")


def sender(url: str, token: str, sent: list[str]) -> Callable[..., tuple[int, dict[str, Any], str]]:
    def send(
        name: str, method: str, path: str, *, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any], str]:
        sent.append(name)
        given = {"Authorization": f"Bearer {token}", **(headers or {})}
        answer = httpx.request(method, url + path, json=body, headers=given)
        return answer.status_code, answer.json() if answer.content else {}, answer.headers.get("etag", "")

    return send


def test_an_edge_asks_once_a_second_whoever_looks_and_keeps_the_last_answer() -> None:
    asked: list[dict[str, str] | None] = []

    def send(
        name: str, method: str, path: str, *, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any], str]:
        assert (name, method, path, body) == ("line", "GET", "/api/v1/queue", None)
        asked.append(headers)
        return (200, {"state": "open"}, '"1"') if len(asked) == 1 else (503, {}, "")

    edge = Edge()
    assert [edge.snapshot(send) for _ in range(5)] == [{"state": "open"}] * 5
    edge._asked_at -= 1.0
    assert edge.snapshot(send) == {"state": "open"}
    assert asked == [{}, {"If-None-Match": '"1"'}]
