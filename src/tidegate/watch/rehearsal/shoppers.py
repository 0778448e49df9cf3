"""Simulated shoppers: a locustfile. Run as a process of its own (`flood.py`), because Locust rewires the interpreter.

A visit is what a person does: look at the campaign, search or browse, look at goods, see what is left, ask for the
price, order, pay, watch the order. Some abandon, some cancel, some use a coupon. An order whose answer is lost is sent
again with the same idempotency key. Everything asked for and acknowledged goes into the journal.

Where the campaign has a waiting room, everybody goes through it, and a bot farm's program may be among them.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import quote

import gevent
import msgspec
from geventhttpclient.response import HTTPConnectionClosed
from locust import FastHttpUser, LoadTestShape, events, task
from locust.env import Environment
from locust.exception import StopUser

from tidegate.watch.rehearsal.contracts import (
    FloodPlan,
    FloodProgress,
    FloodReport,
    FloodSession,
    Group,
    JournalEntry,
    Journey,
    Latency,
)
from tidegate.watch.rehearsal.flood import PLAN_VARIABLE, arrivals_per_second, users_at
from tidegate.watch.rehearsal.in_line import Edge, InLine, Manner

PLAN: Final = msgspec.json.decode(Path(os.environ[PLAN_VARIABLE]).read_bytes(), type=FloodPlan)
_TRIES_MAX: Final = 8
_AGAIN: Final = frozenset({0, 429, 500, 502, 503, 504})
_PASS_SECONDS: Final = 480
_NO_PASS: Final = frozenset({"pass-spent", "pass-refused"})
_EDGES: Final = 32
_RELOAD_SECONDS: Final = (4.0, 8.0)
_READ_SECONDS: Final = (1.0, 4.0)
_FARM_POLL_SECONDS: Final = (1.0, 1.2)
_FARM_TRIES: Final = 3
_FARM_SIGNALS: Final = {
    "website": "https://shop.example",
    "shown_ms": 0,
    "fingerprint": "one-machine",
    "headless": True,
}
_IDLE_SECONDS: Final = 86_400.0
_WATCHES_MAX: Final = 8
_PATIENCE: Final = 3.0
_FORGETTING: Final = 0.02


class _Flood:
    """What all shoppers share: their sessions, the journal, and what they met."""

    def __init__(self) -> None:
        lines = Path(PLAN.sessions).read_bytes().splitlines()
        self.sessions = [msgspec.json.decode(line, type=FloodSession) for line in lines]
        self.journal = Path(PLAN.journal).open("ab", buffering=0)  # noqa: SIM115  open as long as the process
        self.outcomes: Counter[str] = Counter()
        self.numbers = count()
        self.answer_seconds = 0.0
        self.started_at = datetime.now(UTC)
        self.lines: list[InLine] = []
        self.edges = [Edge() for _ in range(_EDGES)]

    def ended(self) -> bool:
        """Return whether the flood's time is over."""
        return (datetime.now(UTC) - self.started_at).total_seconds() >= PLAN.seconds

    def note(self, entry: JournalEntry) -> None:
        """Write an entry; unbuffered, so that what was acknowledged is in the file at once."""
        self.journal.write(msgspec.json.encode(entry) + b"\n")

    def heard(self, seconds: float) -> None:
        """Follow how long answers take, slowly forgetting."""
        self.answer_seconds += (seconds - self.answer_seconds) * _FORGETTING


FLOOD: Final = _Flood()


class Shopper(FastHttpUser):
    """One shopper with a session and an address."""

    host = PLAN.url
    network_timeout = 60.0
    connection_timeout = 60.0
    max_retries = 0

    def on_start(self) -> None:
        """Take the next session; more shoppers than sessions do not come."""
        number = next(FLOOD.numbers)
        if number >= len(FLOOD.sessions):
            raise StopUser
        self.session = FLOOD.sessions[number]
        self.chance = random.Random(PLAN.seed * 1_000_003 + number)  # noqa: S311  behaviour, not secrets
        self.headers = {"Authorization": f"Bearer {self.session.token}", "Content-Type": "application/json"}
        self.orders = count(1)
        self.admission_pass = ""
        self.pass_until = 0.0
        if self.session.client:
            self.headers["X-Forwarded-For"] = self.session.client
        self.page_tag = ""
        self.came = False
        self.idle = False
        self.turned_away = False
        self.line = self._line()

    def _line(self) -> InLine | None:
        """Return the shopper's way through the campaign's waiting room, if it has one."""
        if PLAN.line is None:
            return None
        group = Group.FARM if self.session.farm else Group.LATECOMER  # until the first place says otherwise
        moods = self.chance.random(), self.chance.random()
        person = Manner(
            poll_seconds=PLAN.line.poll_seconds,
            oversleeps=moods[0] < PLAN.line.sleep_share,
            leaves=moods[1] < PLAN.line.leave_share,
            signals={"shown_ms": 4_000, "fingerprint": str(self.session.account_id)},
        )
        program = Manner(poll_seconds=_FARM_POLL_SECONDS, signals=_FARM_SIGNALS)
        manner = program if self.session.farm else person
        journey = Journey(account_id=self.session.account_id, group=group, member=self.session.member)
        edge = FLOOD.edges[len(FLOOD.lines) % _EDGES]
        line = InLine(PLAN.line, journey, manner, self.chance, self._send, edge, FLOOD.ended)
        FLOOD.lines.append(line)
        return line

    def wait_time(self) -> float:
        """Think between visits; whoever waits long comes back later, so that a slow shop is not finished off."""
        if self.idle:
            return _IDLE_SECONDS
        if self.turned_away:
            return self.chance.uniform(*_RELOAD_SECONDS)
        return self.chance.uniform(*PLAN.pause_seconds) + _PATIENCE * FLOOD.answer_seconds

    @task
    def visit(self) -> None:
        """Visit the shop once."""
        if self.session.farm:
            self._farm()
            return
        self.turned_away = not self._look_at_campaign()
        if self.turned_away or self._comes_for_wanted() or self._waits_for_opening():
            return
        if self.chance.random() < PLAN.search_share:
            self._get("search", f"/search?q={quote(self.chance.choice(PLAN.words))}" if PLAN.words else "/search?q=a")
            self._pause()
        sku = self.chance.choice(PLAN.hot_skus if self.chance.random() < PLAN.hot_share else PLAN.skus)
        self._get("goods", f"/goods/{sku}")
        self._get("stock", f"/api/v1/stock?skus={sku}")
        self._pause()
        coupon = self.chance.choice(PLAN.coupons) if PLAN.coupons and self.chance.random() < PLAN.coupon_share else None
        self._buy(sku, coupon)

    def _look_at_campaign(self) -> bool:
        headers = {"If-None-Match": self.page_tag} if self.page_tag else {}
        status, _, tag = self._send("page", "GET", "/", headers=headers)
        self.page_tag = tag or self.page_tag
        return status in {200, 304}

    def _comes_for_wanted(self) -> bool:
        """On the first visit, stand in line for what everybody wants; take something else where that is gone."""
        if PLAN.line is None or self.came:
            return False
        self.came = True
        self._get("goods", f"/goods/{PLAN.line.wanted_sku}")
        gevent.sleep(self.chance.uniform(*_READ_SECONDS))
        if not self._buy(PLAN.line.wanted_sku, None) and self._pass():
            self._pause()
            self._buy(self.chance.choice(PLAN.skus), None)
        self.idle = self.line is not None and self.line.left
        return True

    def _farm(self) -> None:
        """Buy as a program: fill in every field there is, wait for nothing, buy what is wanted and scarce, pay."""
        assert PLAN.line is not None
        assert self.line is not None
        self.idle = True
        self._tried(self.line.challenge)
        if not self._tried(self.line.stand):
            return
        for sku in dict.fromkeys((PLAN.line.wanted_sku, *PLAN.hot_skus)):
            self._buy(sku, None)

    def _tried(self, act: Callable[[], object]) -> bool:
        """Do this until something comes of it, or too often."""
        for _ in range(_FARM_TRIES):
            if act():
                return True
            gevent.sleep(self.chance.uniform(*_READ_SECONDS))
        return False

    def _waits_for_opening(self) -> bool:
        """Before the opening: look around, get the pass, then wait for the moment as people do."""
        left = PLAN.opens_at.timestamp() - time.time()
        if left <= 0:
            return False
        sku = self.chance.choice(PLAN.hot_skus)
        self._get("goods", f"/goods/{sku}")
        self._pass()
        gevent.sleep(max(0.0, min(PLAN.opens_at.timestamp() - time.time(), 15.0)) + self.chance.expovariate(0.5))
        if time.time() >= PLAN.opens_at.timestamp():
            self._buy(sku, None)
        return True

    def _pause(self) -> None:
        gevent.sleep(self.wait_time() / 2)

    def _buy(self, sku: str, coupon: str | None) -> bool:
        """Ask for the price, order, and pay or not; return whether there is an order."""
        if self.line is not None and not self._pass():
            return False
        body: dict[str, Any] = {"lines": [{"sku": sku, "quantity": 1}]}
        if coupon:
            body["coupon"] = coupon
        status, priced, _ = self._send("quote", "POST", "/api/v1/quotes", body=body)
        if status != 200:
            FLOOD.outcomes[_code(priced, "quote-refused")] += 1
            return False
        placed = self._order({**body, "expected_total": priced["total"], "address_id": str(self.session.address_id)})
        if placed is not None:
            self._settle(placed["order_id"])
        return placed is not None

    def _order(self, body: dict[str, Any]) -> dict[str, Any] | None:
        """Place an order, again with the same key while the answer is lost; note what came of it."""
        key = f"flood-{PLAN.seed}-{next(self.orders)}-{str(self.session.account_id)[-12:]}"
        entry = JournalEntry(buyer_id=self.session.account_id, idempotency_key=key)
        FLOOD.note(entry)
        for attempt in range(_TRIES_MAX):
            if attempt:
                gevent.sleep(min(0.2 * 2**attempt, 5.0))
            token = self._pass()
            if not token and self.line is not None:
                break
            headers = {"Idempotency-Key": key, "Tidegate-Pass": token}
            status, answer, _ = self._send("order", "POST", "/api/v1/orders", body=body, headers=headers)
            if status == 201:
                FLOOD.outcomes["placed"] += 1
                order_id, total = answer["order_id"], answer["total"]
                FLOOD.note(msgspec.convert({**_plain(entry), "order_id": order_id, "total": total}, JournalEntry))
                return dict(answer)
            if _code(answer, "") in _NO_PASS and self.line is not None:
                self.pass_until = 0.0
            elif status not in _AGAIN:
                FLOOD.outcomes[_code(answer, "order-refused")] += 1
                FLOOD.note(msgspec.structs.replace(entry, refused=True))
                return None
        FLOOD.outcomes["gave-up"] += 1
        return None

    def _pass(self) -> str:
        """Return a pass that is good now, from the line where there is one; empty where none was given."""
        if self.line is not None:
            return self._pass_of_line(self.line)
        if time.time() >= self.pass_until:
            status, answer, _ = self._send("pass", "POST", "/api/v1/passes", body={})
            if status in {200, 201}:
                self.admission_pass, self.pass_until = answer["token"], time.time() + _PASS_SECONDS
        return self.admission_pass

    def _pass_of_line(self, line: InLine) -> str:
        if time.time() >= self.pass_until:
            line.spent()
            given = line.come_in()
            self.admission_pass = given["token"] if given else ""
            self.pass_until = datetime.fromisoformat(given["expires_at"]).timestamp() - 1.0 if given else 0.0
        return self.admission_pass

    def _settle(self, order_id: str) -> None:
        choice = self.chance.random() if not self.session.farm else 1.0
        if choice < PLAN.abandon_share:
            FLOOD.outcomes["abandoned"] += 1
        elif choice < PLAN.abandon_share + PLAN.cancel_share:
            self._pause()
            status, _, _ = self._send("cancel", "POST", f"/api/v1/orders/{order_id}/cancellation", body={})
            FLOOD.outcomes["cancelled" if status == 200 else "cancel-refused"] += 1
        else:
            self._pay(order_id)

    def _pay(self, order_id: str) -> None:
        """Pay as a person does who sees "under way" or "try again": look again, try again, at last give up."""
        path = f"/api/v1/orders/{order_id}/payments"
        state = ""
        for attempt in range(_TRIES_MAX):
            if attempt:
                gevent.sleep(0.5 + self.chance.random())
            method, name = ("GET", "watch") if state == "confirming" else ("POST", "pay")
            status, answer, _ = self._send(name, method, path, body={} if method == "POST" else None)
            state = str(answer.get("state", "")) if status in {200, 201, 202} else ""
            if state == "captured":
                FLOOD.outcomes["paid"] += 1
                self._watch(order_id)
                self._perhaps_return(order_id)
                return
            if state == "closed" or (status not in _AGAIN and not state):
                break
        FLOOD.outcomes["not-paid"] += 1

    def _watch(self, order_id: str) -> None:
        for _ in range(_WATCHES_MAX):
            status, answer, _ = self._send("watch", "GET", f"/api/v1/orders/{order_id}")
            if status == 200 and answer.get("state") != "placed":
                return
            gevent.sleep(0.5)
        FLOOD.outcomes["paid-not-shown"] += 1

    def _perhaps_return(self, order_id: str) -> None:
        if not self.session.farm and self.chance.random() < PLAN.return_share:
            self._pause()
            status, _, _ = self._send("cancel", "POST", f"/api/v1/orders/{order_id}/cancellation", body={})
            FLOOD.outcomes["returned" if status == 200 else "return-refused"] += 1

    def _get(self, name: str, path: str) -> None:
        self._send(name, "GET", path)

    def _send(
        self, name: str, method: str, path: str, *, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any], str]:
        """Send a request; only no answer and 5xx count as failures: a refusal in words is an answer.

        So is being asked to come back because too many are here.
        """
        data = None if body is None else msgspec.json.encode(body).decode()
        sent = {**self.headers, **(headers or {})}
        answer = self._once(name, method, path, data, sent)
        if answer is None:
            FLOOD.outcomes["connection-ended"] += 1
            answer = self._once(name, method, path, data, sent, again=True)
        assert answer is not None, "who asks again takes any answer"
        return answer

    def _once(
        self, name: str, method: str, path: str, data: str | None, sent: dict[str, str], *, again: bool = False
    ) -> tuple[int, dict[str, Any], str] | None:
        """Send a request; None where the shop ended an idle connection just then: browsers ask again on a new one.

        Whatever shoppers send may be sent again: places and payments are one each, orders carry their keys.
        """
        began = time.monotonic()
        with self.client.request(method, path, name=name, data=data, headers=sent, catch_response=True) as response:
            FLOOD.heard(time.monotonic() - began)
            status = int(response.status_code or 0)
            if not again and isinstance(getattr(response, "error", None), HTTPConnectionClosed):
                response.success()
                return None
            if asked_to_wait := _asked_to_wait(status, response.content):
                FLOOD.outcomes["asked-to-wait"] += 1
            if 0 < status < 500 or asked_to_wait:
                response.success()
            else:
                response.failure(f"status {status}")
            tag = (response.headers.get("etag") or "") if status else ""
            return status, _json(response.content, path), tag


def _asked_to_wait(status: int, content: bytes | None) -> bool:
    """Return whether the shop says that too many are here, as a problem or as a page that loads itself again."""
    return status == 503 and (
        b"/problems/overloaded" in (content or b"") or b'http-equiv="refresh"' in (content or b"")
    )


def _json(content: bytes | None, path: str) -> dict[str, Any]:
    if not content or not path.startswith("/api/"):
        return {}
    try:
        answer = msgspec.json.decode(content)
    except msgspec.DecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _code(problem: dict[str, Any], otherwise: str) -> str:
    return str(problem.get("type", "")).rpartition("/")[2] or otherwise


def _plain(entry: JournalEntry) -> dict[str, Any]:
    return {"buyer_id": str(entry.buyer_id), "idempotency_key": entry.idempotency_key}


class Tide(LoadTestShape):  # type: ignore[misc, unused-ignore]
    """Some are early, all come at the opening, some leave again."""

    use_common_options: ClassVar[bool] = False

    def tick(self) -> tuple[int, float] | None:
        """Return how many shoppers there should be now and how fast they come; None at the end."""
        elapsed = (datetime.now(UTC) - FLOOD.started_at).total_seconds()
        if elapsed >= PLAN.seconds:
            return None
        opening = (PLAN.opens_at - FLOOD.started_at).total_seconds()
        return users_at(PLAN, elapsed, opening), arrivals_per_second(PLAN, elapsed, opening)


def _tell_progress(environment: Environment, **_: Any) -> None:
    gevent.spawn(_tell, environment)


def _tell(environment: Environment) -> None:
    while True:
        gevent.sleep(1)
        total = environment.stats.total
        order = environment.stats.get("order", "POST")
        line = FloodProgress(
            elapsed=(datetime.now(UTC) - FLOOD.started_at).total_seconds(),
            shoppers=environment.runner.user_count if environment.runner else 0,
            requests=total.num_requests,
            failures=total.num_failures,
            requests_per_second=float(total.current_rps),
            placed=FLOOD.outcomes["placed"],
            paid=FLOOD.outcomes["paid"],
            order_p99_ms=int(order.get_response_time_percentile(0.99) or 0),
            in_line=sum(line.waiting for line in FLOOD.lines),
        )
        os.write(1, msgspec.json.encode(line) + b"\n")


def _write_results(environment: Environment, **_: Any) -> None:
    latencies: dict[str, Latency] = {}
    for (name, _method), entry in sorted(environment.stats.entries.items()):
        known = latencies.get(name)
        histogram = Counter(known.histogram if known else {})
        histogram.update({int(milliseconds): number for milliseconds, number in entry.response_times.items()})
        latencies[name] = Latency(
            name=name,
            requests=entry.num_requests + (known.requests if known else 0),
            failures=entry.num_failures + (known.failures if known else 0),
            histogram=dict(histogram),
        )
    ended_at = datetime.now(UTC)
    report = FloodReport(
        shoppers=min(next(FLOOD.numbers), PLAN.shoppers),
        seconds=(ended_at - FLOOD.started_at).total_seconds(),
        started_at=FLOOD.started_at,
        ended_at=ended_at,
        latencies=tuple(latencies.values()),
        outcomes=dict(FLOOD.outcomes),
        journal=PLAN.journal,
        wanted_sku=PLAN.line.wanted_sku if PLAN.line is not None else "",
    )
    if PLAN.line is not None:
        lines = (msgspec.json.encode(line.journey) + b"\n" for line in FLOOD.lines)
        Path(PLAN.journeys).write_bytes(b"".join(lines))
    Path(PLAN.results).write_bytes(msgspec.json.encode(report))


events.init.add_listener(_tell_progress)  # type: ignore[no-untyped-call]
events.quitting.add_listener(_write_results)  # type: ignore[no-untyped-call]
