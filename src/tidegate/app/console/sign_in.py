"""The door of the console: sign in, sign out, and what somebody sees who may not enter."""

from typing import Annotated
from urllib.parse import quote

import msgspec
from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, QueryParameter

from tidegate.app.console.frame import PageRequest, language, show_bare
from tidegate.app.console.words import refusal_words
from tidegate.app.pages.answer import own_path, see_other
from tidegate.app.pages.rendering import Pages
from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.trust.identity.api import STAFF_COOKIE, Identity, token_of
from tidegate.trust.identity.errors import StaffNotSignedIn
from tidegate.trust.identity.http import client_address, no_cookie, staff_cookie

DOOR = "/console/sign-in"


class Credentials(msgspec.Struct, frozen=True):
    """The form of the door."""

    name: Annotated[str, msgspec.Meta(max_length=40)] = ""
    password: Annotated[str, msgspec.Meta(max_length=128)] = ""
    to: Annotated[str, msgspec.Meta(max_length=1000)] = "/console"


@get(DOOR, include_in_schema=False)
async def door(
    request: PageRequest, pages: Pages, to: Annotated[str, QueryParameter(max_length=1000)] = "/console"
) -> Response[bytes]:
    """Show the sign-in form."""
    return show_bare(request, pages, "sign_in.html", name="", to=_console_path(to), refusal=None, refusal_title=None)


@post(DOOR, include_in_schema=False, status_code=303, request_max_body_size=8_192)
async def sign_in(
    request: PageRequest,
    pages: Pages,
    identity: Identity,
    data: Annotated[Credentials, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[bytes]:
    """Sign in and go where the person wanted to; on a refusal show the form again, the name kept."""
    try:
        session = await identity.staff_sign_in(data.name, data.password, client_address(request))
    except Refusal as refusal:
        title, sentence = refusal_words(pages.messages(language(request)), refusal)
        return show_bare(
            request,
            pages,
            "sign_in.html",
            status=refusal.status,
            name=data.name,
            to=_console_path(data.to),
            refusal=sentence,
            refusal_title=title,
        )
    answer = see_other(_console_path(data.to))
    answer.set_cookie(staff_cookie(identity, session))
    return answer


@post("/console/sign-out", include_in_schema=False, status_code=303, request_max_body_size=1_024)
async def sign_out(request: PageRequest, identity: Identity, db: Database) -> Response[bytes]:
    """End the session and show the door."""
    async with db.transaction() as tx:
        await identity.staff_sign_out(tx, token_of(request.scope["headers"], STAFF_COOKIE))
    answer = see_other(DOOR)
    answer.set_cookie(no_cookie(identity, STAFF_COOKIE))
    return answer


def _console_path(path: str) -> str:
    """Return a page of the console; anything else becomes the live page."""
    own = own_path(path)
    return own if own.split("?")[0] == "/console" or own.startswith("/console/") else "/console"


def to_door(request: PageRequest, _: StaffNotSignedIn) -> Response[bytes]:
    """Send somebody who is not signed in to the door, and back afterwards."""
    query = f"?{request.url.query}" if request.url.query else ""
    wanted = f"{request.url.path}{query}" if request.method == "GET" else "/console"
    return see_other(f"{DOOR}?to={quote(wanted, safe='')}")
