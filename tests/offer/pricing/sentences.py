"""Reads published sentences back into figures, as a careful shopper would: from the words alone, in either language."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from tidegate.offer.campaign.contracts import Audience, Words

_MONEY = r"(?:CN)?¥[\d,]+\.\d\d"
_SHARE = r"[\d.]+ %"
_REACH = rf"{_MONEY}|\d+ (?:piece|pieces|件)"
_AUDIENCES = {
    "新客": Audience.NEW,
    "老客": Audience.RETURNING,
    "会员": Audience.MEMBERS,
    "new shoppers": Audience.NEW,
    "returning shoppers": Audience.RETURNING,
    "members": Audience.MEMBERS,
}


class Reach(NamedTuple):
    """What has to be reached: minor units or pieces."""

    amount: int
    pieces: bool


class Reading(NamedTuple):
    """What a sentence says of a benefit. `offs` are minor units or basis points, by what has to be reached."""

    kind: str
    offs: tuple[tuple[Reach, int], ...] = ()
    every: bool = False
    cap: int = 0
    group: int = 0
    paid: int = 0
    share: int = 0
    price: int = 0
    parts: tuple[tuple[str, int], ...] = ()


def fen(text: str) -> int:
    """An amount in minor units."""
    return int(Decimal(text.lstrip("CN¥").replace(",", "")) * 100)


def basis_points(text: str) -> int:
    """A percentage in basis points."""
    return int(Decimal(text.removesuffix(" %")) * 100)


def reach(text: str) -> Reach:
    """What has to be reached."""
    return Reach(fen(text), False) if "¥" in text else Reach(int(text.split(maxsplit=1)[0]), True)


def _parts(said: str) -> tuple[tuple[str, int], ...]:
    english = [(sku, int(units)) for units, sku in re.findall(r"(\d+) × Goods (\w+)", said)]
    return tuple(english or [(sku, int(units)) for sku, units in re.findall(r"商品 (\w+) (\d+) 件", said)])


_MADE: tuple[tuple[str, str, Callable[[re.Match[str]], Reading]], ...] = (
    (
        r"Of every (\d+) pieces (\d+) are paid",
        r"每 (\d+) 件只付 (\d+) 件的钱",
        lambda found: Reading("n_for_m", group=int(found[1]), paid=int(found[2])),
    ),
    (
        rf"Of every (\d+) pieces the cheapest costs ({_SHARE}) less",
        rf"每 (\d+) 件中最便宜的一件减 ({_SHARE})",
        lambda found: Reading("nth_piece", group=int(found[1]), share=basis_points(found[2])),
    ),
    (
        rf"(\d+) points pay ({_MONEY}), up to ({_SHARE}) of what is to pay for the goods",
        rf"每 (\d+) 积分抵 ({_MONEY})，最多抵商品应付金额的 ({_SHARE})",
        lambda found: Reading("points_off", group=int(found[1]), price=fen(found[2]), share=basis_points(found[3])),
    ),
    (
        rf"Bundle: (?P<parts>.*) together for (?P<price>{_MONEY})",
        rf"套餐：(?P<parts>.*)，合计 (?P<price>{_MONEY})",
        lambda found: Reading("bundle", price=fen(found["price"]), parts=_parts(found["parts"])),
    ),
    (r"Shipping is free\.", r"免运费。", lambda _: Reading("free_shipping")),
    (
        rf"Shipping is free from ({_REACH})",
        rf"满 ({_REACH}) ?免运费",
        lambda found: Reading("free_shipping", ((reach(found[1]), 0),)),
    ),
    (
        rf"(?P<units>\d+) × .* free (?P<every>for every|from) (?P<reach>{_REACH}), while",
        rf"(?P<every>每?)满 (?P<reach>{_REACH}) ?赠送 .* (?P<units>\d+) 件，",
        lambda found: Reading(
            "gift", ((reach(found["reach"]), int(found["units"])),), every=found["every"] in {"每", "for every"}
        ),
    ),
    (
        rf"Goods A at ({_MONEY}) each",
        rf"商品 A每件 ({_MONEY})",
        lambda found: Reading("member_price", price=fen(found[1])),
    ),
)
"""The sentence of each kind in both languages, and what it says; reductions by steps are read below."""


def read_english(said: str) -> Reading:
    """Read the English sentence of a benefit."""
    for english, _, made in _MADE:
        if found := re.match(english, said):
            return made(found)
    cap = re.search(rf"({_MONEY}) (?:off )?an order at most", said)
    steps = re.findall(rf"({_MONEY}|{_SHARE}) off (from|for every) ({_REACH})", said)
    return _stepped(
        [(reach(what), off) for off, _, what in steps],
        every=any(word == "for every" for _, word, _ in steps),
        cap=fen(cap[1]) if cap else 0,
    )


def read_chinese(said: str) -> Reading:
    """Read the Chinese sentence of a benefit."""
    for _, chinese, made in _MADE:
        if found := re.match(chinese, said):
            return made(found)
    cap = re.search(rf"一个订单最多减 ({_MONEY})", said)
    steps = re.findall(rf"满 ({_REACH}) ?(?:减 ({_MONEY})|打 [\d.]+ 折（减 ({_SHARE})）)", said)
    return _stepped(
        [(reach(what), money or part) for what, money, part in steps],
        every=said.startswith("每满"),
        cap=fen(cap[1]) if cap else 0,
    )


def _stepped(steps: list[tuple[Reach, str]], *, every: bool, cap: int) -> Reading:
    assert steps
    if "¥" in steps[0][1]:
        return Reading("amount_off", tuple((what, fen(off)) for what, off in steps), every=every, cap=cap)
    return Reading("percent_off", tuple((what, basis_points(off)) for what, off in steps), cap=cap)


def audiences(words: Words) -> tuple[frozenset[Audience], frozenset[Audience]]:
    """For whom a promotion is, as the Chinese and the English sentence say; empty for everyone."""
    found = []
    for said, everyone in ((words.zh, "所有人都可以享受。"), (words.en, "For everyone.")):
        if said == everyone:
            found.append(frozenset[Audience]())
            continue
        named = re.split("、|, ", said.removeprefix("限").removeprefix("Only for ").rstrip("。."))
        found.append(frozenset(_AUDIENCES[name] for name in named))
    return found[0], found[1]


def window(said: str) -> list[datetime]:
    """The moments that stand in a sentence, in its order."""
    times = re.findall(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) GMT", said)
    return [datetime.fromisoformat(each).replace(tzinfo=UTC) for each in times]


class SlotReading(NamedTuple):
    """What a line of a timetable says: from when to when, how many units, how many for each account (0: no limit)."""

    starts_at: datetime
    ends_at: datetime
    units: int
    per_account: int


class FlashReading(NamedTuple):
    """What the words of a flash price say. `carries` is whether what a slot leaves goes on to the next."""

    price: int
    carries: bool
    coupons: bool
    slots: tuple[SlotReading, ...]


def read_flash_price(said: Words, listed: tuple[Words, ...]) -> tuple[FlashReading, FlashReading]:
    """Read the sentence of a flash price and the lines of its timetable, the Chinese and the English."""
    found = []
    for text, lines, price, carries, coupons, line in (
        (
            said.zh,
            [each.zh for each in listed],
            rf"商品 A在以下 \d+ 个场次内每件 ({_MONEY})",
            r"一场未售完的件数(不?)转入下一场。",
            "享受秒杀价的商品不计入优惠券。",
            r"：(\d+) 件(?:，每人限 (\d+) 件)?$",
        ),
        (
            said.en,
            [each.en for each in listed],
            rf"Goods A at ({_MONEY}) each within the (?:slot|\d+ slots) below",
            r"What one slot leaves (does not go|goes) on to the next\.",
            "No coupon counts goods at this price.",
            r": (\d+) units?(?:, (\d+) for each account at most)?$",
        ),
    ):
        costs, goes_on = re.match(price, text), re.search(carries, text)
        assert costs
        assert goes_on
        slots = []
        for each in lines:
            count, (starts_at, ends_at) = re.search(line, each), window(each)
            assert count
            slots.append(SlotReading(starts_at, ends_at, int(count[1]), int(count[2] or 0)))
        found.append(FlashReading(fen(costs[1]), goes_on[1] in {"", "goes"}, coupons not in text, tuple(slots)))
    return found[0], found[1]
