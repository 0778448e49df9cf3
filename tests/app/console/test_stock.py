"""Shortfalls over HTTP: foreseen, confirmed and recorded for staff; told to the buyer, who may decline to wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from click.testing import CliRunner, Result

from tests.app.console.test_pages import enter, visitor
from tests.offer.festivals import definition, offer
from tests.sale.ordering.conftest import shop
from tests.sale.ordering.test_life import paid, placed, refunded, show
from tests.sale.payment.conftest import harbour, lantern, two_channels
from tests.sale.shop import broken, buyers, publish
from tidegate.app.compose import App, compose
from tidegate.base.clock import ManualClock
from tidegate.base.config import Config
from tidegate.sale.ordering.contracts import OrderState
from tidegate.sale.shortfall.commands import group
from tidegate.sale.shortfall.contracts import Forecast, Told
from tidegate.trust.identity.api import SESSION_COOKIE
from tidegate.trust.identity.contracts import Role

__all__ = ["harbour", "lantern", "shop", "two_channels"]

COUNT = {"sku": "A", "there": "1", "remedy": "later", "deliver_by": "2026-12-01", "reason": "a pallet got wet"}
STATE = "/console/stock/shortfalls"


def between(text: str, before: str, after: str) -> str:
    return text.partition(before)[2].partition(after)[0]


async def test_staff_see_what_a_count_does_before_they_confirm_it_and_buyers_are_told(
    shop: App, clock: ManualClock
) -> None:
    await publish(shop, definition([offer("A", quota=5)]))
    one, two, three = await buyers(shop, 3)
    await paid(shop, one, {"A": 1}, 8_000)
    order_id, unpaid = await paid(shop, two, {"A": 2}, 16_000), await placed(shop, three, {"A": 1}, 8_000)
    async with visitor(shop) as client:
        await enter(shop, client, Role.FULFILMENT)
        assert "Fewer units are there" in (await client.get("/console/stock?q=A")).text
        for wrong, said in (
            ({"there": "-1"}, "as a whole number"),
            ({"there": "5"}, "As many units are there as the books say"),
            ({"deliver_by": "soon"}, "Name the day"),
            ({"deliver_by": "2020-01-01"}, "must be to come"),
            ({"reason": " "}, "shoppers read it"),
            ({"sku": "NONE"}, "never had units of this SKU"),
            ({"remedy": "nothing"}, "Choose what paid orders get"),
        ):
            assert said in (await client.post(STATE, data=COUNT | wrong)).text
        shown = (await client.post(STATE, data=COUNT)).text
        assert "4 units of A are missing?" in shown
        assert (await show(shop, unpaid)).state is OrderState.PLACED
        key = between(shown, 'name="key" value="', '"')
        for _ in range(2):  # a second click
            done = await client.post(STATE, data=COUNT | {"key": key, "confirmed": "yes"})
            assert (done.status_code, done.headers["location"].startswith(f"{STATE}/")) == (303, True)
        told = (await client.get(done.headers["location"])).text
        assert "Settled: nothing more is promised than is there" in told
        assert "by 1 Dec 2026" in told
        assert "come by 1 Dec 2026" in (await client.get(f"/console/orders/{order_id}")).text
    assert (await show(shop, unpaid)).state is OrderState.CANCELLED
    async with visitor(shop) as client:
        client.cookies.set(SESSION_COOKIE, three.token)
        assert "your order was given up, and nothing was charged" in (await client.get(f"/orders/{unpaid}")).text
        client.cookies.set(SESSION_COOKIE, two.token)
        page = (await client.get(f"/orders/{order_id}")).text
        assert "2 × Goods A come by 1 Dec 2026" in page
        decline = next(part for part in page.split('action="') if "/decline" in part.partition('"')[0]).partition('"')[
            0
        ]
        for _ in range(2):
            assert (await client.post(decline)).headers["location"] == f"/orders/{order_id}"
        [line] = (await client.get(f"/api/v1/orders/{order_id}/shortfalls")).json()
        assert (line["amount"], line["waiting"], line["outcome"]) == (16_000, 0, "later")
        assert "You did not want to wait" in (await client.get(f"/orders/{order_id}")).text
    await refunded(shop, clock)
    assert (await show(shop, order_id)).refunded == 16_000
    assert await broken(shop) == []


async def test_json_states_a_shortfall_for_staff_alone(app: App, clock: ManualClock) -> None:
    await publish(app, definition([offer("A", quota=5)]))
    body = {"sku": "A", "missing": 2, "remedy": "refund", "reason": "two broke"}
    async with visitor(app) as client:
        path, key = "/api/v1/stock/shortfalls", {"Idempotency-Key": "two-broke-today"}
        assert (await client.post(path, json=body, headers=key)).status_code == 401
        await enter(app, client, Role.FULFILMENT)
        assert (await client.post(f"{path}/preview", json=body)).json()["free_units"] == 2
        answers = [(await client.post(path, json=body, headers=key)).json() for _ in range(2)]
        assert answers[0] == answers[1] == (await client.get(path)).json()["rows"][0]
        assert (answers[0]["act"]["there"], answers[0]["act"]["stated_by"]) == (3, "a.fulfilment")
        stated = await client.post(path, json=body | {"there": 1}, headers={"Idempotency-Key": "another-key"})
        assert (stated.status_code, stated.json()["type"]) == (422, "/problems/shortfall-malformed")
    async with visitor(app) as client:
        await enter(app, client, Role.SUPPORT)
        assert (await client.post(path, json=body, headers=key)).status_code == 403


async def test_the_command_line_says_what_it_did_and_counts_once(app: App, config: Config, clock: ManualClock) -> None:
    await publish(app, definition([offer("A", quota=5)]))
    async with app.db.transaction() as tx:
        await app.identity.add_staff(tx, "lin", Role.FULFILMENT, "a long enough password")
        await app.identity.add_staff(tx, "wu", Role.SUPPORT, "a long enough password")

    def run(*words: str) -> Result:
        @asynccontextmanager
        async def opened() -> AsyncIterator[App]:
            other = compose(config, clock=clock)
            await other.open()
            try:
                yield other
            finally:
                await other.close()

        return CliRunner().invoke(group(opened), list(words))

    words = ["short", "A", "--there", "3", "--remedy", "refund", "--reason", "two broke", "--by", "lin"]
    dry = await asyncio.to_thread(run, *words, "--dry-run", "--json")
    assert dry.exit_code == 0, dry.output
    assert msgspec.json.decode(dry.output, type=Forecast).free_units == 2
    first, again = [await asyncio.to_thread(run, *words, "--json") for _ in range(2)]
    assert first.output == again.output
    assert msgspec.json.decode(first.output, type=Told).act.there == 3
    stranger = await asyncio.to_thread(run, *words[:-1], "wu")
    assert (stranger.exit_code, "stock.adjust" in stranger.output) == (1, True)
    table = await asyncio.to_thread(run, "show", "A")
    assert [figure for figure in table.output.split() if figure.isdigit()][-7:] == ["5", "3", "0", "0", "2", "0", "0"]
