"""What becomes of prizes that were won: claimed once by their winner, given or forfeited once by staff."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from uuid import UUID

import pytest

from tests.offer.festivals import START
from tests.sale.draws.festival import PRIZES, draw, festival
from tests.sale.draws.test_api import bought
from tests.sale.shop import Buyer, broken, buyers, publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.offer.campaign.contracts import Draw, Prize, Words
from tidegate.sale.draws.contracts import Award, AwardState, GivenFault, GivenLine, GivenWrong
from tidegate.sale.draws.errors import (
    AddressNeeded,
    ClaimedOtherwise,
    ClaimOver,
    GivenFaulty,
    NoteNeeded,
    NotForfeitable,
    PrizeEnded,
    PrizeNotWon,
)
from tidegate.trust.identity.contracts import Address
from tidegate.trust.identity.errors import AddressUnknown

POT = Prize(name=Words("锅", "A pot"), value=20_000, count=1, sent=True)
MUG = Prize(name=Words("杯", "A mug"), value=3_000, count=1)
CLOSES, DRAWN = START + timedelta(minutes=5), START + timedelta(minutes=10)
CLAIMED = draw(prizes=(POT, MUG), claim_days=30, closes_at=CLOSES, drawn_at=DRAWN)
DAY = 86_400
OTHER = Address(
    name="张三", phone="13800131234", province="浙江省", city="杭州市", district="西湖区", street="文三路 90 号"
)


class Won:
    """A drawn draw: who won the pot, who the mug, and one who won nothing."""

    def __init__(self, app: App, awards: list[Award], people: list[Buyer]) -> None:
        self.app = app
        self.draw_id = awards[0].draw_id
        by_id = {each.account_id: each for each in people}
        self.pot, self.mug = (by_id[each.account_id] for each in awards[:2])
        self.nobody = next(each for each in people if each not in {self.pot, self.mug})
        self.serials = {each.account_id: each.serial for each in awards}

    async def claim(self, buyer: Buyer, address_id: UUID | None = None) -> Award:
        async with self.app.db.transaction() as tx:
            return await self.app.draws.prizes.claim(tx, self.draw_id, buyer.account_id, address_id)

    async def give(self, buyer: Buyer, note: str = "SF 1234", by: str = "lin.wei") -> Award:
        async with self.app.db.transaction() as tx:
            return await self.app.draws.prizes.give(tx, self.draw_id, self.serials[buyer.account_id], by, note)

    async def forfeit(self, buyer: Buyer, note: str = "", by: str = "lin.wei") -> Award:
        async with self.app.db.transaction() as tx:
            return await self.app.draws.prizes.forfeit(tx, self.draw_id, self.serials[buyer.account_id], by, note)

    async def acts(self) -> list[tuple[int, str, str, str]]:
        """All that was recorded."""
        async with self.app.db.read() as tx:
            rows = await tx.execute("select serial, act, by, note from draws.prize_act order by acted_at, act")
            return await rows.fetchall()


async def won(app: App, clock: ManualClock, terms: Draw = CLAIMED) -> Won:
    """Draw among three buyers."""
    await publish(app, festival(terms))
    await app.draws.step()
    people = await buyers(app, 3)
    for each in people:
        await bought(app, each)
    clock.advance(seconds=600)
    await app.draws.step()
    async with app.db.read() as tx:
        [tally] = await app.draws.prizes.tallies(tx)
        page = await app.draws.prizes.of_draw(tx, tally.draw_id, None, 10)
    assert not page.more
    return Won(app, page.awards, people)


async def test_a_prize_is_claimed_once_by_its_winner_and_given_once(shop: App, clock: ManualClock) -> None:
    drawn = await won(shop, clock)
    with pytest.raises(PrizeNotWon):
        await drawn.claim(drawn.nobody, drawn.nobody.address_id)
    with pytest.raises(AddressNeeded):
        await drawn.claim(drawn.pot)
    with pytest.raises(AddressUnknown):
        await drawn.claim(drawn.pot, drawn.mug.address_id)
    assert await drawn.acts() == []
    claimed = await drawn.claim(drawn.pot, drawn.pot.address_id)
    assert (claimed.state, claimed.address_id) == (AwardState.DUE, drawn.pot.address_id)
    clock.advance(seconds=60)
    assert await drawn.claim(drawn.pot, drawn.pot.address_id) == claimed
    async with shop.db.transaction() as tx:
        second = await shop.identity.remember_address(tx, drawn.pot.account_id, OTHER)  # type: ignore[arg-type]
    with pytest.raises(ClaimedOtherwise):
        await drawn.claim(drawn.pot, second)
    with pytest.raises(NotForfeitable):
        await drawn.forfeit(drawn.pot)
    with pytest.raises(NoteNeeded):
        await drawn.give(drawn.pot, "  ")
    given = await drawn.give(drawn.pot, " SF  1234 ")
    assert (given.state, given.by, given.note) == (AwardState.GIVEN, "lin.wei", "SF 1234")
    clock.advance(seconds=60)
    assert await drawn.give(drawn.pot) == given
    with pytest.raises(PrizeEnded):
        await drawn.give(drawn.pot, "another parcel")
    serial = drawn.serials[drawn.pot.account_id]
    assert await drawn.acts() == [(serial, "claimed", "", ""), (serial, "given", "lin.wei", "SF 1234")]
    async with shop.db.read() as tx:
        [own] = await shop.draws.prizes.won_by(tx, drawn.pot.account_id)
        assert await shop.draws.prizes.won_by(tx, drawn.nobody.account_id) == []
    shown = shop.draws.prizes.shown(own)
    assert (shown.state, shown.note, shown.prize) == (AwardState.GIVEN, "SF 1234", POT)
    assert await broken(shop) == []


async def test_only_what_was_not_claimed_in_its_time_is_forfeited(shop: App, clock: ManualClock) -> None:
    drawn = await won(shop, clock)
    clock.advance(seconds=30 * DAY - 1)
    with pytest.raises(NotForfeitable):
        await drawn.forfeit(drawn.mug)
    await drawn.claim(drawn.mug)
    clock.advance(seconds=1)
    with pytest.raises(ClaimOver):
        await drawn.claim(drawn.pot, drawn.pot.address_id)
    with pytest.raises(NotForfeitable):
        await drawn.forfeit(drawn.mug)
    async with shop.db.read() as tx:
        [tally] = await shop.draws.prizes.tallies(tx)
        late = await shop.draws.prizes.of_draw(tx, drawn.draw_id, AwardState.UNCLAIMED, 10)
    assert (tally.unclaimed, tally.late, tally.due, tally.waits) == (1, 1, 1, 2)
    assert [each.account_id for each in late.awards] == [drawn.pot.account_id]
    gone = await drawn.forfeit(drawn.pot, "two reminders")
    assert (gone.state, gone.note) == (AwardState.FORFEITED, "two reminders")
    for again in (drawn.claim(drawn.pot, drawn.pot.address_id), drawn.give(drawn.pot)):
        with pytest.raises(PrizeEnded):
            await again
    async with shop.db.read() as tx:
        [tally] = await shop.draws.prizes.tallies(tx)
    assert (tally.unclaimed, tally.late, tally.due, tally.given, tally.forfeited) == (0, 0, 1, 0, 1)
    assert await broken(shop) == []


async def test_one_that_came_too_late_may_still_be_given(shop: App, clock: ManualClock) -> None:
    drawn = await won(shop, clock)
    clock.advance(seconds=31 * DAY)
    assert (await drawn.give(drawn.pot, "by hand, out of courtesy")).state is AwardState.GIVEN
    with pytest.raises(PrizeEnded):
        await drawn.claim(drawn.pot, drawn.pot.address_id)
    assert await broken(shop) == []


async def test_many_are_given_at_once_or_none(shop: App, clock: ManualClock) -> None:
    drawn = await won(shop, clock)
    serials = [drawn.serials[each.account_id] for each in (drawn.pot, drawn.mug)]
    lines = [GivenLine(number, serial, f"SF {serial}") for number, serial in enumerate(serials, 2)]

    async def give_many(of: list[GivenLine], by: str = "lin.wei") -> int:
        async with shop.db.transaction() as tx:
            return await shop.draws.prizes.give_many(tx, drawn.draw_id, of, by)

    with pytest.raises(GivenFaulty) as refused:
        await give_many([*lines, GivenLine(4, 99, "SF 9"), GivenLine(5, -1, "SF 10")])
    assert refused.value.fields["faults"] == [
        GivenFault(line=4, why=GivenWrong.NO_PRIZE),
        GivenFault(line=5, why=GivenWrong.NO_PRIZE),
    ]
    assert await drawn.acts() == []
    assert [await give_many(lines) for _ in range(2)] == [2, 2]
    with pytest.raises(GivenFaulty, match="line 2: it was given or forfeited already"):
        await give_many(lines, by="chen.jie")
    assert [(serial, act, by) for serial, act, by, _ in sorted(await drawn.acts())] == [
        (serial, "given", "lin.wei") for serial in sorted(serials)
    ]
    assert await broken(shop) == []


async def test_each_act_is_recorded_once_whatever_races(shop: App, clock: ManualClock) -> None:
    drawn = await won(shop, clock)
    claims = await asyncio.gather(*(drawn.claim(drawn.mug) for _ in range(8)))
    assert len({each.claimed_at for each in claims}) == 1
    clock.advance(seconds=31 * DAY)
    ends: list[Coroutine[None, None, Award]] = [
        ending for number in range(4) for ending in (drawn.forfeit(drawn.pot, by=f"a.{number}"), drawn.give(drawn.pot))
    ]
    answers = await asyncio.gather(*ends, return_exceptions=True)
    assert {type(each) for each in answers} <= {Award, PrizeEnded}
    kept = await drawn.acts()
    assert [act for serial, act, _, _ in kept if serial == drawn.serials[drawn.mug.account_id]] == ["claimed"]
    assert len(kept) == 2
    assert await broken(shop) == []


async def test_a_prize_that_needs_no_claim_is_due_from_the_drawing_on(shop: App, clock: ManualClock) -> None:
    drawn = await won(shop, clock, draw(prizes=(*PRIZES[:1], MUG), closes_at=CLOSES, drawn_at=DRAWN))
    assert (await drawn.claim(drawn.pot)).claimed_at is None
    clock.advance(seconds=400 * DAY)
    with pytest.raises(NotForfeitable):
        await drawn.forfeit(drawn.pot)
    async with shop.db.read() as tx:
        [tally] = await shop.draws.prizes.tallies(tx)
    assert (tally.due, tally.unclaimed, tally.claim_until) == (2, 0, None)
    await drawn.give(drawn.pot)
    assert len(await drawn.acts()) == 1


async def test_acts_that_no_rule_allows_are_found(shop: App, clock: ManualClock) -> None:
    drawn = await won(shop, clock)
    await drawn.claim(drawn.mug)
    async with shop.db.transaction() as tx:
        await tx.execute(
            "insert into draws.prize_act (draw_id, serial, act, acted_at, by)"
            " select draw_id, serial, 'forfeited', %s, 'x' from draws.winner",
            [clock.now()],
        )
    said = "draws: prizes are claimed in time, and forfeited only where they were not"
    both = ", ".join(f"double-11/pots {serial}" for serial in sorted(drawn.serials.values()))
    assert await broken(shop) == [f"{said}: {both}"]
