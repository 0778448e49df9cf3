"""The published rules of a presale in words: what is paid when, what counts for how much, and who loses what."""

from datetime import datetime

import msgspec

from tidegate.offer.campaign.benefit_terms import Wording
from tidegate.offer.campaign.contracts import CampaignDefinition, Presale, Words


class PresaleTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The conditions of one presale, in figures and as sentences. Amounts per unit; `per_buyer` 0 means no limit."""

    sku: str
    name: Words
    label: Words
    price: int
    deposit: int
    counts_for: int
    balance: int
    in_all: int
    quota: int
    per_buyer: int
    deposit_from_at: datetime
    deposit_until_at: datetime
    balance_from_at: datetime
    balance_until_at: datetime
    ships_by_at: datetime
    words: Words


PRESALE_STATEMENT = Words(
    zh="预售商品先付定金、后付尾款：付尾款时定金按注明的金额抵扣。预售价已含运费，不可使用优惠券，也不参加其他优惠。"
    "定金依《民法典》第五百八十六条、第五百八十七条：您在尾款期内未付尾款，或付定金后放弃预订，定金不予退还；"
    "商家不能按约交付，双倍返还定金，已付尾款全部退还。付尾款后即为普通订单，签收后的无理由退货按实付金额"
    "（含定金）退款。",
    en="Goods in presale are reserved with a deposit and paid for with a balance, at which the deposit counts for the "
    "stated amount. The presale price includes delivery; no coupons and no other promotions apply to it. The deposit "
    "is one in the sense of articles 586 and 587 of the Civil Code: if you do not pay the balance within its time, or "
    "give the reservation up after paying the deposit, the deposit is not returned; if the shop cannot deliver as "
    "agreed, double the deposit goes back, and all of the balance that was paid. Once the balance is paid it is an "
    "order like any other: goods returned without a reason are refunded with all that was paid, the deposit included.",
)


def presale_terms(definition: CampaignDefinition, wording: Wording) -> tuple[PresaleTerms, ...]:
    """The conditions of every presale, in the order of the definition."""
    return tuple(
        PresaleTerms(
            sku=each.sku,
            name=wording.name(each.sku),
            label=each.label,
            price=each.price,
            deposit=each.deposit,
            counts_for=each.counts_for,
            balance=each.balance,
            in_all=each.in_all,
            quota=each.quota,
            per_buyer=each.per_buyer,
            deposit_from_at=each.deposit_from_at,
            deposit_until_at=each.deposit_until_at,
            balance_from_at=each.balance_from_at,
            balance_until_at=each.balance_until_at,
            ships_by_at=each.ships_by_at,
            words=presale_words(each, definition.payment_minutes, wording),
        )
        for each in definition.presales
    )


def presale_words(presale: Presale, payment_minutes: int, wording: Wording) -> Words:
    """The conditions of one presale as sentences."""
    name, price, deposit = wording.name(presale.sku), wording.money(presale.price), wording.money(presale.deposit)
    counts, balance = wording.money(presale.counts_for), wording.money(presale.balance)
    in_all = wording.money(presale.in_all)
    span = [wording.time(each) for each in (presale.deposit_from_at, presale.deposit_until_at)]
    balance_span = [wording.time(each) for each in (presale.balance_from_at, presale.balance_until_at)]
    limit_zh = f"，每人限 {presale.per_buyer} 件" if presale.per_buyer else ""
    limit_en = f", {presale.per_buyer} for each buyer" if presale.per_buyer else ""
    return Words(
        zh=f"{name.zh}：预售价 {price.zh}，定金 {deposit.zh} 抵 {counts.zh}，尾款 {balance.zh}，合计实付 {in_all.zh}"
        f"（每件）。共 {presale.quota} 件{limit_zh}。定金：{span[0]} 起、{span[1]} 前预订，预订后 {payment_minutes} "
        f"分钟内付定金，逾期预订取消。尾款：{balance_span[0]} 起、{balance_span[1]} 前付清，逾期未付定金不予退还。"
        f"最迟 {wording.time(presale.ships_by_at)} 发货；不能按约交付双倍返还定金。",
        en=f"{name.en}: presale price {price.en}; the deposit of {deposit.en} counts for {counts.en}, so that the "
        f"balance is {balance.en} and a unit costs {in_all.en} in all. {presale.quota} units{limit_en}. Reserved from "
        f"{span[0]} on and before {span[1]}; the deposit is paid within {payment_minutes} minutes, otherwise the "
        f"reservation ends. The balance is paid from {balance_span[0]} on and before {balance_span[1]}; otherwise the "
        f"deposit is not returned. Sent by {wording.time(presale.ships_by_at)} at the latest; if the shop cannot "
        "deliver, double the deposit goes back.",
    )
