"""A replay end to end: the small log through every process of the system, and its money in the books to the cent."""

import asyncio
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from tests.offer.festivals import definition
from tests.watch.rehearsal.conftest import Running

from tidegate.app.compose import App
from tidegate.app.demo.wiring import rehearsal_of
from tidegate.app.publication import PublicationDesk
from tidegate.offer.campaign.contracts import CampaignId
from tidegate.watch.rehearsal.books import differences
from tidegate.watch.rehearsal.contracts import BookMoney, LogMoney, OrderLimits, ReplayManner
from tidegate.watch.rehearsal.errors import LogNotReadable, ReplayUnderWay, SystemNotReachable
from tidegate.watch.rehearsal.festival import festival_of
from tidegate.watch.rehearsal.interruption import put_back, replaying
from tidegate.watch.rehearsal.keys import idempotency_key
from tidegate.watch.rehearsal.order_log import invoices, read_lines
from tidegate.watch.rehearsal.rules import survey

SMALL = Path(__file__).with_name("small_log.csv")
MANNER = ReplayManner()


class Silent:
    """Hears of the progress and says nothing."""

    def __init__(self) -> None:
        self.stages: list[str] = []

    def stage(self, name: str, total: int) -> None:
        self.stages.append(name)

    def done(self, count: int, note: str = "") -> None:
        return


@pytest.mark.slow
async def test_the_money_in_the_books_equals_the_money_in_the_log_and_a_second_run_changes_nothing(
    running: Running,
) -> None:
    progress = Silent()
    first = await running.rehearsal.replay(SMALL, running.url, progress, manner=MANNER)
    assert progress.stages == [
        "reading the log",
        "opening shoppers' accounts",
        "publishing goods and offers",
        "sending invoices",
        "comparing the books",
    ]
    assert (first.refused, first.differences) == ((), ())
    assert first.holds
    # 80,995 units are nine orders of at most 9,999; each is given back whole, and so is 700002.
    assert (first.orders, first.split_invoices) == (12, 1)
    assert (first.whole_cancellations, first.partial_refunds) == (10, 2)
    assert first.books == BookMoney(
        orders=12,
        ordered=16_854_510,
        paid=16_854_510,
        captured=16_854_510,
        refunded=16_851_010,
        given_back=16_851_010,
    )

    async with running.app.db.transaction() as tx:  # as an installation of before has it
        keyless = await tx.execute(
            "update ordering.refund set request_key = null where refund_id ="
            " (select min(refund_id::text)::uuid from ordering.refund where request_key is not null)"
        )
    assert keyless.rowcount == 1
    again = await running.rehearsal.replay(SMALL, running.url, Silent(), manner=MANNER)
    assert again.holds
    assert again.books == first.books
    async with running.app.db.snapshot() as tx:
        examination = await running.app.monitor.doctor(tx)
    assert [check for check in examination.checks if not check.holds] == []


@pytest.mark.slow
async def test_the_campaign_before_the_replay_is_current_again_after_it(running: Running) -> None:
    log = list(invoices(read_lines(SMALL, MANNER.dialect), MANNER.dialect))
    other = msgspec.structs.replace(festival_of(survey(log, "f" * 64), "CNY"), id=CampaignId("the-real-one"))
    await running.rehearsal._publish(other, "test")
    async with running.app.db.read() as tx:
        await running.app.campaign.refresh(tx)
    report = await running.rehearsal.replay(SMALL, running.url, Silent(), manner=ReplayManner(limit=2))
    assert (report.invoices, report.rows, report.orders) == (2, 4, 2)
    assert report.holds
    async with running.app.db.read() as tx:
        await running.app.campaign.refresh(tx)
    current = running.app.campaign.current()
    assert current is not None
    assert current.campaign_id == "the-real-one"

    # A replay that is killed leaves its campaign behind; what was there before comes back by itself.
    await running.rehearsal._publish(festival_of(survey(log, "e" * 64), "CNY"), "test")
    assert await _current(running.app) == "replay-eeeeeeeeeeee"
    async with asyncio.timeout(30):
        while await _current(running.app) != "the-real-one":
            await asyncio.sleep(0.2)


async def _current(app: App) -> str:
    async with app.db.newest() as tx:
        await app.campaign.refresh(tx)
    current = app.campaign.current()
    return current.campaign_id if current is not None else ""


async def test_what_a_killed_replay_interrupted_is_put_back_and_not_while_one_is_under_way(app: App) -> None:
    log = list(invoices(read_lines(SMALL, MANNER.dialect), MANNER.dialect))
    publish = PublicationDesk(app).publish
    assert not await put_back(app.db, app.campaign, publish)
    for sha256 in ("e" * 64, "f" * 64):
        await publish(festival_of(survey(log, sha256), "GBP"), "test")
    assert await _current(app) == "replay-ffffffffffff"
    assert not await put_back(app.db, app.campaign, publish), "there was nothing before them"
    await publish(definition(campaign_id="replay-party"), "test")
    for sha256 in ("e" * 64, "f" * 64):
        await publish(festival_of(survey(log, sha256), "GBP"), "test")
    assert await _current(app) == "replay-ffffffffffff"
    async with replaying(app.db):
        assert not await put_back(app.db, app.campaign, publish)
        with pytest.raises(ReplayUnderWay, match="Nothing was sent"):
            async with replaying(app.db):
                pytest.fail("two replays at once")
    assert await put_back(app.db, app.campaign, publish)
    assert await _current(app) == "replay-party"
    assert not await put_back(app.db, app.campaign, publish)


async def test_nothing_is_sent_to_a_system_that_does_not_answer(app: App) -> None:
    with pytest.raises(SystemNotReachable, match="Nothing was sent"):
        await rehearsal_of(app).replay(SMALL, "http://127.0.0.1:9", Silent(), manner=MANNER)


def test_every_difference_is_named() -> None:
    zero = Decimal(0)
    log = LogMoney(
        gross=Decimal("10.00"), cancelled=Decimal("-4.00"), sent=Decimal("10.00"), undone=Decimal("4.00"), left_out=()
    )
    assert log.adds_up
    assert differences(log, _books(captured=1000, refunded=400)) == ()
    found = {each.what: (each.log, each.books) for each in differences(log, _books(captured=999, refunded=400))}
    assert found == {
        "payments captured, in the ledger": (1000, 999),
        "net, in the ledger": (600, 599),
    }
    lost = LogMoney(gross=Decimal("10.00"), cancelled=zero, sent=Decimal("9.99"), undone=zero, left_out=())
    assert not lost.adds_up


def _books(*, captured: int, refunded: int) -> BookMoney:
    return BookMoney(orders=1, ordered=1000, paid=1000, captured=captured, refunded=refunded, given_back=400)


def test_idempotency_keys_are_made_from_log_and_invoice_alone() -> None:
    assert idempotency_key("0123456789abcdef", "536365") == "replay-01234567-536365"
    odd = idempotency_key("0123456789abcdef", "C536379 / 7")
    assert odd == idempotency_key("0123456789abcdef", "C536379 / 7")
    assert len(odd) == len("replay-01234567-") + 32


def test_a_log_that_sells_more_than_a_campaign_holds_is_refused_before_anything_is_sent() -> None:
    found = survey(list(invoices(read_lines(SMALL, MANNER.dialect), MANNER.dialect)), "a" * 64)
    first, *others = found.variants
    first = msgspec.structs.replace(first, units=10**9 + 1)
    with pytest.raises(LogNotReadable, match="1,000,000,001 units"):
        festival_of(msgspec.structs.replace(found, variants=(first, *others)), "GBP")


def test_the_campaign_of_a_log_sells_what_the_log_sold() -> None:
    found = survey(list(invoices(read_lines(SMALL, MANNER.dialect), MANNER.dialect)), "a" * 64)
    festival = festival_of(found, "GBP")
    assert {(offer.sku, offer.price, offer.quota) for offer in festival.offers} == {
        ("AB10.255", 255, 10),
        ("AB10.300", 300, 5),
        ("AB10.208", 208, 80_995),
        ("AB11.1000", 1000, 2),
        ("BANK-CHARGES.1500", 1500, 1),
    }
    assert festival == festival_of(found, "GBP")
    assert OrderLimits().lines_max == 200
