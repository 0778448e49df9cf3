"""The defences' page: rules and signals, the second step, start and end by hand, the record, and who may do it."""

import re
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest

from tests.app.console.test_pages import enter, visitor
from tests.offer.festivals import definition
from tests.sale.shop import publish
from tidegate.app.compose import App
from tidegate.app.console.defences import RECORD_SHOWN
from tidegate.base.clock import ManualClock
from tidegate.gate.defence.adapters.counts import CountBoard
from tidegate.gate.defence.contracts import Counts, Defence, Happening
from tidegate.trust.identity.contracts import Role

START = {"act": "start", "reason": "scrapers in the logs", "minutes": "20"}
YES = {"confirmed": "yes"}


@pytest.fixture
async def client(app: App) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at the door of a campaign with the four usual defences."""
    await publish(app)
    async with visitor(app) as opened:
        yield opened


async def record(app: App) -> list[tuple[str, Happening, str, str]]:
    async with app.db.read() as tx:
        return [(each.name, each.happening, each.by, each.reason) for each in await app.defences.record(tx)]


async def test_every_rule_shows_its_signals_against_their_thresholds(
    app: App, client: httpx.AsyncClient, clock: ManualClock
) -> None:
    for _ in range(12):
        await CountBoard(app.cache).add(int(clock.now().timestamp()), Counts(reports=1, requests=400, failures=20))
        clock.advance(seconds=1)
    await enter(app, client, Role.CAMPAIGN_MANAGER)
    page = (await client.get("/console/defences")).text
    for words in ("flood", "overwhelmed", "attack from 3,000 on", "calm below 1,500", ">400<", ">5%<", "watching"):
        assert words in page
    assert "Start or end it by hand" not in page, "a campaign manager may look, not steer"


async def test_a_defence_is_started_and_ended_by_hand_after_a_second_step(app: App, client: httpx.AsyncClient) -> None:
    await enter(app, client, Role.RISK)
    asked = await client.post("/console/defences/flood", data=START)
    assert (asked.status_code, "Start “Work for everybody”?" in asked.text) == (200, True)
    assert await record(app) == []
    done = await client.post("/console/defences/flood", data={**START, **YES})
    assert (done.status_code, done.headers["location"]) == (303, "/console/defences#record")
    await app.refresh()
    assert app.defences.active(Defence.WORK_FOR_ALL)
    assert "started by a.risk" in (await client.get("/console/defences")).text
    twice = await client.post("/console/defences/flood", data={**START, **YES})
    assert twice.status_code == 422
    end = {"act": "undo", "reason": "it was the press", "minutes": "5"}
    assert "keep it off?" in (await client.post("/console/defences/flood", data=end)).text
    assert (await client.post("/console/defences/flood", data={**end, **YES})).status_code == 303
    await app.refresh()
    assert not app.defences.active(Defence.WORK_FOR_ALL)
    page = (await client.get("/console/defences")).text
    assert "Kept off by staff" in page
    assert await record(app) == [
        ("flood", Happening.ENDED, "a.risk", "it was the press"),
        ("flood", Happening.STARTED, "a.risk", "scrapers in the logs"),
    ]
    assert "scrapers in the logs" in page


@pytest.mark.parametrize(
    ("name", "form", "field"),
    [
        ("flood", {"reason": "x"}, "reason"),
        ("flood", {"reason": "x" * 501}, "reason"),
        ("flood", {"minutes": "0"}, "minutes"),
        ("flood", {"minutes": "1441"}, "minutes"),
        ("flood", {"minutes": "soon"}, "minutes"),
        ("flood", {"act": "explode"}, ""),
        ("unknown", {}, ""),
    ],
)
async def test_what_does_not_fit_changes_nothing(
    app: App, client: httpx.AsyncClient, name: str, form: dict[str, str], field: str
) -> None:
    await enter(app, client, Role.RISK)
    answer = await client.post(f"/console/defences/{name}", data={**START, **form})
    assert answer.status_code == 422
    assert f'id="{name}-{field}-fault"' in answer.text if field else "Not done" in answer.text
    assert await record(app) == []


async def test_who_may_look_may_not_start(app: App, client: httpx.AsyncClient) -> None:
    await enter(app, client, Role.DIRECTOR)
    assert (await client.post("/console/defences/flood", data={**START, **YES})).status_code == 403
    client.cookies.clear()
    await enter(app, client, Role.SUPPORT)
    assert (await client.get("/console/defences")).status_code == 403
    assert await record(app) == []


async def test_a_campaign_without_defences_says_how_to_have_some(app: App) -> None:
    await publish(app, msgspec.structs.replace(definition(), defences=()))
    async with visitor(app) as client:
        await enter(app, client, Role.RISK)
        assert "This campaign has no defences" in (await client.get("/console/defences")).text


async def test_the_record_is_paged_by_its_lines(app: App, client: httpx.AsyncClient) -> None:
    await enter(app, client, Role.RISK)
    assert 'rel="next"' not in (await client.get("/console/defences")).text
    for number in range(RECORD_SHOWN // 2 + 1):
        for act in ("start", "undo"):
            form = {"act": act, "reason": f"{act} number {number}.", "minutes": "5", **YES}
            assert (await client.post("/console/defences/flood", data=form)).status_code == 303
    newest = (await client.get("/console/defences")).text
    assert "start number 1." in newest
    assert "start number 0." not in newest
    [older] = re.findall(r'href="(/console/defences\?before=\d+)#record" rel="next"', newest)
    oldest = (await client.get(older)).text
    assert "start number 0." in oldest
    assert "start number 1." not in oldest
    assert 'rel="next"' not in oldest
    assert "Nothing older" in (await client.get("/console/defences?before=1")).text
