"""All pages of the storefront, with what they share: dependencies, the size of a form, and refusals as pages."""

from litestar import Router
from litestar.di import Provide
from litestar.exceptions import HTTPException

from tidegate.app.pages.rendering import provide_pages
from tidegate.app.storefront import (
    aftersale,
    buying,
    cart_page,
    coupons,
    draw_proof,
    draws,
    earning,
    front,
    groups,
    honeypot,
    line,
    openness,
    orders,
    points,
    presales,
    prizes,
    rules_page,
    signing_in,
)
from tidegate.app.storefront.addresses import open_address_desk
from tidegate.app.storefront.aftersale import open_aftersale_desk
from tidegate.app.storefront.buying import open_desk
from tidegate.app.storefront.cart_desk import open_cart_desk
from tidegate.app.storefront.coupons import open_coupon_book
from tidegate.app.storefront.earning import open_till
from tidegate.app.storefront.groups import open_group_desk
from tidegate.app.storefront.line import open_line
from tidegate.app.storefront.offers import open_offers
from tidegate.app.storefront.orders import open_order_desk
from tidegate.app.storefront.presales import open_reservation_desk
from tidegate.app.storefront.prizes import open_prize_desk
from tidegate.app.storefront.refusals import failed, refused, unanswerable
from tidegate.app.storefront.visit import open_visit
from tidegate.base.errors import Refusal

FORM_BYTES_MAX = 32_768

_modules = (
    front,
    cart_page,
    buying,
    groups,
    draws,
    prizes,
    orders,
    aftersale,
    presales,
    coupons,
    points,
    signing_in,
    rules_page,
    openness,
    line,
    draw_proof,
    earning,
    honeypot,
)
_handlers = [route for module in _modules for route in module.routes]

storefront = Router(
    path="/",
    route_handlers=_handlers,
    dependencies={
        "pages": Provide(provide_pages, sync_to_thread=False),
        "visit": Provide(open_visit, sync_to_thread=False),
        "offers": Provide(open_offers, sync_to_thread=False),
        "coupon_book": Provide(open_coupon_book, sync_to_thread=False),
        "address_desk": Provide(open_address_desk, sync_to_thread=False),
        "cart_desk": Provide(open_cart_desk, sync_to_thread=False),
        "desk": Provide(open_desk, sync_to_thread=False),
        "group_desk": Provide(open_group_desk, sync_to_thread=False),
        "order_desk": Provide(open_order_desk, sync_to_thread=False),
        "reservation_desk": Provide(open_reservation_desk, sync_to_thread=False),
        "prize_desk": Provide(open_prize_desk, sync_to_thread=False),
        "aftersale_desk": Provide(open_aftersale_desk, sync_to_thread=False),
        "line": Provide(open_line, sync_to_thread=False),
        "till": Provide(open_till, sync_to_thread=False),
    },
    exception_handlers={Refusal: refused, HTTPException: unanswerable, Exception: failed},
    request_max_body_size=FORM_BYTES_MAX,
)

routes = [storefront]
