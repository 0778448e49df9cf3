"""What comes with a unit beside its price: gifts as a refund reckons them, and earned points as they pay."""

from fractions import Fraction
from math import ceil

from tidegate.offer.campaign.contracts import CampaignDefinition, PointsOff
from tidegate.offer.pricing.contracts import PricedLine, PricedOrder


class Worth:
    """What gifts and points of one definition are worth and cost. Points that nothing here takes have no worth."""

    def __init__(self, definition: CampaignDefinition) -> None:
        rates = [each.benefit.points for each in definition.promotions if isinstance(each.benefit, PointsOff)]
        self.rate = min(rates, default=0)
        """Points that pay one minor unit, where they pay most; 0: none pay."""
        self._costs = {entry.sku: entry.cost for entry in definition.goods}

    def of(self, order: PricedOrder, sku: str, price: int) -> tuple[int, int]:
        """The worth for the buyer and the outlay of the shop, of one unit of a SKU that is paid with `price`.

        A gift belongs to the lines that earned it and points to all lines, each by what is paid for it, and of a line
        to each unit alike, rounded up. More units of the same SKU bring the price of each of them down instead.
        """
        if not order.gifts and not (order.points_earned and self.rate):
            return 0, 0
        lines = {line.sku: line for line in order.lines if line.quantity > line.gifts}
        line = lines[sku]
        bought, free = line.quantity - line.gifts, Fraction(0)
        worth = outlay = self._points(order, line)
        for gift in order.gifts:
            part = _part(line, [lines[each] for each in gift.earned_by if each in lines])
            outlay += part * gift.units * self._costs.get(gift.sku, 0)
            if gift.sku == sku:
                free += part * gift.units
            else:
                worth += part * gift.units * gift.value
        net = (price * bought - worth) / (bought + free)
        return ceil(price - net), ceil(outlay / bought)

    def _points(self, order: PricedOrder, line: PricedLine) -> Fraction:
        if not order.points_earned or not self.rate:
            return Fraction(0)
        return _part(line, list(order.lines)) * (order.points_earned // self.rate)


def _part(line: PricedLine, of: list[PricedLine]) -> Fraction:
    """A line's part of what these lines share: by what is paid for each, or by units where nothing is paid."""
    if line not in of:
        return Fraction(0)
    paid = sum(each.payable for each in of)
    if paid:
        return Fraction(line.payable, paid)
    return Fraction(line.quantity - line.gifts, sum(each.quantity - each.gifts for each in of))
