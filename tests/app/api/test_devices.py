"""A device is a browser: whoever signs in on it, and however often, shares its allowance; a forged one is none."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from httpx import ASGITransport, AsyncClient, Response

from tests.app.framework import framework_of
from tests.gate.queue.test_one_place import PHONES, sign_in, signed_in
from tests.offer.festivals import definition, offer
from tests.sale.shop import Buyer, buyers, let_in, open_sale, order, publish
from tidegate.app.api.hot import Front
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.gate.limits.contracts import LimitedAct, LimitScope, RateLimit
from tidegate.offer.campaign.contracts import CampaignDefinition
from tidegate.trust.identity.api import DEVICE_COOKIE
from tidegate.trust.identity.contracts import Session

ADDRESS = "203.0.113.7"


def a_day(act: LimitedAct, scope: LimitScope, quota: int) -> RateLimit:
    return RateLimit(
        name=f"{act}-{scope}".replace("_", "-"), act=act, scope=scope, quota=quota, window_seconds=86_400, burst=quota
    )


STATED = (
    a_day(LimitedAct.TAKE_PASS, LimitScope.DEVICE, 1),
    a_day(LimitedAct.PLACE_ORDER, LimitScope.DEVICE, 1),
    a_day(LimitedAct.ASK_CODE, LimitScope.DEVICE, 2),
    a_day(LimitedAct.ASK_CODE, LimitScope.ADDRESS, 6),
    a_day(LimitedAct.SIGN_IN, LimitScope.DEVICE, 2),
)


@pytest.fixture
def festival() -> CampaignDefinition:
    return msgspec.structs.replace(definition([offer("A", quota=50)]), rate_limits=STATED)


@pytest.fixture
async def shop(app: App, clock: ManualClock, festival: CampaignDefinition) -> App:
    """A sale in which one browser gets one pass, places one order, asks for two codes and signs in twice a day."""
    await publish(app, festival)
    open_sale(clock)
    return app


@asynccontextmanager
async def opened(app: App) -> AsyncIterator[AsyncClient]:
    """A browser that was never here; it keeps its cookies."""
    transport = ASGITransport(Front(app, framework_of(app)), client=(ADDRESS, 40_000))  # type: ignore[arg-type]  # narrower than httpx's
    async with AsyncClient(transport=transport, base_url="http://shop.example.com") as client:
        yield client


def refused_by(answer: Response) -> str:
    """The limit that refuses."""
    assert answer.status_code == 429, answer.text
    return str(answer.json()["rate_limit"]["name"])


async def test_two_accounts_on_one_browser_are_one_device(shop: App, clock: ManualClock) -> None:
    async with opened(shop) as browser, opened(shop) as another:
        await sign_in(shop, browser, PHONES[0])
        assert (await browser.post("/api/v1/passes")).status_code == 201
        assert (await browser.delete("/api/v1/sessions/current")).status_code == 204
        await sign_in(shop, browser, PHONES[1])
        assert refused_by(await browser.post("/api/v1/passes")) == "take-pass-device"
        clock.advance(seconds=61)  # one code a minute
        await sign_in(shop, another, PHONES[1])
        assert (await another.post("/api/v1/passes")).status_code == 201


async def test_whoever_signs_in_anew_gains_nothing(shop: App, clock: ManualClock) -> None:
    async with opened(shop) as browser:
        await sign_in(shop, browser, PHONES[0])
        assert (await browser.post("/api/v1/passes")).status_code == 201
        clock.advance(seconds=61)
        await sign_in(shop, browser, PHONES[0])
        assert refused_by(await browser.post("/api/v1/passes")) == "take-pass-device"


@pytest.mark.parametrize("token", ["", "forged", "another's"])
async def test_after_signing_in_no_cookie_changes_the_device(shop: App, token: str) -> None:
    async with opened(shop) as browser, opened(shop) as another:
        await sign_in(shop, browser, PHONES[0])
        await sign_in(shop, another, PHONES[1])
        assert (await browser.post("/api/v1/passes")).status_code == 201
        browser.cookies.delete(DEVICE_COOKIE)
        if token:
            forged = "A" * len(another.cookies[DEVICE_COOKIE])
            browser.cookies.set(DEVICE_COOKIE, forged if token == "forged" else another.cookies[DEVICE_COOKIE])
        assert refused_by(await browser.post("/api/v1/passes")) == "take-pass-device"


async def test_codes_and_sign_ins_count_by_the_cookie_and_a_forged_one_by_the_address(
    shop: App, clock: ManualClock
) -> None:
    async def ask(client: AsyncClient, number: int) -> Response:
        return await client.post("/api/v1/codes", json={"phone": f"138001310{number:02}"})

    wrong = {"phone": PHONES[0], "code": "000000"}
    async with opened(shop) as browser, opened(shop) as forger:
        await sign_in(shop, browser, PHONES[0])  # before this there was no device
        await browser.delete("/api/v1/sessions/current")
        assert [(await ask(browser, number)).status_code for number in (1, 2)] == [202, 202]
        assert refused_by(await ask(browser, 3)) == "ask-code-device"
        assert [(await browser.post("/api/v1/sessions", json=wrong)).status_code for _ in range(2)] == [403, 403]
        assert refused_by(await browser.post("/api/v1/sessions", json=wrong)) == "sign-in-device"
        good = browser.cookies[DEVICE_COOKIE]
        forger.cookies.set(DEVICE_COOKIE, good[:-1] + ("B" if good.endswith("A") else "A"))
        assert [(await ask(forger, number)).status_code for number in (4, 5, 6)] == [202] * 3
        assert refused_by(await ask(forger, 7)) == "ask-code-address"  # six from one address


async def placed(client: AsyncClient, app: App, buyer: Buyer, festival: CampaignDefinition, key: str) -> Response:
    headers = {**let_in(app, buyer, festival), "Content-Type": "application/json", "Idempotency-Key": key}
    body = msgspec.json.encode(order(buyer, {"A": 1}, 8_000))
    return await client.post("/api/v1/orders", content=body, headers=headers)


async def on_one_browser(app: App, count: int) -> list[Buyer]:
    """Shoppers with addresses, all of whom signed in on the browser of the first."""
    found: list[Session] = []
    for number in range(count):
        phone = f"138001320{number:02}"
        found.append(await signed_in(app, phone, found[0].session_id if found else None))
    addresses = await buyers(app, count)
    async with app.db.transaction() as tx:
        for session, buyer in zip(found, addresses, strict=True):
            await tx.execute(
                "update identity.address set account_id = %s where address_id = %s",
                [session.account_id, buyer.address_id],
            )
    return [
        Buyer(session.account_id, buyer.address_id, session.token)
        for session, buyer in zip(found, addresses, strict=True)
    ]


async def test_the_hot_door_of_orders_knows_the_browser_too(shop: App, festival: CampaignDefinition) -> None:
    one, two = await on_one_browser(shop, 2)
    [elsewhere] = await buyers(shop, 1)
    async with opened(shop) as client:
        assert (await placed(client, shop, one, festival, "first-key-1")).status_code == 201
        assert refused_by(await placed(client, shop, two, festival, "second-key-1")) == "place-order-device"
        assert (await placed(client, shop, elsewhere, festival, "third-key-1")).status_code == 201
    async with shop.db.read() as tx:
        levels = await shop.stock.levels(tx, festival.id, ["A"])
    assert levels["A"].held == 2


async def test_only_a_browser_that_was_not_here_before_is_a_new_device_to_the_defences(
    app: App, clock: ManualClock
) -> None:
    async with opened(app) as browser:
        await sign_in(app, browser, PHONES[0])
        assert app.defences.tally.new_devices == 1
        await sign_in(app, browser, PHONES[1])
        assert app.defences.tally.new_devices == 1
        clock.advance(seconds=61)
        browser.cookies.delete(DEVICE_COOKIE)
        browser.cookies.set(DEVICE_COOKIE, "A" * 43)
        await sign_in(app, browser, PHONES[0])
        assert app.defences.tally.new_devices == 2
