"""`tidegate orders reprice`: the same to the cent, or what differs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import msgspec
from click.testing import CliRunner, Result

from tests.offer.festivals import definition, offer
from tests.sale.shop import buyers, open_sale, order, publish
from tidegate.app.compose import App, compose
from tidegate.base.clock import ManualClock
from tidegate.base.config import Config
from tidegate.sale.repricing.commands import group
from tidegate.sale.repricing.contracts import Repriced, What


def _run(config: Config, clock: ManualClock, *words: str) -> Result:
    @asynccontextmanager
    async def opened() -> AsyncIterator[App]:
        app = compose(config, clock=clock)
        await app.open()
        try:
            yield app
        finally:
            await app.close()

    return CliRunner().invoke(group(opened), list(words))


async def _one_order(app: App, clock: ManualClock) -> UUID:
    await publish(app, definition([offer("A", 8_000)]))
    open_sale(clock)
    [buyer] = await buyers(app, 1)
    return (await app.ordering.place(buyer.account_id, "reprice-key-1", order(buyer, {"A": 2}, 16_000))).order_id


async def test_the_same_and_what_differs(app: App, config: Config, clock: ManualClock) -> None:
    order_id = str(await _one_order(app, clock))
    same = await asyncio.to_thread(_run, config, clock, "reprice", order_id)
    assert (same.exit_code, "rules version 1 of double-11 (ordinary): the same to the cent" in same.output) == (0, True)
    async with app.db.transaction() as tx:
        await tx.execute("update ordering.orders set total = 15999")
    other = await asyncio.to_thread(_run, config, clock, "reprice", order_id)
    assert other.exit_code == 1
    assert "it is NOT the same" in other.output
    assert "total: kept 15999; again 16000" in other.output
    as_json = await asyncio.to_thread(_run, config, clock, "reprice", order_id, "--json")
    found = msgspec.json.decode(as_json.output, type=Repriced)
    assert (as_json.exit_code, [each.what for each in found.differences]) == (1, [What.TOTAL])


async def test_an_order_that_is_not_there(app: App, config: Config, clock: ManualClock) -> None:
    await publish(app, definition([offer("A", 8_000)]))
    lost = await asyncio.to_thread(_run, config, clock, "reprice", str(UUID(int=1)))
    assert lost.exit_code == 1
    assert "There is no such order" in lost.output
