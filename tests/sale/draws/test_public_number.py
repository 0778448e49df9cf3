"""A draw that mixes in a public number: announced before, had after the root, in every rank; or missed, and shown."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import msgspec
import pytest

from tests.gate.queue.relay import CHAIN, GENESIS, PERIOD, PUBLIC_KEY, Relay, randomness_of, relay
from tests.sale.draws.festival import CLOSES, DRAWN, draw, festival
from tests.sale.draws.test_api import bought, the_draw
from tests.sale.payment.harness import SandboxProcess
from tests.sale.shop import broken, buyers, open_sale, publish
from tidegate.app.compose import App, compose
from tidegate.base.clock import ManualClock
from tidegate.base.config import Config
from tidegate.base.draw import rank, rank_text
from tidegate.base.ids import Ids
from tidegate.gate.queue.api import announced, draw_key
from tidegate.offer.campaign.contracts import NumberSource, PublicNumber, Words
from tidegate.sale.draws.contracts import DrawState

NUMBER = PublicNumber(
    source=NumberSource.DRAND,
    label=Words("drand", "drand"),
    drawn_at=CLOSES + timedelta(minutes=10),
    patience_seconds=60,
    chain=CHAIN,
    public_key=PUBLIC_KEY,
    genesis_at=GENESIS,
    period_seconds=PERIOD,
)
ROUND = announced(NUMBER).round


@pytest.fixture
def drand() -> Iterator[Relay]:
    with relay() as server:
        yield server


@pytest.fixture
async def shop(
    config: Config, clock: ManualClock, ids: Ids, drand: Relay, harbour: SandboxProcess
) -> AsyncIterator[App]:
    """The whole shop with a drand relay of its own and one payment channel, its sale open."""
    open_sale(clock)
    settings = msgspec.structs.replace(config, drand_url=drand.url, channels=(harbour.setting,))
    composed = compose(settings, clock=clock, ids=ids)
    await composed.cache.client.flushall()
    await composed.open()
    await publish(composed, festival(draw(public_number=NUMBER)))
    await composed.draws.step()
    yield composed
    await composed.close()


async def test_the_number_stands_in_every_rank(shop: App, clock: ManualClock, drand: Relay) -> None:
    first = await the_draw(shop)
    assert first.number is not None
    assert (first.number.announced.round, first.number.text) == (ROUND, None)
    one, two = await buyers(shop, 2)
    await bought(shop, one)
    await bought(shop, two)
    clock.advance(seconds=(CLOSES - clock.now()).total_seconds() + 60)
    await shop.draws.step()
    assert (await the_draw(shop)).state is DrawState.SEALED
    assert drand.asked == []
    drand.latest = ROUND
    clock.advance(seconds=3_600)
    await shop.draws.step()
    drawn = await the_draw(shop)
    assert drawn.number is not None
    assert (drawn.state, drawn.number.text) == (DrawState.DRAWN, randomness_of(ROUND))
    async with shop.db.read() as tx:
        [mine] = await shop.draws.entries_of(tx, drawn.draw_id, one.account_id)
    key = draw_key(bytes.fromhex(drawn.seed or ""), randomness_of(ROUND))
    assert mine.rank == rank_text(rank(key, bytes.fromhex(drawn.root or ""), mine.serial or 0))
    assert await broken(shop) == []


@pytest.mark.parametrize("mood", ["broken", "lies", "other round", "forged"])
async def test_what_cannot_be_had_is_waited_for_then_done_without(
    shop: App, clock: ManualClock, drand: Relay, mood: str
) -> None:
    [buyer] = await buyers(shop, 1)
    await bought(shop, buyer)
    clock.advance(seconds=(CLOSES - clock.now()).total_seconds() + 60)
    await shop.draws.step()
    drand.mood, drand.latest = mood, ROUND
    clock.advance(seconds=(DRAWN - clock.now()).total_seconds() + 59)
    await shop.draws.step()
    waiting = await the_draw(shop)
    assert (waiting.state, waiting.seed) == (DrawState.SEALED, None)
    clock.advance(seconds=4)
    await shop.draws.step()
    drawn = await the_draw(shop)
    assert drawn.number is not None
    assert (drawn.state, drawn.number.text) == (DrawState.DRAWN, None)
    assert drawn.number.refused == (mood in {"forged", "lies"})
    if not drawn.number.refused:
        assert drawn.number.missed == "the number could not be had 60 s after the draw was due"
    assert await broken(shop) == []


async def test_a_number_drawn_before_the_root_was_out_is_not_used(shop: App, clock: ManualClock, drand: Relay) -> None:
    drand.latest = ROUND
    clock.advance(seconds=(NUMBER.drawn_at - clock.now()).total_seconds() + 30)
    await shop.draws.step()
    sealed = await the_draw(shop)
    assert sealed.number is not None
    assert (sealed.state, sealed.number.text) == (DrawState.SEALED, None)
    assert sealed.number.missed.endswith("after the number was drawn")
    assert drand.asked == []
