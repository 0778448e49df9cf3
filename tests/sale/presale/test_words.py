"""The published words of a presale and its rules agree: what they say is read back, and asked of the rules."""

import re
from datetime import datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.offer.pricing.sentences import fen, window
from tests.sale.presale.presales_made import SKU, festival, presale
from tests.sale.presale.test_rules import reservation
from tidegate.offer.campaign.benefit_terms import Wording
from tidegate.offer.campaign.presale_terms import presale_words
from tidegate.sale.presale import rules
from tidegate.sale.presale.contracts import ReservationState, Reserve

_MONEY = re.compile(r"(?:CN)?¥[\d,]+\.\d\d")
_SECOND = timedelta(seconds=1)


@given(
    st.integers(1_000, 100_000),
    st.integers(1, 100),
    st.integers(0, 100),
    st.integers(2, 50),
    st.integers(0, 5),
    st.integers(1, 5),
)
def test_what_the_words_say_of_money_units_and_times_is_what_the_rules_do(
    price: int, deposit: int, grown: int, quota: int, per_buyer: int, units: int
) -> None:
    made = presale(price=price, deposit=deposit, counts_for=deposit + grown, quota=quota, per_buyer=per_buyer)
    said = presale_words(made, 15, Wording(festival(made)))
    amounts = [list(map(fen, _MONEY.findall(each))) for each in (said.zh, said.en)]
    assert amounts[0] == amounts[1]
    costs, down, counts, rest, in_all = amounts[0]
    reserving, paying, ships = _times(said.zh)
    assert (reserving, paying, ships) == _times(said.en)
    english, chinese = (
        re.search(r"(\d+) units(?:, (\d+) for each buyer)?\.", said.en),
        re.search(r"共 (\d+) 件(?:，每人限 (\d+) 件)?。", said.zh),
    )
    assert english
    assert chinese
    assert english.groups() == chinese.groups()
    assert (int(english[1]), ships) == (festival(made).quotas()[SKU], made.ships_by_at)

    def asked(deposit: int, balance: int) -> Reserve:
        return Reserve(sku=SKU, quantity=units, expected_deposit=deposit * units, expected_balance=balance * units)

    assert rules.price_refusal(made, asked(down, rest)) is None
    assert rules.price_refusal(made, asked(down + 1, rest)) is not None
    held = msgspec.structs.replace(
        reservation(),
        quantity=units,
        list_price=price,
        price=made.price,
        deposit=made.deposit,
        counts_for=made.counts_for,
        state=ReservationState.DEPOSITED,
        balance_from_at=made.balance_from_at,
        balance_until_at=made.balance_until_at,
    )
    order = rules.priced(held)
    assert (order.goods_total, order.total, held.balance_total) == (costs * units, in_all * units, rest * units)
    assert order.goods_total - order.total == (counts - down) * units
    for first, last in [reserving]:
        moments = (first - _SECOND, first, last - _SECOND, last)
        assert [rules.window_refusal(made, now) is None for now in moments] == [False, True, True, False]
    for first, last in [paying]:
        moments = (first - _SECOND, first, last - _SECOND, last)
        assert [rules.balance_refusal(held, now) is None for now in moments] == [False, True, True, False]
    most = int(english[2] or 0)
    if most:
        assert rules.limit_refusal(made, 0, most) is None
        assert rules.limit_refusal(made, 1, most) is not None
    else:
        assert rules.limit_refusal(made, quota, units) is None


def _times(said: str) -> tuple[tuple[datetime, datetime], tuple[datetime, datetime], datetime]:
    first, last, balance_first, balance_last, ships = window(said)
    return (first, last), (balance_first, balance_last), ships
