"""Who may buy, when, and what he shows: the situations in which carts are priced, the most generous ones first."""

from datetime import datetime
from functools import partial
from itertools import product
from typing import Final

import msgspec

from tidegate.offer.campaign.contracts import Audience, CampaignDefinition, CampaignVersion, PhaseName, PointsOff
from tidegate.offer.pricing.api import compile_rules, price_order
from tidegate.offer.pricing.contracts import Cart, CartLine, Facts, PricedOrder, RuleSet
from tidegate.offer.reach.rules import Engine, Situation
from tidegate.offer.reach.telling import told

COUPONS_MAX: Final = 12
"""Coupons tried, those that take off the greatest part of their threshold first."""
LIKELY_MAX: Final = 6
SITUATIONS_MAX: Final = 60
POINTS: Final = 10**12
"""More than anybody has."""

_AUDIENCES: Final = (
    frozenset({Audience.EVERYONE, Audience.NEW, Audience.MEMBERS}),
    frozenset({Audience.EVERYONE, Audience.RETURNING, Audience.MEMBERS}),
)


def engine_of(version: CampaignVersion) -> Engine:
    """The engine in every situation that makes a difference; conditions are taken to hold, and counters to be new.

    A condition may need any fact, so the search does not try to fulfil it: it leaves it out, which can only make a
    price lower than it can be. Segments are all taken to fit.
    """
    definition = version.definition
    compiled = compile_rules(msgspec.structs.replace(version, definition=_unconditional(definition)))
    coupons = (*_generous(definition), None)
    promotions = {promotion.id: promotion for promotion in definition.promotions}
    likely: list[Situation] = []
    further: list[Situation] = []
    for facts in _facts(definition):
        for coupon in coupons:
            situation = Situation(partial(_price, compiled, coupon, facts), partial(told, promotions, facts))
            (likely if len(likely) < LIKELY_MAX else further).append(situation)
    return Engine(tuple(likely), tuple(further[: SITUATIONS_MAX - len(likely)]))


def _price(rules: RuleSet, coupon: str | None, facts: Facts, lines: tuple[CartLine, ...]) -> PricedOrder:
    return price_order(rules, Cart(lines, coupon), facts)


def _unconditional(definition: CampaignDefinition) -> CampaignDefinition:
    promotions = tuple(
        msgspec.structs.replace(promotion, condition="", facts=()) for promotion in definition.promotions
    )
    return msgspec.structs.replace(definition, promotions=promotions)


def _facts(definition: CampaignDefinition) -> list[Facts]:
    promotions = definition.promotions
    if not promotions:
        return [Facts()]
    tiers: list[str | None] = [*sorted({tier for promotion in promotions for tier in promotion.tiers})]
    segments = frozenset(segment for promotion in promotions for segment in promotion.segments)
    shown = tuple(sorted({promotion.coupon for promotion in promotions if promotion.coupon}))
    points = POINTS if any(isinstance(promotion.benefit, PointsOff) for promotion in promotions) else 0
    return [
        Facts(now=now, audience=audience, tier=tier, segments=segments, coupons=shown, points=points)
        for now, audience, tier in product(_moments(definition), _AUDIENCES, tiers or [None])
    ]


def _moments(definition: CampaignDefinition) -> list[datetime]:
    """A moment in every time in which the same promotions run: where one begins; the fullest first."""
    burst = definition.phase(PhaseName.BURST)
    spans = [
        (max(each.starts_at or burst.starts_at, burst.starts_at), each.ends_at or burst.ends_at)
        for each in definition.promotions
    ]
    starts = sorted({start for start, _ in spans if start < burst.ends_at} | {burst.starts_at})
    return sorted(starts, key=lambda now: (-sum(start <= now < end for start, end in spans), now))


def _generous(definition: CampaignDefinition) -> list[str]:
    ordered = sorted(definition.coupons, key=lambda each: (-each.off / max(each.threshold, 1), each.code))
    return [coupon.code for coupon in ordered[:COUPONS_MAX]]
