"""The decisions of price protection, without a database."""

from datetime import timedelta

import pytest
from hypothesis import given

from tests.offer.pricing.test_choosing import PRICES, QUANTITIES, promotions
from tests.offer.promotions import priced, rules_of
from tests.sale.ordering.test_refunding import NOW, order_of
from tidegate.base.errors import Refusal
from tidegate.offer.campaign.contracts import PriceProtection, Promotion, Selection
from tidegate.offer.pricing.api import Lowered, lowered
from tidegate.sale.ordering.refunding import kept_of
from tidegate.sale.protection.contracts import LineLooked, Look, Standing
from tidegate.sale.protection.errors import (
    DifferenceGiven,
    NothingCheaper,
    NothingToCompare,
    ProtectionNotPromised,
    ProtectionOver,
)
from tidegate.sale.protection.rules import lines_of, look_of, protected_until, refusal_of


def looked(standing: Standing, due: int = 0) -> LineLooked:
    return LineLooked(sku="A", first=0, units=1, paid=100, today=90, due=due, standing=standing)


def look(*lines: LineLooked, promised: bool = True, is_open: bool = True, given_before: int = 0) -> Look:
    due = sum(line.due for line in lines) if is_open else 0
    until = NOW if promised else None
    return Look(
        order_id=order_of(priced(rules_of({"A": 100}, []), {"A": 1})).order_id,
        until=until,
        open=promised and is_open,
        due=due,
        given=given_before,
        currency="CNY",
        lines=lines,
    )


@pytest.mark.parametrize(
    ("found", "refusal"),
    [
        (look(looked(Standing.CHEAPER, 10)), None),
        (look(looked(Standing.CHEAPER, 10), promised=False), ProtectionNotPromised),
        (look(looked(Standing.NOT_PROMISED)), ProtectionNotPromised),
        (look(looked(Standing.CHEAPER, 10), is_open=False), ProtectionOver),
        (look(looked(Standing.NOT_ON_SALE), looked(Standing.NOT_PROMISED)), NothingToCompare),
        (look(looked(Standing.NOT_ON_SALE), looked(Standing.NOT_CHEAPER)), NothingCheaper),
        (look(looked(Standing.NOT_CHEAPER), given_before=5), DifferenceGiven),
    ],
)
def test_every_no_has_its_own_reason(found: Look, refusal: type[Refusal] | None) -> None:
    assert type(refusal_of(found)) is (refusal or type(None))


def test_the_days_count_from_the_payment_and_end_before_their_moment() -> None:
    until = protected_until(PriceProtection(days=7, goods=Selection()), NOW)
    assert until == NOW + timedelta(days=7)
    kept = kept_of(order_of(priced(rules_of({"A": 100}, []), {"A": 1})), [])
    assert look_of(kept, until, (), until - timedelta(microseconds=1)).open
    assert not look_of(kept, until, (), until).open


@given(PRICES, PRICES, promotions(), promotions(), QUANTITIES)
def test_a_difference_is_given_once_and_never_more_than_was_paid(
    then: dict[str, int],
    now: dict[str, int],
    before: list[Promotion],
    after: list[Promotion],
    quantities: dict[str, int],
) -> None:
    order = order_of(priced(rules_of(then, before), quantities))
    kept, today = kept_of(order, []), priced(rules_of(now, after), quantities)
    lines = lines_of(kept, frozenset(quantities), today)
    paid = {line.sku: line.payable for line in order.priced.lines}
    asked = {line.sku: line.payable for line in today.lines}
    assert [line.due for line in lines] == [max(paid[line.sku] - asked[line.sku], 0) for line in lines]
    given_back = [Lowered(line.sku, line.first, line.units, line.due) for line in lines if line.due]
    again = kept_of(order_of(lowered(order.priced, given_back)), [])
    assert not any(line.due for line in lines_of(again, frozenset(quantities), today))
