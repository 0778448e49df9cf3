"""Which addresses are limited, and who asks there: identity stands below the gate, so its doors are limited here."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from tidegate.app.api.shedding import Scope
from tidegate.app.compose import App
from tidegate.base.http import cookie_of
from tidegate.gate.limits.contracts import Asker, LimitedAct
from tidegate.trust.identity.api import DEVICE_COOKIE, Identity, token_of
from tidegate.trust.identity.contracts import SessionFacts

ACTS: Mapping[tuple[str, str], LimitedAct] = {
    ("POST", "/api/v1/codes"): LimitedAct.ASK_CODE,
    ("POST", "/sign-in/code"): LimitedAct.ASK_CODE,
    ("POST", "/api/v1/sessions"): LimitedAct.SIGN_IN,
    ("POST", "/sign-in"): LimitedAct.SIGN_IN,
    ("POST", "/api/v1/staff/sessions"): LimitedAct.SIGN_IN,
    ("POST", "/console/sign-in"): LimitedAct.SIGN_IN,
    ("POST", "/api/v1/challenges"): LimitedAct.TAKE_PLACE,  # making one costs as much as ten places
    ("POST", "/api/v1/places"): LimitedAct.TAKE_PLACE,
    ("POST", "/line"): LimitedAct.TAKE_PLACE,
    ("POST", "/line/wait"): LimitedAct.TAKE_PLACE,
    ("POST", "/api/v1/passes"): LimitedAct.TAKE_PASS,
    ("GET", "/api/v1/search"): LimitedAct.SEARCH,
    ("GET", "/search"): LimitedAct.SEARCH,
    ("POST", "/api/v1/orders"): LimitedAct.PLACE_ORDER,
    ("POST", "/checkout"): LimitedAct.PLACE_ORDER,
    ("POST", "/api/v1/presales/reservations"): LimitedAct.PLACE_ORDER,
    ("POST", "/reservations"): LimitedAct.PLACE_ORDER,
    ("POST", "/api/v1/groups"): LimitedAct.PLACE_ORDER,
    ("POST", "/api/v1/groups/{group_id}/seats"): LimitedAct.PLACE_ORDER,
    ("POST", "/groups/open/{sku}"): LimitedAct.PLACE_ORDER,
    ("POST", "/groups/{group_id}/join"): LimitedAct.PLACE_ORDER,
    ("POST", "/api/v1/coupons/claims"): LimitedAct.CLAIM_COUPON,
    ("POST", "/coupons/claims"): LimitedAct.CLAIM_COUPON,
}
"""By method and by the address as the door states it, so that another spelling of the same address is no way around."""

Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], Awaitable[None]]


def asker_of(identity: Identity, scope: Scope, session: SessionFacts | None) -> Asker:
    """Return who asks: the address that the connection, or a trusted proxy, names, the account, and the browser.

    Whoever is signed in is on the browser that signed in, whatever cookies come along: the session's token names it.
    Before that it is the one that its signed cookie names; without one, or with one not signed by us, none is known.
    """
    client = scope.get("client")
    address = client[0] if client else ""
    if session is not None:
        return Asker(address, session.account_id, session.device)
    return Asker(address, device=device_of(identity, scope))


def device_of(identity: Identity, scope: Scope) -> UUID | None:
    """Return the browser that the signed cookie of a request names, or None. No I/O."""
    return identity.known_device(cookie_of(scope["headers"], DEVICE_COOKIE))


def limited(app: App) -> Guard:
    """Return the guard, on every route, that refuses whoever acts too often."""

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        del handler
        scope: Scope = connection.scope  # type: ignore[assignment]  # the framework's own type of the same mapping
        act = ACTS.get((scope.get("method", ""), scope.get("path_template", "")))
        if act is not None:
            session = app.identity.session(token_of(scope["headers"]))
            await app.limits.require(act, asker_of(app.identity, scope, session))

    return guard
