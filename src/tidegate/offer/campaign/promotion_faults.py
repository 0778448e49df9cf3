"""What contradicts itself in the promotions of a definition; each fault at its entry, key and, in a list, its place."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from tidegate.base.money import format_money
from tidegate.offer.campaign.benefit_faults import Shelf, benefit_faults
from tidegate.offer.campaign.conditions import condition_faults
from tidegate.offer.campaign.contracts import (
    PROMOTIONS_MAX,
    AmountOff,
    Audience,
    CampaignDefinition,
    Fault,
    Phase,
    PhaseName,
    Promotion,
)
from tidegate.offer.campaign.promotions import LAYERS, kind_of
from tidegate.offer.campaign.reading import meant

_SLUG = re.compile(r"[a-z][a-z0-9-]{0,39}", re.ASCII)
_BEARER = re.compile(r"shop|platform|channel:[a-z][a-z0-9-]{0,39}", re.ASCII)
_PRIORITY_MAX = 1_000_000
_PERIOD_DAYS_MAX = 366
_WHOLE = 10_000

Said = Iterator[tuple[str, *tuple[str | int, ...]]]
"""What is wrong, and where within the entry."""


def promotion_faults(definition: CampaignDefinition) -> Iterator[Fault]:
    """Everything in the promotions that is out of range or contradicts something else."""
    promotions = definition.promotions
    if len(promotions) > PROMOTIONS_MAX:
        yield Fault(path=("promotion",), message=f"there are {len(promotions)}; the most is {PROMOTIONS_MAX}")
        return
    shelf = Shelf(definition)
    known = _Names(definition)
    for place, promotion in enumerate(promotions):
        for message, *path in _faults(promotion, place, definition, shelf, known):
            yield Fault(path=("promotion", place, *path), message=message)


class _Names:
    """What promotions may name of each other and of the coupons."""

    def __init__(self, definition: CampaignDefinition) -> None:
        self.first: dict[str, int] = {}
        for place, each in enumerate(definition.promotions):
            self.first.setdefault(each.id, place)
        self.by_id = {each.id: each for each in definition.promotions}
        self.groups = {each.group for each in definition.promotions if each.group}
        self.coupons = {each.code for each in definition.coupons}


def _faults(
    promotion: Promotion, place: int, definition: CampaignDefinition, shelf: Shelf, known: _Names
) -> Iterator[tuple[str, *tuple[str | int, ...]]]:
    yield from _head_faults(promotion, place, known)
    yield from _selection_faults(promotion, shelf)
    yield from benefit_faults(promotion, shelf)
    yield from _window_faults(promotion, definition)
    yield from _audience_faults(promotion)
    yield from _condition_faults(promotion)
    yield from _company_faults(promotion, known)
    if promotion.coupon and promotion.coupon not in known.coupons:
        yield f'there is no coupon "{promotion.coupon}"{meant(promotion.coupon, known.coupons)}', "coupon"
    yield from _limit_faults(promotion, definition.currency)
    yield from _bearer_faults(promotion)


def _head_faults(promotion: Promotion, place: int, known: _Names) -> Said:
    if not _SLUG.fullmatch(promotion.id):
        yield f'"{promotion.id}" is not an id; write small letters, digits and dashes', "id"
    elif known.first[promotion.id] != place:
        yield f'promotion "{promotion.id}" stands here twice; it is entry {known.first[promotion.id] + 1} already', "id"
    if promotion.id in known.groups:
        yield f'"{promotion.id}" is also the name of a group; give one of them another name', "id"
    for key, words in (("label", promotion.label), ("when_words", promotion.condition_words)):
        for language, text in (("zh", words.zh), ("en", words.en)) if words else ():
            if not text.strip():
                yield "is empty; every text stands in Chinese and English", key, language
    if promotion.priority > _PRIORITY_MAX:
        yield f"{promotion.priority} is out of range; it may be 0 to {_PRIORITY_MAX}", "priority"
    only = LAYERS.get(kind_of(promotion.benefit))
    if only and promotion.layer is not only:
        yield f'{kind_of(promotion.benefit)} is always in the layer "{only}"; leave layer out', "layer"
    elif not only and promotion.layer in LAYERS.values():
        yield (
            f'{kind_of(promotion.benefit)} cannot be in the layer "{promotion.layer}"; write shop or platform',
            "layer",
        )


def _selection_faults(promotion: Promotion, shelf: Shelf) -> Said:
    goods = promotion.goods
    for key, names, known, what in (
        ("skus", goods.skus, shelf.skus, "are no goods with the SKU"),
        ("categories", goods.categories, shelf.categories, "is no category"),
        ("brands", goods.brands, shelf.brands, "is no brand"),
        ("shops", goods.shops, shelf.shops, "is no shop"),
        ("but", goods.but, shelf.skus, "are no goods with the SKU"),
    ):
        for index, name in enumerate(names):
            if name not in known:
                yield f'there {what} "{name}"{meant(name, known)}', "goods", key, index
            elif name in names[:index]:
                yield f'"{name}" stands here twice', "goods", key, index
    if any((goods.skus, goods.categories, goods.brands, goods.shops, goods.but)) and not shelf.any_of(goods):
        yield "no product on offer is among these", "goods"


def _window_faults(promotion: Promotion, definition: CampaignDefinition) -> Said:
    burst = next((phase for phase in definition.phases if phase.name is PhaseName.BURST), None)
    starts, ends = promotion.starts_at, promotion.ends_at
    if any(each is not None and each.tzinfo is None for each in (starts, ends)):
        yield "a time has no zone", "starts_at" if starts is not None and starts.tzinfo is None else "ends_at"
        return
    if burst is None or burst.starts_at.tzinfo is None or burst.ends_at.tzinfo is None:
        return
    outside = False
    for key, moment in (("starts_at", starts), ("ends_at", ends)):
        if moment is not None and not burst.starts_at <= moment <= burst.ends_at:
            outside = True
            yield f"{_shown(moment)} is outside of the sale, {_span(burst)}", key
    first, last = starts or burst.starts_at, ends or burst.ends_at
    if first >= last and not outside:
        yield f"{_shown(last)} is not after the start, {_shown(first)}", "ends_at" if ends is not None else "starts_at"


def _audience_faults(promotion: Promotion) -> Said:
    for key, names in (("tiers", promotion.tiers), ("segments", promotion.segments)):
        for index, name in enumerate(names):
            if not _SLUG.fullmatch(name):
                yield f'"{name}" is not a name; write small letters, digits and dashes', key, index
    for key, listed in (
        ("audience", promotion.audience),
        ("tiers", promotion.tiers),
        ("segments", promotion.segments),
        ("facts", promotion.facts),
    ):
        for index in _repeated(listed):
            yield f'"{listed[index]}" stands here twice', key, index
    if Audience.EVERYONE in promotion.audience and len(promotion.audience) > 1:
        yield "everyone is everyone; leave the others out", "audience"


def _condition_faults(promotion: Promotion) -> Said:
    if promotion.condition:
        yield from condition_faults(promotion.condition, promotion.facts)
        if promotion.condition_words is None:
            yield 'is missing; the published rules state the condition, { zh = "...", en = "..." }', "when_words"
    elif promotion.facts:
        yield 'declared without a condition; write when = "..." or leave them out', "facts"
    elif promotion.condition_words is not None:
        yield 'there is no condition; write when = "..." or leave the words out', "when_words"


def _company_faults(promotion: Promotion, known: _Names) -> Said:
    if promotion.group and not _SLUG.fullmatch(promotion.group):
        yield f'"{promotion.group}" is not a name; write small letters, digits and dashes', "group"
    company = promotion.stacks_with or ()
    for index, name in enumerate(company):
        other = known.by_id.get(name)
        if other is None and name not in known.groups:
            names = known.by_id.keys() | known.groups
            yield f'there is no promotion and no group "{name}"{meant(name, names)}', "stacks_with", index
        elif name in company[:index]:
            yield f'"{name}" stands here twice', "stacks_with", index
        elif name == promotion.id:
            yield "a promotion is not beside itself on a line; leave it out", "stacks_with", index
        elif promotion.group and promotion.group in (name, other.group if other else ""):
            yield f'"{name}" is in the same group, and of a group one applies to a line', "stacks_with", index
        elif other is not None and other.stacks_with is not None and not _names(other, promotion):
            yield (
                f'"{name}" names this promotion in its own stacks_with neither by id nor by group',
                "stacks_with",
                index,
            )


def _names(other: Promotion, promotion: Promotion) -> bool:
    company = other.stacks_with or ()
    return promotion.id in company or bool(promotion.group and promotion.group in company)


def _limit_faults(promotion: Promotion, currency: str) -> Said:
    limits = promotion.limits
    if bool(limits.per_period) != bool(limits.period_days):
        key = "period_days" if limits.per_period else "per_period"
        yield "is missing; per_period and period_days stand together", "limits", key
    if limits.period_days > _PERIOD_DAYS_MAX:
        yield f"{limits.period_days} is out of range; it may be 1 to {_PERIOD_DAYS_MAX}", "limits", "period_days"
    for key, count in (("per_account", limits.per_account), ("per_period", limits.per_period)):
        if limits.total and count > limits.total:
            yield f"{count} is more than the total of {limits.total}", "limits", key
    if limits.per_account and limits.per_period > limits.per_account:
        yield (
            f"{limits.per_period} is more than one account may have at all, {limits.per_account}",
            "limits",
            "per_period",
        )
    if isinstance(promotion.benefit, AmountOff) and promotion.benefit.steps and limits.budget:
        least = min(step.off for step in promotion.benefit.steps)
        if limits.budget < least:
            budget, off = (format_money(each, currency, "en") for each in (limits.budget, least))
            yield f"{budget} does not pay for a single use, {off}", "limits", "budget"


def _bearer_faults(promotion: Promotion) -> Said:
    names = [bearer.name for bearer in promotion.bearers]
    for index, bearer in enumerate(promotion.bearers):
        if not _BEARER.fullmatch(bearer.name):
            yield f'"{bearer.name}" is no bearer; write shop, platform or channel:NAME', "bearers", index, "name"
        if not 1 <= bearer.share <= _WHOLE:
            yield "a share is more than 0 % and at most 100 %", "bearers", index, "share"
    for index in _repeated(names):
        yield f'"{names[index]}" stands here twice', "bearers", index, "name"
    total = sum(bearer.share for bearer in promotion.bearers)
    if promotion.bearers and total != _WHOLE:
        yield f"the shares come to {total / 100:g} %; together they are 100 %", "bearers"


def _repeated(names: Iterable[str]) -> list[int]:
    listed = list(names)
    return [index for index, name in enumerate(listed) if name in listed[:index]]


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _span(phase: Phase) -> str:
    return f"{_shown(phase.starts_at)} to {_shown(phase.ends_at)}"
