"""One promotion as the table `[[promotion]]` that describes it; None stands for a key that is left out."""

from collections.abc import Mapping

from tidegate.offer.campaign.contracts import (
    AmountOff,
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
    PercentOff,
    PointsOff,
    Promotion,
    PromotionLimits,
    Selection,
    Step,
    Words,
)
from tidegate.offer.campaign.flash_slots import flash_price_table
from tidegate.offer.campaign.promotions import LAYERS, kind_of
from tidegate.offer.campaign.units import Units

Raw = Mapping[str, object]


def promotion_table(promotion: Promotion, units: Units) -> Raw:
    """The keys of the table, in the order of the reference."""
    kind = kind_of(promotion.benefit)
    return {
        "id": promotion.id,
        "label": _words(promotion.label),
        "kind": kind,
        **_benefit(promotion.benefit, units),
        "layer": None if promotion.layer is LAYERS.get(kind, Layer.SHOP) else promotion.layer.value,
        "goods": selection_table(promotion.goods),
        "starts_at": units.time(promotion.starts_at) if promotion.starts_at else None,
        "ends_at": units.time(promotion.ends_at) if promotion.ends_at else None,
        "audience": [each.value for each in promotion.audience] or None,
        "tiers": promotion.tiers or None,
        "segments": promotion.segments or None,
        "when": promotion.condition or None,
        "when_words": _words(promotion.condition_words) if promotion.condition_words else None,
        "facts": promotion.facts or None,
        "group": promotion.group or None,
        "priority": promotion.priority if promotion.priority != 100 else None,
        "stacks_with": promotion.stacks_with,
        "coupon": promotion.coupon or None,
        "limits": _limits(promotion.limits, units),
        "bearers": [{"name": each.name, "share": units.share(each.share)} for each in promotion.bearers] or None,
    }


def _words(words: Words) -> Raw:
    return {"zh": words.zh, "en": words.en}


def _benefit(benefit: Benefit, units: Units) -> Raw:
    table: Raw
    match benefit:
        case AmountOff():
            steps = [_step(step, benefit.measure, units.money(step.off), units) for step in benefit.steps]
            table = {"steps": steps, "every": benefit.every or None, "cap": _money_or_none(benefit.cap, units)}
        case PercentOff():
            steps = [_step(step, benefit.measure, units.share(step.off), units) for step in benefit.steps]
            table = {"steps": steps, "cap": _money_or_none(benefit.cap, units)}
        case NForM():
            table = {"take": benefit.take, "pay": benefit.pay}
        case NthPiece():
            table = {"nth": benefit.nth, "off": units.share(benefit.off)}
        case Bundle():
            parts = [{"sku": part.sku, "quantity": part.quantity} for part in benefit.parts]
            table = {"parts": parts, "price": units.money(benefit.price)}
        case MemberPrice() | FlashPrice():
            table = _own_price(benefit, units)
        case Gift():
            reach = _reach(benefit.reach, benefit.measure, units)
            table = {**reach, "sku": benefit.sku, "quantity": benefit.quantity, "every": benefit.every or None}
        case FreeShipping():
            always = benefit.reach == 0 and benefit.measure is Measure.AMOUNT
            table = {} if always else _reach(benefit.reach, benefit.measure, units)
        case PointsOff():
            whole = 10**units.decimals
            table = {"points": benefit.points * whole, "pays": units.money(whole), "share": units.share(benefit.share)}
    return table


def _own_price(benefit: MemberPrice | FlashPrice, units: Units) -> Raw:
    if isinstance(benefit, FlashPrice):
        return flash_price_table(benefit, units)
    return {"prices": [{"sku": sku, "price": units.money(price)} for sku, price in benefit.prices]}


def _step(step: Step, measure: Measure, off: str, units: Units) -> Raw:
    return {**_reach(step.reach, measure, units), "off": off}


def _reach(reach: int, measure: Measure, units: Units) -> Raw:
    return {"reach": units.money(reach)} if measure is Measure.AMOUNT else {"pieces": reach}


def _money_or_none(amount: int, units: Units) -> str | None:
    return units.money(amount) if amount else None


def selection_table(goods: Selection) -> Raw | None:
    """A selection as its table; None for everything."""
    named = {
        "skus": goods.skus or None,
        "categories": goods.categories or None,
        "brands": goods.brands or None,
        "shops": goods.shops or None,
        "but": goods.but or None,
    }
    return named if any(named.values()) else None


def _limits(limits: PromotionLimits, units: Units) -> Raw | None:
    named = {
        "per_order": limits.per_order or None,
        "per_account": limits.per_account or None,
        "per_period": limits.per_period or None,
        "period_days": limits.period_days or None,
        "total": limits.total or None,
        "budget": _money_or_none(limits.budget, units),
    }
    return named if any(named.values()) else None
