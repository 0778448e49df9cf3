"""Claimed coupons and orders: frozen with the order, used when it is paid, back when it ends; each exactly once."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import msgspec
import pytest

from tests.offer.coupons.festival import (
    OFF,
    PRICE,
    REDUCED,
    claim,
    count_of,
    festival,
    handed_out,
    states,
    story,
    totals,
    unique,
)
from tests.offer.promotions import amount_off, promotion
from tests.sale.ordering.test_life import deliver, show
from tests.sale.shop import Buyer, broken, buyers, levels, open_sale, order, publish
from tidegate.app.compose import App, compose
from tidegate.base.clock import ManualClock
from tidegate.base.errors import Refusal
from tidegate.base.ids import Ids
from tidegate.offer.campaign.contracts import CampaignId
from tidegate.offer.coupons.contracts import CouponState
from tidegate.offer.coupons.errors import (
    CannotRevoke,
    CodeMistyped,
    CodeNeeded,
    CouponExpired,
    CouponFrozen,
    CouponNotClaimed,
    CouponRevoked,
    CouponUnknown,
    CouponUsed,
)
from tidegate.offer.pricing.errors import CouponUsedUp, ThresholdNotMet
from tidegate.sale.ordering.contracts import OrderState, Placed
from tidegate.sale.payment.contracts import IntentState
from tidegate.sale.stock.errors import SoldOut

CAMPAIGN = CampaignId("double-11")


async def buy(app: App, buyer: Buyer, code: str, key: str = "coupon-key-1", total: int = REDUCED) -> Placed:
    return await app.ordering.place(buyer.account_id, key, order(buyer, {"POT": 1}, total, code))


async def tried(app: App, buyer: Buyer, code: str, key: str = "coupon-key-1") -> Placed | Refusal:
    try:
        return await buy(app, buyer, code, key)
    except Refusal as refusal:
        return refusal


async def stands(app: App, code: str) -> tuple[CouponState, UUID | None]:
    held = (await story(app, code)).coupon
    return held.state, held.order_id


async def cancel(app: App, buyer: Buyer, order_id: UUID) -> None:
    async with app.db.transaction() as tx:
        await app.ordering.cancel(tx, order_id, buyer.account_id)


async def test_a_coupon_is_frozen_with_the_order_and_back_when_that_is_given_up(app: App, clock: ManualClock) -> None:
    await publish(app, festival())
    open_sale(clock)
    [buyer] = await buyers(app, 1)
    code = (await claim(app, buyer.account_id)).code
    placed = await buy(app, buyer, code.lower())
    assert placed.total == PRICE - OFF
    assert await stands(app, code) == (CouponState.FROZEN, placed.order_id)
    assert (await totals(app)).frozen == 1
    assert await broken(app) == []
    with pytest.raises(CouponFrozen) as refused:
        await buy(app, buyer, code, "coupon-key-2")
    assert refused.value.fields == {"coupon": code, "order_id": placed.order_id}
    await cancel(app, buyer, placed.order_id)
    assert await stands(app, code) == (CouponState.RETURNED, None)
    again = await buy(app, buyer, code, "coupon-key-2")
    assert await stands(app, code) == (CouponState.FROZEN, again.order_id)
    assert await buy(app, buyer, code.lower()) == placed  # the first key has its first answer for ever
    assert [(move.why, move.order_id) for move in (await story(app, code)).moves] == [
        ("order_placed", placed.order_id),
        ("order_cancelled", placed.order_id),
        ("order_placed", again.order_id),
    ]
    assert await broken(app) == []


async def test_a_coupon_that_would_save_nothing_is_refused_and_stays_unused(app: App, clock: ManualClock) -> None:
    """The shop's own reduction leaves 100.00 less than the coupon asks for: it is not used up for nothing."""
    less = PRICE - 10_000
    listed = promotion("shop-off", amount_off(PRICE, 10_000))
    offered = msgspec.structs.replace(unique(), threshold=less + 1)
    await publish(app, msgspec.structs.replace(festival(offered), promotions=(listed,)))
    open_sale(clock)
    [buyer] = await buyers(app, 1)
    code = (await claim(app, buyer.account_id)).code
    with pytest.raises(ThresholdNotMet) as refused:
        await buy(app, buyer, code, total=less)
    assert refused.value.fields == {"coupon": "SAVE50", "threshold": less + 1, "missing": 1}
    assert await stands(app, code) == (CouponState.UNUSED, None)
    assert (await totals(app)).frozen == 0
    placed = await app.ordering.place(buyer.account_id, "without-it", order(buyer, {"POT": 1}, less))
    assert (await show(app, placed.order_id)).own_coupon is None
    assert await broken(app) == []


async def test_an_order_that_is_not_paid_in_time_gives_the_coupon_back(app: App, clock: ManualClock) -> None:
    await publish(app, festival())
    open_sale(clock)
    [buyer] = await buyers(app, 1)
    code = (await claim(app, buyer.account_id)).code
    await buy(app, buyer, code)
    clock.advance(seconds=15 * 60 + 1)
    assert await app.ordering.expire_due() == 1
    assert states(await story(app, code)) == [("order_placed", "frozen"), ("order_expired", "returned")]
    assert await broken(app) == []


async def test_a_paid_order_has_used_the_coupon_and_a_full_refund_returns_it(shop: App, clock: ManualClock) -> None:
    await publish(shop, festival())
    [buyer] = await buyers(shop, 1)
    code = (await claim(shop, buyer.account_id)).code
    placed = await buy(shop, buyer, code)
    assert (await shop.payment.pay(placed.order_id, buyer.account_id)).state is IntentState.CAPTURED
    await deliver(shop)
    assert await stands(shop, code) == (CouponState.USED, placed.order_id)
    with pytest.raises(CouponUsed):
        await buy(shop, buyer, code, "coupon-key-2")
    async with shop.db.transaction() as tx:
        with pytest.raises(CannotRevoke):
            await shop.coupons.desk.revoke(tx, code, "lin.wei", "mistake")
    assert await broken(shop) == []
    await cancel(shop, buyer, placed.order_id)
    await _refunded(shop, clock, placed.order_id)
    assert await stands(shop, code) == (CouponState.RETURNED, None)
    assert (await show(shop, placed.order_id)).coupon == code
    assert states(await story(shop, code))[1:] == [("order_paid", "used"), ("order_refunded", "returned")]
    assert await broken(shop) == []


async def test_a_campaign_may_keep_the_coupon_of_a_refunded_order(shop: App, clock: ManualClock) -> None:
    await publish(shop, festival(unique(back_on_refund=False)))
    [buyer] = await buyers(shop, 1)
    code = (await claim(shop, buyer.account_id)).code
    placed = await buy(shop, buyer, code)
    await shop.payment.pay(placed.order_id, buyer.account_id)
    await deliver(shop)
    await cancel(shop, buyer, placed.order_id)
    await _refunded(shop, clock, placed.order_id)
    assert await stands(shop, code) == (CouponState.USED, placed.order_id)
    assert await broken(shop) == []


async def _refunded(shop: App, clock: ManualClock, order_id: UUID) -> None:
    for _ in range(5):
        await shop.payment.send_refunds_due()
        await deliver(shop)
        clock.advance(seconds=2)
    assert (await show(shop, order_id)).state is OrderState.REFUNDED


async def test_one_coupon_shown_by_many_orders_at_once_is_in_one(app: App, clock: ManualClock, ids: Ids) -> None:
    await publish(app, festival())
    open_sale(clock)
    [buyer] = await buyers(app, 1)
    code = (await claim(app, buyer.account_id)).code
    other = compose(app.config, clock=clock, ids=ids)
    await other.open()
    answers = await asyncio.gather(
        *[tried(each, buyer, code, f"racing-key-{number}") for number, each in enumerate((app, other) * 32)]
    )
    await other.close()
    assert (count_of(answers, Placed), count_of(answers, CouponFrozen)) == (1, 63)
    assert (await levels(app, CAMPAIGN, ["POT"]))["POT"].held == 1
    assert await broken(app) == []


async def test_64_buyers_race_for_the_last_use_that_all_codes_of_a_coupon_share(
    app: App, clock: ManualClock, ids: Ids
) -> None:
    await publish(app, festival(unique(quota=1)))
    open_sale(clock)
    crowd = await buyers(app, 64)
    codes = [(await claim(app, each.account_id)).code for each in crowd]
    other = compose(app.config, clock=clock, ids=ids)
    await other.open()
    answers = await asyncio.gather(
        *[tried(each, buyer, code) for each, buyer, code in zip((app, other) * 32, crowd, codes, strict=True)]
    )
    await other.close()
    assert (count_of(answers, Placed), count_of(answers, CouponUsedUp)) == (1, 63)
    made = await totals(app)
    assert (made.frozen, made.unused) == (1, 63)
    assert await broken(app) == []


async def test_claims_orders_and_cancellations_at_once_never_wait_in_a_circle(
    app: App, clock: ManualClock, ids: Ids
) -> None:
    """Every lock order at once, on one template: none fails, and the totals add up at the end."""
    await publish(app, festival(unique(per_account=4), quota=10))
    open_sale(clock)
    crowd = await buyers(app, 32)
    other = compose(app.config, clock=clock, ids=ids)
    await other.open()

    async def shopping(each: App, buyer: Buyer) -> list[object]:
        answers: list[object] = []
        for number in range(3):
            code = (await claim(each, buyer.account_id)).code
            answers.append(await tried(each, buyer, code, f"circle-key-{number}"))
            if isinstance(answers[-1], Placed):
                await cancel(each, buyer, answers[-1].order_id)
        return answers

    told = await asyncio.gather(
        *[shopping(each, buyer) for each, buyer in zip((app, other) * 16, crowd, strict=True)],
        _expiring(app),
        _making(app),
    )
    await other.close()
    answers = [answer for each in told for answer in each]
    assert count_of(answers, Placed) + count_of(answers, SoldOut) == 96
    made = await totals(app)
    assert (made.made, made.claimed, made.unclaimed, made.frozen) == (136, 96, 40, 0)
    assert made.returned == count_of(answers, Placed)
    assert await broken(app) == []


async def _expiring(app: App) -> Sequence[object]:
    for _ in range(20):
        await app.coupons.expire_due()
    return []


async def _making(app: App) -> Sequence[object]:
    for _ in range(4):
        await handed_out(app, 10)
    return []


async def test_a_sold_out_order_leaves_the_coupon_in_the_wallet(app: App, clock: ManualClock) -> None:
    await publish(app, festival(quota=1))
    open_sale(clock)
    one, two = await buyers(app, 2)
    first, second = [(await claim(app, each.account_id)).code for each in (one, two)]
    await buy(app, one, first)
    with pytest.raises(SoldOut):
        await buy(app, two, second)
    assert await stands(app, second) == (CouponState.UNUSED, None)
    assert await broken(app) == []


async def test_what_is_no_usable_coupon_of_the_buyer_is_refused(app: App, clock: ManualClock) -> None:
    await publish(app, festival(unique(per_account=5, valid_days=1)))
    [handed] = await handed_out(app, 1)
    open_sale(clock)
    one, two = await buyers(app, 2)
    mine, late, revoked = [(await claim(app, one.account_id)).code for _ in range(3)]
    async with app.db.transaction() as tx:
        await app.coupons.desk.revoke(tx, revoked, "lin.wei", "given by mistake")
    wrong = mine[:-1] + ("A" if mine[-1] != "A" else "C")
    for buyer, code, expected in (
        (two, mine, CouponUnknown),
        (one, handed, CouponNotClaimed),
        (one, revoked, CouponRevoked),
        (one, "SAVE50", CodeNeeded),
        (one, wrong, CodeMistyped),
    ):
        assert isinstance(await tried(app, buyer, code), expected)
    clock.advance(seconds=86_400)
    assert isinstance(await tried(app, one, late), CouponExpired)
    assert (await levels(app, CAMPAIGN, ["POT"]))["POT"].held == 0
    assert await broken(app) == []


async def test_the_doctor_sees_a_coupon_that_no_order_has(app: App, clock: ManualClock) -> None:
    await publish(app, festival())
    open_sale(clock)
    [buyer] = await buyers(app, 1)
    code = (await claim(app, buyer.account_id)).code
    await buy(app, buyer, code)
    async with app.db.transaction() as tx:
        await tx.execute("update coupons.coupon set state = 'unused', order_id = null where code = %s", [code])
    found = await broken(app)
    assert any("placed orders have exactly their claimed coupons frozen" in name for name in found)
    assert any("the totals of each template are the numbers of its codes" in name for name in found)
