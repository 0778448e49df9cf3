"""After the purchase, for shoppers: give units back and see before what they bring, and get a lower price's difference.

Both pages change nothing until their last button; what went back, and why, stands at the order.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from litestar import Response, get, post

from tidegate.app.pages.answer import own_origin, see_other
from tidegate.app.storefront.forms import Form, read_form
from tidegate.app.storefront.visit import Asking, Visit
from tidegate.app.storefront.wording import Spoken, spoken
from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.offer.catalogue.api import Catalogue
from tidegate.offer.pricing.api import RefundPlan
from tidegate.sale.ordering.api import Ordering, left_of, next_refund_key
from tidegate.sale.ordering.contracts import TOTAL_MAX, Left, RefundLine
from tidegate.sale.protection.api import Protection

REASON_MAX = 200
_KEY_MAX = 64


class AftersaleDesk:
    """Shows both pages to the order's buyer; dependency `aftersale_desk`."""

    def __init__(
        self, visit: Visit, ordering: Ordering, protection: Protection, catalogue: Catalogue, db: Database
    ) -> None:
        self._visit = visit
        self._ordering = ordering
        self._protection = protection
        self._catalogue = catalogue
        self._db = db

    async def show_return(
        self, order_id: UUID, form: Form | None = None, refusal: Refusal | None = None
    ) -> Response[bytes]:
        """Return the page that gives units back; with a form, what its units would bring.

        Raises OrderUnknown, OrderEnded.
        """
        plan: RefundPlan | None = None
        async with self._db.read() as tx:
            kept = await self._ordering.kept(tx, order_id, self._visit.account, lock=False)
            asked = chosen(form, left_of(kept.order, kept.back)) if form else {}
            if asked:
                plan = await self._ordering.plan_refund(tx, order_id, self._visit.account, lines_of(asked))
            goods = await self._catalogue.goods_of(tx, [line.sku for line in kept.order.priced.lines])
        return self._visit.personal(
            "return",
            status=refusal.status if refusal else 200,
            order=kept.order,
            key=next_refund_key(kept.refunds),
            left=left_of(kept.order, kept.back),
            asked=asked,
            plan=plan,
            reason=form.text("reason", REASON_MAX) if form else "",
            nothing_chosen=form is not None and not asked,
            goods=goods,
            trouble=spoken(refusal) if refusal else None,
        )

    async def show_protection(
        self, order_id: UUID, trouble: Spoken | None = None, status: int = 200
    ) -> Response[bytes]:
        """Return the page of an order's price protection. Raises OrderUnknown, OrderEnded."""
        async with self._db.read() as tx:
            order = await self._ordering.order(tx, order_id, self._visit.account)
            look = await self._protection.look(tx, order_id, self._visit.account)
            grants = await self._protection.grants_of(tx, order_id)
            goods = await self._catalogue.goods_of(tx, [line.sku for line in order.priced.lines])
        return self._visit.personal(
            "protection", status=status, order=order, look=look, grants=grants, goods=goods, trouble=trouble
        )


def chosen(form: Form, left: Sequence[Left]) -> dict[str, int]:
    """Return how many units of each SKU the form gives back; those of none are left out."""
    units = {each.sku: form.whole(f"units-{each.sku}", 0, each.units) for each in left}
    return {sku: count for sku, count in units.items() if count}


def lines_of(units: Mapping[str, int]) -> tuple[RefundLine, ...]:
    """Return units as the lines of a refund."""
    return tuple(RefundLine(sku, count) for sku, count in units.items())


def open_aftersale_desk(
    *, visit: Visit, ordering: Ordering, protection: Protection, catalogue: Catalogue, db: Database
) -> AftersaleDesk:
    """Dependency `aftersale_desk`."""
    return AftersaleDesk(visit, ordering, protection, catalogue, db)


@get("/orders/{order_id:uuid}/return", include_in_schema=False)
async def return_page(aftersale_desk: AftersaleDesk, order_id: UUID) -> Response[bytes]:
    """Choose what to give back."""
    return await aftersale_desk.show_return(order_id)


@post("/orders/{order_id:uuid}/return/preview", include_in_schema=False, status_code=200, guards=[own_origin])
async def preview_return(request: Asking, aftersale_desk: AftersaleDesk, order_id: UUID) -> Response[bytes]:
    """What the chosen units would bring; nothing is changed."""
    return await aftersale_desk.show_return(order_id, await read_form(request))


@post("/orders/{order_id:uuid}/return", include_in_schema=False, guards=[own_origin])
async def give_back(
    request: Asking, visit: Visit, ordering: Ordering, db: Database, aftersale_desk: AftersaleDesk, order_id: UUID
) -> Response[bytes]:
    """Give the units back for the amount that was shown; where that has changed, the new one is shown first."""
    form = await read_form(request)
    try:
        async with db.transaction() as tx:
            order = await ordering.order(tx, order_id, visit.account)
            lines = lines_of(chosen(form, left_of(order, {})))  # sent twice, they are gone the second time
            if lines:
                shown, reason = form.whole("amount", 0, TOTAL_MAX), form.text("reason", REASON_MAX)
                key = form.text("key", _KEY_MAX) or None
                await ordering.refund(tx, order_id, visit.account, lines, reason, expected=shown, key=key)
    except Refusal as refusal:
        return await aftersale_desk.show_return(order_id, form, refusal)
    return see_other(f"/orders/{order_id}#returned") if lines else await aftersale_desk.show_return(order_id, form)


@get("/orders/{order_id:uuid}/protection", include_in_schema=False)
async def protection_page(aftersale_desk: AftersaleDesk, order_id: UUID) -> Response[bytes]:
    """What the goods had cost and would cost today."""
    return await aftersale_desk.show_protection(order_id)


@post("/orders/{order_id:uuid}/protection", include_in_schema=False, guards=[own_origin])
async def claim(
    visit: Visit, protection: Protection, db: Database, aftersale_desk: AftersaleDesk, order_id: UUID
) -> Response[bytes]:
    """Give the difference back; where nothing is due, the page says why."""
    try:
        async with db.transaction() as tx:
            await protection.claim(tx, order_id, visit.account)
    except Refusal as refusal:
        return await aftersale_desk.show_protection(order_id, spoken(refusal), refusal.status)
    return see_other(f"/orders/{order_id}/protection#given")


routes = [return_page, preview_return, give_back, protection_page, claim]
