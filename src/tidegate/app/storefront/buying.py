"""Buying one product or a cart: the form once, or one click with the remembered address.

Three steps at most to a paid order.
"""

from collections.abc import Collection, Sequence
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import Parameter
from msgspec import UNSET

from tidegate.app.pages.answer import own_origin, see_other
from tidegate.app.pages.errors import PageUnknown
from tidegate.app.storefront import cart
from tidegate.app.storefront.addresses import ADDRESS_FIELDS, AddressDesk, address_fields, chosen_address
from tidegate.app.storefront.cart_desk import CartDesk, limited_by
from tidegate.app.storefront.coupons import CODE_LENGTH_MAX, Choice, CouponBook, best_of
from tidegate.app.storefront.forms import Form, read_form
from tidegate.app.storefront.honeypot import filled, ordered
from tidegate.app.storefront.line import Line
from tidegate.app.storefront.offers import Offers
from tidegate.app.storefront.visit import Asking, Visit
from tidegate.app.storefront.wording import Spoken, marked, spoken
from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.gate.bots.api import Bots
from tidegate.offer.pricing.api import Pricing
from tidegate.offer.pricing.contracts import QUANTITY_MAX, Cart, CartLine, Facts, PricedOrder
from tidegate.sale.ordering.api import Ordering
from tidegate.sale.ordering.contracts import OrderLine, PlaceOrder
from tidegate.sale.points.api import Points
from tidegate.sale.points.contracts import POINTS_MAX, Balance
from tidegate.trust.identity.api import mask_phone
from tidegate.trust.identity.errors import AddressNotValid

GIFTS_TEXT_MAX = 1_000
NO_COUPON = "none"
BEST_COUPON = "best"
CHECK_AGAIN = Spoken(marked("Please check your order"), marked("Nothing was ordered yet."))


class Wish(msgspec.Struct, frozen=True):
    """What the form of the checkout holds: `coupon` as it was typed, `own` which of one's own was chosen,
    `points` how many to spend at most. `is_cart`: the lines are the cart's, and leave it once they are ordered."""

    lines: tuple[CartLine, ...]
    is_cart: bool = False
    coupon: str = ""
    own: str = NO_COUPON
    points: int = 0
    gifts: tuple[str, ...] = ()
    """SKUs of the gifts that the page showed."""
    address_id: str = ""
    fields: dict[str, str] = msgspec.field(default_factory=lambda: dict.fromkeys(ADDRESS_FIELDS, ""))

    @property
    def skus(self) -> tuple[str, ...]:
        """What it is about."""
        return tuple(line.sku for line in self.lines)

    @property
    def cart(self) -> Cart:
        """The wish as a cart."""
        own = None if self.own in {NO_COUPON, BEST_COUPON} else self.own
        return Cart(self.lines, self.coupon or own)

    @property
    def text(self) -> str:
        """The lines as the form keeps them: what is ordered is what was shown, whatever the cart holds by then."""
        return cart.write(self.lines)

    @property
    def path(self) -> str:
        """The page that it came from."""
        return "/cart" if self.is_cart else f"/goods/{self.lines[0].sku}"


class Trouble(msgspec.Struct, frozen=True):
    """Why the form came back: the refusal in words, the faulty fields, and the goods that it is about."""

    spoken: Spoken | None = None
    fields: dict[str, str] = {}
    skus: Collection[str] = ()


class Desk:
    """The checkout: prices the wish, takes the address, places the order, and shows the form again where it must."""

    def __init__(
        self,
        *,
        visit: Visit,
        offers: Offers,
        coupon_book: CouponBook,
        pricing: Pricing,
        address_desk: AddressDesk,
        ordering: Ordering,
        points: Points,
        db: Database,
    ) -> None:
        self._visit = visit
        self._coupon_book = coupon_book
        self._offers = offers
        self._pricing = pricing
        self._addresses = address_desk
        self._ordering = ordering
        self._points = points
        self._db = db

    async def show(self, wish: Wish, trouble: Trouble | None = None, status: int = 200) -> Response[bytes]:
        """Return the form, filled with the wish."""
        account, trouble = self._visit.account, trouble or Trouble()
        async with self._db.read() as tx:
            balance = await self._points.balance(tx, account) if self._offers.take_points else Balance()
            wish = msgspec.structs.replace(wish, points=min(wish.points, balance.available))
            facts = await self._offers.own_facts(tx, wish.cart, wish.points)
            cards = await self._offers.cards(tx, wish.skus)
            addresses = await self._addresses.of(tx, account)
            choices = await self._coupon_book.choices(tx, wish.cart, facts)
        if not cards.keys() >= set(wish.skus):
            if wish.is_cart:
                return see_other(wish.path)
            raise PageUnknown("These goods are not in the shop.")
        wish = _with_coupon(wish, choices)
        priced, trouble = self._priced(wish, facts, trouble)
        return self._visit.personal(
            "checkout",
            status=status,
            wish=wish,
            cards=cards,
            left_in_cart=self._left_in_cart(wish),
            priced=priced,
            told=self._offers.advice(wish.cart, facts),
            gone=self._offers.named(facts.out.intersection(wish.gifts)),
            addresses=addresses,
            choices=choices,
            balance=balance,
            chosen=chosen_address(wish.address_id, addresses),
            trouble=trouble,
            key=self._offers.new_key(),
            phase=self._offers.phase(self._visit.now),
            rules=self._offers.rules,
            mask_phone=mask_phone,
        )

    def _priced(self, wish: Wish, facts: Facts, trouble: Trouble) -> tuple[PricedOrder | None, Trouble]:
        """Return the price; without the coupon where it is the coupon that is refused, and with what is wrong."""
        try:
            return self._pricing.price(wish.cart, facts), trouble
        except Refusal as refusal:
            fields = {"coupon": spoken(refusal).title} if wish.cart.coupon else {}
            about = trouble.skus or self._about(refusal)
            trouble = Trouble(trouble.spoken or spoken(refusal), {**trouble.fields, **fields}, about)
        try:
            return self._pricing.price(Cart(wish.cart.lines), facts), trouble
        except Refusal:
            return None, trouble

    def _left_in_cart(self, wish: Wish) -> int:
        """How many lines of the cart are not in the order."""
        inside = set(wish.skus)
        return sum(line.sku not in inside for line in self._visit.cart.lines) if wish.is_cart else 0

    def _about(self, refusal: Refusal) -> frozenset[str]:
        rules = self._offers.rules
        return limited_by(refusal, rules) if rules else frozenset()

    async def claimed(self, wish: Wish) -> Wish:
        """Return the wish with a code that was handed out, and typed here, claimed and chosen.

        Raises what `CouponBook.claim` raises.
        """
        if not wish.coupon or not self._coupon_book.is_own(wish.coupon):
            return wish
        kept = await self._coupon_book.claim(wish.coupon)
        return msgspec.structs.replace(wish, coupon="", own=kept.code)

    async def place(self, wish: Wish, key: str, expected_total: int) -> Response[bytes]:
        """Place the order and go to its page; show the form again where it is refused."""
        try:
            address_id = await self._addresses.take(self._visit.account, wish.address_id, wish.fields)
            command, session = _command(wish, address_id, expected_total), self._visit.session
            session_id = session.session_id if session is not None else None
            placed = await self._ordering.place(self._visit.account, key, command, session_id=session_id)
        except AddressNotValid as refusal:
            return await self.show(wish, Trouble(spoken(refusal), self._addresses.faults(refusal)), 422)
        except Refusal as refusal:
            return await self.show(wish, Trouble(spoken(refusal), skus=self._about(refusal)), refusal.status)
        answer = see_other(f"/orders/{placed.order_id}")
        if wish.is_cart:
            answer.cookies.append(self._visit.cart_cookie(cart.without(self._visit.cart.lines, wish.lines)))
        return answer


def _with_coupon(wish: Wish, choices: Sequence[Choice]) -> Wish:
    """Return the wish with the best of one's own coupons where none was chosen yet, and without one that cannot be."""
    own: str | None = wish.own
    if wish.own == BEST_COUPON:
        own = None if wish.coupon else best_of(choices)
    elif wish.own not in {each.kept.code for each in choices if each.why_not is None}:
        own = None
    return msgspec.structs.replace(wish, own=own or NO_COUPON)


def _command(wish: Wish, address_id: UUID, expected_total: int) -> PlaceOrder:
    return PlaceOrder(
        lines=tuple(OrderLine(line.sku, line.quantity) for line in wish.lines),
        address_id=address_id,
        expected_total=expected_total,
        coupon=wish.cart.coupon,
        points=wish.points or UNSET,
        expected_gifts=wish.gifts or UNSET,
    )


def open_desk(
    *,
    visit: Visit,
    offers: Offers,
    coupon_book: CouponBook,
    pricing: Pricing,
    address_desk: AddressDesk,
    ordering: Ordering,
    points: Points,
    db: Database,
) -> Desk:
    """Dependency `desk`."""
    return Desk(
        visit=visit,
        offers=offers,
        coupon_book=coupon_book,
        pricing=pricing,
        address_desk=address_desk,
        ordering=ordering,
        points=points,
        db=db,
    )


@get("/checkout", include_in_schema=False)
async def checkout(
    *,
    visit: Visit,
    desk: Desk,
    cart_desk: CartDesk,
    line: Line,
    sku: Annotated[str, Parameter(max_length=64)] = "",
    quantity: Annotated[int, Parameter(ge=1, le=QUANTITY_MAX)] = 1,
    coupon: Annotated[str, Parameter(max_length=32)] = "",
) -> Response[bytes]:
    """The form: where to, with which coupon, for how much. For one product, else for what the cart can order now."""
    if await line.must_wait():
        return see_other("/line")
    lines = (CartLine(sku, quantity),) if sku else (await cart_desk.look(visit.cart.lines)).ready
    if not lines:
        return see_other("/cart")
    return await desk.show(Wish(lines, not sku, coupon.strip(), BEST_COUPON))


@post("/checkout", include_in_schema=False, guards=[own_origin])
async def place(request: Asking, desk: Desk, visit: Visit, line: Line, bots: Bots) -> Response[bytes]:
    """Place the order; or only work out the price anew, where the button said so."""
    form = await read_form(request)
    wish = _wish(form)
    await filled(request, form, bots, visit.session)
    for sku in wish.skus:
        await ordered(request, visit, bots, sku)
    if visit.session is None:
        return see_other(f"/sign-in?next={wish.path}")
    if await line.must_wait():
        return see_other("/line")
    try:
        wish = await desk.claimed(wish)
    except Refusal as refusal:
        return await desk.show(wish, Trouble(spoken(refusal), {"coupon": spoken(refusal).title}), refusal.status)
    if form.text("do") == "price":
        return await desk.show(wish)
    # With another of one's own coupons than the shown price was made with the price is another: it is to be seen first.
    changed = not wish.coupon and wish.own != (form.text("priced_with", CODE_LENGTH_MAX) or NO_COUPON)
    if changed or not form.text("expected_total"):
        return await desk.show(wish, Trouble(CHECK_AGAIN))
    return await desk.place(wish, form.text("key"), form.whole("expected_total", 0, 10**12))


def _wish(form: Form) -> Wish:
    several = cart.read(form.text("lines", cart.TEXT_MAX)).lines
    one = CartLine(form.text("sku", 64), form.whole("quantity", 1, QUANTITY_MAX))
    return Wish(
        lines=several or (one,),
        is_cart=bool(several),
        coupon=form.text("coupon", CODE_LENGTH_MAX),
        own=form.text("own", CODE_LENGTH_MAX) or NO_COUPON,
        points=form.whole("points", 0, POINTS_MAX),
        gifts=tuple(form.text("gifts", GIFTS_TEXT_MAX).split()),
        address_id=form.text("address_id", 40),
        fields=address_fields(form),
    )


routes = [checkout, place]
