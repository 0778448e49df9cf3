"""The cart's page, and the forms that add, change, remove: each works without a script, and answers with the page."""

from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.enums import MediaType
from litestar.params import Parameter

from tidegate.app.pages.answer import PRIVATE, own_origin, see_other
from tidegate.app.storefront import cart
from tidegate.app.storefront.cart_desk import FULL, CartDesk
from tidegate.app.storefront.forms import Form, read_form
from tidegate.app.storefront.honeypot import ordered
from tidegate.app.storefront.offers import Offers
from tidegate.app.storefront.refusals import wants_page
from tidegate.app.storefront.visit import Asking, Visit
from tidegate.app.storefront.wording import Spoken, marked
from tidegate.gate.bots.api import Bots
from tidegate.offer.pricing.contracts import QUANTITY_MAX, CartLine

SKU_MAX = 64
ADDED = marked("It is in your cart.")


class Added(msgspec.Struct, frozen=True):
    """The answer to a page that added something without being left: the units in the cart now, and what to say."""

    count: int
    said: str
    text: str = ""


@get("/cart", include_in_schema=False)
async def see_cart(visit: Visit, offers: Offers, cart_desk: CartDesk) -> Response[bytes]:
    """What is in the cart, what it costs together and why, and what a little more would bring."""
    answer = await _page(visit, offers, cart_desk)
    if visit.cart.unreadable:
        answer.cookies.append(visit.cart_cookie(()))
    return answer


@post("/cart/lines", include_in_schema=False, guards=[own_origin])
async def add(*, request: Asking, visit: Visit, offers: Offers, bots: Bots, cart_desk: CartDesk) -> Response[bytes]:
    """Put goods in the cart: one kind, or those of an order that ended."""
    more = _wanted(await read_form(request))
    for line in more:
        await ordered(request, visit, bots, line.sku)
    lines = cart.with_more(visit.cart.lines, more)
    why_not = await cart_desk.refusal_to_add(more) or (FULL if lines is None else None)
    if why_not is not None or lines is None:
        said = why_not or FULL
        if wants_page(request):
            return await _page(visit, offers, cart_desk, said, status=409)
        return _told(visit, said, visit.cart.units, 409)
    if wants_page(request):
        answer = see_other("/cart?added=yes" + ("&lost=yes" if visit.cart.unreadable else ""))
    else:
        answer = _told(visit, Spoken(ADDED, ""), sum(line.quantity for line in lines), 200)
    answer.cookies.append(visit.cart_cookie(lines))
    return answer


@post("/cart/lines/{sku:str}", include_in_schema=False, guards=[own_origin])
async def change(request: Asking, visit: Visit, sku: Annotated[str, Parameter(max_length=SKU_MAX)]) -> Response[bytes]:
    """Take another quantity of one line; 0 removes it, and the page offers to put it back."""
    quantity = (await read_form(request)).whole("quantity", 0, QUANTITY_MAX)
    before = next((line.quantity for line in visit.cart.lines if line.sku == sku), 0)
    answer = see_other(f"/cart?removed={sku}&units={before}" if before and not quantity else "/cart")
    answer.cookies.append(visit.cart_cookie(cart.with_quantity(visit.cart.lines, sku, quantity)))
    return answer


@post("/cart/emptying", include_in_schema=False, guards=[own_origin])
async def empty(visit: Visit) -> Response[bytes]:
    """Remove everything."""
    answer = see_other("/cart")
    answer.cookies.append(visit.cart_cookie(()))
    return answer


def _wanted(form: Form) -> tuple[CartLine, ...]:
    """What a form asks for; text that is no goods is answered as goods that nobody has."""
    several = cart.read(form.text("lines", cart.TEXT_MAX)).lines
    return several or (CartLine(form.text("sku", SKU_MAX), form.whole("quantity", 1, QUANTITY_MAX)),)


def _told(visit: Visit, said: Spoken, count: int, status: int) -> Response[bytes]:
    body = Added(count, visit.say(said.title), visit.say(said.text) % dict(said.values) if said.text else "")
    headers = {"Cache-Control": PRIVATE}
    return Response(msgspec.json.encode(body), status_code=status, media_type=MediaType.JSON, headers=headers)


async def _page(
    visit: Visit, offers: Offers, cart_desk: CartDesk, trouble: Spoken | None = None, status: int = 200
) -> Response[bytes]:
    kept = visit.cart
    inside = {line.sku for line in kept.lines}
    removed = cart.read(f"{visit.asked('removed')}:{visit.asked('units')}").lines
    outside = [line for line in removed if line.sku not in inside]
    view = await cart_desk.look(kept.lines)
    return visit.personal(
        "cart",
        status=status,
        view=view,
        removed=(await cart_desk.look(outside)).lines if outside else (),
        unreadable=kept.unreadable or bool(visit.asked("lost")),
        added=bool(visit.asked("added")),
        trouble=trouble or view.trouble,
        phase=offers.phase(visit.now),
        rules=offers.rules,
    )


routes = [see_cart, add, change, empty]
