"""All pages of the console, with what they share: the desk, the check of a form's origin, refusals as pages."""

import logging

from litestar import Response, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException

from tidegate.app.console import (
    bots,
    charges,
    coupon_batches,
    coupons,
    defences,
    draws,
    editor,
    gate,
    groups,
    invariants,
    live,
    orders,
    payments,
    presales,
    prize_lists,
    prizes,
    refunds,
    shoppers,
    sign_in,
    slots,
    stock,
)
from tidegate.app.console import campaign as campaign_page
from tidegate.app.console.coupons import open_coupon_page
from tidegate.app.console.editor import open_editor
from tidegate.app.console.frame import Desk, PageRequest, language, show_bare
from tidegate.app.console.prizes import open_prize_room
from tidegate.app.console.refunds import open_refund_desk
from tidegate.app.console.shoppers import open_shopper_desk
from tidegate.app.console.story import Stories
from tidegate.app.console.words import marked, refusal_words
from tidegate.app.pages.answer import own_origin
from tidegate.app.pages.rendering import Pages, provide_pages
from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.base.metrics import faults, refusals
from tidegate.offer.campaign.api import Campaign
from tidegate.sale.ordering.api import Ordering
from tidegate.sale.payment.api import Payment
from tidegate.sale.shortfall.api import Shortfalls
from tidegate.sale.stock.api import Stock
from tidegate.trust.identity.api import Identity
from tidegate.trust.identity.errors import StaffNotSignedIn
from tidegate.watch.monitor.api import Monitor

log = logging.getLogger(__name__)

FORM_BYTES_MAX = 32_768


_NO_SUCH_PAGE = (marked("There is no such page"), marked("Nothing was changed. Begin at the live page."))
_DOES_NOT_FIT = (
    marked("This cannot be shown"),
    marked("A value in the address or form does not fit. Nothing was changed."),
)
_TOO_LARGE = (
    marked("This is too large"),
    marked(
        "What was sent is larger than this form may be. Nothing was changed; send it in parts, or as a smaller file."
    ),
)
_BROKE = (
    marked("Something broke on our side"),
    marked("This is our fault, and it has been recorded. Nothing was changed. Try again in a moment."),
)
_UNANSWERED = {404: _NO_SUCH_PAGE, 405: _NO_SUCH_PAGE, 413: _TOO_LARGE}


def provide_desk(state: State, pages: Pages, monitor: Monitor, db: Database) -> Desk:
    """Dependency `desk`: made at the first page of a process and kept with its web application."""
    desk: Desk | None = state.get("console_desk")
    if desk is None:
        desk = state["console_desk"] = Desk(pages, monitor, db)
    return desk


def provide_stories(
    *,
    ordering: Ordering,
    stock: Stock,
    payment: Payment,
    identity: Identity,
    campaign: Campaign,
    shortfalls: Shortfalls,
) -> Stories:
    """Dependency `stories`."""
    return Stories(
        ordering=ordering,
        stock=stock,
        payment=payment,
        identity=identity,
        campaign=campaign,
        shortfalls=shortfalls,
    )


def refused(request: PageRequest, refusal: Refusal) -> Response[bytes]:
    """Answer a refusal with a page that says why, in the reader's language."""
    refusals.labels(refusal.code).inc()
    title, sentence = refusal_words(provide_pages(request.app.state).messages(language(request)), refusal)
    return _page(request, title, sentence, refusal.status)


def unanswerable(request: PageRequest, fault: HTTPException) -> Response[bytes]:
    """Answer what the web framework refused: an unknown address, a parameter out of range, a body too large."""
    said = _UNANSWERED.get(fault.status_code, _DOES_NOT_FIT)
    return _page(request, *_spoken(request, said), fault.status_code)


def failed(request: PageRequest, fault: Exception) -> Response[bytes]:
    """Answer a bug of ours: 500, logged and counted."""
    log.error("%s %s failed", request.method, request.url.path, exc_info=fault)
    faults.labels("console").inc()
    return _page(request, *_spoken(request, _BROKE), 500)


def _spoken(request: PageRequest, said: tuple[str, str]) -> tuple[str, str]:
    words = provide_pages(request.app.state).messages(language(request))
    return words.gettext(said[0]), words.gettext(said[1])


def _page(request: PageRequest, title: str, detail: str, status: int) -> Response[bytes]:
    pages = provide_pages(request.app.state)
    return show_bare(request, pages, "refused.html", status=status, title=title, detail=detail)


console = Router(
    path="/",
    route_handlers=[
        live.live,
        orders.orders,
        orders.export,
        orders.order,
        orders.reveal,
        payments.payments,
        refunds.preview,
        refunds.refund,
        refunds.send_again,
        refunds.protect,
        refunds.protected,
        campaign_page.campaign_page,
        coupons.coupons_page,
        coupons.revoke,
        coupons.export,
        *coupon_batches.routes,
        groups.groups_page,
        groups.group_page,
        draws.draws_page,
        *prizes.routes,
        *prize_lists.routes,
        slots.slots_page,
        gate.gate,
        gate.steer,
        bots.overview,
        bots.decision,
        bots.undo,
        bots.undo_account,
        defences.overview,
        defences.steer,
        *charges.routes,
        *presales.routes,
        *stock.routes,
        *shoppers.routes,
        *editor.routes,
        invariants.invariants,
        invariants.examine,
        sign_in.door,
        sign_in.sign_in,
        sign_in.sign_out,
    ],
    dependencies={
        "pages": Provide(provide_pages, sync_to_thread=False),
        "desk": Provide(provide_desk, sync_to_thread=False),
        "editor": Provide(open_editor, sync_to_thread=False),
        "coupon_page": Provide(open_coupon_page, sync_to_thread=False),
        "stories": Provide(provide_stories, sync_to_thread=False),
        "refund_desk": Provide(open_refund_desk, sync_to_thread=False),
        "stock_desk": Provide(stock.open_stock_desk, sync_to_thread=False),
        "prize_room": Provide(open_prize_room, sync_to_thread=False),
        "shopper_desk": Provide(open_shopper_desk, sync_to_thread=False),
        "bots_room": Provide(bots.provide_bots_room, sync_to_thread=False),
    },
    guards=[own_origin],
    exception_handlers={
        StaffNotSignedIn: sign_in.to_door,
        Refusal: refused,
        HTTPException: unanswerable,
        Exception: failed,
    },
    request_max_body_size=FORM_BYTES_MAX,
)

routes = [console]
