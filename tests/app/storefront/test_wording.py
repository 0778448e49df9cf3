"""Every refusal that a shopper can meet is said in the words of shoppers, in both languages."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module

import pytest

import tidegate
from tidegate.app.pages.language import Language, Messages
from tidegate.app.storefront.wording import OTHER, REFUSALS, spoken
from tidegate.base.errors import Refusal

OTHERS = ("app.api.hot", "app.api.problems", "app.api.slowness", "base.batch", "base.db")
"""Modules beside the `errors` of all others that have refusals of their own."""
STAFF = """
account-unknown decision-unknown definition-faulty defence-is-on defence-unknown draft-changed draft-too-large
refund-not-refused publication-stopped reason-missing waiver-faulty goods-file-refused goods-refused
coupon-batch-made-already coupon-batch-size-not-valid coupon-batch-unknown coupon-cannot-be-revoked
coupon-codes-faulty coupon-codes-not-left coupon-reason-needed prices-faulty prices-imported prize-not-forfeitable
edge-no-page edge-not-set purge-refused
prizes-given-faulty prize-note-needed points-grant-not-valid points-moved refund-reason-missing reason-needed
quota-below-promise members-faulty not-permitted password-too-weak purpose-not-stated staff-locked
staff-name-not-valid staff-name-taken staff-not-signed-in staff-sign-in-refused staff-unknown tiers-named
nothing-to-debrief span-not-within-reach flood-failed log-not-readable nothing-to-buy sessions-over
system-not-reachable undo-not-valid replay-under-way nothing-missing more-than-there stock-unknown shortfall-malformed
"""
"""Met in the console and on the command line only."""
PROGRAMS = """
fault hook-refused method-not-allowed not-found request-malformed request-not-valid request-too-large
category-not-found picture-not-found number-not-wanted not-sealed session-unknown callback-malformed callback-not-signed
channel-silent nothing-captured nothing-to-settle charge-changed cannot-accept payment-unknown refund-exceeds-capture
"""
"""Met at the doors that answer problem documents, by channels, hooks and those who prove a draw."""
ELSEWHERE = {*STAFF.split(), *PROGRAMS.split(), "not-signed-in"}
"""And one that is answered with the form for signing in."""


def _all(of: type[Refusal]) -> Iterator[type[Refusal]]:
    for each in of.__subclasses__():
        yield each
        yield from _all(each)


def refusals() -> dict[str, type[Refusal]]:
    """Every refusal of the system by its code."""
    names = [each.name for each in pkgutil.walk_packages(tidegate.__path__, "tidegate.") if ".errors" in each.name]
    for name in (*names, *(f"tidegate.{each}" for each in OTHERS)):
        import_module(name)
    return {each.code: each for each in _all(Refusal) if each.__module__.startswith("tidegate.")}


def test_every_refusal_is_worded_for_shoppers_or_is_known_to_be_for_others() -> None:
    codes = refusals().keys()
    assert codes - REFUSALS.keys() == ELSEWHERE
    assert REFUSALS.keys() - codes == {"too-large"}  # what the framework refuses


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_its_words_are_there_in_both_languages(code: str) -> None:
    chinese = Messages.load(Language.ZH)
    for text in REFUSALS[code]:
        assert text in chinese
        assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese.gettext(text))
        assert chinese.gettext(text) != text


def test_a_promotion_that_is_used_up_is_said_as_what_it_is() -> None:
    said = spoken(refusals()["promotion-used-up"]("This promotion is used up."))
    assert (said.title, said.text) == REFUSALS["promotion-used-up"] != OTHER
    assert "price as it is now" in said.text
