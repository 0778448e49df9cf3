"""What a cart is worth and which of its lines can be ordered now: each that cannot is kept, and says why."""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from tidegate.app.storefront import cart
from tidegate.app.storefront.advice import Advice
from tidegate.app.storefront.offers import Offers
from tidegate.app.storefront.visit import Card, Visit
from tidegate.app.storefront.wording import Spoken, marked, spoken
from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.offer.pricing.api import Pricing
from tidegate.offer.pricing.contracts import QUANTITY_MAX, Cart, CartLine, RuleSet

FULL = Spoken(
    marked("The cart is full"),
    marked("It takes %(lines)s different goods. Order some of them, or remove some first; nothing was added."),
    {"lines": cart.LINES_MAX},
)
GONE = Spoken(marked("No longer in the shop"), marked("These goods were withdrawn. You can remove them."))
NOT_SOLD = Spoken(marked("Not on sale"), marked("These goods are not on sale in this campaign at present."))
IN_PRESALE = Spoken(
    marked("In presale only"),
    marked("These goods are reserved with a deposit, each on its own, so they cannot be put in the cart."),
)
TO_GROUPS = Spoken(
    marked("Sold to groups only"),
    marked("A place in a group is ordered on its own, so these goods cannot be put in the cart."),
)
SOLD_OUT = Spoken(
    marked("Sold out"), marked("Unpaid units come back within minutes: the line stays here, look again shortly.")
)
_FEWER_TITLE = marked("Fewer are left than you chose")
_FEWER = marked("Only %(left)s are left now. Choose fewer to order it.")
_LIMIT_TITLE = marked("More than one buyer may have")
_LIMIT = marked("At most %(limit)s for each buyer, all orders together. Choose fewer to order it.")
_LIMIT_OF_SEVERAL = marked(
    "At most %(limit)s of %(count)s goods in this cart together for each buyer. Choose fewer of them to order them."
)


class LineView(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the cart. `why_not` says why it cannot be ordered now; `fits` is how many could be, at least 1."""

    line: CartLine
    card: Card | None
    why_not: Spoken | None
    fits: int


class CartView(msgspec.Struct, frozen=True, kw_only=True):
    """The cart as its page shows it: `told` is the price of the lines that can be ordered with what is told beside it.

    None where there are none; `trouble` says why they cannot be priced together.
    """

    lines: tuple[LineView, ...]
    told: Advice | None = None
    trouble: Spoken | None = None

    @property
    def ready(self) -> tuple[CartLine, ...]:
        """The lines that can be ordered now."""
        return tuple(each.line for each in self.lines if each.why_not is None)


class CartDesk:
    """The reader's cart, looked at with today's goods, stock, limits and prices."""

    def __init__(self, visit: Visit, offers: Offers, pricing: Pricing, db: Database) -> None:
        self._visit = visit
        self._offers = offers
        self._pricing = pricing
        self._db = db

    async def look(self, lines: Sequence[CartLine]) -> CartView:
        """Return the cart of these lines as it stands now."""
        async with self._db.read() as tx:
            cards = await self._offers.cards(tx, [line.sku for line in lines])
        over = _over_limits(lines, cards)
        view = CartView(lines=tuple(self._line(each, cards.get(each.sku), over.get(each.sku)) for each in lines))
        return await self._priced(view) if view.ready else view

    def why_never(self, sku: str, known: Collection[str]) -> Spoken | None:
        """Return why goods cannot be put in a cart at all; `known` are SKUs of the catalogue."""
        rules, version = self._offers.rules, self._visit.version
        if rules is not None and sku in rules.offers:
            return None
        definition = version.definition if version else None
        if definition is not None and any(each.sku == sku for each in definition.presales):
            return IN_PRESALE
        if definition is not None and any(each.sku == sku for each in definition.group_buys):
            return TO_GROUPS
        return NOT_SOLD if sku in known else GONE

    async def refusal_to_add(self, lines: Sequence[CartLine]) -> Spoken | None:
        """Return why not all of these goods can be put in a cart, if that is so."""
        async with self._db.read() as tx:
            cards = await self._offers.cards(tx, [line.sku for line in lines])
        found = (self.why_never(line.sku, cards) for line in lines)
        return next((each for each in found if each), None)

    def _line(self, line: CartLine, card: Card | None, limit: Spoken | None) -> LineView:
        why_not = self.why_never(line.sku, [line.sku] if card else []) or _short(line, card) or limit
        return LineView(line=line, card=card, why_not=why_not, fits=_fits(card))

    async def _priced(self, view: CartView) -> CartView:
        whole = Cart(view.ready)
        async with self._db.read() as tx:
            facts = await self._offers.own_facts(tx, whole)
        told = self._offers.advice(whole, facts)
        if told is not None:
            return msgspec.structs.replace(view, told=told)
        try:
            self._pricing.price(whole, facts)
        except Refusal as refusal:
            return msgspec.structs.replace(view, trouble=spoken(refusal))
        return view


def _short(line: CartLine, card: Card | None) -> Spoken | None:
    """Why the stock does not suffice, if it does not."""
    left = card.left if card else None
    if left is None or left >= line.quantity:
        return None
    return Spoken(_FEWER_TITLE, _FEWER, {"left": left}) if left > 0 else SOLD_OUT


def _over_limits(lines: Sequence[CartLine], cards: Mapping[str, Card]) -> dict[str, Spoken]:
    """Why lines are more than one buyer may have, by SKU: a limit may count several goods together."""
    counted: dict[tuple[str, int], list[CartLine]] = {}
    for line in lines:
        for counter in _counters(cards.get(line.sku)):
            counted.setdefault(counter, []).append(line)
    found: dict[str, Spoken] = {}
    for (_, cap), those in counted.items():
        if sum(line.quantity for line in those) > cap:
            text = _LIMIT if len(those) == 1 else _LIMIT_OF_SEVERAL
            said = Spoken(_LIMIT_TITLE, text, {"limit": cap, "count": len(those)})
            found |= {line.sku: said for line in those}
    return found


def _fits(card: Card | None) -> int:
    left = [max(1, card.left)] if card and card.left is not None else []
    return min([QUANTITY_MAX, *left, *(cap for _, cap in _counters(card))])


def _counters(card: Card | None) -> tuple[tuple[str, int], ...]:
    return card.offer.counters if card and card.offer else ()


def limited_by(refusal: Refusal, rules: RuleSet) -> frozenset[str]:
    """Return the SKUs that a refusal is about: the one that it names, or all on offer that its limit counts."""
    sku, rule = refusal.fields.get("sku"), refusal.fields.get("rule")
    if isinstance(sku, str):
        return frozenset({sku})
    if not isinstance(rule, str):
        return frozenset()
    of_buyers = [each for each, offer in rules.offers.items() if any(_is_of(head, rule) for head, _ in offer.counters)]
    shared = [limit.skus or rules.offers.keys() for limit in rules.scoped if _is_of(limit.head, rule)]
    return frozenset(of_buyers).union(*shared)


def _is_of(head: str, rule: str) -> bool:
    """Whether a counter's head is that of a limit of this name."""
    return head.partition("/")[2].partition(":")[2] == f"{rule}:"


def open_cart_desk(visit: Visit, offers: Offers, pricing: Pricing, db: Database) -> CartDesk:
    """Dependency `cart_desk`."""
    return CartDesk(visit, offers, pricing, db)
