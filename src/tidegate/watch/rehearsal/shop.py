"""Speaks to the running system as a shopper's app does: over HTTP, patiently, with the same key when it repeats."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID

import httpx
import msgspec

from tidegate.gate.admission.contracts import PASS_HEADER, Pass
from tidegate.sale.ordering.contracts import Order, OrderLine, OrderState, Placed, PlaceOrder, Refund, RefundLine
from tidegate.sale.ordering.contracts import RefundUnits as RefundBody
from tidegate.sale.payment.contracts import IntentState, PaymentView
from tidegate.watch.rehearsal.contracts import PlacedLine
from tidegate.watch.rehearsal.errors import SystemNotReachable

T = TypeVar("T")

TRIES_MAX: Final = 9
_PAUSE_SECONDS_MAX: Final = 8.0
_WAITS_MAX: Final = 60
_RENEW_BEFORE: Final = timedelta(seconds=30)
_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_LATER: Final = frozenset({"payment-under-way"})


class StepError(Exception):
    """The system said no to a step, for good."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail


class Shopper(msgspec.Struct):
    """A simulated shopper: who it is, and the pass it holds."""

    token: str
    account_id: UUID
    address_id: UUID
    admission_pass: str = ""
    pass_expires_at: datetime = datetime.min.replace(tzinfo=UTC)


class Shop:
    """The system's API, with retries: a lost answer is asked for again with the same idempotency key."""

    def __init__(self, url: str, connections_max: int) -> None:
        limits = httpx.Limits(max_connections=connections_max, max_keepalive_connections=connections_max)
        self._client = httpx.AsyncClient(base_url=url, limits=limits, timeout=httpx.Timeout(30.0, connect=5.0))
        self._url = url

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def require_ready(self) -> None:
        """Raise SystemNotReachable unless the system answers that it is ready."""
        try:
            answer = await self._client.get("/health/ready")
        except httpx.HTTPError as fault:
            raise SystemNotReachable(
                f"Nothing answers at {self._url} ({type(fault).__name__}). Nothing was sent. Start it: tidegate up."
            ) from fault
        if answer.status_code != 200:
            raise SystemNotReachable(f"{self._url} is not ready ({answer.status_code}). Nothing was sent. Try again.")

    async def place(self, shopper: Shopper, key: str, lines: tuple[PlacedLine, ...], total: int) -> Placed:
        """Place an order at the price of the log."""
        body = PlaceOrder(
            lines=tuple(OrderLine(line.sku, line.quantity) for line in lines),
            address_id=shopper.address_id,
            expected_total=total,
        )
        headers = {"Idempotency-Key": key, PASS_HEADER: await self._pass(shopper)}
        return await self._send(Placed, "POST", "/api/v1/orders", shopper, body=body, headers=headers)

    async def _pass(self, shopper: Shopper) -> str:
        if shopper.pass_expires_at <= datetime.now(UTC) + _RENEW_BEFORE:
            given = await self._send(Pass, "POST", "/api/v1/passes", shopper)
            shopper.admission_pass, shopper.pass_expires_at = given.token, given.expires_at
        return shopper.admission_pass

    async def pay(self, shopper: Shopper, order_id: UUID) -> PaymentView:
        """Pay an order and wait until the channel has the money."""
        path = f"/api/v1/orders/{order_id}/payments"
        view = await self._send(PaymentView, "POST", path, shopper, body={})
        for wait in range(_WAITS_MAX):
            if view.state in {IntentState.CAPTURED, IntentState.CLOSED}:
                return view
            await asyncio.sleep(min(0.05 * 2**wait, 1.0))
            method = "GET" if view.state is IntentState.CONFIRMING else "POST"
            view = await self._send(PaymentView, method, path, shopper, body={} if method == "POST" else None)
        raise StepError(504, "not-paid", f"The order was not paid after {_WAITS_MAX} tries: {view.reason}.")

    async def order(self, shopper: Shopper, order_id: UUID) -> Order:
        """Return an order as it stands."""
        return await self._send(Order, "GET", f"/api/v1/orders/{order_id}", shopper)

    async def cancel(self, shopper: Shopper, order_id: UUID, reason: str) -> Order:
        """Give a paid order up as a whole; giving it up again changes nothing."""
        await self._paid(shopper, order_id)
        path = f"/api/v1/orders/{order_id}/cancellation"
        return await self._send(Order, "POST", path, shopper, body={"reason": reason})

    async def give_back(self, shopper: Shopper, order_id: UUID, lines: tuple[PlacedLine, ...], reason: str) -> Refund:
        """Give units of a paid order back, once under each reason, which is the key, too.

        A replay that began before refunds had keys gave back under the same reasons, but without them.
        """
        await self._paid(shopper, order_id)
        path = f"/api/v1/orders/{order_id}/refunds"
        earlier = {each.reason: each for each in await self._send(list[Refund], "GET", path, shopper)}
        if reason in earlier:
            return earlier[reason]
        body = RefundBody(lines=tuple(RefundLine(line.sku, line.quantity) for line in lines), reason=reason)
        return await self._send(Refund, "POST", path, shopper, body=body, headers={"Idempotency-Key": reason})

    async def _paid(self, shopper: Shopper, order_id: UUID) -> None:
        """Wait until the order knows of its payment: that news travels behind the payment itself."""
        for wait in range(_WAITS_MAX):
            if (await self.order(shopper, order_id)).state is not OrderState.PLACED:
                return
            await asyncio.sleep(min(0.05 * 2**wait, 1.0))

    async def _send(
        self,
        answer: type[T],
        method: str,
        path: str,
        shopper: Shopper,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        tries: int = TRIES_MAX,
    ) -> T:
        """Send a request, again while the answer is lost or the system is busy. Raises StepError."""
        content = None if body is None else msgspec.json.encode(body)
        sent = {"Authorization": f"Bearer {shopper.token}", "Content-Type": "application/json", **(headers or {})}
        lost = ""
        for attempt in range(tries):
            if attempt:
                await asyncio.sleep(min(0.1 * 2**attempt, _PAUSE_SECONDS_MAX))
            try:
                response = await self._client.request(method, path, content=content, headers=sent)
            except httpx.TransportError as fault:
                lost = f"{type(fault).__name__} {fault}"
                continue
            if response.is_success:
                return msgspec.json.decode(response.content, type=answer)
            refused = _refused(response)
            if response.status_code not in _AGAIN and refused.code not in _LATER:
                raise refused
            lost = str(refused)
        raise SystemNotReachable(f"{method} {path} got no answer in {tries} tries ({lost}).")


def _refused(response: httpx.Response) -> StepError:
    try:
        problem = msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        problem = {}
    known = problem if isinstance(problem, dict) else {}
    code = str(known.get("type", "")).rpartition("/")[2] or "no-problem-document"
    return StepError(response.status_code, code, str(known.get("detail", ""))[:300])
