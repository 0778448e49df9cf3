"""A draw from its announced hash to its winners, on the real database and real payment channels."""

import asyncio
from hashlib import sha256
from uuid import UUID

import msgspec
import pytest

from tests.sale.draws.festival import PRICE, PRIZES, draw, festival
from tests.sale.groups.company import deliver
from tests.sale.shop import Buyer, broken, buyers, order, publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.base.draw import merkle_root
from tidegate.offer.campaign.contracts import Words
from tidegate.sale.draws import rules
from tidegate.sale.draws.contracts import DrawState, DrawView
from tidegate.sale.draws.errors import DrawUnknown
from tidegate.sale.payment.contracts import IntentState


async def bought(app: App, buyer: Buyer, sku: str = "A", total: int = PRICE, key: str = "draw-key-1") -> UUID:
    """Place and pay an order."""
    placed = await app.ordering.place(buyer.account_id, key, order(buyer, {sku: 1}, total))
    assert (await app.payment.pay(placed.order_id, buyer.account_id)).state is IntentState.CAPTURED
    await deliver(app)
    return placed.order_id


async def the_draw(app: App, reader: UUID | None = None) -> DrawView:
    async with app.db.read() as tx:
        [found] = await app.draws.views(tx, "double-11", reader)
    return found


async def test_from_the_hash_to_winners_that_anybody_can_check(shop: App, clock: ManualClock) -> None:
    await publish(shop, festival())
    assert await shop.draws.step() == 1
    assert await shop.draws.step() == 0
    opened = await the_draw(shop)
    assert (opened.state, opened.root, opened.seed, opened.entries) == (DrawState.OPEN, None, None, None)
    people = await buyers(shop, 6)
    for each in people:
        await bought(shop, each)
    await bought(shop, people[0], key="draw-key-2")
    await bought(shop, people[1], "B", 7_999, key="draw-key-2")
    async with shop.db.read() as tx:
        mine = await shop.draws.entries_of(tx, opened.draw_id, people[0].account_id)
    assert [(each.serial, each.salt) for each in mine] == [(None, None)] * 2

    clock.advance(seconds=86_400 - 60)
    assert await shop.draws.step() == 0
    assert (await the_draw(shop)).state is DrawState.SEALING
    clock.advance(seconds=60)
    assert await shop.draws.step() == 1
    sealed = await the_draw(shop)
    assert (sealed.state, sealed.entries, sealed.seed) == (DrawState.SEALED, 7, None)
    assert sealed.seed_hash == opened.seed_hash

    clock.advance(seconds=3_600)
    assert await shop.draws.step() == 1
    drawn = await the_draw(shop, people[0].account_id)
    assert (drawn.state, drawn.root, drawn.seed_hash) == (DrawState.DRAWN, sealed.root, opened.seed_hash)
    assert drawn.seed is not None
    assert sha256(bytes.fromhex(drawn.seed)).hexdigest() == opened.seed_hash
    async with shop.db.read() as tx:
        lines = await shop.draws.sealed(tx, drawn.draw_id)
        own = [each for buyer in people for each in await shop.draws.entries_of(tx, drawn.draw_id, buyer.account_id)]
        won = await shop.draws.winners(tx, drawn.draw_id)
    leaves = [rules.leaf(line.serial, bytes.fromhex(line.commitment)) for line in lines]
    assert merkle_root(leaves).hex() == drawn.root
    opens = {each.serial: sha256(bytes.fromhex(each.salt or "") + each.order_id.bytes).hexdigest() for each in own}
    assert opens == {line.serial: line.commitment for line in lines}
    assert [each.prize for each in won[:3]] == [0, 1, 1]
    assert len({each.account_id for each in won}) == len(won)
    assert {each.serial for each in own if each.prize is not None} == {each.serial for each in won}
    mine_won = [each for each in drawn.winners if each.mine]
    assert len(mine_won) == sum(each.account_id == people[0].account_id for each in won)
    assert await broken(shop) == []


async def test_what_is_given_back_before_the_sealing_takes_no_part(shop: App, clock: ManualClock) -> None:
    await publish(shop, festival())
    await shop.draws.step()
    keeper, returner, late = await buyers(shop, 3)
    kept = await bought(shop, keeper)
    returned = await bought(shop, returner)
    async with shop.db.transaction() as tx:
        await shop.ordering.cancel(tx, returned, returner.account_id)
    clock.advance(seconds=86_400)
    await bought(shop, late)
    clock.advance(seconds=4_000)
    assert await shop.draws.step() == 2
    async with shop.db.read() as tx:
        won = await shop.draws.winners(tx, (await the_draw(shop)).draw_id)
    assert [each.order_id for each in won] == [kept]
    assert await broken(shop) == []


async def test_terms_stay_those_of_the_opening_whatever_is_published_later(shop: App, clock: ManualClock) -> None:
    await publish(shop, festival())
    await shop.draws.step()
    fewer = draw(prizes=PRIZES[:1], label=Words("改", "Changed"))
    await publish(shop, festival(fewer))
    await shop.draws.step()
    assert (await the_draw(shop)).terms == draw()
    del clock


async def test_many_workers_at_once_seal_and_draw_once(shop: App, clock: ManualClock) -> None:
    await publish(shop, festival())
    await asyncio.gather(*(shop.draws.step() for _ in range(4)))
    first = await the_draw(shop)
    [buyer] = await buyers(shop, 1)
    await bought(shop, buyer)
    clock.advance(seconds=90_100)
    moved = await asyncio.gather(*(shop.draws.step() for _ in range(8)))
    await shop.draws.step()
    assert sum(moved) <= 2
    drawn = await the_draw(shop)
    assert (drawn.state, drawn.seed_hash, drawn.entries) == (DrawState.DRAWN, first.seed_hash, 1)
    assert await broken(shop) == []


async def test_a_list_or_winner_changed_afterwards_is_found(shop: App, clock: ManualClock) -> None:
    await publish(shop, festival())
    await shop.draws.step()
    one, two = await buyers(shop, 2)
    await bought(shop, one)
    await bought(shop, two)
    clock.advance(seconds=90_100)
    await shop.draws.step()
    async with shop.db.transaction() as tx:
        await tx.execute("update draws.winner set prize = 1 - prize where prize in (0, 1)")
    assert await broken(shop) == ["draws: seed, root and winners are those that anybody computes again: double-11/pots"]


async def test_an_unknown_draw_is_refused(shop: App) -> None:
    await publish(shop, msgspec.structs.replace(festival(), draws=()))
    async with shop.db.read() as tx:
        assert await shop.draws.views(tx, "double-11") == []
        with pytest.raises(DrawUnknown):
            await shop.draws.sealed(tx, UUID(int=1))
