"""The compiled promotions of a rule set: found by SKU, checked by bits, in the order in which they apply.

Each rule is one bit. Which rules the shopper and the moment allow is one mask, which rules concern a SKU is another;
what both leave is remembered, so that 1,000 rules cost little more than 10.
"""

from bisect import bisect_right
from collections.abc import Hashable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import NamedTuple

from tidegate.offer.campaign.contracts import Audience, Gift, Promotion
from tidegate.offer.pricing.benefits import Reckoner
from tidegate.offer.pricing.conditions import Conditions

PLANS_MAX = 64
MEMORY_MAX = 4_096
PERSONAL_FACTS = frozenset({"audience", "tier", "segments"})
"""What a condition may declare of who the shopper is."""


class Stage(IntEnum):
    """When a rule has its turn."""

    PRICE = 0
    SHOP = 1
    PLATFORM = 2
    SHIPPING = 3
    POINTS = 4


class Per(StrEnum):
    """What a counter of a rule counts."""

    ORDER = "order"
    BUYER = "buyer"
    PERIOD = "period"
    MONEY = "money"


class Counted(NamedTuple):
    """One counter of a rule: what it counts, the key or its head, and the cap."""

    per: Per
    head: str
    cap: int


class Rule:
    """One promotion, compiled. `bit` is its place among the rules of the book."""

    __slots__ = ("bit", "counters", "gift", "id", "period", "promotion", "reckoner", "stage", "starts_at")

    def __init__(
        self,
        bit: int,
        promotion: Promotion,
        stage: Stage,
        reckoner: Reckoner | None,
        counters: Sequence[Counted],
        starts_at: datetime,
    ) -> None:
        self.bit = bit
        self.id = promotion.id
        self.promotion = promotion
        self.stage = stage
        self.reckoner = reckoner
        self.counters = tuple(counters)
        self.period = promotion.limits.period_days
        self.starts_at = starts_at
        self.gift = promotion.benefit if isinstance(promotion.benefit, Gift) else None


class Kept:
    """What is known of one SKU beside its offer."""

    __slots__ = ("floor", "shop")

    def __init__(self, floor: int, shop: str) -> None:
        self.floor = floor
        self.shop = shop


class Book:
    """All compiled rules, with their indexes."""

    def __init__(
        self,
        rules: Sequence[Rule],
        masks: Mapping[str, int],
        member_prices: Mapping[str, Sequence[tuple[int, Rule]]],
        kept: Mapping[str, Kept],
        values: Mapping[str, int],
        gates: "Gates",
    ) -> None:
        self.rules = tuple(rules)
        self.masks = dict(masks)
        self.member_prices = dict(member_prices)
        self.kept = dict(kept)
        self.values = dict(values)
        """List prices of gifts, by SKU."""
        self.gates = gates
        self.limited = any(rule.counters for rule in rules)
        self.shared_counters = frozenset(
            head for rule in rules for per, head, _ in rule.counters if per in (Per.ORDER, Per.MONEY)
        )
        self.gifts = frozenset(rule.gift.sku for rule in rules if rule.gift)
        self.personal = self._personal()
        """The SKUs whose price depends on who the shopper is."""
        self.memory: dict[Hashable, object] = {}
        """Carts priced lately, as the engine wrote them down."""
        self._plans: dict[int, dict[str, tuple[Rule, ...]]] = {}
        self._foes: dict[int, int] = {}
        self._groups = _by_group(self.rules)
        self._restrictive = [rule for rule in self.rules if rule.promotion.stacks_with is not None]
        self._allowed = {rule.bit: self._allowed_by(rule) for rule in self._restrictive}

    def _personal(self) -> frozenset[str]:
        asking = sum(1 << rule.bit for rule in self.rules if _asks_for_person(rule.promotion))
        counted = {sku for sku, mask in self.masks.items() if mask & asking}
        reduced = {sku for sku, listed in self.member_prices.items() if any(asking >> r.bit & 1 for _, r in listed)}
        return frozenset(counted | reduced)

    def without_gifts(self, out: frozenset[str]) -> int:
        """The mask of the rules that give none of these SKUs."""
        gone = sum(1 << rule.bit for rule in self.rules if rule.gift and rule.gift.sku in out)
        return ((1 << len(self.rules)) - 1) & ~gone

    def remember(self, key: Hashable, written: object) -> None:
        """Keep what was written down of a cart; the oldest goes when there are many."""
        if len(self.memory) >= MEMORY_MAX:
            self.memory.pop(next(iter(self.memory)))
        self.memory[key] = written

    def plan(self, mask: int) -> dict[str, tuple[Rule, ...]]:
        """The rules of each SKU that the mask leaves, as far as they were asked for."""
        plan = self._plans.get(mask)
        if plan is None:
            if len(self._plans) >= PLANS_MAX:
                self._plans.pop(next(iter(self._plans)))
            plan = self._plans[mask] = {}
        return plan

    def rules_of(self, mask: int) -> tuple[Rule, ...]:
        """The rules of these bits, in the order in which they apply."""
        return tuple(self.rules[bit] for bit in bits_of(mask))

    def foes(self, rule: Rule) -> int:
        """The mask of the rules that may not share a line with this one."""
        known = self._foes.get(rule.bit)
        if known is None:
            known = self._foes[rule.bit] = self._foes_of(rule)
        return known

    def _foes_of(self, rule: Rule) -> int:
        foes = self._groups.get(rule.promotion.group, 0) if rule.promotion.group else 0
        if rule.bit in self._allowed:
            foes |= ((1 << len(self.rules)) - 1) & ~self._allowed[rule.bit]
        for other in self._restrictive:
            if not self._allowed[other.bit] >> rule.bit & 1:
                foes |= 1 << other.bit
        return foes & ~(1 << rule.bit)

    def _allowed_by(self, rule: Rule) -> int:
        names = rule.promotion.stacks_with or ()
        mask = 0
        for other in self.rules:
            if other.id in names or (other.promotion.group and other.promotion.group in names):
                mask |= 1 << other.bit
        return mask


class Gates:
    """Which rules a shopper and a moment let through, each kind of gate as masks.

    `open_to` holds the rules that ask nothing of that kind.
    """

    def __init__(
        self,
        *,
        edges: Sequence[datetime],
        windows: Sequence[int],
        timeless: int,
        audiences: tuple[int, Mapping[str, int]],
        tiers: tuple[int, Mapping[str, int]],
        segments: tuple[int, Mapping[str, int]],
        coupons: tuple[int, Mapping[str, int]],
        conditions: Conditions,
        conditional: tuple[int, Sequence[int]],
    ) -> None:
        self.edges = edges
        self.windows = windows
        self.timeless = timeless
        self.audiences = audiences
        self.tiers = tiers
        self.segments = segments
        self.coupons = coupons
        self.conditions = conditions
        self.conditional = conditional

    def at(self, now: datetime | None) -> int:
        """The rules whose time it is; without a time, those that have no window."""
        return self.timeless if now is None else self.windows[bisect_right(self.edges, now)]


def bits_of(mask: int) -> Iterator[int]:
    """The places of the bits of a mask, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def _asks_for_person(promotion: Promotion) -> bool:
    """Whether a promotion asks who the shopper is: by audience, tier or segment, or in its condition."""
    for_some = promotion.audience and Audience.EVERYONE not in promotion.audience
    return bool(for_some or promotion.tiers or promotion.segments or PERSONAL_FACTS.intersection(promotion.facts))


def _by_group(rules: Sequence[Rule]) -> dict[str, int]:
    groups: dict[str, int] = {}
    for rule in rules:
        if rule.promotion.group:
            groups[rule.promotion.group] = groups.get(rule.promotion.group, 0) | 1 << rule.bit
    return groups
