"""Prizes on the pages of shop and console: a winner claims, staff give or forfeit, both see how it stands."""

import csv
import re

import httpx

from tests.app.console.test_pages import enter
from tests.app.storefront.conftest import visitor
from tests.sale.draws.test_prizes import DAY, won
from tests.sale.ordering.conftest import shop
from tests.sale.payment.conftest import harbour, lantern, two_channels
from tests.sale.shop import Buyer, broken
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.sale.draws.contracts import AwardState
from tidegate.trust.identity.api import SESSION_COOKIE
from tidegate.trust.identity.contracts import AccountId, Address, Role

__all__ = ["harbour", "lantern", "shop", "two_channels"]
NEW = {
    "address_id": "new", "name": "张三", "phone": "13800131234", "province": "浙江省", "city": "杭州市",
    "district": "西湖区", "street": "文三路 90 号",
}  # fmt: skip


def text_of(answer: httpx.Response) -> str:
    """What a page says, without its marks."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def as_buyer(client: httpx.AsyncClient, buyer: Buyer) -> None:
    """Sign in as this shopper."""
    client.cookies.set(SESSION_COOKIE, buyer.token)


async def test_a_prize_goes_from_the_draw_to_its_winner(shop: App, clock: ManualClock) -> None:
    drawn = await won(shop, clock)
    page, serial = f"/draws/{drawn.draw_id}/prize", drawn.serials[drawn.pot.account_id]
    async with visitor(shop) as client:
        signing_in = await client.get(page)
        assert (signing_in.status_code, signing_in.headers["location"]) == (303, f"/sign-in?next={page}")
        as_buyer(client, drawn.nobody)
        assert (await client.get(page)).status_code == 404
        assert (await client.post(page, data=NEW)).status_code == 404
        as_buyer(client, drawn.pot)
        assert "You won: A pot" in text_of(await client.get("/orders"))
        assert "A pot claim before" in text_of(await client.get("/draws"))
        assert "Please claim your prize" in text_of(await client.get(page))
        async with shop.db.read() as tx:
            order_id = (await shop.draws.prizes.won(tx, drawn.draw_id, drawn.pot.account_id)).order_id
        assert "This order won: A pot" in text_of(await client.get(f"/orders/{order_id}"))
        faulty = await client.post(page, data={**NEW, "phone": "12"})
        assert (faulty.status_code, "phone-fault" in faulty.text) == (422, True)
        for _ in range(2):  # a second click
            done = await client.post(page, data=NEW)
            assert (done.status_code, done.headers["location"]) == (303, page)
        claimed = text_of(await client.get(page))
        assert "Your prize is being prepared" in claimed
        assert "138****1234" in claimed
        assert "奖品准备发放中" in (await client.get(page, headers={"Accept-Language": "zh"})).text

        console = f"/console/draws/{drawn.draw_id}"
        await enter(shop, client, Role.FULFILMENT)
        assert "Prizes that were won" in text_of(await client.get("/console/draws"))
        listed = text_of(await client.get(console))
        assert "1 is to be given." in listed
        one = f"{console}/prizes/{serial}"
        shown = text_of(await client.get(one))
        assert "浙江省 杭州市 · 张**" in shown
        assert "文三路" not in shown
        assert (await client.post(f"{one}/reveal", data={"purpose": " "})).status_code == 422
        assert "文三路 90 号" in text_of(await client.post(f"{one}/reveal", data={"purpose": "parcel label"}))
        async with shop.db.read() as tx:
            [look] = await shop.identity.views(tx, subject=f"prize:{drawn.draw_id}/{serial}")
        assert look.purpose == "parcel label"
        for unkept in ("", "\0"):
            assert (await client.post(f"{one}/give", data={"note": unkept})).status_code == 422
        assert (await client.post(f"{one}/forfeit", data={})).status_code == 409
        for _ in range(2):
            assert (await client.post(f"{one}/give", data={"note": "SF 1234"})).status_code == 303
        assert "a.fulfilment: SF 1234" in text_of(await client.get(one))
        assert "What the shop noted: SF 1234" in text_of(await client.get(page))
        assert (await client.post(f"{one}/give", data={"note": "SF 9"})).status_code == 409
    assert await broken(shop) == []


async def test_what_was_not_claimed_in_time_is_forfeited_by_who_may(shop: App, clock: ManualClock) -> None:
    drawn = await won(shop, clock)
    serial = drawn.serials[drawn.pot.account_id]
    one = f"/console/draws/{drawn.draw_id}/prizes/{serial}"
    clock.advance(seconds=31 * DAY)
    async with visitor(shop) as client:
        await enter(shop, client, Role.PAYMENT)
        assert "Record that it is given" not in (await client.get(one)).text
        for act in ("give", "forfeit", "reveal"):
            assert (await client.post(f"{one}/{act}", data={"note": "x", "purpose": "xxx"})).status_code == 403
    async with visitor(shop) as client:
        await enter(shop, client, Role.CAMPAIGN_MANAGER)
        unclaimed = text_of(await client.get(f"/console/draws/{drawn.draw_id}?state=unclaimed"))
        assert "2 were not claimed in time" in unclaimed
        assert (await client.post(f"{one}/forfeit", data={"note": "two reminders"})).status_code == 303
        assert "a.campaign-manager: two reminders" in text_of(await client.get(one))
        assert "No prize is in this state" in text_of(await client.get(f"/console/draws/{drawn.draw_id}?state=given"))
        assert (await client.get(f"/console/draws/{drawn.draw_id}/prizes/99")).status_code == 404
    async with shop.db.read() as tx:
        award = await shop.draws.prizes.won(tx, drawn.draw_id, drawn.pot.account_id)
    assert (award.state, award.by) == (AwardState.FORFEITED, "a.campaign-manager")


async def test_many_are_sent_by_a_list_and_given_by_a_file(shop: App, clock: ManualClock) -> None:
    drawn = await won(shop, clock)
    page, serial = f"/console/draws/{drawn.draw_id}", drawn.serials[drawn.pot.account_id]
    async with shop.db.transaction() as tx:
        account = AccountId(drawn.pot.account_id)
        sly = Address(**{**{name: NEW[name] for name in Address.__struct_fields__}, "name": "=HYPERLINK(1)"})
        address_id = await shop.identity.remember_address(tx, account, sly)
    await drawn.claim(drawn.pot, address_id)
    async with visitor(shop) as client:
        await enter(shop, client, Role.CAMPAIGN_MANAGER)
        assert (await client.post(f"{page}/due", data={"purpose": "parcel labels"})).status_code == 403
    async with visitor(shop) as client:
        await enter(shop, client, Role.FULFILMENT)
        assert "Many at once" in text_of(await client.get(page))
        assert (await client.post(f"{page}/due", data={"purpose": " "})).status_code == 422
        listed = await client.post(f"{page}/due", data={"purpose": "parcel labels"})
        assert listed.headers["cache-control"] == "private, no-store"
        [row] = csv.DictReader(listed.content.decode("utf-8-sig").splitlines())
        assert (row["serial"], row["prize_en"], row["phone"]) == (str(serial), "A pot", "13800131234")
        assert (row["name"], row["note"]) == ("'=HYPERLINK(1)", "")
        async with shop.db.read() as tx:
            [look] = await shop.identity.views(tx, subject=f"draw:{drawn.draw_id}")
        assert (look.staff_name, look.purpose) == ("a.fulfilment", "parcel labels")

        async def send(text: str) -> httpx.Response:
            return await client.post(f"{page}/given", files={"file": ("given.csv", text.encode(), "text/csv")})

        refused = await send(f"serial,note\n{serial},SF 1\n99,SF 2\n")
        assert refused.status_code == 422
        assert "Line 3 : no prize of this draw has this serial" in text_of(refused).replace("Line 3:", "Line 3 :")
        assert await drawn.acts() == [(serial, "claimed", "", "")]
        for _ in range(2):
            assert (await send(f"serial,note\n{serial},SF 1\n")).status_code == 303
        assert "a.fulfilment: SF 1" in text_of(await client.get(f"{page}?state=given"))


async def test_programs_claim_too(shop: App, clock: ManualClock) -> None:
    drawn = await won(shop, clock)
    address = f"/api/v1/draws/{drawn.draw_id}/claims"
    async with visitor(shop) as client:
        client.headers.update({"Accept": "application/json", "Authorization": f"Bearer {drawn.pot.token}"})
        [mine] = (await client.get("/api/v1/prizes")).json()["prizes"]
        assert (mine["state"], mine["prize"]["sent"], "account_id" in mine) == ("unclaimed", True, False)
        needed = await client.post(address, json={})
        assert (needed.status_code, needed.json()["type"]) == (422, "/problems/prize-address-needed")
        claimed = await client.post(address, json={"address_id": str(drawn.pot.address_id)})
        assert (claimed.status_code, claimed.json()["state"]) == (200, "due")
        client.headers["Authorization"] = f"Bearer {drawn.nobody.token}"
        other = await client.post(address, json={"address_id": str(drawn.nobody.address_id)})
        assert (other.status_code, other.json()["type"]) == (404, "/problems/prize-not-won")
