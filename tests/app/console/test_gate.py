"""The gate's page: what it shows in each state, who may steer, the second step, and the record."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.app.console.test_pages import enter, visitor
from tests.gate.queue.rooms import opened_room, shoppers, stand, tick, to_the_opening
from tests.sale.shop import publish
from tidegate.app.compose import App
from tidegate.app.console.gate import Steering, read
from tidegate.base.clock import ManualClock
from tidegate.gate.queue.contracts import GateAct, QueueState, SteerGate
from tidegate.trust.identity.contracts import Role

HOLD = {"act": "hold", "reason": "payments are slow"}


@pytest.fixture
async def client(app: App) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at the door."""
    async with visitor(app) as opened:
        yield opened


async def acts(app: App) -> list[tuple[GateAct, int | None, str, str]]:
    async with app.db.read() as tx:
        return [(each.act, each.per_minute, each.by, each.reason) for each in await app.queue.acts(tx)]


async def test_a_campaign_without_a_waiting_room_says_how_to_have_one(app: App, client: httpx.AsyncClient) -> None:
    await publish(app)
    await enter(app, client, Role.SUPPORT)
    page = (await client.get("/console/gate")).text
    assert "This campaign has no waiting room" in page
    assert "[waiting_room]" in page


async def test_before_the_line_opens_the_page_says_when(
    app: App, client: httpx.AsyncClient, clock: ManualClock
) -> None:
    await opened_room(app, clock)
    clock.advance(seconds=-3600)
    await enter(app, client, Role.CAMPAIGN_MANAGER)
    async with app.db.transaction() as tx:
        await tx.execute("truncate queue.line cascade")
    page = (await client.get("/console/gate")).text
    assert "The line is not open yet" in page
    assert "Steer the gate" not in page


async def test_the_page_shows_lanes_figures_and_why(app: App, client: httpx.AsyncClient, clock: ManualClock) -> None:
    await opened_room(app, clock)
    for shopper in await shoppers(app, 12):
        await stand(app, shopper)
    await to_the_opening(app, clock)
    await tick(app, clock)
    await enter(app, client, Role.SUPPORT)
    page = (await client.get("/console/gate")).text
    assert "The room is full: as many are called as go out." in page
    assert 'data-lane="everyone"' in page
    assert "Nobody has steered the gate" in page
    assert "Steer the gate" not in page, "support may look, not steer"
    watched = (await client.get("/api/v1/queue/watch")).json()
    lane = watched["lanes"][0]
    assert lane["called"] >= 5  # a few more than there is room for, where not all are expected to come
    assert (watched["loop"]["brake"], len(watched["passages"])) == ("cap", 180)


async def test_an_act_is_asked_for_once_more_and_then_recorded(
    app: App, client: httpx.AsyncClient, clock: ManualClock
) -> None:
    await opened_room(app, clock)
    for shopper in await shoppers(app, 3):
        await stand(app, shopper)
    await to_the_opening(app, clock)
    await enter(app, client, Role.CAMPAIGN_MANAGER)
    asked = await client.post("/console/gate", data=HOLD)
    assert (asked.status_code, "Nobody is called and nobody is let in." in asked.text) == (200, True)
    assert await acts(app) == []
    done = await client.post("/console/gate", data={**HOLD, "confirmed": "yes"})
    assert (done.status_code, done.headers["location"]) == (303, "/console/gate#acts")
    assert await acts(app) == [(GateAct.HOLD, None, "a.campaign-manager", "payments are slow")]
    await tick(app, clock)
    page = (await client.get("/console/gate")).text
    assert "Staff hold the gate" in page
    assert "payments are slow" in page
    assert app.queue.snapshot().snapshot.state is QueueState.HELD  # type: ignore[union-attr]


async def test_slow_takes_its_number_along(app: App, client: httpx.AsyncClient, clock: ManualClock) -> None:
    await opened_room(app, clock)
    await enter(app, client, Role.ENGINEER)
    form = {"act": "slow", "reason": "one channel is away", "per_minute": "120"}
    assert 'value="120"' in (await client.post("/console/gate", data=form)).text
    await client.post("/console/gate", data={**form, "confirmed": "yes"})
    assert await acts(app) == [(GateAct.SLOW, 120, "a.engineer", "one channel is away")]
    assert "to 120 a minute" in (await client.get("/console/gate")).text


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"act": "hold", "reason": "  "}, "reason"),
        ({"act": "hold", "reason": "x" * 501}, "reason"),
        ({"act": "slow", "reason": "busy", "per_minute": ""}, "per_minute"),
        ({"act": "slow", "reason": "busy", "per_minute": "0"}, "per_minute"),
        ({"act": "slow", "reason": "busy", "per_minute": "1000001"}, "per_minute"),
        ({"act": "slow", "reason": "busy", "per_minute": "٣"}, "per_minute"),
        ({"act": "slow", "reason": "busy", "per_minute": "9" * 5000}, "per_minute"),
        ({"act": "note", "reason": "busy", "note": "x" * 501}, "note"),
        ({"act": "explode", "reason": "busy"}, ""),
    ],
)
async def test_what_does_not_fit_is_shown_at_its_field_and_changes_nothing(
    app: App, client: httpx.AsyncClient, clock: ManualClock, form: dict[str, str], field: str
) -> None:
    await opened_room(app, clock)
    await enter(app, client, Role.CAMPAIGN_MANAGER)
    answer = await client.post("/console/gate", data={**form, "confirmed": "yes"})
    assert answer.status_code == 422
    if field:
        assert f'id="{field}-fault"' in answer.text
    assert await acts(app) == []


async def test_only_who_steers_may_steer(app: App, client: httpx.AsyncClient, clock: ManualClock) -> None:
    await opened_room(app, clock)
    await enter(app, client, Role.RISK)
    answer = await client.post("/console/gate", data={**HOLD, "confirmed": "yes"})
    assert (answer.status_code, "Not permitted" in answer.text) == (403, True)
    assert await acts(app) == []


def test_an_act_takes_only_what_belongs_to_it() -> None:
    form = Steering(act="open", reason=" calm again ", per_minute="5", note="hello")
    assert read(form) == SteerGate(act=GateAct.OPEN, reason="calm again")
