"""What a campaign promises after the purchase: read, judged and published from the same definition."""

import msgspec
import pytest

from tests.offer.campaign.test_definition import FESTIVAL, faults, line, read
from tests.offer.festivals import coupon, definition, offer, version
from tests.offer.promotions import festival, promotion
from tidegate.offer.campaign.contracts import CampaignDefinition, Gift, GiftPolicy, PriceProtection, Selection
from tidegate.offer.campaign.terms import statements

PROMISE = '\n[price_protection]\ndays = 15\ngoods = { categories = ["kitchen"], but = ["MUG-1"] }\n'
PAYING = FESTIVAL.replace("[returns]\n", '[returns]\ngifts = "pay"\n')


def test_a_file_states_both_promises() -> None:
    made = read(PAYING + PROMISE)
    assert made.returns.gifts is GiftPolicy.PAY
    assert made.price_protection == PriceProtection(days=15, goods=Selection(categories=("kitchen",), but=("MUG-1",)))
    assert (read().returns.gifts, read().price_protection) == (GiftPolicy.KEEP, None)


@pytest.mark.parametrize(
    ("text", "needle", "said"),
    [
        (PAYING.replace('"pay"', '"burn"'), 'gifts = "burn"', '"burn"'),
        (FESTIVAL + PROMISE.replace("15", "0"), "days = 0", "0 is out of range; it may be 1 to 366"),
        (FESTIVAL + PROMISE.replace("kitchen", "boats"), "goods = { categories", "none of these goods is on offer"),
        (FESTIVAL + PROMISE + "hours = 3\n", "hours = 3", "hours"),
    ],
)
def test_a_promise_that_cannot_be_meant_is_a_fault(text: str, needle: str, said: str) -> None:
    [found] = faults(text)
    assert said in found
    assert f"{line(needle, text)}" in found


def sentences(made: CampaignDefinition) -> dict[str, str]:
    return {key: words.en for key, words in statements(version(made)).items()}


def test_the_rules_say_only_what_there_is_reason_for() -> None:
    plain = definition([offer("A")])
    assert not {"returns_thresholds", "returns_gifts", "price_protection"} & sentences(plain).keys()
    assert "returns_thresholds" in sentences(definition([offer("A")], coupons=[coupon()]))
    gift = festival({"A": 100, "B": 50}, [promotion("g", Gift(sku="B", reach=100))])
    assert "nothing is taken off" in sentences(gift)["returns_gifts"]
    paying = msgspec.structs.replace(gift, returns=msgspec.structs.replace(gift.returns, gifts=GiftPolicy.PAY))
    assert "in proportion" in sentences(paying)["returns_gifts"]


def test_the_promise_of_price_protection_names_days_and_goods() -> None:
    plain = definition([offer("A"), offer("B")])
    promise = PriceProtection(days=7, goods=Selection(skus=("B",)))
    said = statements(version(msgspec.structs.replace(plain, price_protection=promise)))["price_protection"]
    assert "within 7 days of the payment" in said.en
    assert said.en.endswith("For Goods B.")
    assert said.zh.endswith("适用于商品 B。")
    assert "付款后 7 天内" in said.zh
