"""Laws of ordering's decisions, without a database."""

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.offer.festivals import coupon, definition, offer, version
from tests.offer.promotions import promotion, rules_of
from tidegate.offer.campaign.contracts import Gift, PromotionLimits, Shipping
from tidegate.offer.coupons.api import Wallet
from tidegate.offer.pricing.api import Counters, compile_rules, price_order
from tidegate.offer.pricing.contracts import Cart, CartLine, Facts
from tidegate.offer.pricing.rules import refusal_of
from tidegate.sale.ordering.contracts import (
    Asked,
    OrderLine,
    OrderState,
    PlaceOrder,
    Terms,
)
from tidegate.sale.ordering.errors import AddressUnknown, KeyReused
from tidegate.sale.ordering.rules import (
    Earlier,
    Taken,
    decide,
    may_move,
    request_hash,
    units_of,
)
from tidegate.sale.points.api import Purse
from tidegate.sale.stock.contracts import Level, StockLedger
from tidegate.sale.stock.errors import SoldOut

RULES = compile_rules(
    version(
        definition(
            [offer("A", 3_333), offer("B", 1_001)],
            coupons=[coupon("OFF", threshold=1_000, off=199)],
            shipping=Shipping(fee=600, free_from=None),
        )
    )
)
NOW = datetime(2026, 11, 11, tzinfo=UTC)
ADDRESS = UUID(int=7)
quantities = st.dictionaries(st.sampled_from(["A", "B"]), st.integers(1, 20), min_size=1)


def asked(number: int, units: dict[str, int], *, key: str = "", total: int = 0) -> Asked:
    buyer = UUID(int=number)
    cart = Cart(tuple(CartLine(sku, count) for sku, count in units.items()))
    return Asked(
        buyer_id=buyer,
        key=key or f"key-{number:06d}",
        request_hash=bytes([total]) * 16,
        address_id=ADDRESS,
        terms=Terms("double-11", "CNY", 900),
        cart=cart,
        priced=price_order(RULES, cart, Facts(buyer=buyer)),
    )


def ledger(**free: int) -> StockLedger:
    return StockLedger("double-11", [Level(sku=sku, loaded=units, held=0, sold=0) for sku, units in free.items()])


def settle(batch: list[tuple[UUID, Asked]], stock: StockLedger, known: dict[tuple[UUID, str], Earlier]) -> list[object]:
    keys = {use.key for _, each in batch for use in each.priced.counters}
    counters = Counters(dict.fromkeys(keys, 0), missing=frozenset(keys))
    return list(
        decide(batch, known, set(), counters, Wallet({}, NOW), Purse({}), stock, lambda use: SoldOut(use.key), NOW)
    )


@given(st.lists(quantities, max_size=12), st.integers(0, 40), st.integers(0, 40))
def test_what_is_taken_never_exceeds_what_is_free(wishes: list[dict[str, int]], free_a: int, free_b: int) -> None:
    stock = ledger(A=free_a, B=free_b)
    batch = [(UUID(int=1_000 + number), asked(number, units)) for number, units in enumerate(wishes)]
    taken = [each for each in settle(batch, stock, {}) if isinstance(each, Taken)]
    for sku, free in (("A", free_a), ("B", free_b)):
        sold = sum(line.quantity for each in taken for line in each.asked.priced.lines if line.sku == sku)
        assert stock.free(sku) == free - sold >= 0


def test_the_same_key_twice_in_a_batch_is_one_order() -> None:
    one = asked(1, {"A": 1})
    first, second = settle([(UUID(int=10), one), (UUID(int=11), one)], ledger(A=5), {})
    assert isinstance(first, Taken)
    assert second == Earlier(first.order_id, one.request_hash)


def test_a_key_with_another_body_is_refused_and_takes_nothing() -> None:
    stock = ledger(A=5)
    one = asked(1, {"A": 1}, key="one-key-1", total=1)
    known = {(one.buyer_id, one.key): Earlier(UUID(int=9), b"another body hash")}
    [answer] = settle([(UUID(int=10), one)], stock, known)
    assert isinstance(answer, KeyReused)
    assert stock.free("A") == 5


def test_an_address_of_nobody_is_refused_before_anything_is_taken() -> None:
    stock = ledger(A=5)
    one = asked(1, {"A": 1})
    nothing, nobody = Counters({}, frozenset()), Wallet({}, NOW)
    foreign = {(one.buyer_id, one.address_id)}
    [answer] = decide([(UUID(int=10), one)], {}, foreign, nothing, nobody, Purse({}), stock, refusal_of, NOW)
    assert isinstance(answer, AddressUnknown)
    assert stock.free("A") == 5


@given(st.integers(1, 9), st.integers(1, 9), st.booleans())
def test_different_commands_have_different_hashes(one: int, two: int, with_coupon: bool) -> None:
    def command(quantity: int, code: str | None) -> bytes:
        return request_hash(
            PlaceOrder(lines=(OrderLine("A", quantity),), address_id=ADDRESS, expected_total=100, coupon=code)
        )

    assert (command(one, None) == command(two, None)) == (one == two)
    assert command(one, None) != command(one, "OFF")
    assert command(one, "OFF" if with_coupon else None) == command(one, "OFF" if with_coupon else None)


def test_states_move_only_forward() -> None:
    moves = {(before, after) for before in OrderState for after in OrderState if may_move(before, after)}
    assert moves == {
        (OrderState.PLACED, OrderState.PAID),
        (OrderState.PLACED, OrderState.CANCELLED),
        (OrderState.PLACED, OrderState.EXPIRED),
        (OrderState.PAID, OrderState.REFUNDING),
        (OrderState.PAID, OrderState.REFUNDED),
        (OrderState.REFUNDING, OrderState.REFUNDED),
    }


def test_a_gift_without_stock_is_left_off_and_never_keeps_the_order() -> None:
    gift = promotion("G", Gift(sku="B", reach=1, quantity=2), limits=PromotionLimits(total=9))
    rules = rules_of({"A": 3_333, "B": 1_001}, [gift])
    cart = Cart((CartLine("A", 1),))
    wish = replace(asked(1, {"A": 1}), priced=price_order(rules, cart, Facts(buyer=UUID(int=1))))
    (use,) = wish.priced.counters
    for free, units, gifts, used in ((2, {"A": 1, "B": 2}, 1, 1), (1, {"A": 1}, 0, 0)):
        stock, counters = ledger(A=5, B=free), Counters({use.key: 0}, missing=frozenset({use.key}))
        wallet = Wallet({}, NOW)
        (taken,) = decide([(UUID(int=10), wish)], {}, set(), counters, wallet, Purse({}), stock, refusal_of, NOW)
        assert isinstance(taken, Taken)
        assert dict(units_of(taken.asked.priced)) == units
        assert (taken.asked.priced.total, len(taken.asked.priced.gifts)) == (wish.priced.total, gifts)
        assert taken.asked.priced.gifts_left_off == (() if gifts else ("B",))
        assert sum(value for _, value, _, _ in counters.changes()) == used
        assert stock.free("A") == 4
