"""`[[coupon]]` with unique codes: what it means, how each fault in it is named, and what the rules say of it."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.offer.campaign.test_definition import FESTIVAL, faults, line, read
from tests.offer.festivals import version
from tidegate.offer.campaign import rules
from tidegate.offer.campaign.contracts import Audience, UniqueCodes
from tidegate.offer.campaign.terms import published_rules

CLAIMED = """
[[coupon]]
code = "WELCOME30"
codes = "unique"
threshold = "199.00"
off = "30.00"
count = 100000
per_account = 2
claims_open_at = "start-7d"
claims_close_at = "start+2d"
valid_until_at = "start+3d"
valid_days = 5
audience = ["new"]
letters = 8
button = false
back_on_refund = false
label = { zh = "新客满 199 减 30", en = "New here: 30 off from 199" }
"""
START = datetime(2027, 3, 20, 2, tzinfo=UTC)


def test_it_means_what_it_says() -> None:
    [_, claimed] = read(FESTIVAL + CLAIMED).coupons
    assert (claimed.code, claimed.threshold, claimed.off, claimed.quota, claimed.per_buyer) == (
        "WELCOME30", 19_900, 3_000, 0, 0,
    )  # fmt: skip
    assert claimed.unique == UniqueCodes(
        count=100_000,
        per_account=2,
        claims_open_at=START - timedelta(days=7),
        claims_close_at=START + timedelta(days=2),
        valid_until_at=START + timedelta(days=3),
        valid_days=5,
        audience=(Audience.NEW,),
        letters=8,
        button=False,
        back_on_refund=False,
    )


def test_a_coupon_with_a_shared_code_stays_as_it_was() -> None:
    """The checksum of versions that were published before unique codes existed still agrees."""
    [shared] = read().coupons
    assert shared.unique is None
    assert b"unique" not in rules.canonical(read())


def test_the_published_rules_state_how_it_is_claimed() -> None:
    words = published_rules(version(read(FESTIVAL + CLAIMED))).coupons[1].words
    for said in (
        "100000 coupons in all",
        "claimed from 2027-03-13 02:00 UTC on and before 2027-03-22 02:00 UTC",
        "2 per account",
        "for new customers only",
        "valid for 5 days and before 2027-03-23 02:00 UTC",
        "it comes back when its order ends unpaid.",
    ):
        assert said in words.en
    assert "每个账号限领 2 张" in words.zh


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ("count = 100000", "count = 0", "coupon.count: 0 is out of range; it may be 1 to 10000000"),
        ("letters = 8", "letters = 3", "coupon.letters: 3 is out of range; it may be 4 to 12"),
        ("letters = 8", "letters = 4", ""),
        (
            "count = 100000\nper_account = 2",
            "count = 139921\nletters = 4",
            "139921 codes would use half of all codes of 4 letters; take more letters",
        ),
        ('codes = "unique"', 'codes = "uniq"', 'coupon.codes: "uniq" is not known; did you mean "unique"?'),
        ('codes = "unique"', 'codes = "shared"', "coupon.count: is not known here"),
        ('code = "WELCOME30"', 'code = "WELCOME30-AND-MORE"', "has 18 characters; with unique codes"),
        ('code = "WELCOME30"', 'code = "SPRING20"', 'code "SPRING20" stands here twice'),
        ('claims_close_at = "start+2d"', 'claims_close_at = "start-8d"', "is not after the opening of claims"),
        ('valid_until_at = "start+3d"', 'valid_until_at = "start"', "WELCOME30 could never be used"),
    ],
)
def test_each_fault_is_named_with_its_line(right: str, wrong: str, words: str) -> None:
    changed = CLAIMED.replace(right, wrong)
    if "letters = 4" in wrong and "count" in wrong:
        changed = changed.replace("letters = 8\n", "")
    text = FESTIVAL + changed
    if not words:
        assert read(text).coupons[1].unique is not None
        return
    found = [fault for fault in faults(text) if words in fault]
    assert len(found) == 1
    assert line('off = "20.00"', text) < int(found[0].split(":")[1]) <= text.count("\n")


def test_no_coupon_is_named_like_a_code_of_another() -> None:
    other = '\n[[coupon]]\ncode = "WELCOME30-A"\nthreshold = "9.00"\noff = "1.00"\nlabel = { zh = "一", en = "One" }\n'
    words = '"WELCOME30-A" begins like a code of "WELCOME30"'
    assert any(words in fault for fault in faults(FESTIVAL + CLAIMED + other))
