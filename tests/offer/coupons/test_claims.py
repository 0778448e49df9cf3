"""Claiming: exact limits whatever races, times, audiences, and codes that were handed out."""

import asyncio
from datetime import timedelta

import pytest

from tests.offer.coupons.festival import claim, count_of, festival, handed_out, states, story, totals, unique
from tests.offer.festivals import START
from tests.sale.shop import broken, buyers, open_sale, publish
from tidegate.app.compose import App, compose
from tidegate.base.clock import ManualClock
from tidegate.base.errors import Refusal
from tidegate.base.ids import Ids
from tidegate.offer.campaign.contracts import Audience
from tidegate.offer.coupons.contracts import CouponState, Kept
from tidegate.offer.coupons.errors import (
    AudienceNotMet,
    ClaimLimitReached,
    ClaimsNotOpen,
    ClaimsUsedUp,
    CodeMistyped,
    CouponExpired,
    CouponUnknown,
    TemplateUnknown,
)


async def tried(app: App, account_id: object, text: str = "SAVE50") -> Kept | Refusal:
    try:
        return await claim(app, account_id, text)  # type: ignore[arg-type]
    except Refusal as refusal:
        return refusal


async def test_a_claimed_coupon_is_kept(app: App, clock: ManualClock) -> None:
    await publish(app, festival())
    [buyer] = await buyers(app, 1)
    mine = await claim(app, buyer.account_id, " save50 ")
    assert (mine.template, mine.state, mine.order_id) == ("SAVE50", CouponState.UNUSED, None)
    assert (mine.claimed_at, mine.expires_at) == (clock.now(), START + timedelta(days=3))
    async with app.db.read() as tx:
        assert await app.coupons.kept_by(tx, buyer.account_id) == [mine]
        assert await app.coupons.claimed_by(tx, buyer.account_id) == {"SAVE50": 1}
        assert await app.coupons.left(tx) == {"SAVE50": 999}
    assert await broken(app) == []


async def test_an_account_never_claims_more_than_it_may_from_two_processes(
    app: App, clock: ManualClock, ids: Ids
) -> None:
    await publish(app, festival(unique(per_account=3)))
    [buyer] = await buyers(app, 1)
    other = compose(app.config, clock=clock, ids=ids)
    await other.open()
    answers = await asyncio.gather(*[tried(each, buyer.account_id) for each in (app, other) * 16])
    await other.close()
    assert (count_of(answers, Kept), count_of(answers, ClaimLimitReached)) == (3, 29)
    assert (await totals(app)).claimed == 3
    assert await broken(app) == []


async def test_no_more_are_claimed_than_there_are(app: App) -> None:
    await publish(app, festival(unique(count=10)))
    crowd = await buyers(app, 64)
    answers = await asyncio.gather(*[tried(app, each.account_id) for each in crowd])
    assert (count_of(answers, Kept), count_of(answers, ClaimsUsedUp)) == (10, 54)
    made = await totals(app)
    assert (made.planned, made.made, made.claimed, made.unused) == (10, 10, 10, 10)
    assert await broken(app) == []


async def test_a_refused_claim_is_not_counted(app: App) -> None:
    await publish(app, festival(unique(count=1)))
    one, two = await buyers(app, 2)
    await claim(app, one.account_id)
    with pytest.raises(ClaimsUsedUp):
        await claim(app, two.account_id)
    await publish(app, festival(unique(count=2)))
    assert (await claim(app, two.account_id)).state is CouponState.UNUSED
    assert await broken(app) == []


async def test_claims_have_their_time(app: App, clock: ManualClock) -> None:
    opens_at, closes_at = START + timedelta(hours=1), START + timedelta(hours=2)
    await publish(app, festival(unique(claims_open_at=opens_at, claims_close_at=closes_at, valid_days=1)))
    one, two = await buyers(app, 2)
    open_sale(clock)
    with pytest.raises(ClaimsNotOpen) as early:
        await claim(app, one.account_id)
    assert early.value.fields == {"opens_at": opens_at, "closes_at": closes_at}
    clock.advance(seconds=3600)
    assert (await claim(app, one.account_id)).expires_at == clock.now() + timedelta(days=1)
    clock.advance(seconds=3600)
    with pytest.raises(ClaimsNotOpen):
        await claim(app, two.account_id)


async def test_a_coupon_for_returning_customers_is_not_for_new_ones(app: App) -> None:
    returning, new = unique("BACK50", audience=[Audience.RETURNING]), unique("NEW50", audience=[Audience.NEW])
    await publish(app, festival(returning, new))
    [buyer] = await buyers(app, 1)
    with pytest.raises(AudienceNotMet):
        await claim(app, buyer.account_id, "BACK50")
    assert (await claim(app, buyer.account_id, "NEW50")).template == "NEW50"


async def test_a_coupon_for_members_is_for_whoever_is_one_now(app: App) -> None:
    await publish(app, festival(unique("GOLD50", audience=[Audience.MEMBERS])))
    [buyer] = await buyers(app, 1)
    with pytest.raises(AudienceNotMet):
        await claim(app, buyer.account_id, "GOLD50")
    async with app.db.transaction() as tx:
        await tx.execute(
            "insert into identity.member (phone_index, tier, set_at)"
            " select phone_index, 'gold', now() from identity.account where account_id = %s",
            [buyer.account_id],
        )
    assert (await claim(app, buyer.account_id, "GOLD50")).template == "GOLD50"


async def test_a_code_that_was_handed_out_is_claimed_once(app: App) -> None:
    await publish(app, festival(unique(button=False)))
    [code] = await handed_out(app, 1)
    crowd = await buyers(app, 16)
    answers = await asyncio.gather(*[tried(app, each.account_id, code) for each in crowd])
    assert (count_of(answers, Kept), count_of(answers, CouponUnknown)) == (1, 15)
    [winner] = [each for each, answer in zip(crowd, answers, strict=True) if isinstance(answer, Kept)]
    assert isinstance(await tried(app, winner.account_id, code.lower()), Kept)  # the same answer again
    assert states(await story(app, code)) == [("claimed", "unused")]
    made = await totals(app)
    assert (made.made, made.claimed, made.unclaimed, made.unused) == (1, 1, 0, 1)
    with pytest.raises(TemplateUnknown):
        await claim(app, winner.account_id, "SAVE50")  # no button
    assert await broken(app) == []


async def test_codes_count_towards_the_same_limit_as_the_button(app: App) -> None:
    await publish(app, festival())
    [code] = await handed_out(app, 1)
    [buyer] = await buyers(app, 1)
    await claim(app, buyer.account_id)
    with pytest.raises(ClaimLimitReached):
        await claim(app, buyer.account_id, code)
    assert (await totals(app)).unclaimed == 1


async def test_what_is_no_code_says_so(app: App) -> None:
    await publish(app, festival())
    [code] = await handed_out(app, 1)
    [buyer] = await buyers(app, 1)
    wrong = code[:-1] + ("A" if code[-1] != "A" else "C")
    with pytest.raises(CodeMistyped):
        await claim(app, buyer.account_id, wrong)
    for text in ("NOTHING", "OTHER-" + code.rpartition("-")[2]):
        with pytest.raises(TemplateUnknown):
            await claim(app, buyer.account_id, text)


async def test_what_nobody_claimed_in_time_expires_and_so_does_what_nobody_used(app: App, clock: ManualClock) -> None:
    await publish(app, festival())
    one, two = await handed_out(app, 2)
    first, second = await buyers(app, 2)
    await claim(app, first.account_id, one)
    clock.advance(seconds=(START - clock.now()).total_seconds() + 3 * 86_400)
    assert await app.coupons.expire_due() == 2
    assert await app.coupons.expire_due() == 0
    with pytest.raises(CouponExpired):
        await claim(app, second.account_id, two)
    made = await totals(app)
    assert (made.made, made.claimed, made.expired) == (2, 1, 2)
    assert states(await story(app, one)) == [("claimed", "unused"), ("time_over", "expired")]
    assert await broken(app) == []
