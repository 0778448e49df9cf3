"""Refusals, errors and unknown addresses as pages, in the reader's language."""

import logging
from urllib.parse import quote

from litestar import Response
from litestar.exceptions import HTTPException

from tidegate.app.pages.answer import page, see_other
from tidegate.app.pages.language import language_of
from tidegate.app.pages.rendering import provide_pages
from tidegate.app.storefront.visit import Asking, render
from tidegate.app.storefront.wording import FAILED, OTHER, REFUSALS, Spoken, spoken
from tidegate.base.errors import Refusal
from tidegate.base.http import refusal_headers

log = logging.getLogger(__name__)


def refused(request: Asking, refusal: Refusal) -> Response[bytes]:
    """Answer a refusal: with the sign-in form where that is all it takes, else with a page that says why."""
    if refusal.code == "not-signed-in":
        return see_other("/sign-in?next=" + quote(_return_path(request), safe="/"))
    answer = _page(request, spoken(refusal), refusal.status)
    answer.headers.update(refusal_headers(refusal))
    return answer


def unanswerable(request: Asking, fault: HTTPException) -> Response[bytes]:
    """Answer what the web framework refused: an unknown address, a number that is none, a body too large."""
    if fault.status_code >= 500:
        return failed(request, fault)
    code = {404: "page-unknown", 405: "page-unknown", 413: "too-large"}.get(fault.status_code, "")
    title, text = REFUSALS.get(code, OTHER)
    return _page(request, Spoken(title, text), fault.status_code)


def failed(request: Asking, fault: Exception) -> Response[bytes]:
    """Answer a bug of ours: 500, logged."""
    log.error("%s %s failed: %s", request.method, request.url.path, fault, exc_info=fault)
    return _page(request, Spoken(*FAILED), 500)


def wants_page(request: Asking) -> bool:
    """Whether the client is a browser that wants a page rather than a problem document."""
    return "text/html" in request.headers.get("accept", "")


def _page(request: Asking, said: Spoken, status: int) -> Response[bytes]:
    language = language_of(request.cookies, request.headers.get("accept-language"))
    # Made outside of any handler, so the campaign's colours are those of the last visit in this process.
    version = request.app.state.get("version")
    html = render(
        provide_pages(request.app.state), "refused", language, version, path=request.url.path, said=said, status=status
    )
    return page(request, html, status=status)


def _return_path(request: Asking) -> str:
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "") if request.method == "GET" else "/orders"
