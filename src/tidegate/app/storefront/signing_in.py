"""Signing in with a phone and a code: two short forms on one page, and back to where one was."""

from typing import Annotated, Any

from litestar import Response, get, post
from litestar.params import Parameter

from tidegate.app.pages.answer import own_origin, own_path, see_other
from tidegate.app.storefront.forms import read_form
from tidegate.app.storefront.honeypot import filled
from tidegate.app.storefront.visit import Asking, Visit, client_of
from tidegate.app.storefront.wording import spoken
from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.gate.bots.api import Bots
from tidegate.trust.identity.api import SESSION_COOKIE, Identity
from tidegate.trust.identity.http import no_cookie, session_cookie

NEXT_MAX = 1_000


@get("/sign-in", include_in_schema=False)
async def sign_in_form(
    visit: Visit, after: Annotated[str, Parameter(query="next", max_length=NEXT_MAX)] = "/orders"
) -> Response[bytes]:
    """Ask for the phone number."""
    return visit.personal("sign-in", **_step(after))


@post("/sign-in/code", include_in_schema=False, guards=[own_origin])
async def send_code(request: Asking, visit: Visit, identity: Identity, bots: Bots) -> Response[bytes]:
    """Send a code and ask for it. In an example festival the page shows the code itself."""
    form = await read_form(request)
    phone, after = form.text("phone", 32), form.text("next", NEXT_MAX)
    await filled(request, form, bots, None)
    try:
        sent = await identity.request_code(phone, client_of(request))
    except Refusal as refusal:
        waiting = refusal.code == "code-too-soon"
        step = _step(after, phone=phone, trouble=spoken(refusal), asked=waiting)
        shown = await identity.sandbox_code(phone) if waiting else None
        return visit.personal("sign-in", status=refusal.status, **{**step, "shown_code": shown})
    shown = await identity.sandbox_code(phone)
    return visit.personal("sign-in", **{**_step(after, phone=phone, asked=True), "sent": sent, "shown_code": shown})


@post("/sign-in", include_in_schema=False, guards=[own_origin])
async def sign_in(request: Asking, visit: Visit, identity: Identity, bots: Bots) -> Response[bytes]:
    """Open a session with phone and code, and go back to where the shopper was."""
    form = await read_form(request)
    phone, code, after = form.text("phone", 32), form.text("code", 12).replace(" ", ""), form.text("next", NEXT_MAX)
    device = request.headers.get("user-agent", "")[:200]
    try:
        session = await identity.sign_in(phone, code, device, client_of(request))
    except Refusal as refusal:
        step = _step(after, phone=phone, trouble=spoken(refusal), asked=True)
        shown = await identity.sandbox_code(phone) if refusal.code == "code-not-valid" else None
        return visit.personal("sign-in", status=refusal.status, **{**step, "shown_code": shown})
    await filled(request, form, bots, identity.session(session.token))
    answer = see_other(after or "/orders")
    answer.cookies.append(session_cookie(identity, session))
    return answer


@post("/sign-out", include_in_schema=False, guards=[own_origin])
async def sign_out(visit: Visit, identity: Identity, db: Database) -> Response[bytes]:
    """End this session here and everywhere it could be used."""
    if visit.session is not None:
        async with db.transaction() as tx:
            await identity.sign_out(tx, visit.session)
    answer = see_other("/")
    answer.cookies.append(no_cookie(identity, SESSION_COOKIE))
    return answer


def _step(after: str, **values: Any) -> dict[str, Any]:
    empty = {"phone": "", "trouble": None, "asked": False, "sent": None, "shown_code": None}
    return {**empty, "after": own_path(after or "/orders"), **values}


routes = [sign_in_form, send_code, sign_in, sign_out]
