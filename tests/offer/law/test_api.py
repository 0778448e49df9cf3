"""Publishing under the law, on the real database: stopped, changed or waived, then published, and kept."""

from datetime import timedelta

import msgspec
import psycopg
import pytest

from tests.offer.festivals import START, coupon, definition, goods, offer
from tests.offer.promotions import amount_off, percent_off, promotion
from tests.sale.draws.festival import PRIZES, draw
from tests.sale.draws.festival import festival as drawing
from tests.sale.presale.presales_made import SKU, deliver, presale
from tests.sale.presale.presales_made import festival as reserving
from tidegate.app.compose import App
from tidegate.app.publication import PublicationDesk
from tidegate.base.clock import ManualClock
from tidegate.offer.campaign.api import Severity, Waiver, stopping
from tidegate.offer.campaign.contracts import CampaignDefinition, CampaignId, Prize, Returns, Words
from tidegate.offer.campaign.errors import PublicationStopped
from tidegate.offer.history.contracts import Deal
from tidegate.offer.law.errors import WaiverFaulty

FESTIVAL = definition([offer("A", 8_000)])
COSTLY = msgspec.structs.replace(FESTIVAL, goods=(msgspec.structs.replace(goods("A"), cost=8_500),))
WAIVER = Waiver(law="cn-price-14", by="Lin Yue", reason="last season's stock")


async def sold(app: App, price: int, days: float) -> None:
    """So many days before the sale one unit of A was sold at this price."""
    at = START - timedelta(days=days)
    async with app.db.transaction() as tx:
        await app.history.record_deals(
            tx, [Deal(sku="A", shop="", currency="CNY", price=price, units=1, at=at, source="test")]
        )


async def published(app: App, of: CampaignDefinition, *waivers: Waiver) -> str:
    version = await PublicationDesk(app).publish(of, "Lin Yue", waivers)
    async with app.db.read() as tx:
        await app.campaign.refresh(tx)
        assert all(check.holds for check in await app.law.check(tx))
    return version.sha256


async def nothing_is_published(app: App) -> bool:
    async with app.db.read() as tx:
        return await app.campaign.versions(tx) == []


async def test_a_false_reference_price_stops_it_and_the_lawful_one_passes(app: App) -> None:
    await sold(app, 9_000, days=3)
    await sold(app, 8_000, days=8)
    with pytest.raises(PublicationStopped) as stopped:
        await published(app, FESTIVAL)
    [finding] = stopped.value.findings
    assert (finding.law, finding.severity) == ("cn-56-16", Severity.BLOCKING)
    assert "¥90.00" in finding.what.en
    assert await nothing_is_published(app)
    with pytest.raises(PublicationStopped):
        await published(app, FESTIVAL, Waiver(law="cn-56-16", by="Lin Yue", reason="everybody does it"))
    assert await nothing_is_published(app)
    await published(app, definition([offer("A", 8_000)], entries=[goods("A", 9_000)]))
    assert not await nothing_is_published(app)


async def test_a_warning_passes_only_with_a_name_and_a_reason_and_both_are_kept(app: App) -> None:
    for waivers in (
        (),
        (Waiver(law="cn-price-14", by=" ", reason="x"),),
        (Waiver(law="cn-price-14", by="Lin", reason=""),),
    ):
        with pytest.raises(PublicationStopped) as stopped:
            await published(app, COSTLY, *waivers)
        assert [each.law for each in stopped.value.findings] == ["cn-price-14"]
    with pytest.raises(WaiverFaulty):
        await published(app, COSTLY, WAIVER, Waiver(law="cn-56-17", by="Lin Yue", reason="in store"))
    assert await nothing_is_published(app)
    await published(app, COSTLY, WAIVER)
    current = app.campaign.current()
    assert current is not None
    async with app.db.read() as tx:
        kept = await app.law.review_of(tx, current.campaign_id, current.sha256)
    assert kept is not None
    assert kept.waivers == (WAIVER,)
    assert [(each.sku, each.price, each.cost) for each in kept.review.lowest] == [("A", 8_000, 8_500)]
    assert {each.severity for each in kept.review.findings} == {Severity.WARNING, Severity.NOTICE}


async def test_a_waiver_holds_for_its_content_and_for_no_other(app: App) -> None:
    await published(app, COSTLY, WAIVER)
    await published(app, FESTIVAL)
    await published(app, COSTLY)
    current = app.campaign.current()
    assert current is not None
    async with app.db.read() as tx:
        kept = await app.law.review_of(tx, current.campaign_id, current.sha256)
        rows = await (await tx.execute("select count(*) from law.waiver")).fetchone()
    assert kept is not None
    assert (kept.waivers, rows) == ((WAIVER,), (2,))
    with pytest.raises(PublicationStopped):
        await published(app, msgspec.structs.replace(COSTLY, accent="#000000"))


async def test_what_was_published_again_is_reviewed_again_and_what_is_current_is_not(app: App) -> None:
    await published(app, FESTIVAL)
    await published(app, FESTIVAL)
    await published(app, msgspec.structs.replace(FESTIVAL, accent="#000000"))
    await published(app, FESTIVAL)
    async with app.db.read() as tx:
        rows = await (await tx.execute("select count(*) from law.review")).fetchone()
    assert rows == (3,)


RAISED = """kind,sku,shop,currency,price,units,at,until
list,A,,CNY,100.00,,2026-10-01T00:00:00Z,
offered,A,,CNY,100.00,,2026-10-01T00:00:00Z,
list,A,,CNY,200.00,,2026-11-10T00:00:00Z,
offered,A,,CNY,200.00,,2026-11-10T00:00:00Z,
deal,A,,CNY,100.00,3,2026-11-09T00:00:00Z,
"""


async def test_half_off_a_price_that_was_doubled_the_day_before_is_found_in_both_jurisdictions(app: App) -> None:
    for text in (RAISED, RAISED.replace("CNY", "EUR")):
        async with app.db.transaction() as tx:
            await app.history.import_prices(tx, text, file="earlier.csv", by="Lin Yue")
    halved = msgspec.structs.replace(
        definition([offer("A", 20_000)], entries=[goods("A", 20_000)]),
        promotions=(promotion("half", percent_off(5_000)),),
        returns=Returns(days=14, text=Words("可退。", "Returnable.")),
    )
    stops = {}
    for currency in ("CNY", "EUR"):
        async with app.db.read() as tx:
            review = await app.law.review(tx, msgspec.structs.replace(halved, currency=currency))
        stops[currency] = {each.law for each in stopping(review.findings, ())}
    assert stops == {"CNY": {"cn-56-16", "cn-56-17"}, "EUR": {"eu-98-6-6a"}}


async def test_a_presale_is_held_against_what_was_before_its_deposits_and_a_later_sale_against_it(
    app: App, clock: ManualClock
) -> None:
    begins = START - timedelta(hours=20)
    offered = msgspec.structs.replace(
        presale(), deposit_from_at=begins, deposit_until_at=START - timedelta(hours=1), balance_from_at=START
    )
    union = {"currency": "EUR", "returns": Returns(days=14, text=Words("可退。", "Returnable."))}
    made = msgspec.structs.replace(reserving(offered), **union)
    await published(app, made)
    clock.advance(seconds=16 * 3600)
    await deliver(app)
    # Its own price, which is in force by now, is not one of before.
    await published(app, msgspec.structs.replace(made, accent="#000000"))
    later = definition([offer(SKU, 95_000)], entries=[goods(SKU, 100_000)], start=START + timedelta(days=20))
    with pytest.raises(PublicationStopped) as stopped:
        await published(app, msgspec.structs.replace(later, id=CampaignId("after"), **union))
    [finding] = stopped.value.findings
    assert (finding.law, "€900.00" in finding.what.en) == ("eu-98-6-6a", True)


async def test_presales_and_prizes_are_judged_with_a_definition(app: App) -> None:
    async with app.db.read() as tx:
        dear = draw(prizes=(PRIZES[0], Prize(name=Words("汽车", "Car"), value=5_000_001, count=1)))
        made = msgspec.structs.replace(reserving(presale(deposit=20_000, counts_for=30_000)), draws=(dear,))
        review = await app.law.review(tx, made)
    blocking = {each.law: each.path for each in review.findings if each.severity is Severity.BLOCKING}
    assert blocking == {"cn-32-17": ("draw", 0, "prize", 1, "value"), "cn-civil-586": ("presale", 0, "deposit")}


async def test_a_prize_beyond_the_most_stops_publishing(app: App) -> None:
    dear = draw(prizes=(Prize(name=Words("汽车", "Car"), value=5_000_001, count=1),))
    with pytest.raises(PublicationStopped) as stopped:
        await published(app, drawing(dear))
    assert "cn-32-17" in {each.law for each in stopped.value.findings}


async def test_a_worse_rule_in_the_sale_is_a_warning(app: App, clock: ManualClock) -> None:
    await published(app, definition([offer("A")], coupons=[coupon()]))
    with pytest.raises(PublicationStopped) as stopped:
        await published(app, definition([offer("A")]))
    assert [each.law for each in stopped.value.findings] == ["cn-ecommerce-34"]
    clock.advance(seconds=60)
    emergency = Waiver(law="cn-ecommerce-34", by="Lin Yue", reason="the coupon was printed wrongly")
    await published(app, definition([offer("A")]), emergency)


async def test_a_promotion_that_gives_less_in_the_running_sale_stops_it_until_somebody_says_why(
    app: App, clock: ManualClock
) -> None:
    of, less = (
        msgspec.structs.replace(FESTIVAL, promotions=(promotion("off", amount_off(8_000, off)),))
        for off in (5_000, 500)
    )
    await published(app, of)
    clock.advance(seconds=(START - clock.now()).total_seconds() + 60)
    with pytest.raises(PublicationStopped) as stopped:
        await published(app, less)
    [finding] = stopped.value.findings
    assert (finding.law, finding.path) == ("cn-ecommerce-34", ("promotion", 0))
    assert "《电子商务法》第34条" in finding.article.zh
    assert "E-Commerce Law of the PRC" in finding.reference
    await published(app, less, Waiver(law="cn-ecommerce-34", by="Lin Yue", reason="the label said 5"))


@pytest.mark.parametrize("table", ["law.review", "law.waiver"])
@pytest.mark.parametrize("change", ["update {} set number = default", "delete from {}", "truncate {} cascade"])
async def test_what_was_found_and_waived_cannot_be_changed(app: App, table: str, change: str) -> None:
    await published(app, COSTLY, WAIVER)
    with pytest.raises(psycopg.errors.RestrictViolation):
        async with app.db.transaction() as tx:
            await tx.execute(change.format(table).encode())


async def test_the_check_finds_what_was_published_against_the_law(app: App) -> None:
    await published(app, COSTLY, WAIVER)
    async with app.db.transaction() as tx:
        await tx.execute("alter table law.waiver disable trigger waiver_is_immutable")
        await tx.execute("delete from law.waiver")
        [check] = await app.law.check(tx)
    assert (check.holds, check.detail) == (False, "review 1")


async def test_another_id_over_a_running_sale_is_held_against_what_the_sale_promised(
    app: App, clock: ManualClock
) -> None:
    """Both sides of the border on the real database: the last second of the sale, and the first moment after it."""
    await published(app, FESTIVAL)
    other = definition([offer("A", 8_500)], campaign_id="clearance", start=START + timedelta(days=3))
    clock.advance(seconds=(START + timedelta(days=3) - clock.now()).total_seconds() - 1)
    with pytest.raises(PublicationStopped) as stopped:
        await published(app, other)
    assert {each.law for each in stopped.value.findings} == {"cn-ecommerce-34"}
    assert all('"Double 11" (double-11)' in each.what.en for each in stopped.value.findings)
    assert app.campaign.current().campaign_id == "double-11"  # type: ignore[union-attr]
    clock.advance(seconds=1)
    await published(app, other)
    assert app.campaign.current().campaign_id == "clearance"  # type: ignore[union-attr]


async def test_a_replay_interrupts_a_sale_and_is_interrupted_without_notice(app: App) -> None:
    await published(app, FESTIVAL)
    replay = definition([offer("A", 9_000)], campaign_id="replay-0123456789ab")
    await published(app, replay)
    await published(app, FESTIVAL)
