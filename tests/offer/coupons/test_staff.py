"""What staff do: codes in bulk, export, import, a code's story, withdrawing."""

import asyncio

import pytest

from tests.offer.coupons.festival import claim, festival, handed_out, states, story, totals, unique
from tests.sale.shop import broken, buyers, publish
from tidegate.app.compose import App
from tidegate.offer.coupons.codes import new_codes
from tidegate.offer.coupons.contracts import AT_ONCE_MAX, Batch, BatchId, CodeLine, CouponState
from tidegate.offer.coupons.errors import (
    BatchMadeAlready,
    BatchSizeNotValid,
    BatchUnknown,
    CannotRevoke,
    ClaimsUsedUp,
    CodesFaulty,
    CodesNotLeft,
    CouponRevoked,
    CouponUnknown,
    ReasonNeeded,
)


async def test_codes_are_made_in_bulk_with_progress_and_never_more_than_planned(app: App) -> None:
    await publish(app, festival(unique(count=5_000)))
    told: list[int] = []
    batch = await app.coupons.desk.generate("SAVE50", 4_500, "lin.wei", told.append)
    assert (batch.codes, batch.kind, batch.made_by) == (4_500, "generated", "lin.wei")
    assert told == [2_000, 2_000, 500]
    with pytest.raises(CodesNotLeft) as refused:
        await app.coupons.desk.generate("SAVE50", 501, "lin.wei", told.append)
    assert refused.value.fields == {"left": 500}
    made = await totals(app)
    assert (made.planned, made.made, made.unclaimed, made.claimed) == (5_000, 4_500, 4_500, 0)
    assert len({code async for part in app.coupons.desk.codes_of(batch.batch_id) for code, _ in part}) == 4_500
    assert await broken(app) == []


async def test_codes_and_claims_share_the_plan(app: App) -> None:
    await publish(app, festival(unique(count=2)))
    one, two = await buyers(app, 2)
    await handed_out(app, 1)
    await claim(app, one.account_id)
    with pytest.raises(ClaimsUsedUp):
        await claim(app, two.account_id)
    with pytest.raises(CodesNotLeft):
        await handed_out(app, 1)


async def test_an_export_is_recorded_before_a_code_leaves_the_house(app: App) -> None:
    await publish(app, festival())
    batch = await app.coupons.desk.generate("SAVE50", 3, "lin.wei", lambda _: None)
    async with app.db.transaction() as tx:
        with pytest.raises(ReasonNeeded):
            await app.coupons.desk.record_export(tx, batch.batch_id, "chen.jie", "  ")
        with pytest.raises(BatchUnknown):
            await app.coupons.desk.record_export(tx, BatchId(app.ids.new()), "chen.jie", "for the leaflet")
        await app.coupons.desk.record_export(tx, batch.batch_id, "chen.jie", "for the  leaflet")
    async with app.db.read() as tx:
        [kept] = await app.coupons.desk.exports(tx, [batch.batch_id])
        assert await app.coupons.desk.batches(tx, "double-11") == [batch]
    assert (kept.by, kept.reason, kept.codes) == ("chen.jie", "for the leaflet", 3)


def listed(*texts: str) -> list[CodeLine]:
    """Codes as a file has them, below its first line."""
    return [CodeLine(line, text) for line, text in enumerate(texts, 2)]


async def test_a_file_of_codes_is_taken_as_a_whole_or_not_at_all(app: App) -> None:
    await publish(app, festival(unique(count=100), unique("OTHER")))
    codes = sorted(new_codes("SAVE50", 10, 5))
    [foreign] = new_codes("OTHER", 10, 1)
    for bad, words in (
        ([*codes, codes[0]], "line 7: .* stands here twice"),
        ([*codes, foreign], "line 7: .* is no code of SAVE50"),
        ([""], "line 2: nothing is no code"),
    ):
        with pytest.raises(CodesFaulty, match=words):
            await app.coupons.desk.take("SAVE50", listed(*bad), "lin.wei", lambda _: None)
    batch = await app.coupons.desk.take("SAVE50", listed(*codes), "lin.wei", lambda _: None)
    assert (batch.codes, batch.kind) == (5, "imported")
    again = listed(*new_codes("SAVE50", 10, 2), codes[3])
    with pytest.raises(CodesFaulty, match=f"line 4: {codes[3]} exists already"):
        await app.coupons.desk.take("SAVE50", again, "lin.wei", lambda _: None)
    assert (await totals(app)).made == 5
    [buyer] = await buyers(app, 1)
    assert (await claim(app, buyer.account_id, codes[0])).code == codes[0]
    assert await broken(app) == []


async def test_a_form_that_is_sent_twice_makes_its_codes_once(app: App) -> None:
    await publish(app, festival(unique(count=3_000), unique("OTHER")))
    key = BatchId(app.ids.new())

    async def make(count: int = 2_500, name: str = "SAVE50", by: str = "lin.wei") -> Batch:
        async with app.db.transaction() as tx:
            return await app.coupons.desk.make(tx, name, count, by, key)

    made = await asyncio.gather(*(make() for _ in range(4)))
    assert {(each.batch_id, each.codes) for each in made} == {(key, 2_500)}
    for other in (make(2_499), make(name="OTHER"), make(by="chen.jie")):
        with pytest.raises(BatchMadeAlready):
            await other
    codes = sorted(new_codes("SAVE50", 10, 3))
    with pytest.raises(BatchMadeAlready):
        await app.coupons.desk.take("SAVE50", listed(*codes), "lin.wei", lambda _: None, key)
    taken = BatchId(app.ids.new())
    for _ in range(2):
        batch = await app.coupons.desk.take("SAVE50", listed(*codes), "lin.wei", lambda _: None, taken)
        assert (batch.batch_id, batch.codes) == (taken, 3)
    assert (await totals(app)).made == 2_503
    assert await broken(app) == []


async def test_a_form_that_asks_for_too_many_makes_none(app: App) -> None:
    await publish(app, festival(unique(count=100)))
    for count, refusal in ((0, BatchSizeNotValid), (AT_ONCE_MAX + 1, BatchSizeNotValid), (101, CodesNotLeft)):
        with pytest.raises(refusal):
            async with app.db.transaction() as tx:
                await app.coupons.desk.make(tx, "SAVE50", count, "lin.wei", BatchId(app.ids.new()))
    async with app.db.read() as tx:
        assert await app.coupons.desk.batches(tx, "double-11") == []


async def test_a_code_is_withdrawn_with_a_reason_and_only_once(app: App) -> None:
    await publish(app, festival())
    [code] = await handed_out(app, 1)
    [buyer] = await buyers(app, 1)
    desk = app.coupons.desk
    async with app.db.transaction() as tx:
        with pytest.raises(ReasonNeeded):
            await desk.revoke(tx, code, "lin.wei", "")
        with pytest.raises(CouponUnknown):
            await desk.revoke(tx, "SAVE50-NOTHING", "lin.wei", "printed twice")
        await desk.revoke(tx, f" {code.lower()}", "lin.wei", "printed twice")
        with pytest.raises(CannotRevoke):
            await desk.revoke(tx, code, "lin.wei", "again")
    with pytest.raises(CouponRevoked):
        await claim(app, buyer.account_id, code)
    told = await story(app, code)
    assert told.coupon.state is CouponState.REVOKED
    assert told.batch is not None
    assert [(move.by, move.note) for move in told.moves] == [("lin.wei", "printed twice")]
    assert states(told) == [("revoked", "revoked")]
    made = await totals(app)
    assert (made.made, made.unclaimed, made.revoked) == (1, 0, 1)
    assert await broken(app) == []
