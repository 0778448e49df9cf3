"""The console's page of coupons: totals, one code's story, making, taking, withdrawing, writing out, for who may."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.app.console.test_pages import enter, visitor
from tests.offer.coupons.festival import REDUCED, claim, festival, handed_out, totals, unique
from tests.sale.shop import buyers, open_sale, order, publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.offer.coupons.codes import new_codes
from tidegate.offer.coupons.contracts import CouponState
from tidegate.trust.identity.contracts import Role


@pytest.fixture
async def client(app: App, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at the door of a shop with coupons."""
    await publish(app, festival(unique(), unique("PAPER", button=False)))
    open_sale(clock)
    async with visitor(app) as browser:
        yield browser


async def test_totals_and_a_story_are_shown(app: App, client: httpx.AsyncClient) -> None:
    await enter(app, client, Role.SUPPORT)
    [buyer] = await buyers(app, 1)
    code = (await claim(app, buyer.account_id)).code
    await app.ordering.place(buyer.account_id, "console-key-1", order(buyer, {"POT": 1}, REDUCED, code))
    page = (await client.get(f"/console/coupons?q={code.lower()}")).text
    for said in ("SAVE50", "PAPER", "An order took it", "In an unpaid order", "No codes were made to be handed out"):
        assert said in page
    assert "Withdraw the code" not in page  # an order has it
    assert "There is no such code." in (await client.get("/console/coupons?q=NOTHING")).text
    assert "券模板" in (await client.get("/console/coupons", headers={"Accept-Language": "zh"})).text


async def test_a_code_is_withdrawn_with_a_reason(app: App, client: httpx.AsyncClient) -> None:
    await enter(app, client, Role.SUPPORT)
    [code] = await handed_out(app, 1, "PAPER")
    refused = await client.post(f"/console/coupons/{code}/revoke", data={"reason": " "})
    assert refused.status_code == 422
    assert "Say why, in words" in refused.text
    done = await client.post(f"/console/coupons/{code}/revoke", data={"reason": "printed twice"})
    assert (done.status_code, done.headers["location"]) == (303, f"/console/coupons?q={code}#code")
    assert "a.support: printed twice" in (await client.get(done.headers["location"])).text
    async with app.db.read() as tx:
        assert (await app.coupons.desk.story(tx, code)).coupon.state is CouponState.REVOKED


async def test_codes_are_written_out_on_record_by_who_may(app: App, client: httpx.AsyncClient) -> None:
    await enter(app, client, Role.CAMPAIGN_MANAGER)
    codes = await handed_out(app, 3, "PAPER")
    async with app.db.read() as tx:
        [batch] = await app.coupons.desk.batches(tx, "double-11")
    address = f"/console/coupons/batches/{batch.batch_id}/export"
    assert (await client.post(address, data={"reason": ""})).status_code == 422
    written = await client.post(address, data={"reason": "for the leaflet"})
    assert written.text.splitlines() == ["code,state", *[f"{code},unclaimed" for code in codes]]
    assert written.headers["cache-control"] == "private, no-store"
    assert "a.campaign-manager" in (await client.get("/console/coupons")).text
    async with visitor(app) as other:
        await enter(app, other, Role.SUPPORT)
        assert (await other.post(address, data={"reason": "curious"})).status_code == 403
    async with app.db.read() as tx:
        assert len(await app.coupons.desk.exports(tx, [batch.batch_id])) == 1


async def key_of(client: httpx.AsyncClient) -> str:
    """The key that the page's forms were given."""
    found = re.search(r'name="key" value="([0-9a-f-]{36})"', (await client.get("/console/coupons")).text)
    assert found is not None
    return found[1]


async def test_codes_are_made_once_however_often_the_form_is_sent(app: App, client: httpx.AsyncClient) -> None:
    await enter(app, client, Role.CAMPAIGN_MANAGER)
    form = {"coupon": "PAPER", "count": "12", "key": await key_of(client)}
    first, second = [await client.post("/console/coupons/batches", data=form) for _ in range(2)]
    assert first.status_code == second.status_code == 303
    assert first.headers["location"] == second.headers["location"]
    page = (await client.get(first.headers["location"])).text
    for said in ("12 codes of PAPER are in a new batch", "a.campaign-manager"):
        assert said in page
    other = await client.post("/console/coupons/batches", data={**form, "count": "13"})
    assert (other.status_code, "This form made codes before" in other.text) == (409, True)
    for count in ("0", "x", "20001"):
        refused = await client.post("/console/coupons/batches", data={**form, "count": count})
        assert (refused.status_code, "1 to 20,000 codes" in refused.text) == (422, True)
    assert (await totals(app, "PAPER")).made == 12


async def test_a_file_is_taken_whole_or_refused_with_line_and_reason(app: App, client: httpx.AsyncClient) -> None:
    await enter(app, client, Role.CAMPAIGN_MANAGER)
    codes = sorted(new_codes("PAPER", 10, 3))
    address, form = "/console/coupons/batches/file", {"template": "PAPER", "key": await key_of(client)}

    async def send(file: bytes, **headers: str) -> httpx.Response:
        return await client.post(address, data=form, files={"file": ("codes.csv", file, "text/csv")}, headers=headers)

    faulty = "\n".join(["code", *codes, codes[0].lower(), "=1+1"]).encode()
    refused = await send(faulty)
    assert refused.status_code == 422
    said = re.sub(r"<[^>]+>", "", refused.text)
    assert f"Line 5 {codes[0]}: it stands in the file twice" in said
    assert "Line 6 =1+1: it is no code of this coupon" in said
    assert "第 5 行" in (await send(faulty, **{"Accept-Language": "zh"})).text
    latin = await send(f"code,note\n{codes[0]},caf\xe9".encode("latin-1"))
    assert "Line 2: it cannot be read as CSV in UTF-8" in latin.text
    large = await send(b"code\n" + b"x" * 2_000_000)
    assert (large.status_code, "This is too large" in large.text) == (413, True)
    assert (await client.post(address, data={**form, "key": "1"})).status_code == 400
    whole = ("\ufeffcode,state\r\n" + "".join(f"{each},unclaimed\r\n" for each in codes)).encode()
    first, second = [await send(whole) for _ in range(2)]
    assert first.status_code == second.status_code == 303
    assert first.headers["location"] == second.headers["location"]
    assert "3 codes of PAPER are in a new batch" in (await client.get(first.headers["location"])).text
    assert (await totals(app, "PAPER")).made == 3


async def test_making_codes_is_for_who_may(app: App, client: httpx.AsyncClient) -> None:
    await enter(app, client, Role.SUPPORT)
    assert "Make the codes" not in (await client.get("/console/coupons")).text
    key = str(app.ids.new())
    made = await client.post("/console/coupons/batches", data={"coupon": "PAPER", "count": "1", "key": key})
    taken = await client.post("/console/coupons/batches/file", data={"template": "PAPER", "key": key})
    assert (made.status_code, taken.status_code) == (403, 403)
    async with app.db.read() as tx:
        assert await app.coupons.desk.batches(tx, "double-11") == []
