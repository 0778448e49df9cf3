"""The compiled promotions of a rule set: found by SKU, checked by bits, in the order in which they apply.

Each rule is one bit. Which rules the shopper and the moment allow is one mask, which rules concern a SKU is another;
what both leave is remembered, so that 1,000 rules cost little more than 10.
"""

from bisect import bisect_right
from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import NamedTuple

from tidegate.offer.campaign.contracts import Audience, FlashPrice, Gift, MemberPrice, PointsOff, Promotion, Slot, Words
from tidegate.offer.pricing.benefits import Reckoner
from tidegate.offer.pricing.conditions import Conditions
from tidegate.offer.pricing.contracts import CounterUse, OfferRule, PriceStep, StepKind
from tidegate.offer.pricing.kernel import Figures, Kernel, Kind, Product, RuleFigures, bits_of
from tidegate.offer.pricing.words import POINTS

MEMORY_MAX = 4_096
PERSONAL_FACTS = frozenset({"audience", "tier", "segments"})
"""What a condition may declare of who the shopper is."""


_NO_NAME = Words("", "")


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
    UNITS = "units"
    BUYER_UNITS = "buyer_units"


_FOR_ALL = (Per.ORDER, Per.MONEY, Per.UNITS)
"""What is counted over all accounts together."""


class Counted(NamedTuple):
    """One counter of a rule: what it counts, the key or its head, the cap, and the cap that it will have at last.

    They differ where slots carry over: one counter goes through all of them, and each slot raises its cap.
    """

    per: Per
    head: str
    cap: int
    at_last: int = 0


class Rule:
    """One promotion, or one slot of a flash price, compiled. `bit` is its place among the rules of the book."""

    __slots__ = (
        "bit",
        "closes_at",
        "counters",
        "counts_accounts",
        "gift",
        "id",
        "label",
        "later",
        "opens_at",
        "per_order",
        "period",
        "prices",
        "promotion",
        "reckoner",
        "slot",
        "slot_label",
        "slot_span",
        "stage",
        "starts_at",
        "units_max",
    )

    def __init__(
        self,
        bit: int,
        promotion: Promotion,
        stage: Stage,
        reckoner: Reckoner | None,
        counters: Sequence[Counted],
        starts_at: datetime,
        slot: Slot | None = None,
    ) -> None:
        self.bit = bit
        self.id = slot_rule(promotion.id, slot.name) if slot else promotion.id
        self.promotion = promotion
        self.slot = slot
        self.slot_label, self.slot_span = _names(promotion, slot)
        """How the slot is called, and from when to when it is on: written once, for every page shows them."""
        self.label = _label(promotion, self.slot_label)
        window = slot or promotion
        self.opens_at, self.closes_at = window.starts_at, window.ends_at
        self.prices = _prices(promotion)
        """The price of its own that each SKU has by it; of most rules none."""
        self.stage = stage
        self.reckoner = reckoner
        self.counters = tuple(counters)
        self.per_order = [CounterUse(each.head, 1, each.cap) for each in self.counters if each.per is Per.ORDER]
        """What each order uses, the same every time."""
        self.counts_accounts = any(each.per not in _FOR_ALL for each in self.counters)
        self.period = promotion.limits.period_days
        self.starts_at = starts_at
        self.gift = promotion.benefit if isinstance(promotion.benefit, Gift) else None
        self.later = {each.head: each.at_last - each.cap for each in self.counters if each.at_last}
        """Units that slots after this one add to a counter that they share, by its key."""
        caps = [counter.cap for counter in self.counters if counter.per in (Per.UNITS, Per.BUYER_UNITS)]
        self.units_max = min(caps, default=0)
        """More units than that never have its price, whoever buys them; 0: as many as one likes."""


def _is_limit(counter: tuple[str, int]) -> bool:
    return counter[0].partition("/")[2].startswith("limit:")


def slot_rule(promotion: str, slot: str) -> str:
    """The id of the rule that a slot of a flash price is."""
    return f"{promotion}/{slot}"


def _names(promotion: Promotion, slot: Slot | None) -> tuple[Words, Words]:
    benefit = promotion.benefit
    if slot is None or not isinstance(benefit, FlashPrice):
        return _NO_NAME, _NO_NAME
    return benefit.label(slot), benefit.span(slot)


def _label(promotion: Promotion, name: Words) -> Words:
    if name is _NO_NAME:
        return promotion.label
    return Words(f"{promotion.label.zh}（{name.zh}）", f"{promotion.label.en} ({name.en})")


def _prices(promotion: Promotion) -> dict[str, int]:
    match promotion.benefit:
        case MemberPrice(prices=prices):
            return dict(prices)
        case FlashPrice(sku=sku, price=price):
            return {sku: price}
        case _:
            return {}


class ShippingRule(NamedTuple):
    """What shipping costs, the step where it is free, and from which amount on it is; None: never by the amount."""

    full: PriceStep
    free: PriceStep
    free_from: int | None


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
        price_masks: Mapping[str, int],
        kept: Mapping[str, Kept],
        values: Mapping[str, int],
        names: Mapping[str, Words],
        gates: "Gates",
        offers: Mapping[str, OfferRule],
        shipping: ShippingRule,
    ) -> None:
        self.rules = tuple(rules)
        self.masks = dict(masks)
        self.price_masks = dict(price_masks)
        """The rules that are a price of their own for each SKU: member prices, and slots of flash prices."""
        self.kept = dict(kept)
        self.values = dict(values)
        """List prices of gifts, by SKU."""
        self.names = dict(names)
        """What gifts are called, by SKU."""
        self.gates = gates
        self.limited = any(rule.counters for rule in rules)
        self.bits = {rule.id: rule.bit for rule in rules}
        self.caps_units = any(rule.units_max for rule in rules)
        """Whether some price of its own is for so many units at most, whoever buys them."""
        self.shared_counters = {
            counter.head: counter.at_last or counter.cap
            for rule in rules
            for counter in rule.counters
            if counter.per in _FOR_ALL
        }
        """What is counted over all buyers: each key with its cap."""
        self.timetables = _timetables(self.rules)
        """The slots of each SKU with a flash price, in the order in which they begin."""
        self.slots = frozenset(rule.id for rule in rules if rule.slot)
        self.gifts = frozenset(rule.gift.sku for rule in rules if rule.gift)
        self.personal = self._personal()
        """The SKUs whose price depends on who the shopper is."""
        self.limits = tuple(
            dict.fromkeys(each for offer in offers.values() for each in offer.counters if _is_limit(each))
        )
        """The limits of one buyer over several goods: heads of their counters, and caps."""
        self.memory: dict[Hashable, object] = {}
        """Carts priced lately, as the engine wrote them down."""
        self._open_prices: dict[tuple[int, str], tuple[tuple[int, Rule], ...]] = {}
        self._foes: dict[int, int] = {}
        self._groups = _by_group(self.rules)
        self._with_coupon = sum(1 << rule.bit for rule in rules if rule.promotion.coupon)
        self._restrictive = [rule for rule in self.rules if rule.promotion.stacks_with is not None]
        self._allowed = {rule.bit: self._allowed_by(rule) for rule in self._restrictive}
        self.kernel = Kernel(
            [self._figures(rule) for rule in self.rules],
            {
                sku: Product(
                    each.floor, each.shop, self.masks.get(sku, 0), self.price_masks.get(sku, 0), offers.get(sku)
                )
                for sku, each in self.kept.items()
            },
            *shipping,
        )

    def _figures(self, rule: Rule) -> RuleFigures:
        return RuleFigures(
            stage=rule.stage,
            benefit=_figures(rule),
            gift=(rule.gift.sku, self.values[rule.gift.sku]) if rule.gift else None,
            foes=self.foes(rule),
            kept_from=self.kept_from(rule) if rule.prices else 0,
            group=rule.promotion.group,
            counted=bool(rule.counters),
            prices=rule.prices,
            name=rule.id,
            kind=_step_kind(rule),
            label=_step_label(rule),
            bearers=[(bearer.name, bearer.share) for bearer in rule.promotion.bearers],
        )

    def _personal(self) -> frozenset[str]:
        asking = sum(1 << rule.bit for rule in self.rules if asks_for_person(rule.promotion))
        counted = {sku for sku, mask in self.masks.items() if mask & asking}
        reduced = {sku for sku, mask in self.price_masks.items() if mask & asking}
        return frozenset(counted | reduced)

    def bits_of(self, names: frozenset[str]) -> int:
        """The mask of the rules with these ids; others are not looked at."""
        return sum([1 << self.bits[name] for name in names if name in self.bits]) if names else 0

    def without_gifts(self, out: frozenset[str]) -> int:
        """The mask of the rules that give none of these SKUs."""
        gone = sum(1 << rule.bit for rule in self.rules if rule.gift and rule.gift.sku in out)
        return ((1 << len(self.rules)) - 1) & ~gone

    def remember(self, key: Hashable, written: object) -> None:
        """Keep what was written down of a cart; the oldest goes when there are many."""
        if len(self.memory) >= MEMORY_MAX:
            self.memory.pop(next(iter(self.memory)))
        self.memory[key] = written

    def rules_of(self, mask: int) -> tuple[Rule, ...]:
        """The rules of these bits, in the order in which they apply."""
        return tuple(self.rules[bit] for bit in bits_of(mask))

    def prices_of(self, sku: str, mask: int) -> tuple[tuple[int, Rule], ...]:
        """The prices of its own that the mask leaves a SKU, lowest first, then in the order of the rules.

        A slot that is not on is no bit of the mask: it is not looked at.
        """
        bits = self.price_masks.get(sku, 0) & mask
        if not bits:
            return ()
        listed = self._open_prices.get((bits, sku))
        if listed is None:
            if len(self._open_prices) >= MEMORY_MAX:
                self._open_prices.pop(next(iter(self._open_prices)))
            listed = tuple(sorted(((rule.prices[sku], rule) for rule in self.rules_of(bits)), key=_price_and_bit))
            self._open_prices[bits, sku] = listed
        return listed

    def kept_from(self, rule: Rule) -> int:
        """The mask of the rules that do not count goods at the price of this one."""
        benefit = rule.promotion.benefit
        if isinstance(benefit, FlashPrice) and not benefit.coupons:
            return self.foes(rule) | self._with_coupon
        return self.foes(rule)

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
            if other.promotion.id in names or (other.promotion.group and other.promotion.group in names):
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
        self.known: dict[Hashable, int] = {}
        """The rules that were open lately, by who asked."""

    def window(self, now: datetime | None) -> int:
        """Which of the windows it is; -1 without a time."""
        return -1 if now is None else bisect_right(self.edges, now)

    def at(self, now: datetime | None) -> int:
        """The rules whose time it is; without a time, those that have no window."""
        return self.timeless if now is None else self.windows[self.window(now)]


def _step_kind(rule: Rule) -> StepKind:
    match rule.stage:
        case Stage.PRICE:
            return StepKind.FLASH_PRICE if rule.slot else StepKind.MEMBER_PRICE
        case Stage.SHIPPING:
            return StepKind.SHIPPING
        case Stage.POINTS:
            return StepKind.POINTS
        case Stage.SHOP | Stage.PLATFORM:
            return StepKind.COUPON if rule.promotion.coupon else StepKind.PROMOTION


def _step_label(rule: Rule) -> Words:
    if rule.stage is Stage.POINTS:
        return POINTS
    return rule.label if rule.stage is Stage.PRICE else rule.promotion.label


def _figures(rule: Rule) -> Figures:
    benefit = rule.promotion.benefit
    if isinstance(benefit, PointsOff):
        return Figures(Kind.PAY, off=benefit.share, price=benefit.points)
    return rule.reckoner.figures() if rule.reckoner else Figures()


def _price_and_bit(listed: tuple[int, Rule]) -> tuple[int, int]:
    return listed[0], listed[1].bit


def _timetables(rules: Sequence[Rule]) -> dict[str, tuple[Rule, ...]]:
    found: dict[str, list[Rule]] = {}
    for rule in rules:
        if rule.slot:
            for sku in rule.prices:
                found.setdefault(sku, []).append(rule)
    return {sku: tuple(sorted(listed, key=_opening)) for sku, listed in found.items()}


def _opening(rule: Rule) -> datetime:
    assert rule.slot is not None
    return rule.slot.starts_at


def asks_for_person(promotion: Promotion) -> bool:
    """Whether a promotion asks who the shopper is: by audience, tier or segment, or in its condition."""
    for_some = promotion.audience and Audience.EVERYONE not in promotion.audience
    return bool(for_some or promotion.tiers or promotion.segments or PERSONAL_FACTS.intersection(promotion.facts))


def _by_group(rules: Sequence[Rule]) -> dict[str, int]:
    groups: dict[str, int] = {}
    for rule in rules:
        if rule.promotion.group:
            groups[rule.promotion.group] = groups.get(rule.promotion.group, 0) | 1 << rule.bit
    return groups
