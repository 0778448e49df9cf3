"""Who is refused under overload: before a request is read, lowest kind first, one shopper's whole visit in or out."""

import re
from collections.abc import Callable
from enum import IntEnum
from functools import lru_cache
from hashlib import blake2b
from time import time
from typing import Any, Final

from tidegate.app.api.small_page import HEADERS, Said, small_page
from tidegate.base.batch import Overloaded
from tidegate.base.bulkhead import Bulkhead
from tidegate.base.http import PROBLEM, problem
from tidegate.base.load import COHORTS, LoadControl
from tidegate.base.metrics import shed
from tidegate.trust.identity.api import token_of

Scope = dict[str, Any]
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]

_ASKS = frozenset({"GET", "HEAD"})
_FILES = ("/assets/", "/media/")
_COHORT_SECONDS = 3600
_PATHS_REMEMBERED_MAX = 2_000
_WAITS: Final = range(3, 11)
"""Seconds after which the refused come back, spread so that they do not come back together."""


class Kind(IntEnum):
    """What a request is for, a class of the load control each; the lower number is let in for longer."""

    PAY = 0
    BUY = 1
    CHOOSE = 2
    BROWSE = 3


def _below(*paths: str) -> tuple[str, ...]:
    return tuple(f"{path}/" for path in paths)


_NEVER_REFUSED = _below("/health", "/metrics", "/console", "/api/v1/monitor", "/api/v1/staff", "/api/v1/defences",
                        "/api/v1/bots", "/api/v1/queue/acts", "/api/v1/queue/figures", "/api/v1/queue/watch",
                        "/api/v1/payments/callbacks", "/api/v1/places/current/signs")  # fmt: skip
LOOKS_BACK = ("/line/draws", "/line/receipt", "/api/v1/queue/sealed", "/api/v1/queue/calls")
"""What proves a draw: long lists, and nobody buys a minute later for them."""
_LOOKS_BACK = _below(*LOOKS_BACK)

_PAY = _below("/orders", "/api/v1/orders", "/reservations", "/api/v1/presales/reservations")
_BUY = _below("/checkout", "/line", "/reservations", "/api/v1/orders", "/api/v1/presales/reservations",
              "/groups/open", "/api/v1/groups", "/api/v1/passes", "/api/v1/places", "/api/v1/challenges")  # fmt: skip
_BUY_ONE = _below("/groups")
_CHOOSE = _below("/search", "/cart", "/sign-in", "/orders", "/api/v1/search", "/api/v1/quotes", "/api/v1/sessions",
                 "/api/v1/codes", "/api/v1/addresses", "/api/v1/me", "/api/v1/queue")  # fmt: skip
_names_one = re.compile(r".*?/[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/").match
"""An order, a reservation or a group: what merely begins like its address is nobody's."""


@lru_cache(maxsize=_PATHS_REMEMBERED_MAX)
def kind_of(path: str) -> Kind | None:
    """Return what a request is for, or None for one that is never refused, nor counted.

    It is the kind of the address at it or below it, never that of one that merely begins with the same letters. A sign
    of life is none of the load: to answer it costs what a refusal costs, a hundred of them weigh like one page, and
    whoever's signs were refused for an hour would be passed over in line as if he had gone.
    """
    path += "/"
    if path.startswith(_NEVER_REFUSED):
        return None
    if path.startswith(_PAY) and _names_one(path):
        return Kind.PAY
    if path.startswith(_LOOKS_BACK):
        return Kind.BROWSE
    if path.startswith(_BUY) or (path.startswith(_BUY_ONE) and _names_one(path)):
        return Kind.BUY
    return Kind.CHOOSE if path.startswith(_CHOOSE) else Kind.BROWSE


class Door:
    """Refuses what the load control does not let in, at the cost of a header's digest.

    `is_signed_in` says whether a token is a shopper's own: others have no order to pay, whatever address they ask for.
    The key, of at most 64 bytes, keeps it secret who falls into which cohort: nobody can make himself one that stays.
    """

    def __init__(
        self, load: LoadControl, is_signed_in: Callable[[str], bool], key: bytes, time: Callable[[], float] = time
    ) -> None:
        self._load = load
        self._is_signed_in = is_signed_in
        self._key = key
        self._time = time
        self._bulkhead = Bulkhead(load, len(Kind)) if load.controls else None
        self._problems = [_problem(seconds) for seconds in _WAITS]
        self._pages = [_page(seconds) for seconds in _WAITS]

    def refusal(self, scope: Scope, now: float) -> Answer | None:
        """Return the answer to a request that is not let in at `now` (seconds of perf_counter), or None."""
        kind = self._kind(scope)
        if kind is None or self._load.asks(kind, now):
            return None
        cohort = self._cohort(scope)
        if self._load.lets_in(kind, cohort):
            return None
        return self._refuse(scope, kind, cohort)

    async def enter(self, scope: Scope) -> Callable[[], None] | Answer:
        """Wait until a page may be made; return what is to be called when it is, or the answer where it may not.

        Only what is asked for takes a place: a body that drips in would keep one. So a payment waits for nobody, and
        the page of an order for no other page. What belongs to a page that was let in comes with it.
        """
        if self._bulkhead is None or scope["method"] not in _ASKS or scope["path"].startswith(_FILES):
            return _nothing_to_leave
        kind = self._kind(scope)
        if kind is None:
            return _nothing_to_leave
        try:
            await self._bulkhead.enter(kind)
        except Overloaded:
            return self._refuse(scope, kind, self._cohort(scope))
        return self._bulkhead.leave

    def _kind(self, scope: Scope) -> Kind | None:
        kind = kind_of(scope["path"])
        if kind is Kind.PAY and not self._is_signed_in(token_of(scope["headers"]) or ""):
            return Kind.BROWSE
        return kind

    def _cohort(self, scope: Scope) -> int:
        """Return the cohort of whoever sends a request: by session, else by address, and another one each hour."""
        client = scope.get("client") or ("",)
        who: str = token_of(scope["headers"]) or client[0]
        hour = int(self._time() // _COHORT_SECONDS).to_bytes(8, "big")
        return blake2b(who.encode(), digest_size=1, salt=hour, key=self._key).digest()[0] % COHORTS

    def _refuse(self, scope: Scope, kind: Kind, cohort: int) -> Answer:
        shed.labels(kind.name.lower()).inc()
        answers = self._problems if scope["path"].startswith("/api/") else self._pages
        status, headers, body = answers[cohort % len(answers)]
        return status, list(headers), body


def _nothing_to_leave() -> None:
    pass


def _problem(seconds: int) -> Answer:
    refusal = Overloaded(
        "More is asked of the shop than it can carry at this moment. Nothing was done; please try again.",
        retry_after=seconds,
    )
    headers = [(b"content-type", PROBLEM.encode()), (b"cache-control", b"no-store"), _retry(seconds)]
    return refusal.status, headers, problem(refusal)


def _page(seconds: int) -> Answer:
    page = small_page(
        Said("人多，请稍候", f"本页将在 {seconds} 秒后自动重试，您的订单和排队号都还在。"),
        Said(
            "Many are here at once",
            f"This page tries again by itself in {seconds} seconds. Your orders and your place in line are kept.",
        ),
        again_seconds=seconds,
    )
    return Overloaded.status, [*HEADERS, _retry(seconds)], page


def _retry(seconds: int) -> tuple[bytes, bytes]:
    return b"retry-after", str(seconds).encode()
