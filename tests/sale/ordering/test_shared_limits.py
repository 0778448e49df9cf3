"""Limits over the whole promotion by device, address and payment account: exact, whoever orders at once."""

import asyncio
from collections import Counter
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.offer.festivals import definition, limit, offer
from tests.sale.ordering.test_life import deliver, show
from tests.sale.payment.harness import SandboxProcess
from tests.sale.shop import Buyer, broken, buyers, levels, order, publish
from tidegate.app.compose import App, compose
from tidegate.base.clock import ManualClock
from tidegate.base.ids import Ids
from tidegate.offer.campaign.contracts import CampaignDefinition, CampaignId, Limit, Words
from tidegate.offer.pricing.errors import SharedLimitReached
from tidegate.sale.ordering.contracts import OrderState, Placed
from tidegate.sale.payment.contracts import IntentState
from tidegate.trust.identity.contracts import AccountId, Address
from tidegate.trust.identity.rules import place_text

CAMPAIGN = CampaignId("double-11")


def limited(**caps: int) -> CampaignDefinition:
    offers = [offer(sku, quota=500, per_buyer=0) for sku in ("A", "B", "C")]
    fair = Limit(name="fair", label=Words("限购", "Limit"), skus=("A", "B"), **caps)
    return definition(offers, limits=[fair])


ROOM = Address(
    name="张三",
    phone="+8613800131234",
    province="浙江省",
    city="杭州市",
    district="西湖区",
    street="文三路 90 号 2 幢 301",
)


async def at_home(app: App, crowd: list[Buyer], *, street: str = ROOM.street) -> list[Buyer]:
    """Let all of them live at one place, each under an own name and written in an own way."""
    ways = [street, street.replace(" ", ""), f" {street} ", street.replace("90", "９０"), f"{street}，"]
    moved = []
    for place, buyer in enumerate(crowd):
        address = msgspec.structs.replace(ROOM, name=f"住户{place}", street=ways[place % len(ways)])
        async with app.db.transaction() as tx:
            address_id = await app.identity.remember_address(tx, AccountId(buyer.account_id), address)
        moved.append(msgspec.structs.replace(buyer, address_id=address_id))
    return moved


async def session_of(app: App, buyer: Buyer) -> UUID:
    facts = app.identity.session(buyer.token)
    assert facts is not None
    return facts.session_id


async def on_one_device(app: App, crowd: list[Buyer]) -> None:
    """Let all of them have signed in on one browser."""
    sessions = [await session_of(app, each) for each in crowd]
    async with app.db.transaction() as tx:
        await tx.execute("update identity.session set device_id = %s where session_id = any(%s)", [uuid4(), sessions])


async def ask(app: App, buyer: Buyer, lines: dict[str, int], key: str = "shared-key-1") -> Placed:
    total = 8_000 * sum(lines.values())
    return await app.ordering.place(
        buyer.account_id, key, order(buyer, lines, total), session_id=await session_of(app, buyer)
    )


def outcomes(answers: list[Placed | BaseException]) -> Counter[str]:
    return Counter(type(each).__name__ for each in answers)


@pytest.mark.parametrize("scope", ["device", "address"])
async def test_64_buyers_at_once_never_pass_the_limit(shop: App, clock: ManualClock, ids: Ids, scope: str) -> None:
    """From two processes, over two products of the limit; another device or address has its own."""
    await publish(shop, limited(**{f"per_{scope}": 7}))
    crowd = await buyers(shop, 64)
    shared, others = crowd[:60], crowd[60:]
    if scope == "device":
        await on_one_device(shop, shared)
    else:
        shared = await at_home(shop, shared)
    second = compose(shop.config, clock=clock, ids=ids)
    await second.open()
    answers = await asyncio.gather(
        *[
            ask((shop, second)[place % 2], buyer, {"A" if place % 3 else "B": 1})
            for place, buyer in enumerate([*shared, *others])
        ],
        return_exceptions=True,
    )
    await second.close()
    assert outcomes(answers[:60]) == {"Placed": 7, "SharedLimitReached": 53}
    assert outcomes(answers[60:]) == {"Placed": 4}
    refusal = next(each for each in answers if isinstance(each, SharedLimitReached))
    assert refusal.fields == {"rule": "fair", "scope": scope, "limit": 7}
    assert (await ask(shop, shared[0], {"C": 9}, "another-key")).total == 72_000  # not of the limit's goods
    found = await levels(shop, CAMPAIGN, ["A", "B"])
    assert sum(level.held for level in found.values()) == 11
    assert await broken(shop) == []


async def test_what_is_given_up_can_be_had_again(shop: App) -> None:
    await publish(shop, limited(per_address=2, per_device=3))
    one, two = await at_home(shop, await buyers(shop, 2))
    first = await ask(shop, one, {"A": 2})
    with pytest.raises(SharedLimitReached):
        await ask(shop, two, {"B": 1})
    assert await ask(shop, one, {"A": 2}) == first  # the same order again is no second one
    async with shop.db.transaction() as tx:
        await shop.ordering.cancel(tx, first.order_id, one.account_id)
    await ask(shop, two, {"B": 2})
    with pytest.raises(SharedLimitReached) as refused:
        await ask(shop, one, {"A": 4}, "too-many-1")  # alone beyond every limit: refused before any line
    assert refused.value.fields["limit"] in {2, 3}
    assert await broken(shop) == []


async def test_addresses_from_before_get_their_place_when_it_is_needed(shop: App) -> None:
    await publish(shop, limited(per_address=1))
    crowd = await at_home(shop, await buyers(shop, 2))
    async with shop.db.transaction() as tx:
        await tx.execute("update identity.address set place_index = null")
    await ask(shop, crowd[0], {"A": 1})
    with pytest.raises(SharedLimitReached):
        await ask(shop, crowd[1], {"A": 1})


async def test_an_order_without_a_session_counts_on_no_device(shop: App) -> None:
    await publish(shop, limited(per_device=1))
    [buyer] = await buyers(shop, 1)
    for key in ("no-session-1", "no-session-2"):
        await shop.ordering.place(buyer.account_id, key, order(buyer, {"A": 1}, 8_000))


async def test_a_payment_beyond_the_accounts_limit_goes_back(
    shop: App, clock: ManualClock, harbour: SandboxProcess
) -> None:
    """64 buyers pay from one account at once: so many orders stand, the money of the others goes back in full."""
    await publish(shop, limited(per_instrument=5, per_buyer=1))
    harbour.order(payers=1)
    crowd = await buyers(shop, 64)
    placed = await asyncio.gather(*[ask(shop, buyer, {"A": 1}) for buyer in crowd])
    paying = [
        shop.payment.pay(each.order_id, buyer.account_id, "harbour") for each, buyer in zip(placed, crowd, strict=True)
    ]
    assert {each.state for each in await asyncio.gather(*paying)} == {IntentState.CAPTURED}
    await deliver(shop)
    for _ in range(20):
        clock.advance(seconds=2)
        await shop.payment.send_refunds_due()
        await deliver(shop)
    found = [await show(shop, each.order_id) for each in placed]
    assert Counter(each.state for each in found) == {OrderState.PAID: 5, OrderState.REFUNDED: 59}
    level = (await levels(shop, CAMPAIGN, ["A"]))["A"]
    assert (level.sold, level.held, level.free) == (5, 0, 495)
    [refused, *_] = [buyer for buyer, each in zip(crowd, found, strict=True) if each.refunded]
    await ask(shop, refused, {"A": 1}, "once-more-1")  # what the order used of the buyer's own limit is given back
    assert await broken(shop) == []


async def test_a_channel_that_does_not_tell_who_paid_limits_nobody(shop: App, harbour: SandboxProcess) -> None:
    await publish(shop, limited(per_instrument=1))
    crowd = await buyers(shop, 3)
    for buyer in crowd:
        placed = await ask(shop, buyer, {"A": 1})
        await shop.payment.pay(placed.order_id, buyer.account_id, "harbour")
        await deliver(shop)
        assert (await show(shop, placed.order_id)).state is OrderState.PAID


async def test_a_campaign_without_such_limits_asks_for_nothing_more(shop: App) -> None:
    await publish(shop, definition([offer("A", per_buyer=1)], limits=[limit("a", per_buyer=3)]))
    assert shop.pricing.rules.scoped == ()
    [buyer] = await buyers(shop, 1)
    placed = await ask(shop, buyer, {"A": 1})
    counters = (await show(shop, placed.order_id)).priced.counters
    assert [use.key.partition(":")[0] for use in counters] == ["double-11/limit", "double-11/offer"]


@given(st.text(min_size=1, max_size=40), st.sampled_from([" ", "，", "-", "　", "。"]))
def test_spaces_and_punctuation_make_no_other_place(street: str, mark: str) -> None:
    plain = msgspec.structs.replace(ROOM, street=street)
    written = msgspec.structs.replace(plain, street=mark.join(street), name="李四", phone="+8613900131234")
    assert place_text(plain) == place_text(written)
