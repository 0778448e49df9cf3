"""The table `[[promotion]]` of a campaign file: how it is read. What may contradict itself: promotion_faults.py."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from tidegate.offer.campaign.contracts import (
    PROMOTION_STEPS_MAX,
    AmountOff,
    Audience,
    Bearer,
    Benefit,
    Bundle,
    FlashPrice,
    FreeShipping,
    Gift,
    Layer,
    Measure,
    MemberPrice,
    NForM,
    NthPiece,
    Part,
    PercentOff,
    PointsOff,
    Promotion,
    PromotionLimits,
    Selection,
    Step,
)
from tidegate.offer.campaign.flash_slots import read_flash_price
from tidegate.offer.campaign.reading import Table, meant

PARTS_MAX = 50
PRICES_MAX = 2_000
BEARERS_MAX = 10


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """What a word for a usual kind stands for; a key of the table overrides what the word brings."""

    kind: str
    every: bool = False
    layer: Layer | None = None
    nth: int | None = None
    off: int | None = None  # basis points
    take: int | None = None
    pay: int | None = None


PRESETS: Final[Mapping[str, Preset]] = {
    "满减": Preset(kind="amount_off"),
    "每满减": Preset(kind="amount_off", every=True),
    "跨店满减": Preset(kind="amount_off", every=True, layer=Layer.PLATFORM),
    "满折": Preset(kind="percent_off"),
    "N件M折": Preset(kind="percent_off"),
    "第二件半价": Preset(kind="nth_piece", nth=2, off=5_000),
    "买N付M": Preset(kind="n_for_m"),
    "买一送一": Preset(kind="n_for_m", take=2, pay=1),
    "套餐": Preset(kind="bundle"),
    "会员价": Preset(kind="member_price"),
    "秒杀": Preset(kind="flash_price"),
    "赠品": Preset(kind="gift"),
    "包邮": Preset(kind="free_shipping"),
    "积分": Preset(kind="points_off"),
}
"""Words that `kind` understands beside the names of the kinds."""

LAYERS: Final[Mapping[str, Layer]] = {"free_shipping": Layer.SHIPPING, "points_off": Layer.POINTS}
"""The one layer of these kinds; all others stand in `shop` or, where the file says so, in `platform`."""


def kind_of(benefit: Benefit) -> str:
    """The word of a benefit in the file, such as ``amount_off``."""
    kind = benefit.__struct_config__.tag
    assert isinstance(kind, str)
    return kind


def read_promotion(table: Table) -> Promotion:
    """Return what the table says, with faults noted where it says nothing sensible."""
    preset = _preset(table)
    promotion = Promotion(
        id=table.text("id"),
        label=table.words("label"),
        benefit=_benefit(table, preset),
        layer=table.choice("layer", Layer, preset.layer or LAYERS.get(preset.kind, Layer.SHOP)),
        goods=read_selection(table) if preset.kind not in _NAMES_ITS_GOODS else Selection(),
        starts_at=_moment(table, "starts_at"),
        ends_at=_moment(table, "ends_at"),
        audience=table.choices("audience", Audience, Audience.EVERYONE) if "audience" in table else (),
        tiers=table.texts("tiers"),
        segments=table.texts("segments"),
        condition=table.text("when", default=""),
        condition_words=table.words("when_words") if "when_words" in table else None,
        facts=table.texts("facts"),
        group=table.text("group", default=""),
        priority=table.count("priority", default=100),
        stacks_with=table.texts("stacks_with") if "stacks_with" in table else None,
        coupon=table.text("coupon", default=""),
        limits=_limits(table.table("limits")) if "limits" in table else PromotionLimits(),
        bearers=tuple(_bearer(each) for each in table.tables("bearers", most=BEARERS_MAX)),
    )
    table.done()
    return promotion


def _preset(table: Table) -> Preset:
    word = table.text("kind")
    if word in PRESETS:
        return PRESETS[word]
    if word and word not in _BENEFITS:
        known = [*_BENEFITS, *PRESETS]
        table.fault("kind", f'"{word}" is not known{meant(word, known) or "; it may be " + ", ".join(known)}')
    if word not in _BENEFITS:
        table.know_all()  # what else may stand here depends on the kind
        return Preset(kind="")
    return Preset(kind=word)


def _benefit(table: Table, preset: Preset) -> Benefit:
    return _BENEFITS[preset.kind](table, preset) if preset.kind else FreeShipping()


def _moment(table: Table, key: str) -> datetime | None:
    return table.moment(key) if key in table else None


def read_selection(table: Table) -> Selection:
    """The goods that a table names; without any, everything."""
    if "goods" not in table:
        return Selection()
    goods = table.table("goods")
    selection = Selection(
        skus=goods.texts("skus"),
        categories=goods.texts("categories"),
        brands=goods.texts("brands"),
        shops=goods.texts("shops"),
        but=goods.texts("but"),
    )
    goods.done()
    return selection


def _limits(table: Table) -> PromotionLimits:
    limits = PromotionLimits(
        per_order=table.count("per_order", default=0),
        per_account=table.count("per_account", default=0),
        per_period=table.count("per_period", default=0),
        period_days=table.count("period_days", default=0),
        total=table.count("total", default=0),
        budget=table.amount("budget", needed=False) or 0,
    )
    table.done()
    return limits


def _bearer(table: Table) -> Bearer:
    bearer = Bearer(table.text("name"), table.share("share"))
    table.done()
    return bearer


def _reach(table: Table) -> tuple[Measure, int]:
    """`reach` in money or `pieces`: exactly one of them."""
    if "pieces" in table:
        if "reach" in table:
            table.fault("pieces", "stands beside reach; write one of them")
        return Measure.PIECES, table.count("pieces")
    if "reach" not in table:
        table.fault("reach", 'is missing; write reach = "300.00", or pieces = 2')
        return Measure.AMOUNT, 0
    return Measure.AMOUNT, table.money("reach")


def _steps(table: Table, off: Callable[[Table], int]) -> tuple[Measure, tuple[Step, ...]]:
    """`steps`, or the only step in the table itself."""
    if "steps" in table:
        read = [_step(each, off) for each in table.tables("steps", most=PROMOTION_STEPS_MAX)]
        for key in ("reach", "pieces", "off"):
            if key in table:
                table.fault(key, "stands beside steps; write it within a step")
    else:
        read = [(*_reach(table), off(table))]
    if len({measure for measure, _, _ in read}) > 1:
        table.fault("steps", "some reach an amount and some a number of pieces; write one of them in all")
    return read[0][0] if read else Measure.AMOUNT, tuple(Step(reach, less) for _, reach, less in read)


def _step(table: Table, off: Callable[[Table], int]) -> tuple[Measure, int, int]:
    measure, reach = _reach(table)
    less = off(table)
    table.done()
    return measure, reach, less


def _money_off(table: Table) -> int:
    return table.money("off")


def _share_off(table: Table) -> int:
    return table.share("off")


def _amount_off(table: Table, preset: Preset) -> AmountOff:
    measure, steps = _steps(table, _money_off)
    every = table.flag("every", default=preset.every)
    return AmountOff(steps=steps, measure=measure, every=every, cap=table.amount("cap", needed=False) or 0)


def _percent_off(table: Table, _: Preset) -> PercentOff:
    measure, steps = _steps(table, _share_off)
    return PercentOff(steps=steps, measure=measure, cap=table.amount("cap", needed=False) or 0)


def _n_for_m(table: Table, preset: Preset) -> NForM:
    return NForM(take=table.count("take", default=preset.take), pay=table.count("pay", default=preset.pay))


def _nth_piece(table: Table, preset: Preset) -> NthPiece:
    off = preset.off if preset.off and "off" not in table else table.share("off")
    return NthPiece(nth=table.count("nth", default=preset.nth), off=off)


def _bundle(table: Table, _: Preset) -> Bundle:
    parts = tuple(_part(each) for each in table.tables("parts", most=PARTS_MAX))
    return Bundle(parts=parts, price=table.money("price"))


def _part(table: Table) -> Part:
    part = Part(table.text("sku"), table.count("quantity", default=1))
    table.done()
    return part


def _member_price(table: Table, _: Preset) -> MemberPrice:
    return MemberPrice(prices=tuple(_price(each) for each in table.tables("prices", most=PRICES_MAX)))


def _price(table: Table) -> tuple[str, int]:
    price = table.text("sku"), table.money("price")
    table.done()
    return price


def _flash_price(table: Table, _: Preset) -> FlashPrice:
    return read_flash_price(table)


def _gift(table: Table, _: Preset) -> Gift:
    measure, reach = _reach(table)
    return Gift(
        sku=table.text("sku"),
        reach=reach,
        quantity=table.count("quantity", default=1),
        measure=measure,
        every=table.flag("every", default=False),
    )


def _free_shipping(table: Table, _: Preset) -> FreeShipping:
    if "reach" not in table and "pieces" not in table:
        return FreeShipping()
    measure, reach = _reach(table)
    return FreeShipping(reach=reach, measure=measure)


def _points_off(table: Table, _: Preset) -> PointsOff:
    points, pays = table.count("points"), table.money("pays")
    share = table.share("share")
    if pays and points % pays:
        table.fault("points", f"{points} points do not divide evenly by what they pay; write a multiple of {pays}")
    return PointsOff(points=points // pays if pays else 0, share=share)


_BENEFITS: Final[Mapping[str, Callable[[Table, Preset], Benefit]]] = {
    "amount_off": _amount_off,
    "percent_off": _percent_off,
    "n_for_m": _n_for_m,
    "nth_piece": _nth_piece,
    "bundle": _bundle,
    "member_price": _member_price,
    "flash_price": _flash_price,
    "gift": _gift,
    "free_shipping": _free_shipping,
    "points_off": _points_off,
}
_NAMES_ITS_GOODS: Final = frozenset({"bundle", "member_price", "flash_price"})
