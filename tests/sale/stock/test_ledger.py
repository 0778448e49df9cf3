"""The ledger decides in memory: all lines or nothing, never more than is free."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from tidegate.sale.stock.contracts import Level, StockLedger

ORDER = UUID(int=1)
SKUS = ["A", "B", "C"]
lines = st.dictionaries(st.sampled_from(SKUS), st.integers(1, 8), min_size=1).map(lambda units: list(units.items()))


def ledger(free: dict[str, int]) -> StockLedger:
    return StockLedger("c", [Level(sku=sku, loaded=units, held=0, sold=0) for sku, units in free.items()])


def test_an_order_takes_all_its_lines() -> None:
    stock = ledger({"A": 3, "B": 2})
    assert stock.try_take(ORDER, [("A", 2), ("B", 2)]) is None
    assert (stock.free("A"), stock.free("B")) == (1, 0)


def test_an_order_that_is_short_of_one_line_takes_nothing() -> None:
    stock = ledger({"A": 3, "B": 1})
    assert stock.try_take(ORDER, [("A", 2), ("B", 2)]) == "B"
    assert (stock.free("A"), stock.free("B"), stock.taken) == (3, 1, [])


def test_goods_that_were_never_loaded_are_sold_out() -> None:
    assert ledger({}).try_take(ORDER, [("A", 1)]) == "A"


@given(st.dictionaries(st.sampled_from(SKUS), st.integers(0, 20)), st.lists(lines, max_size=20))
def test_what_is_taken_and_what_is_free_add_up(free: dict[str, int], orders: list[list[tuple[str, int]]]) -> None:
    stock = ledger(free)
    for number, wanted in enumerate(orders):
        before = {sku: stock.free(sku) for sku in SKUS}
        short = stock.try_take(UUID(int=number), wanted)
        enough = all(before[sku] >= units for sku, units in wanted)
        assert (short is None) == enough
    for sku in SKUS:
        taken = sum(units.quantity for units in stock.taken if units.sku == sku)
        assert stock.free(sku) == free.get(sku, 0) - taken >= 0
