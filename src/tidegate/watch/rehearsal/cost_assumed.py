"""What is assumed of buyers of whom a log says nothing: of a few likely kinds of them, the dearest for the shop. Pure.

A buyer is a member, fits every segment, meets every condition and has more points than can be spent; a code to show and
a tier are one at a time, so each is tried. Whether somebody bought before, the log itself says.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from tidegate.offer.campaign.contracts import Audience, CampaignDefinition, PointsOff
from tidegate.offer.pricing.contracts import Facts
from tidegate.watch.rehearsal.cost_contracts import Assumed, NotCosted

COUPONS_MAX: Final = 12
"""Coupons tried with each order."""
TIERS_MAX: Final = 12
_POINTS: Final = 10**12
"""More than anybody has."""


def unconditional(definition: CampaignDefinition) -> CampaignDefinition:
    """The campaign whose promotions have no conditions: all of them are taken to hold."""
    promotions = tuple(msgspec.structs.replace(each, condition="", facts=()) for each in definition.promotions)
    return msgspec.structs.replace(definition, promotions=promotions)


def coupons_tried(definition: CampaignDefinition) -> Sequence[str | None]:
    """The codes of which the dearest is shown, those that open promotions first, and none."""
    opening = {each.coupon for each in definition.promotions}
    codes = sorted((coupon.code for coupon in definition.coupons), key=lambda code: code not in opening)
    return (None, *codes[:COUPONS_MAX])


class Buyers:
    """The kinds of buyers that a campaign tells apart."""

    def __init__(self, definition: CampaignDefinition) -> None:
        promotions = definition.promotions
        tiers = sorted({tier for each in promotions for tier in each.tiers})[:TIERS_MAX]
        self._tiers: Sequence[str | None] = tiers or [None]
        self._segments = frozenset(segment for each in promotions for segment in each.segments)
        self._points = _POINTS if any(isinstance(each.benefit, PointsOff) for each in promotions) else 0

    def facts(self, known: Facts, *, returning: bool) -> Iterator[Facts]:
        """What may be known of a buyer, beside what is: one after the other for each tier."""
        history = Audience.RETURNING if returning else Audience.NEW
        for tier in self._tiers:
            yield msgspec.structs.replace(
                known,
                audience=frozenset({Audience.EVERYONE, Audience.MEMBERS, history}),
                tier=tier,
                segments=self._segments,
                points=self._points,
            )


def assumed(definition: CampaignDefinition) -> list[Assumed]:
    """What makes a difference in this campaign and was assumed."""
    promotions = definition.promotions
    matters = {
        Assumed.COUPONS: bool(definition.coupons) or any(each.coupon for each in promotions),
        Assumed.MEMBERS: any(Audience.MEMBERS in each.audience for each in promotions),
        Assumed.TIERS: any(each.tiers for each in promotions),
        Assumed.SEGMENTS: any(each.segments for each in promotions),
        Assumed.CONDITIONS: any(each.condition for each in promotions),
        Assumed.POINTS: any(isinstance(each.benefit, PointsOff) for each in promotions),
    }
    return [each for each, does in matters.items() if does]


def not_costed(definition: CampaignDefinition) -> list[NotCosted]:
    """What this campaign promises that no row counts."""
    promised = {
        NotCosted.DRAWS: bool(definition.draws),
        NotCosted.EARNED_POINTS: definition.earning is not None,
        NotCosted.FURTHER_COUPONS: len(definition.coupons) > COUPONS_MAX,
    }
    return [each for each, is_promised in promised.items() if is_promised]
