"""What payment's tests stand on: the sandbox channel as a real process, and payment with its doors on a real port."""

import asyncio
import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid4

import httpx
from granian.constants import Interfaces
from granian.server.embed import Server
from litestar import Litestar, Request, Response
from litestar.di import Provide

from tests.ports import installation_port
from tidegate.base.batch import Overloaded
from tidegate.base.cache import Cache
from tidegate.base.clock import ManualClock
from tidegate.base.config import ChannelSetting
from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.base.http import PROBLEM, problem
from tidegate.base.ids import Ids
from tidegate.base.outbox import Event, Outbox
from tidegate.sale.payment.api import Payment
from tidegate.sale.payment.contracts import (
    AttemptState,
    IntentState,
    OpenIntent,
    PaymentCaptured,
    PaymentClosed,
    PaymentRefunded,
    PaymentView,
)
from tidegate.sale.payment.errors import NoChannelAvailable
from tidegate.sale.payment.http import routes
from tidegate.sale.payment.ports import Channel

BUYER = UUID("01900000-0000-7000-8000-000000000001")


class SandboxProcess:
    """The sandbox channel as the supervisor starts it, a process of its own."""

    def __init__(self, name: str, data: Path) -> None:
        self.name = name
        self.data = data
        self.port = installation_port()
        self.admin_port = self.port + 1
        self.url = f"http://127.0.0.1:{self.port}"
        self.admin = f"http://127.0.0.1:{self.admin_port}"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def setting(self) -> ChannelSetting:
        """The channel as payment is configured with it."""
        return ChannelSetting(name=self.name, url=self.url, secret=f"sandbox-{self.name}")

    def start(self) -> None:
        """Start it and wait until it answers."""
        where = ["--port", str(self.port), "--admin-port", str(self.admin_port), "--data", str(self.data)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tidegate.app.sandbox_channel", "--name", self.name, *where]
        )
        for _ in range(400):
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{self.admin}/health")
                httpx.get(f"{self.url}/")
                return
            time.sleep(0.025)
        raise AssertionError("the sandbox channel does not start")

    def kill(self) -> None:
        """End it at once, as a power failure of the process would."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """End it in order and return its exit status."""
        return self._end(signal.SIGTERM)

    def order(self, **faults: object) -> None:
        """Order faults; none lifts them all."""
        httpx.put(f"{self.admin}/faults", json=faults).raise_for_status()

    def totals(self) -> dict[str, int]:
        """Return the sums of its books."""
        totals: dict[str, int] = httpx.get(f"{self.admin}/totals").json()
        return totals

    def _end(self, number: signal.Signals) -> int:
        if self.process is None:
            return 0
        self.process.send_signal(number)
        status, self.process = self.process.wait(20), None
        return status


@contextmanager
def sandbox(name: str, data: Path) -> Iterator[SandboxProcess]:
    """Give a sandbox channel that runs."""
    process = SandboxProcess(name, data)
    process.start()
    try:
        yield process
    finally:
        process.kill()


class World:
    """Payment on a real database, its doors on a real port, and a clock that the test moves."""

    def __init__(self, db: Database, cache: Cache, port: int, channels: list[ChannelSetting], **settings: Any) -> None:
        self.db = db
        self.began_at = datetime.now(UTC)
        self.clock = ManualClock(self.began_at)
        self.ids = Ids()
        self.outbox = Outbox()
        self.heard: list[Event] = []
        self.outbox.subscribe("test", dict.fromkeys((PaymentCaptured, PaymentClosed, PaymentRefunded), self._hear))
        self.url = f"http://127.0.0.1:{port}"
        self.payment = Payment(
            db,
            cache,
            self.clock,
            self.ids,
            self.outbox,
            channels,
            public_url=self.url if channels else "",
            randomness=Random(1),
            **settings,
        )

    async def _hear(self, tx: object, events: list[Event]) -> None:
        self.heard += events

    async def events(self) -> list[Event]:
        """Return all events so far, in order."""
        while not await self.outbox.drained(self.db):
            await self.outbox.deliver(self.db, "test")
        return self.heard

    async def open(self, amount: int = 12_900, *, minutes: float = 60, currency: str = "CNY") -> OpenIntent:
        """Open an intent for a new order."""
        (intent,) = await self.open_many(1, amount, minutes=minutes, currency=currency)
        return intent

    async def open_many(
        self, count: int, amount: int = 12_900, *, minutes: float = 60, currency: str = "CNY"
    ) -> list[OpenIntent]:
        """Open intents for new orders."""
        expires_at = self.clock.now() + timedelta(minutes=minutes)
        intents = [
            OpenIntent(
                intent_id=self.ids.new(),
                order_id=uuid4(),
                buyer_id=BUYER,
                amount=amount,
                currency=currency,
                expires_at=expires_at,
            )
            for _ in range(count)
        ]
        async with self.db.transaction() as tx:
            await self.payment.open_intents(tx, intents)
        return intents

    async def pay(self, intent: OpenIntent, channel: str | None = None) -> PaymentView:
        """Pay an intent as its buyer."""
        return await self.payment.pay(intent.intent_id, BUYER, channel)

    async def pays_in_the_end(self, intent: OpenIntent) -> bool:
        """Whether it is paid. If not: its buyer, whose payment was interrupted, presses the button again."""
        if (await self.look(intent)).state is IntentState.CAPTURED:
            return True
        await self.work()
        with contextlib.suppress(NoChannelAvailable, Overloaded):
            await self.pay(intent)
        return False

    async def look(self, intent: OpenIntent) -> PaymentView:
        """Return the payment with all its attempts and refunds."""
        async with self.db.transaction() as tx:
            return await self.payment.view(tx, intent.order_id)

    async def close(self, *intents: OpenIntent) -> set[UUID]:
        """Close intents."""
        async with self.db.transaction() as tx:
            return await self.payment.close_intents(tx, [each.intent_id for each in intents])

    async def work(self, seconds: float = 1) -> int:
        """Let the worker do what is due `seconds` from now; return how much that was."""
        self.clock.advance(seconds=seconds)
        await self.payment.refresh()
        return await self.payment.resolve_due() + await self.payment.send_refunds_due()

    async def settle(self, turns: int = 60) -> None:
        """Let the worker work until nothing is outstanding and every refund has ended."""
        for _ in range(turns):
            if not await self.work(10) and not await self.unsettled():
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{await self.unsettled()} are not settled")

    async def unsettled(self) -> int:
        """Return how many attempts are outstanding and refunds not confirmed."""
        async with self.db.transaction() as tx:
            rows = await tx.execute(
                "select (select count(*) from payment.attempt where ended_at is null)"
                " + (select count(*) from payment.refund where ended_at is null)"
            )
            (count,) = await rows.fetchone() or (0,)
            return int(count)

    async def hold(self) -> None:
        """Assert every invariant of payment on the database."""
        async with self.db.transaction() as tx:
            checks = await self.payment.check(tx)
            balances = await self.payment.balances(tx)
        assert [each for each in checks if not each.holds] == []
        assert sum(each.balance for each in balances) == 0

    async def balance(self, account: str) -> int:
        """Return an account's balance, minor units."""
        async with self.db.transaction() as tx:
            return sum(each.balance for each in await self.payment.balances(tx) if each.account == account)

    async def net_of(self, intent: OpenIntent) -> int:
        """Return what an intent's buyer has paid less what went back or is promised back."""
        view = await self.look(intent)
        taken = {AttemptState.CAPTURED, AttemptState.SURPLUS}
        paid = sum(each.amount for each in view.attempts if each.state in taken)
        return paid - sum(each.amount for each in view.refunds)


@asynccontextmanager
async def world(
    db: Database, cache: Cache, *sandboxes: SandboxProcess, adapters: tuple[Channel, ...] = (), **settings: Any
) -> AsyncIterator[World]:
    """Give payment with these channels, its doors served on a real port."""
    port = installation_port()
    named = [ChannelSetting(name=each.name, url="", secret="") for each in adapters]
    channels = [each.setting for each in sandboxes] or named
    made = World(db, cache, port, channels, adapters=adapters, **settings)
    if adapters:
        yield made
        return
    server = Server(_doors(made), port=port, interface=Interfaces.ASGINL, log_enabled=False)
    serving = asyncio.get_running_loop().create_task(server.serve())
    try:
        yield made
    finally:
        server.stop()  # type: ignore[no-untyped-call]
        await serving
        await made.payment.close()


def _doors(made: World) -> Litestar:
    def give_payment() -> Payment:
        return made.payment

    def give_db() -> Database:
        return made.db

    def give_account() -> UUID:
        return BUYER

    given = {"payment": give_payment, "db": give_db, "account": give_account}
    return Litestar(
        routes,
        dependencies={name: Provide(give, sync_to_thread=False) for name, give in given.items()},
        exception_handlers={Refusal: _refuse},
    )


def _refuse(_: Request[Any, Any, Any], refusal: Refusal) -> Response[bytes]:
    return Response(problem(refusal), status_code=refusal.status, media_type=PROBLEM)


__all__ = ["BUYER", "IntentState", "SandboxProcess", "World", "sandbox", "world"]
