"""The hot shortcut: a few addresses that a flood asks for, answered before the framework is entered.

The same use cases have ordinary doors in their modules, which document them; a test holds both to the same answers.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from time import perf_counter
from typing import Any, TypeVar
from urllib.parse import parse_qs

import msgspec
import psycopg

from tidegate.app.api.caching import private_unless_stated, tag_pages
from tidegate.app.api.limiting import asker_of, device_of
from tidegate.app.api.problems import Fault, RequestMalformed, RequestNotValid
from tidegate.app.api.proxies import client_named_by
from tidegate.app.api.searching import Asked, SearchDoor, plainly_asked
from tidegate.app.api.shedding import Answer, Door, Scope, kind_of
from tidegate.app.api.slowness import BodyWatch
from tidegate.app.api.standing import PlaceDoor
from tidegate.app.api.static_only import answer_static_only, is_essential
from tidegate.app.compose import App
from tidegate.base.crypto import derive_key
from tidegate.base.db import DatabaseUnavailable
from tidegate.base.errors import Refusal
from tidegate.base.http import PROBLEM, matches, problem, refusal_headers
from tidegate.base.metrics import faults, http_seconds, refusals
from tidegate.gate.admission.api import pass_of
from tidegate.gate.bots.contracts import Answer as Work
from tidegate.gate.bots.contracts import Evidence, Visitor
from tidegate.gate.defence.contracts import Defence
from tidegate.gate.edge.api import tag_header
from tidegate.gate.limits.contracts import LimitedAct
from tidegate.gate.queue.api import place_of
from tidegate.gate.queue.contracts import PlaceFacts, Sign, Standing
from tidegate.gate.queue.errors import NoWaitingRoom
from tidegate.gate.queue.http import SNAPSHOT_CACHE, everybody_works
from tidegate.offer.pricing.errors import NotOnOffer, UnknownGoods
from tidegate.sale.ordering.contracts import PlaceOrder
from tidegate.sale.stock.http import POLL_CACHE, SKUS_LENGTH_MAX
from tidegate.trust.identity.api import token_of
from tidegate.trust.identity.contracts import SessionFacts

log = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]
Step = Callable[[bytes], Awaitable[Answer]]
"""What makes an answer of a whole body."""
T = TypeVar("T")

BODY_BYTES_MAX = 64 * 1024
_JSON = (b"content-type", b"application/json")
_NO_STORE = (b"cache-control", b"no-store")
_POLLED = (b"cache-control", POLL_CACHE.encode())
_SERVER_FAULTS = 500
_STATUS_CLASSES = ("", "1xx", "2xx", "3xx", "4xx", "5xx")
_SHOPPERS_SIGN_INS = frozenset({"/api/v1/sessions", "/sign-in"})
_SIGN_INS = _SHOPPERS_SIGN_INS | {"/api/v1/staff/sessions", "/console/sign-in"}
_encode = msgspec.json.Encoder().encode
_decode_order = msgspec.json.Decoder(PlaceOrder).decode
_decode_work = msgspec.json.Decoder(Work).decode


class Front:
    """The application that the server calls: judges every head, answers hot addresses, passes the rest on.

    It is an ASGI application for any server; `wire.Wire` calls its parts itself and spares hot requests ASGI.
    """

    def __init__(self, app: App, framework: AsgiApp, proxies: Sequence[str] = ()) -> None:
        self._app = app
        self._framework = framework
        self._name_client = client_named_by(proxies) if proxies else None
        self._door = Door(app.load, self._is_signed_in, derive_key(app.config.secret, "cohorts under overload"))
        self._bodies = BodyWatch()
        self._pages_tag = tag_header(app.config)
        self._searches = SearchDoor(app.catalogue)
        self._places = PlaceDoor(app.limits, app.bots, app.queue)
        self._tally = app.defences.tally
        self._statuses = app.defences.tally.statuses
        self._hot: dict[tuple[str, str], Callable[[Scope], Answer | Step | None]] = {
            ("POST", "/api/v1/orders"): self._order,
            ("GET", "/api/v1/stock"): self._stock,
            ("GET", "/api/v1/queue"): self._queue,
            ("GET", "/api/v1/search"): self._search,
            ("POST", "/api/v1/places"): self._stand,
            ("POST", "/api/v1/places/current/signs"): self._sign,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's event stream."""
        if scope["type"] != "http":
            await self._framework(scope, receive, send)
            return
        began = perf_counter()
        scope["path"] = canonical(scope["path"])
        answer = self.judge(scope, began)
        if answer is None:
            await self.pass_on(scope, receive, send)
            return
        if callable(answer):
            answer = await self._read_and_carry(scope, answer, receive)
        await _give(send, answer)
        self.answered(scope, answer[0], began)

    def judge(self, scope: Scope, began: float) -> Answer | Step | None:
        """Return the answer that a head has at once, or what makes one of its body, or None for the framework.

        The path is spelled as `canonical` spells it: the framework takes others for the same address.
        Who is not let in, not signed in or without a pass has an answer here, before a body is read.
        """
        if self._name_client is not None:
            self._name_client(scope)
        refusal = self._door.refusal(scope, began)
        if refusal is not None:
            return refusal
        hot = self._hot.get((scope["method"], scope["path"]))
        if hot is None:
            return None
        try:
            return hot(scope)
        except (Refusal, psycopg.OperationalError) as fault:
            return refused(fault if isinstance(fault, Refusal) else DatabaseUnavailable())
        except Exception:
            log.exception("%s %s failed", scope["method"], scope["path"])
            return _our_fault()

    async def carry(self, scope: Scope, step: Step, body: bytes) -> Answer:
        """Return the answer to a whole body."""
        try:
            return await step(body)
        except (Refusal, psycopg.OperationalError) as fault:
            return refused(fault if isinstance(fault, Refusal) else DatabaseUnavailable())
        except Exception:
            log.exception("%s %s failed", scope["method"], scope["path"])
            return _our_fault()

    def answered(self, scope: Scope, status: int, began: float) -> None:
        """Count a request that was answered here."""
        if status < _SERVER_FAULTS and kind_of(scope["path"]) is not None:
            self._app.load.served()  # as many as it counts of those who ask
        self._statuses[status] += 1
        _observe(scope["path"], status, began)

    async def pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve what `judge` leaves to the framework."""
        if self._app.defences.active(Defence.STATIC_ONLY) and not is_essential(scope):
            self._statuses[await answer_static_only(scope, send)] += 1
            return
        began = perf_counter()
        leave = await self._door.enter(scope)
        if not callable(leave):
            await _give(send, leave)
            self.answered(scope, leave[0], began)
            return
        status = 500
        made = False
        asks_for_head = scope["method"] == "HEAD"

        async def noting(message: dict[str, Any]) -> None:
            nonlocal status, made
            if message["type"] == "http.response.start":
                status = message["status"]
                private_unless_stated(message["headers"])
                tag_pages(message["headers"], self._pages_tag)
                made = True
                leave()  # a client that reads slowly holds nobody up
            elif asks_for_head:
                message = {**message, "body": b""}
            await send(message)

        try:
            # The head of a page is that of the page itself (RFC 9110, section 9.3.2): it is made, and not sent.
            asked = {**scope, "method": "GET"} if asks_for_head else scope
            await self._framework(asked, self._bodies.within(receive), noting)
        finally:
            if not made:
                leave()
            if scope["path"] in _SIGN_INS and scope["method"] == "POST":
                self._tally.signed_in(status, new_device=self._is_new_device(scope))
            self.answered(scope, status, began)

    async def _read_and_carry(self, scope: Scope, step: Step, receive: Receive) -> Answer:
        try:
            body = await self._bodies.in_time(_body, receive)
        except Refusal as refusal:
            return refused(refusal)
        return await self.carry(scope, step, body)

    def _is_signed_in(self, token: str) -> bool:
        return self._app.identity.session(token) is not None

    def _is_new_device(self, scope: Scope) -> bool:
        return scope["path"] in _SHOPPERS_SIGN_INS and device_of(self._app.identity, scope) is None

    def _order(self, scope: Scope) -> Step:
        headers = scope["headers"]
        session = self._app.identity.require_session(token_of(headers))
        self._app.admission.check_pass(
            pass_of(headers),
            session.account_id,
            self._app.pricing.rules.campaign_id,
            self._app.clock.now(),
            device=session.session_id,
        )
        self._app.queue.require_inside(session.account_id)
        return partial(self._place, scope, session)

    async def _place(self, scope: Scope, session: SessionFacts, body: bytes) -> Answer:
        command = _decoded(_decode_order, body)
        key = _header(scope["headers"], b"idempotency-key")
        try:
            placed = await self._app.ordering.place(
                session.account_id,
                key,
                command,
                asker_of(self._app.identity, scope, session),
                session_id=session.session_id,
            )
        except (UnknownGoods, NotOnOffer):
            await self._note_decoy(command, scope, session)
            raise
        return 201, [_JSON, _NO_STORE], _encode(placed)

    async def _note_decoy(self, command: PlaceOrder, scope: Scope, session: SessionFacts) -> None:
        decoy = self._app.bots.decoy(self._app.pricing.rules.campaign_id)
        if any(line.sku == decoy for line in command.lines):
            await self._app.bots.touched(Evidence.HONEYPOT_GOODS, _host(scope), session)

    def _stock(self, scope: Scope) -> Step:
        skus = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=8).get("skus", [""])[0]
        if not 1 <= len(skus) <= SKUS_LENGTH_MAX:
            raise RequestNotValid(
                f"The parameter skus must hold 1 to {SKUS_LENGTH_MAX} characters: SKUs separated by commas.",
                errors=[{"field": "skus", "fault": "missing or too long"}],
            )
        return partial(self._left, skus)

    async def _left(self, skus: str, _: bytes) -> Answer:
        return 200, [_JSON, _POLLED], await self._app.board.answer(self._app.db, skus)

    def _queue(self, scope: Scope) -> Answer:
        snapshot = self._app.queue.snapshot()
        if snapshot is None:
            raise NoWaitingRoom("No line is open now; nothing to wait for.")
        headers = [(b"cache-control", SNAPSHOT_CACHE.encode()), (b"etag", snapshot.etag.encode())]
        if matches(_header(scope["headers"], b"if-none-match"), snapshot.etag):
            return 304, headers, b""
        return 200, [_JSON, *headers], snapshot.body

    def _search(self, scope: Scope) -> Step | None:
        """Answer a plain search; anything else about one is for the framework to judge."""
        asked = plainly_asked(scope["query_string"])
        if asked is None or self._app.defences.active(Defence.STATIC_ONLY):
            return None
        return partial(self._found, scope, asked)

    async def _found(self, scope: Scope, asked: Asked, _: bytes) -> Answer:
        session = self._app.identity.session(token_of(scope["headers"]))
        await self._app.limits.require(LimitedAct.SEARCH, asker_of(self._app.identity, scope, session))
        return self._searches.answer(asked, _header(scope["headers"], b"if-none-match"))

    def _stand(self, scope: Scope) -> Step:
        return partial(self._stood, scope, self._app.identity.require_session(token_of(scope["headers"])))

    def _sign(self, scope: Scope) -> Answer | Step:
        """Answer a sign of life at once; only whoever is called waits for the gate."""
        session = self._app.identity.require_session(token_of(scope["headers"]))
        facts = self._app.queue.check_place(place_of(scope["headers"]), session.account_id, session.session_id)
        sign = self._app.queue.beat(facts)
        if sign.standing is Standing.CALLED:
            return partial(self._come, facts, sign)
        return 200, [_JSON, _NO_STORE], _encode(sign)

    async def _come(self, facts: PlaceFacts, sign: Sign, _: bytes) -> Answer:
        return 200, [_JSON, _NO_STORE], _encode(await self._app.queue.come(facts, sign))

    async def _stood(self, scope: Scope, session: SessionFacts, body: bytes) -> Answer:
        asker = asker_of(self._app.identity, scope, session)
        everybody = everybody_works(self._app.queue, self._app.defences)
        if everybody:  # judging work costs more than counting: it is counted first
            await self._app.limits.require(LimitedAct.TAKE_PLACE, asker)
        answer = _decoded(_decode_work, body)
        if everybody:
            await self._app.bots.require_work(session, answer)
        visitor = Visitor(session, _host(scope), _header(scope["headers"], b"user-agent"))
        paid = self._places.take(visitor, None, None) if everybody else self._places.take(visitor, asker, answer)
        return 201, [_JSON, _NO_STORE], _encode(await paid)


def canonical(path: str) -> str:
    """Return the one spelling of a path, without empty parts: who judges an address by its path has to know it."""
    if "//" in path or path.endswith("/"):
        return "/" + "/".join(filter(None, path.split("/")))
    return path


async def _give(send: Send, answer: Answer) -> None:
    status, headers, body = answer
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _our_fault() -> Answer:
    faults.labels("web").inc()
    return refused(Fault("This is our fault, and it has been recorded. Try again in a moment."))


def _host(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


def _decoded(decode: Callable[[bytes], T], body: bytes) -> T:
    try:
        return decode(body)
    except msgspec.ValidationError as fault:
        raise RequestNotValid(
            "A field is missing, of the wrong type or out of range. Nothing was done. Mend it and send again.",
            errors=[{"field": "", "fault": str(fault)}],
        ) from fault
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise RequestMalformed(f"The body is not JSON: {fault}. Nothing was done.") from fault


async def _body(receive: Receive) -> bytes:
    """Return the whole body. Raises RequestMalformed for one that is too large or cut off."""
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        if len(body) > BODY_BYTES_MAX:
            break
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestMalformed("The connection ended before the body did. Nothing was ordered.")
        body += message.get("body", b"")
    if len(body) > BODY_BYTES_MAX:
        raise too_large()
    return body


def too_large() -> "RequestTooLarge":
    """Return the refusal of a body with more than BODY_BYTES_MAX bytes."""
    return RequestTooLarge(f"The body has more than {BODY_BYTES_MAX} bytes. Nothing was ordered. Split the order.")


class RequestTooLarge(Refusal):
    """The body has more bytes than any honest request."""

    code = "request-too-large"
    status = 413
    title = "The request is too large"


def _header(headers: list[tuple[bytes, bytes]], wanted: bytes) -> str:
    for name, value in headers:
        if name == wanted:
            return value.decode("latin-1")
    return ""


def refused(refusal: Refusal) -> Answer:
    """Return a refusal as the answer that it is."""
    refusals.labels(refusal.code).inc()
    headers = [(b"content-type", PROBLEM.encode()), _NO_STORE]
    headers += [(name.lower().encode(), value.encode()) for name, value in refusal_headers(refusal).items()]
    return refusal.status, headers, problem(refusal)


_ROUTES = (
    ("/api/v1/stock", "stock"),
    ("/api/v1/queue", "queue"),
    ("/api/v1/places", "queue"),
    ("/api/v1/search", "search"),
    ("/search", "search"),
    ("/api/v1/monitor", "console"),
    ("/api/", "api"),
    ("/assets/", "asset"),
    ("/media/", "asset"),
    ("/console", "console"),
    ("/health", "health"),
    ("/metrics", "health"),
)


def _route_class(path: str) -> str:
    """Return the class of routes under which a request is counted: few, so that the metrics stay small."""
    if path == "/api/v1/orders":
        return "order"
    if path.startswith("/api/v1/orders/"):
        return "payment" if path.endswith("/payments") else "api"
    return next((name for prefix, name in _ROUTES if path.startswith(prefix)), "page")


def _observe(path: str, status: int, began: float) -> None:
    http_seconds.observe(perf_counter() - began, _route_class(path), _STATUS_CLASSES[status // 100])
