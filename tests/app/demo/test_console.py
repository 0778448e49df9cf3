"""The debrief on the console: staff only, in two languages, loading nothing from anywhere."""

import httpx
import pytest

from tests.app.framework import framework_of
from tests.sale.shop import publish
from tidegate.app.compose import App
from tidegate.trust.identity.contracts import Role

ORIGIN = "http://console.test"


def visitor(app: App) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=framework_of(app))  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url=ORIGIN)


@pytest.fixture
async def staff_token(app: App) -> str:
    async with app.db.transaction() as tx:
        await app.identity.add_staff(tx, "lin.wei", Role.DIRECTOR, "a long enough password")
    return (await app.identity.staff_sign_in("lin.wei", "a long enough password", "127.0.0.1")).token


async def test_nobody_but_staff_sees_it(app: App) -> None:
    await publish(app)
    async with visitor(app) as client:
        assert (await client.get("/console/debrief")).status_code in {303, 401}


async def test_staff_read_it_in_both_languages(app: App, staff_token: str) -> None:
    await publish(app)
    async with visitor(app) as client:
        client.cookies.set("tg_staff", staff_token)
        english = await client.get("/console/debrief?language=en")
        chinese = await client.get("/console/debrief", headers={"Accept-Language": "zh-CN"})
        unknown = await client.get("/console/debrief?campaign_id=never-was")
        wrong = await client.get("/console/debrief?language=fr")
    assert (english.status_code, chinese.status_code) == (200, 200)
    assert "<h1>Debrief</h1>" in english.text
    assert "<h1>复盘</h1>" in chinese.text
    assert 'href="/console/debrief?language=zh"' in english.text
    assert english.headers["content-security-policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert english.headers["cache-control"] == "private, no-store"
    assert (unknown.status_code, wrong.status_code) == (404, 422)


async def test_without_a_campaign_there_is_nothing_to_look_back_on(app: App, staff_token: str) -> None:
    async with visitor(app) as client:
        client.cookies.set("tg_staff", staff_token)
        assert (await client.get("/console/debrief")).status_code == 404
