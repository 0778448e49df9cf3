"""What is paid for reaches the price history once, at the price after every reduction, with real payments."""

from tests.offer.festivals import coupon, definition, goods, offer
from tests.sale.ordering.conftest import harbour, lantern, shop, two_channels
from tests.sale.ordering.test_life import deliver, paid
from tests.sale.shop import broken, buyers, order, publish
from tidegate.app.compose import App
from tidegate.offer.history.contracts import EntryKind
from tidegate.sale.payment.contracts import IntentState

__all__ = ["harbour", "lantern", "shop", "two_channels"]


async def test_every_paid_unit_is_a_deal_at_what_it_paid_and_no_other_is(shop: App) -> None:
    entries = [goods("A", 10_000), goods("B", 500)]
    await publish(
        shop,
        definition([offer("A", 3_333), offer("B", 500)], entries=entries, coupons=[coupon(threshold=6_000, off=100)]),
    )
    one, two, three = await buyers(shop, 3)
    await paid(shop, one, {"A": 2}, 6_666)
    placed = await shop.ordering.place(three.account_id, "a-key-of-a-test", order(three, {"A": 1}, 3_333))
    assert placed.total == 3_333
    with_coupon = await shop.ordering.place(
        two.account_id, "another-key-of-it", order(two, {"A": 2, "B": 1}, 7_066, "TIDE50")
    )
    view = await shop.payment.pay(with_coupon.order_id, two.account_id)
    assert view.state is IntentState.CAPTURED
    await deliver(shop)
    async with shop.db.read() as tx:
        found = [each.entry for sku in "AB" for each in await shop.history.entries(tx, sku)]
    deals = sorted((each.sku, each.price or 0, each.units) for each in found if each.kind is EntryKind.DEAL)
    # The coupon's 1.00 is split 93 to 7; A's two units then paid 65.73 together.
    assert deals == [("A", 3_286, 1), ("A", 3_287, 1), ("A", 3_333, 2), ("B", 493, 1)]
    assert {each.place for each in found} == {"CN"}
    assert await broken(shop) == []
