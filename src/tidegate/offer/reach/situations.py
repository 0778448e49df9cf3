"""Who may buy, when, and what he shows: the situations in which carts are priced, the most generous ones first."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from itertools import product
from typing import Final

import msgspec

from tidegate.offer.campaign.contracts import (
    Audience,
    CampaignDefinition,
    CampaignVersion,
    FlashPrice,
    PhaseName,
    PointsOff,
    Promotion,
    Slot,
)
from tidegate.offer.pricing.api import compile_rules, price_order
from tidegate.offer.pricing.contracts import Cart, CartLine, Facts, PricedOrder, RuleSet
from tidegate.offer.reach.rules import Engine, Situation
from tidegate.offer.reach.telling import told

COUPONS_MAX: Final = 12
"""Coupons tried: those that open promotions first, then by the part of their threshold that they take off."""
LIKELY_MAX: Final = 6
SITUATIONS_MAX: Final = 60
POINTS: Final = 10**12
"""More than anybody has."""

_AUDIENCES: Final = (
    frozenset({Audience.EVERYONE, Audience.NEW, Audience.MEMBERS}),
    frozenset({Audience.EVERYONE, Audience.RETURNING, Audience.MEMBERS}),
)


class Situations:
    """The engine in every situation that makes a difference; conditions are taken to hold, and counters to be new.

    A condition may need any fact, so the search does not try to fulfil it: it leaves it out, which can only make a
    price lower than it can be. Segments are all taken to fit.
    """

    def __init__(self, version: CampaignVersion) -> None:
        self._definition = version.definition
        unconditional = msgspec.structs.replace(version, definition=_unconditional(version.definition))
        self._compiled = compile_rules(unconditional)
        self._coupons = _coupons(version.definition)
        self._promotions = {promotion.id: promotion for promotion in version.definition.promotions}
        self.in_slots = frozenset(
            each.benefit.sku for each in version.definition.promotions if isinstance(each.benefit, FlashPrice)
        )

    def engine(self, sku: str = "") -> Engine:
        """The engine for all products; with `sku` for one that is sold in slots, the moments of those first."""
        likely: list[Situation] = []
        further: list[Situation] = []
        for facts in _facts(self._definition, sku):
            for coupon in self._coupons:
                price = partial(_price, self._compiled, coupon, facts)
                situation = Situation(price, partial(told, self._promotions, facts))
                (likely if len(likely) < LIKELY_MAX else further).append(situation)
        return Engine(tuple(likely), tuple(further[: SITUATIONS_MAX - len(likely)]))


def _price(rules: RuleSet, coupon: str | None, facts: Facts, lines: tuple[CartLine, ...]) -> PricedOrder:
    return price_order(rules, Cart(lines, coupon), facts)


def _unconditional(definition: CampaignDefinition) -> CampaignDefinition:
    promotions = tuple(
        msgspec.structs.replace(promotion, condition="", facts=()) for promotion in definition.promotions
    )
    return msgspec.structs.replace(definition, promotions=promotions)


def _facts(definition: CampaignDefinition, sku: str) -> list[Facts]:
    promotions = definition.promotions
    if not promotions:
        return [Facts()]
    tiers: list[str | None] = [*sorted({tier for promotion in promotions for tier in promotion.tiers})]
    segments = frozenset(segment for promotion in promotions for segment in promotion.segments)
    points = POINTS if any(isinstance(promotion.benefit, PointsOff) for promotion in promotions) else 0
    return [
        Facts(now=now, audience=audience, tier=tier, segments=segments, points=points)
        for now, audience, tier in product(_moments(definition, sku), _AUDIENCES, tiers or [None])
    ]


def _moments(definition: CampaignDefinition, sku: str) -> list[datetime]:
    """A moment in every time in which the same promotions run: where one begins; the fullest first.

    With `sku`, those first in which a slot of it is on.
    """
    burst = definition.phase(PhaseName.BURST)
    spans = [
        (max(each.starts_at or burst.starts_at, burst.starts_at), each.ends_at or burst.ends_at, promotion)
        for promotion in definition.promotions
        for each in _windows(promotion)
    ]
    starts = sorted({start for start, _, _ in spans if start < burst.ends_at} | {burst.starts_at})
    found: dict[tuple[str, ...], tuple[int, int, datetime]] = {}
    for now in starts:
        on = [promotion for start, end, promotion in spans if start <= now < end]
        wanted = any(isinstance(each.benefit, FlashPrice) and each.benefit.sku == sku for each in on)
        found.setdefault(tuple(each.id for each in on), (-wanted, -len(on), now))
    return [now for _, _, now in sorted(found.values())]


def _windows(promotion: Promotion) -> Sequence[Promotion | Slot]:
    """When a promotion is on: its own times, or those of its slots."""
    return promotion.benefit.slots if isinstance(promotion.benefit, FlashPrice) else (promotion,)


def _coupons(definition: CampaignDefinition) -> list[str | None]:
    """What a shopper may show with an order: one coupon, or none. None is among the likely ones."""
    opening = {promotion.coupon for promotion in definition.promotions}
    ordered = sorted(
        definition.coupons, key=lambda each: (each.code not in opening, -each.off / max(each.threshold, 1), each.code)
    )
    codes = [coupon.code for coupon in ordered[:COUPONS_MAX]]
    return [*codes[: LIKELY_MAX - 1], None, *codes[LIKELY_MAX - 1 :]]
