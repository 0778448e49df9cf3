"""Which doors of which modules the web process opens. Pages bring their own dependencies and failure pages along."""

from collections.abc import Sequence

from litestar import Response
from litestar.exceptions import HTTPException
from litestar.types import ControllerRouterHandler, ExceptionHandlersMap

from tidegate.app.api import health, problems
from tidegate.app.console import routes as console
from tidegate.app.demo import console as debrief
from tidegate.app.pages import static
from tidegate.app.storefront import refusals
from tidegate.app.storefront import routes as storefront
from tidegate.gate.bots import http as bots
from tidegate.gate.defence import http as defence
from tidegate.gate.queue import http as queue
from tidegate.offer.campaign import http as campaign
from tidegate.offer.catalogue import http as catalogue
from tidegate.offer.coupons import http as coupons
from tidegate.offer.pricing import http as pricing
from tidegate.sale.draws import http as draws
from tidegate.sale.groups import http as groups
from tidegate.sale.ordering import http as ordering
from tidegate.sale.payment import http as payment
from tidegate.sale.points import http as points
from tidegate.sale.presale import http as presale
from tidegate.sale.protection import http as protection
from tidegate.sale.shortfall import http as shortfall
from tidegate.sale.stock import http as stock
from tidegate.trust.identity import http as identity
from tidegate.watch.monitor import http as monitor


def doors() -> Sequence[ControllerRouterHandler]:
    """Return every route handler: JSON of the modules, then pages and files."""
    offer, gate = (campaign, catalogue, coupons, pricing), (queue, bots, defence)
    sale = (stock, points, payment, ordering, presale, groups, draws, protection, shortfall)
    json = (identity, *offer, *gate, *sale, monitor)
    return [route for module in (health, *json, static, storefront, console, debrief) for route in module.routes]


def exception_handlers() -> ExceptionHandlersMap:
    """Return how failures outside of pages are answered: as problem documents; an unknown address also as a page."""
    return {HTTPException: _unanswerable, Exception: problems.answer}


def _unanswerable(request: problems.AnyRequest, fault: HTTPException) -> Response[bytes]:
    if refusals.wants_page(request) and not request.url.path.startswith("/api/"):
        return refusals.unanswerable(request, fault)
    return problems.answer(request, fault)
