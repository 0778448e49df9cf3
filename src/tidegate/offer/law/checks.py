"""The checks, by the names under which the acts' files call them, with the figures that each needs."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from tidegate.offer.law import notice_checks, price_checks, terms_checks
from tidegate.offer.law.contracts import Article, Case, Found


class Check(NamedTuple):
    """A pure function over a case; `figures` are the names of the figures that its article must give.

    One that reads the price history has the figure `days`, and finds the evidence of so many days in the case.
    """

    judge: Callable[[Case, Article], Iterator[Found]]
    figures: frozenset[str] = frozenset()
    reads_history: bool = False


_DAYS: Final = frozenset({"days"})

CHECKS: Final[Mapping[str, Check]] = {
    "reference_price": Check(price_checks.reference_price, _DAYS, reads_history=True),
    "prior_price": Check(price_checks.prior_price, _DAYS, reads_history=True),
    "raised_before": Check(price_checks.raised_before, _DAYS, reads_history=True),
    "reference_stated": Check(price_checks.reference_stated),
    "below_floor": Check(price_checks.below_floor),
    "worth_below_floor": Check(price_checks.worth_below_floor),
    "below_cost": Check(price_checks.below_cost),
    "conditions_stated": Check(terms_checks.conditions_stated),
    "deposit_share": Check(terms_checks.deposit_share, frozenset({"share_max"})),
    "prize_cap": Check(terms_checks.prize_cap, frozenset({"value_max"})),
    "rule_change_notice": Check(notice_checks.rule_change_notice, _DAYS),
    "equal_terms": Check(terms_checks.equal_terms),
    "gift_stated": Check(terms_checks.gift_stated),
    "return_days": Check(terms_checks.return_days, _DAYS),
}
