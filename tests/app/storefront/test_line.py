"""The line's page: what is said to whom the rules of one place a person reach, in both languages."""

import html

import httpx
import pytest

from tests.app.framework import framework_of
from tests.app.storefront.conftest import ORIGIN
from tests.gate.queue.rooms import Shopper, opened_room, shoppers, tick, to_the_opening
from tests.gate.queue.test_line import paid_once
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.sale.payment.store_payers import put_payers
from tidegate.trust.identity.api import SESSION_COOKIE

BEHIND = {"en": "Your place stands behind those that are drawn", "zh": "您的号排在抽签号之后"}
ANOTHER = {"en": "use another connection", "zh": "换一个网络"}
SHARED = {"en": "with the same way to pay", "zh": "同一付款方式"}


def in_the_mall(app: App, shopper: Shopper, language: str) -> httpx.AsyncClient:
    """A browser on the mall's Wi-Fi, on which somebody is signed in."""
    transport = httpx.ASGITransport(app=framework_of(app), client=("192.0.2.7", 40_000))  # type: ignore[arg-type]
    headers = {"Accept": "text/html", "Accept-Language": language, "Origin": ORIGIN}
    cookies = {SESSION_COOKIE: shopper.session.token}
    return httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers, cookies=cookies)


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_whose_place_is_behind_the_drawn_is_told_so_and_what_helps(
    app: App, clock: ManualClock, language: str
) -> None:
    await opened_room(app, clock, per_network=1)
    crowd = await shoppers(app, 2)
    pages = []
    for shopper in crowd:
        async with in_the_mall(app, shopper, language) as browser:
            assert (await browser.post("/line")).status_code == 303
            await tick(app, clock)
            pages.append(html.unescape((await browser.get("/line")).text))
            if shopper is crowd[1]:
                await to_the_opening(app, clock)
                late = html.unescape((await browser.get("/line")).text)
    assert BEHIND[language] not in pages[0]
    assert BEHIND[language] in pages[1]
    assert ANOTHER[language] in pages[1]
    assert BEHIND[language] in late
    assert ANOTHER[language] not in late  # the list is sealed: it would help no more


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_who_shares_a_way_to_pay_is_told_which_reason(app: App, clock: ManualClock, language: str) -> None:
    await opened_room(app, clock)
    crowd = await shoppers(app, 2)
    await paid_once(app, clock, [crowd[0].session.account_id])
    async with app.db.transaction() as tx:
        payer = f"harbour-{crowd[0].session.account_id.hex}"
        await put_payers(tx, {crowd[1].session.account_id: (payer, clock.now())})
    answers = []
    for shopper in crowd:
        async with in_the_mall(app, shopper, language) as browser:
            answers.append(await browser.post("/line"))
    assert [answer.status_code for answer in answers] == [303, 409]
    assert SHARED[language] in html.unescape(answers[1].text)
