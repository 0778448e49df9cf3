"""The pages that prove a draw: for everybody, of any campaign that had a line; and a receipt for each place's owner."""

import json
import re
from html import unescape

import msgspec
import pytest

from tests.app.storefront.conftest import visitor
from tests.app.storefront.test_line_words import reader
from tests.gate.queue.rooms import ROOM, Shopper, buy, enter, opened_room, shoppers, stand, tick, to_the_opening
from tests.gate.queue.test_public_number import STATED
from tests.gate.queue.test_published import publish_another
from tests.offer.festivals import START, definition, offer
from tests.sale.shop import publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.gate.queue.contracts import Place, StateNumber

DRAW = "/line/draws/double-11"
RECEIPT = "/line/receipt"


async def crowd_of(app: App, clock: ManualClock, count: int) -> list[tuple[Shopper, Place]]:
    await opened_room(app, clock)
    return [(each, await stand(app, each)) for each in await shoppers(app, count)]


async def test_the_draw_tells_what_is_public_and_since_when(app: App, clock: ManualClock) -> None:
    await crowd_of(app, clock, 3)
    seen = {}
    async with visitor(app) as client:
        for name, moment in (("gathering", clock.now()), ("sealed", ROOM.seals_at), ("open", START)):
            await tick(app, clock, seconds=(moment - clock.now()).total_seconds())
            seen[name] = (await client.get(f"{DRAW}?{name}")).text  # a page is kept for two seconds
    assert "The list is not sealed yet" in seen["gathering"]
    assert "data-draw" not in seen["gathering"]
    assert "3 places, about 1 kB to fetch." in seen["sealed"]
    async with app.db.read() as tx:
        draw = await app.queue.draw(tx, "double-11")
    hashes = [draw.seed_hash, draw.root, draw.seed]
    assert [[str(each) in page for each in hashes] for page in seen.values()] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]
    assert 'data-draw="/api/v1/queue/sealed?campaign_id=double-11"' in seen["open"]
    assert "tidegate admission verify double-11 --url" in seen["open"]


async def test_the_draw_is_there_after_the_sale_and_the_page_is_the_same_for_everyone(
    app: App, clock: ManualClock
) -> None:
    await crowd_of(app, clock, 1)
    await to_the_opening(app, clock)
    await publish_another(app)
    async with visitor(app) as client:
        answer = await client.get(DRAW)
        assert (answer.status_code, answer.headers["cache-control"][:6]) == (200, "public")
        assert "Double 11" in answer.text
        for path in ("/line/draws/the-next", "/line/draws/nothing", "/line/draws/Nothing%00"):
            assert (await client.get(path)).status_code in {400, 404}, path
        assert 'href="/line/draws/' not in (await client.get("/rules")).text


async def test_rules_and_draw_are_linked_before_the_line_opens(app: App) -> None:
    from_rules = re.compile('href="(/line/draws/[a-z0-9-]+)"')
    await publish(app, msgspec.structs.replace(definition([offer("A")]), waiting_room=ROOM))
    async with visitor(app) as client:
        [address] = from_rules.findall((await client.get("/rules")).text)
        page = await client.get(address)
    assert (address, page.status_code) == (DRAW, 200)
    assert "The line is not open yet" in page.text


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_receipt_tells_all_that_happened(app: App, clock: ManualClock, language: str) -> None:
    [(owner, place), (other, _)] = await crowd_of(app, clock, 2)
    await to_the_opening(app, clock)
    await tick(app, clock)
    await enter(app, owner, place)
    order = await buy(app, owner)
    await publish_another(app)
    async with reader(app, owner, place, language=language) as client:
        page = (await client.get(RECEIPT)).text
        of_order = (await client.get(f"/orders/{order.order_id}")).text
    [facts] = re.findall('data-receipt="([^"]+)"', page)
    said = json.loads(unescape(facts))
    assert (said["account_id"], said["serial"], said["count"]) == (str(owner.session.account_id), place.serial, 2)
    assert page.count("<time ") == 6
    for each in (said["rank"], said["root"], said["seed"], said["salt"], *said["path"]):
        assert f"<code>{each}</code>" in page
    assert f'href="{DRAW}#place-{place.serial}"' in page
    assert 'href="/line/receipt"' in of_order
    async with reader(app, other, place, language=language) as client:
        refused = await client.get(RECEIPT)
    assert (refused.status_code, "data-receipt" in refused.text) == (404, False)


async def test_a_public_number_stands_on_both_pages(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock, public_number=STATED)
    [owner] = await shoppers(app, 1)
    place = await stand(app, owner)
    for moment in (ROOM.seals_at, STATED.drawn_at):
        await tick(app, clock, seconds=(moment - clock.now()).total_seconds())
    async with app.db.transaction() as tx:
        await app.queue.state_number(tx, StateNumber(text="3 5 7"), "lin.wei")
    await tick(app, clock, seconds=(START - clock.now()).total_seconds())
    async with reader(app, owner, place) as client:
        draw, receipt = (await client.get(DRAW)).text, (await client.get(RECEIPT)).text
    assert 'data-check="number"' in draw
    for page in (draw, receipt):
        assert "Lottery 3D<br><code>3 5 7</code>" in page
    assert "The public number was drawn</p>" in receipt


async def test_who_came_late_is_told_why_his_place_was_not_drawn(app: App, clock: ManualClock) -> None:
    await crowd_of(app, clock, 1)
    await to_the_opening(app, clock)
    [late] = await shoppers(app, 1)
    place = await stand(app, late)
    async with reader(app, late, place) as client:
        page = (await client.get(RECEIPT)).text
    assert "Your number among the late" in page
    assert 'data-check="path"' not in page
    async with reader(app, late) as client:
        none = await client.get(RECEIPT)
    assert (none.status_code, "No place of yours is known here" in none.text) == (404, True)
    async with visitor(app) as client:
        stranger = await client.get(RECEIPT)
    assert (stranger.status_code, stranger.headers["location"]) == (303, "/sign-in?next=/line/receipt")
