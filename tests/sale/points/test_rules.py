"""What a batch may hold, and what refunds mean for points: whatever the order of the parts."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from tidegate.sale.points.errors import PointsShort
from tidegate.sale.points.rules import Purse, taken_back

ONE, TWO = UUID(int=1), UUID(int=2)


@given(
    st.dictionaries(st.sampled_from([ONE, TWO]), st.integers(0, 50)),
    st.lists(st.tuples(st.sampled_from([ONE, TWO]), st.integers(1, 40), st.booleans()), max_size=20),
)
def test_a_batch_never_holds_more_than_is_there(there: dict[UUID, int], wishes: list[tuple[UUID, int, bool]]) -> None:
    purse = Purse(there)
    for number, (account, points, kept) in enumerate(wishes):
        left = there.get(account, 0) - sum(held for _, owner, held in purse.held() if owner == account)
        refused = purse.try_hold(UUID(int=100 + number), account, points)
        assert (refused is None) == (points <= left)
        if refused is None and not kept:
            purse.give_back(UUID(int=100 + number))
    for account in (ONE, TWO):
        assert sum(held for _, owner, held in purse.held() if owner == account) <= there.get(account, 0)


def test_what_is_short_says_how_much_is_there() -> None:
    refused = Purse({ONE: 5}).try_hold(UUID(int=9), ONE, 6)
    assert isinstance(refused, PointsShort)
    assert refused.fields == {"points": 6, "available": 5}


@given(st.integers(0, 10**6), st.integers(1, 10**9), st.integers(0, 10**9), st.integers(0, 10**9))
def test_earned_points_go_with_the_money(earned: int, paid: int, one: int, two: int) -> None:
    less, more = sorted((one, two))
    assert 0 <= taken_back(earned, paid, less) <= taken_back(earned, paid, more) <= earned
    assert taken_back(earned, paid, 0) == 0
    assert taken_back(earned, paid, paid) == taken_back(earned, paid, paid + more) == earned


def test_nothing_was_paid_for_goods() -> None:
    assert taken_back(0, 0, 0) == 0
