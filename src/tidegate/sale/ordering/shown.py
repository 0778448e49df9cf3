"""Prices an order that is asked for, and holds it against the price and the gifts that its page showed."""

from collections.abc import Callable
from functools import partial

from tidegate.base.db import Database
from tidegate.offer.pricing.api import Pricing
from tidegate.offer.pricing.contracts import Cart, Facts, PricedOrder
from tidegate.sale.ordering.contracts import PlaceOrder
from tidegate.sale.ordering.errors import PriceChanged

Price = Callable[[Cart, Facts], PricedOrder]


class ShownPrices:
    """What orders cost, as long as that is what was shown."""

    def __init__(self, db: Database, pricing: Pricing) -> None:
        self._db = db
        self._pricing = pricing

    async def price(self, command: PlaceOrder, cart: Cart, facts: Facts, price: Price | None) -> PricedOrder:
        """Return the price of the cart; without `price` as any order's.

        A page of the buyer's own may have known what he has used up, and this process not: where it showed more, that
        is read and the cart is priced once more. Raises PriceChanged, and what pricing raises.
        """
        price = price or self._ordinary(command)
        priced = price(cart, facts)
        if priced.total < command.expected_total:
            async with self._db.read() as tx:
                facts = await self._pricing.own_facts(tx, cart, facts)
            priced = price(cart, facts)
        if priced.total != command.expected_total:
            raise PriceChanged(
                "The price is not the one that you were shown. Nothing was ordered. "
                "Look at the new price and order again.",
                total=priced.total,
                expected_total=command.expected_total,
            )
        return priced

    def _ordinary(self, command: PlaceOrder) -> Price:
        """Return how an ordinary order is priced: of gifts that its page showed, those that are gone are named."""
        if not command.expected_gifts:
            return self._pricing.price
        return partial(self._pricing.price_as_shown, gifts=command.expected_gifts)
