"""Buying: the form once, or one click with the remembered address. Three steps at most to a paid order."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import Parameter
from msgspec import UNSET

from tidegate.app.pages.answer import own_origin, see_other
from tidegate.app.pages.errors import PageUnknown
from tidegate.app.storefront.addresses import ADDRESS_FIELDS, AddressDesk, address_fields, chosen_address
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
from tidegate.offer.pricing.contracts import Cart, CartLine, Facts, PricedOrder
from tidegate.sale.ordering.api import Ordering
from tidegate.sale.ordering.contracts import OrderLine, PlaceOrder
from tidegate.sale.points.api import Points
from tidegate.sale.points.contracts import POINTS_MAX, Balance
from tidegate.trust.identity.api import mask_phone
from tidegate.trust.identity.errors import AddressNotValid

QUANTITY_MAX = 9_999
NO_COUPON = "none"
BEST_COUPON = "best"
CHECK_AGAIN = Spoken(marked("Please check your order"), marked("Nothing was ordered yet."))


class Wish(msgspec.Struct, frozen=True):
    """What the form of the checkout holds: `coupon` as it was typed, `own` which of one's own was chosen,
    `points` how many to spend at most."""

    sku: str
    quantity: int
    coupon: str = ""
    own: str = NO_COUPON
    points: int = 0
    address_id: str = ""
    fields: dict[str, str] = msgspec.field(default_factory=lambda: dict.fromkeys(ADDRESS_FIELDS, ""))

    @property
    def cart(self) -> Cart:
        """The wish as a cart."""
        own = None if self.own in {NO_COUPON, BEST_COUPON} else self.own
        return Cart((CartLine(self.sku, self.quantity),), self.coupon or own)


class Trouble(msgspec.Struct, frozen=True):
    """Why the form came back: the refusal in words, and the faulty fields."""

    spoken: Spoken | None = None
    fields: dict[str, str] = {}


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
            facts = await self._offers.facts(wish.cart, wish.points)
            cards = await self._offers.cards(tx, [wish.sku])
            addresses = await self._addresses.of(tx, account)
            choices = await self._coupon_book.choices(tx, wish.cart, facts)
        if wish.sku not in cards:
            raise PageUnknown("These goods are not in the shop.")
        wish = _with_coupon(wish, choices)
        priced, trouble = self._priced(wish, facts, trouble)
        return self._visit.personal(
            "checkout",
            status=status,
            wish=wish,
            card=cards[wish.sku],
            priced=priced,
            told=self._offers.advice(wish.cart, facts),
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
            trouble = Trouble(trouble.spoken or spoken(refusal), {**trouble.fields, **fields})
        try:
            return self._pricing.price(Cart(wish.cart.lines), facts), trouble
        except Refusal:
            return None, trouble

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
            return await self.show(wish, Trouble(spoken(refusal)), refusal.status)
        return see_other(f"/orders/{placed.order_id}")


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
        lines=(OrderLine(wish.sku, wish.quantity),),
        address_id=address_id,
        expected_total=expected_total,
        coupon=wish.cart.coupon,
        points=wish.points or UNSET,
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
    desk: Desk,
    line: Line,
    sku: Annotated[str, Parameter(max_length=64)] = "",
    quantity: Annotated[int, Parameter(ge=1, le=QUANTITY_MAX)] = 1,
    coupon: Annotated[str, Parameter(max_length=32)] = "",
) -> Response[bytes]:
    """The form: where to, with which coupon, for how much."""
    if await line.must_wait():
        return see_other("/line")
    return await desk.show(Wish(sku, quantity, coupon.strip(), BEST_COUPON))


@post("/checkout", include_in_schema=False, guards=[own_origin])
async def place(request: Asking, desk: Desk, visit: Visit, line: Line, bots: Bots) -> Response[bytes]:
    """Place the order; or only work out the price anew, where the button said so."""
    form = await read_form(request)
    wish = _wish(form)
    await filled(request, form, bots, visit.session)
    await ordered(request, visit, bots, wish.sku)
    if visit.session is None:
        return see_other(f"/sign-in?next=/goods/{wish.sku}")
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
    return Wish(
        sku=form.text("sku", 64),
        quantity=form.whole("quantity", 1, QUANTITY_MAX),
        coupon=form.text("coupon", CODE_LENGTH_MAX),
        own=form.text("own", CODE_LENGTH_MAX) or NO_COUPON,
        points=form.whole("points", 0, POINTS_MAX),
        address_id=form.text("address_id", 40),
        fields=address_fields(form),
    )


routes = [checkout, place]
