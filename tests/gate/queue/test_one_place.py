"""One live place an account, a browser and a way to pay: nobody gets two, and who is refused is told why."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

import pytest
from httpx import ASGITransport, AsyncClient, Response

from tests.app.framework import framework_of
from tests.gate.queue.rooms import facts, opened_room, shoppers, stand, tick
from tidegate.app.api.hot import Front
from tidegate.app.compose import App, compose
from tidegate.base.clock import ManualClock
from tidegate.base.ids import Ids
from tidegate.gate.queue.contracts import PLACE_HEADER, AskPlace, Place
from tidegate.gate.queue.errors import OnePlaceAPerson
from tidegate.sale.payment.store_payers import put_payers
from tidegate.trust.identity.contracts import Session

PHONES = ("13800131234", "13800131235")


@pytest.fixture(params=["shortcut", "documented door"])
async def browser(app: App, request: pytest.FixtureRequest) -> AsyncIterator[AsyncClient]:
    """A browser: it keeps its cookies."""
    site = framework_of(app)
    door = Front(app, site) if request.param == "shortcut" else site
    async with AsyncClient(transport=ASGITransport(app=door), base_url="http://shop.example.com") as opened:  # type: ignore[arg-type]
        yield opened


async def sign_in(app: App, browser: AsyncClient, phone: str) -> None:
    assert (await browser.post("/api/v1/codes", json={"phone": phone})).status_code == 202
    code = await app.identity.sandbox_code(phone)
    assert (await browser.post("/api/v1/sessions", json={"phone": phone, "code": code})).status_code == 201


async def take(browser: AsyncClient) -> Response:
    return await browser.post("/api/v1/places", json={})


async def live_places(app: App) -> int:
    async with app.db.read() as tx:
        found = await (await tx.execute("select count(*) from queue.place where left_at is null")).fetchone()
    assert found is not None
    return int(found[0])


async def test_two_accounts_on_one_browser_get_one_place(app: App, clock: ManualClock, browser: AsyncClient) -> None:
    await opened_room(app, clock)
    await sign_in(app, browser, PHONES[0])
    mine = await take(browser)
    assert mine.status_code == 201
    await tick(app, clock)
    assert (await browser.delete("/api/v1/sessions/current")).status_code == 204
    await sign_in(app, browser, PHONES[1])
    refused = await take(browser)
    said = refused.json()
    assert (refused.status_code, said["type"], said["what"]) == (409, "/problems/one-place-a-person", "device")
    assert "Another account holds a place with the same device" in said["detail"]
    assert said["detail"].endswith("Go on with that place, or give it up first.")
    assert await live_places(app) == 1
    # As told: the first account gives its place up, and the second gets one.
    clock.advance(seconds=61)  # one code a minute
    await sign_in(app, browser, PHONES[0])
    again = await take(browser)
    assert (again.status_code, again.json()["serial"]) == (201, mine.json()["serial"])
    left = await browser.delete("/api/v1/places/current", headers={PLACE_HEADER: again.json()["token"]})
    assert left.status_code == 204
    clock.advance(seconds=61)
    await sign_in(app, browser, PHONES[1])
    assert (await take(browser)).status_code == 201
    assert await live_places(app) == 1


async def test_a_client_that_keeps_no_cookies_is_a_new_device_at_each_sign_in(
    app: App, clock: ManualClock, browser: AsyncClient
) -> None:
    await opened_room(app, clock)
    for phone in PHONES:
        browser.cookies.clear()
        await sign_in(app, browser, phone)
        assert (await take(browser)).status_code == 201
    assert await live_places(app) == 2


async def signed_in(app: App, phone: str, known_device: UUID | None = None) -> Session:
    """Sign in by a code, on a new browser or on one that was here before."""
    await app.identity.request_code(phone, "192.0.2.1")
    code = await app.identity.sandbox_code(phone)
    assert code is not None
    return await app.identity.sign_in(phone, code, "Tests/1.0", "192.0.2.1", known_device=known_device)


async def asked(app: App, session: Session) -> Place:
    return await app.queue.take_place(AskPlace(account_id=session.account_id, device=session.session_id))


async def test_an_account_on_two_devices_gets_one_place_which_goes_along(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock)
    phone = await signed_in(app, PHONES[0])
    clock.advance(seconds=61)  # one code a minute
    desk = await signed_in(app, PHONES[0])
    first, second = await asked(app, phone), await asked(app, desk)
    assert (second.serial, second.joined_at) == (first.serial, first.joined_at)
    assert second.token != first.token
    assert await live_places(app) == 1
    # The place left the phone's browser: another account takes one there, and the first cannot come back to it.
    clock.advance(seconds=61)
    assert (await asked(app, await signed_in(app, PHONES[1], phone.session_id))).serial != first.serial
    with pytest.raises(OnePlaceAPerson) as refused:
        await asked(app, phone)
    assert refused.value.fields["what"] == "device"
    assert (await asked(app, desk)).token == second.token
    assert await live_places(app) == 2


async def test_whoever_signs_in_again_on_a_browser_keeps_the_place(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock)
    before = await signed_in(app, PHONES[0])
    place = await asked(app, before)
    clock.advance(seconds=61)
    again = await asked(app, await signed_in(app, PHONES[0], before.session_id))
    assert again.serial == place.serial
    assert await live_places(app) == 1


async def test_a_browser_that_a_place_leaves_is_free_from_the_next_batch_on(app: App, clock: ManualClock) -> None:
    """The database holds it until the moves are written; nobody else's answer suffers from it."""
    await opened_room(app, clock)
    phone = await signed_in(app, PHONES[0])
    clock.advance(seconds=61)
    desk, other = await signed_in(app, PHONES[0]), await signed_in(app, PHONES[1], phone.session_id)
    [bystander] = await shoppers(app, 1)
    place = await asked(app, phone)
    asks = [AskPlace(account_id=each.account_id, device=each.session_id) for each in (desk, other, bystander.session)]
    moved, refused, given = await app.queue.take_places(asks)
    assert isinstance(moved, Place)
    assert isinstance(given, Place)
    assert isinstance(refused, OnePlaceAPerson)
    assert (moved.serial, given.serial) == (place.serial, 1)
    assert (await asked(app, other)).serial == 2


async def test_a_browser_gets_one_place_whoever_asks_at_once(app: App, clock: ManualClock, ids: Ids) -> None:
    """Thirty accounts on one browser, from two processes."""
    await opened_room(app, clock)
    crowd = await shoppers(app, 30)
    async with app.db.transaction() as tx:
        await tx.execute("update identity.session set device_id = %s", [crowd[0].session.session_id])
    other = compose(app.config, clock=clock, ids=ids)
    await other.open()
    await other.queue.renew()
    answers = await asyncio.gather(
        *[stand((app, other)[number % 2], each) for number, each in enumerate(crowd)], return_exceptions=True
    )
    await other.close()
    assert sorted(type(each).__name__ for each in answers) == ["OnePlaceAPerson"] * 29 + ["Place"]
    assert await live_places(app) == 1


async def test_accounts_that_paid_from_one_account_get_one_place(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock)
    crowd = await shoppers(app, 3)
    async with app.db.transaction() as tx:
        payers = ("harbour-one", "harbour-one", "harbour-two")
        named: dict[UUID, tuple[str, datetime]] = {
            each.session.account_id: (payer, clock.now()) for each, payer in zip(crowd, payers, strict=True)
        }
        await put_payers(tx, named)
    place = await stand(app, crowd[0])
    with pytest.raises(OnePlaceAPerson) as refused:
        await stand(app, crowd[1])
    assert refused.value.fields["what"] == "instrument"
    assert "the same way to pay" in refused.value.detail
    assert await stand(app, crowd[2])
    assert await live_places(app) == 2
    await tick(app, clock)
    await app.queue.leave(facts(app, crowd[0], place))
    assert (await stand(app, crowd[1])).serial == 2


async def test_what_the_line_keeps_of_a_browser_says_nothing_in_another_line(app: App, clock: ManualClock) -> None:
    """A keyed digest, not identity's own number of the browser."""
    await opened_room(app, clock)
    [shopper] = await shoppers(app, 1)
    await stand(app, shopper)
    async with app.db.read() as tx:
        found = await (await tx.execute("select browser from queue.place")).fetchone()
    assert found is not None
    assert len(found[0]) == 16
    assert found[0] != shopper.session.session_id.bytes
