"""The defence `static_only`: cached pages and the money path are served; all else waits until the attack is over."""

from collections.abc import Awaitable, Callable
from typing import Any

from tidegate.app.api.shedding import LOOKS_BACK
from tidegate.app.api.small_page import HEADERS, Said, small_page
from tidegate.base.http import PROBLEM, problem, retry_after
from tidegate.base.metrics import refusals
from tidegate.gate.defence.errors import StaticOnly

RETRY_SECONDS = 30

_CACHED = frozenset({
    "/", "/rules", "/privacy", "/licence", "/complaint", "/robots.txt",
    "/api/v1/campaign", "/api/v1/campaign/rules", "/api/v1/categories",
})  # fmt: skip
"""Pages and snapshots that caches keep, as long as nobody writes something of his own behind the question mark."""

_CACHED_BELOW = ("/goods/", "/api/v1/goods/", "/assets/", "/media/", "/problems/")

_MONEY_PATH = (
    "/api/v1/stock", "/api/v1/slots", "/api/v1/quotes", "/api/v1/passes", "/api/v1/orders", "/api/v1/payments",
    "/api/v1/codes", "/api/v1/sessions", "/api/v1/me", "/api/v1/addresses", "/cart", "/checkout", "/orders", "/sign-in",
    "/sign-out", "/language", "/line", "/presales", "/reservations", "/api/v1/presales", "/groups",
    "/api/v1/groups", "/api/v1/queue", "/api/v1/places", "/api/v1/challenges",
)  # fmt: skip
"""From the waiting room to the paid order, what comes before the sign-in included; reservations, of which whoever
cannot pay the balance in time loses the deposit; and groups, of which one that cannot be joined in time is refunded."""

_STAFF = ("/console", "/health", "/metrics", "/api/v1/staff", "/api/v1/monitor", "/api/v1/defences", "/api/v1/bots")

_PAGE = small_page(
    Said(
        "稍等片刻",
        '访问量异常，我们暂时只保留活动页、商品页、排队和下单、付款。您的订单不受影响。<a href="/">回到活动页</a>',
    ),
    Said(
        "One moment",
        "Traffic is unusual. For now we serve the campaign, the goods, the line, ordering and paying only. Your orders "
        'are not affected. <a href="/">To the campaign</a>',
    ),
)

Scope = dict[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def is_essential(scope: Scope) -> bool:
    """Return whether a request is served while only cached pages and the money path are."""
    path: str = scope["path"]
    if path.startswith(LOOKS_BACK):
        return False
    if path.startswith(_STAFF) or _is_below(path, _MONEY_PATH):
        return True
    if scope["method"] not in {"GET", "HEAD"}:
        return False
    # A query makes a page of its own that no cache holds, except for the price of so many on a goods page.
    if scope["query_string"]:
        return path.startswith("/goods/") and path.endswith("/price")
    return path in _CACHED or path.startswith(_CACHED_BELOW)


def _is_below(path: str, places: tuple[str, ...]) -> bool:
    return any(path == place or path.startswith(f"{place}/") for place in places)


async def answer_static_only(scope: Scope, send: Send) -> int:
    """Answer with 503 and when to come back: a small page for a browser, else a problem document; the status."""
    refusal = StaticOnly(
        "Only cached pages, ordering and paying are served just now. Nothing was changed. Try again in a while.",
        retry_after=RETRY_SECONDS,
    )
    refusals.labels(refusal.code).inc()
    if _wants_page(scope):
        body, headers = _PAGE, [*HEADERS]
    else:
        body, headers = problem(refusal), [(b"content-type", PROBLEM.encode()), (b"cache-control", b"no-store")]
    headers.append((b"retry-after", (retry_after(refusal.fields) or "").encode()))
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
    return refusal.status


def _wants_page(scope: Scope) -> bool:
    if scope["path"].startswith("/api/"):
        return False
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])
