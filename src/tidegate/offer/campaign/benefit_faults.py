"""What contradicts itself in what a promotion takes off, gives or asks for."""

from collections.abc import Iterator

from tidegate.base.money import format_money
from tidegate.offer.campaign.contracts import (
    AmountOff,
    Audience,
    Bundle,
    CampaignDefinition,
    FlashPrice,
    FreeShipping,
    Gift,
    Measure,
    MemberPrice,
    NForM,
    NthPiece,
    PercentOff,
    PointsOff,
    Promotion,
    Selection,
    Step,
)
from tidegate.offer.campaign.reading import meant

_WHOLE = 10_000

Said = Iterator[tuple[str, *tuple[str | int, ...]]]


class Shelf:
    """What a definition sells, looked up once for all promotions."""

    def __init__(self, definition: CampaignDefinition) -> None:
        self.currency = definition.currency
        self.goods = {entry.sku: entry for entry in definition.goods}
        self.skus = set(self.goods)
        self.categories = {entry.category for entry in definition.goods}
        self.brands = {entry.brand for entry in definition.goods}
        self.shops = {entry.shop for entry in definition.goods if entry.shop}
        self.prices = {offer.sku: offer.price for offer in definition.offers}
        self._traits = {
            (goods.sku, goods.category, goods.brand, goods.shop)
            for sku in self.prices
            if (goods := self.goods.get(sku))
        }

    def any_of(self, selection: Selection) -> bool:
        """Whether at least one product on offer is selected."""
        return any(selection.has(*traits) for traits in self._traits)

    def money(self, amount: int) -> str:
        """An amount as an English sentence writes it."""
        return format_money(amount, self.currency, "en")


def benefit_faults(promotion: Promotion, shelf: Shelf) -> Said:
    """Everything wrong in the benefit: a message, and where in the entry."""
    match promotion.benefit:
        case AmountOff() as benefit:
            yield from _amount_off(benefit, shelf)
        case PercentOff() as benefit:
            yield from _percent_off(benefit)
        case NForM() as benefit:
            yield from _n_for_m(benefit)
        case NthPiece() as benefit:
            yield from _range(benefit.nth, 2, 100, "nth")
            yield from _share(benefit.off, "off")
        case Bundle() as benefit:
            yield from _bundle(benefit, shelf)
        case MemberPrice() as benefit:
            yield from _member_price(benefit, promotion, shelf)
        case Gift() as benefit:
            yield from _gift(benefit, shelf)
        case FreeShipping() | FlashPrice():
            pass  # slots are looked at over all promotions: flash_slots
        case PointsOff() as benefit:
            yield from _range(benefit.points, 1, 1_000_000, "points")
            yield from _share(benefit.share, "share")


def _range(value: int, least: int, most: int, *path: str | int) -> Said:
    if not least <= value <= most:
        yield f"{value} is out of range; it may be {least} to {most}", *path


def _share(value: int, key: str) -> Said:
    if not 1 <= value <= _WHOLE:
        yield "is more than 0 % and at most 100 %", key


def _steps(steps: tuple[Step, ...]) -> Said:
    if not steps:
        yield "there is no step; write at least one", "steps"
    for place in range(1, len(steps)):
        before, step = steps[place - 1], steps[place]
        if step.reach <= before.reach:
            yield "does not reach more than the step before; steps rise", "steps", place, "reach"
        elif step.off <= before.off:
            yield "takes off no more than the step before; steps rise", "steps", place, "off"


def _amount_off(benefit: AmountOff, shelf: Shelf) -> Said:
    yield from _steps(benefit.steps)
    for place, step in enumerate(benefit.steps):
        if step.reach < 1:
            yield "is reached by an empty cart; it is more than nothing", "steps", place, "reach"
        if step.off < 1:
            yield "takes off nothing", "steps", place, "off"
        elif benefit.measure is Measure.AMOUNT and step.off >= step.reach > 0:
            off, reach = shelf.money(step.off), shelf.money(step.reach)
            yield f"{off} is not less than what has to be reached, {reach}", "steps", place, "off"
    if benefit.every and len(benefit.steps) > 1:
        yield f"there are {len(benefit.steps)} steps; again and again goes with a single one", "every"
    if benefit.cap and not benefit.every:
        yield "goes with every = true; without it the highest step is the most", "cap"
    elif benefit.cap and benefit.steps and benefit.cap < benefit.steps[0].off:
        yield f"{shelf.money(benefit.cap)} is less than one step takes off", "cap"


def _percent_off(benefit: PercentOff) -> Said:
    yield from _steps(benefit.steps)
    for place, step in enumerate(benefit.steps):
        if step.reach < 1:
            yield "is reached by an empty cart; it is more than nothing", "steps", place, "reach"
        if not 1 <= step.off < _WHOLE:
            yield "is more than 0 % and less than 100 %", "steps", place, "off"


def _n_for_m(benefit: NForM) -> Said:
    yield from _range(benefit.take, 2, 100, "take")
    yield from _range(benefit.pay, 1, 99, "pay")
    if benefit.pay >= benefit.take:
        yield f"{benefit.pay} paid of {benefit.take} taken: nothing is free; pay for fewer than are taken", "pay"


def _bundle(benefit: Bundle, shelf: Shelf) -> Said:
    skus = [part.sku for part in benefit.parts]
    yield from _on_offer(skus, shelf, "parts")
    for place, part in enumerate(benefit.parts):
        yield from _range(part.quantity, 1, 100, "parts", place, "quantity")
    if sum(part.quantity for part in benefit.parts) < 2:
        yield "a bundle has at least two units", "parts"
    if benefit.price < 1:
        yield "a price is more than nothing", "price"
    alone = sum(shelf.prices.get(part.sku, 0) * part.quantity for part in benefit.parts)
    if all(sku in shelf.prices for sku in skus) and benefit.price >= alone:
        yield f"{shelf.money(benefit.price)} is not less than the parts cost alone, {shelf.money(alone)}", "price"


def _member_price(benefit: MemberPrice, promotion: Promotion, shelf: Shelf) -> Said:
    if not benefit.prices:
        yield "no price is here; write at least one", "prices"
    yield from _on_offer([sku for sku, _ in benefit.prices], shelf, "prices")
    for place, (sku, price) in enumerate(benefit.prices):
        if price < 1:
            yield "a price is more than nothing", "prices", place, "price"
        elif price >= shelf.prices.get(sku, price + 1):
            ordinary = shelf.money(shelf.prices[sku])
            yield f"{shelf.money(price)} is not below the price for everyone, {ordinary}", "prices", place, "price"
    named = set(promotion.audience) - {Audience.EVERYONE}
    if not (named or promotion.tiers or promotion.segments or promotion.condition):
        yield 'nobody is named; write audience = ["members"], or tiers', "audience"


def _on_offer(skus: list[str], shelf: Shelf, key: str) -> Said:
    for place, sku in enumerate(skus):
        if sku not in shelf.prices:
            yield f'"{sku}" is not on offer{meant(sku, shelf.prices.keys())}', key, place, "sku"
        elif sku in skus[:place]:
            yield f'"{sku}" stands here twice', key, place, "sku"


def _gift(benefit: Gift, shelf: Shelf) -> Said:
    if benefit.sku not in shelf.skus:
        yield f'there are no goods with the SKU "{benefit.sku}"{meant(benefit.sku, shelf.skus)}', "sku"
    elif benefit.sku not in shelf.prices:
        yield f'"{benefit.sku}" has no stock; the quota of an [[offer]] of it says how many there are', "sku"
    yield from _range(benefit.quantity, 1, 100, "quantity")
    if benefit.reach < 1:
        key = "reach" if benefit.measure is Measure.AMOUNT else "pieces"
        yield "is reached by an empty cart; it is more than nothing", key
