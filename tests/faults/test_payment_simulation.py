"""Seeded simulations: random answers, silence, delays, callbacks, expiries, refunds and dying processes.

Whatever happens: an intent is captured at most once net of refunds, the ledger equals the channels' own books,
and nothing is lost.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import msgspec
import pytest

from tests.sale.payment.harness import BUYER, SandboxProcess, World, world
from tidegate.base.cache import Cache
from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.sale.payment.contracts import IntentState, OpenIntent
from tidegate.sale.payment.ports import (
    Captured,
    ChargeAnswer,
    ChargeHeard,
    ChargeRequest,
    CloseAnswer,
    Closed,
    NotFound,
    Pending,
    QueryAnswer,
    RefundAnswer,
    RefundConfirmed,
    RefundHeard,
    RefundRequest,
    Refused,
    StatementLine,
    Unknown,
    Unreached,
)

pytestmark = pytest.mark.slow

_FATES = ("charge", "charge", "charge", "charge", "lose", "late", "refuse", "down")
_DEEDS = ("open", "pay", "pay", "pay", "pay", "pay", "die", "close", "refund", "letter", "letter", "late", "work")


class Booked(msgspec.Struct):
    """A charge in a scripted institution's books."""

    state: str
    request: ChargeRequest | None
    refunds: dict[UUID, int]


class Institution:
    """A payment institution on the other side of an unreliable wire, driven by a seed. It keeps its own word: a closed
    reference never charges - except where `honest` is False, when late charges ignore a close.
    """

    def __init__(self, name: str, seed: int, *, honest: bool) -> None:
        self.name = name
        self.random = Random(f"{name} {seed}")
        self.honest = honest
        self.calm = False
        self.books: dict[UUID, Booked] = {}
        self.late: list[ChargeRequest] = []
        self.letters: list[bytes] = []

    async def charge(self, request: ChargeRequest) -> ChargeAnswer:
        """Charge, refuse, be unreachable, lose the request for a while, or lose the answer."""
        await self._wire()
        match "charge" if self.calm else self.random.choice(_FATES):
            case "charge":
                return self._answer(self._book(request))
            case "lose":
                self._book(request)
                return Unknown(reason="timeout")
            case "late":
                self.late.append(request)
                return Unknown(reason="timeout")
            case "refuse":
                self.books.setdefault(request.attempt_id, Booked("refused", request, {}))
                return self._answer(self.books[request.attempt_id])
            case _:
                return Unreached(reason="down")

    async def query(self, attempt_id: UUID) -> QueryAnswer:
        """Tell what the books hold, if the wire lets it."""
        await self._wire()
        if self._silent():
            return Unknown(reason="timeout")
        return self._answer(self.books[attempt_id]) if attempt_id in self.books else NotFound()

    async def close(self, attempt_id: UUID) -> CloseAnswer:
        """Close for good; the answer may be lost."""
        await self._wire()
        charge = self.books.setdefault(attempt_id, Booked("closed", None, {}))
        if charge.state == "pending":
            charge.state = "closed"
        answer = self._answer(charge)
        return Unknown(reason="timeout") if self._silent() or isinstance(answer, Pending) else answer

    async def pay_out(self, request: RefundRequest) -> RefundAnswer:
        """Pay beyond the charge: as a refund here, because no run asks for it."""
        return await self.refund(request)

    async def refund(self, request: RefundRequest) -> RefundAnswer:
        """Give back once a reference; the request or the answer may be lost."""
        await self._wire()
        if self._silent():
            return Unknown(reason="timeout")
        charge = self.books[request.attempt_id]
        charge.refunds[request.refund_id] = request.amount
        answer = RefundConfirmed(amount=request.amount, currency=request.currency)
        self.letters.append(msgspec.json.encode(RefundHeard(refund_id=request.refund_id, answer=answer)))
        return Unknown(reason="timeout") if self._silent() else answer

    async def statement(self, from_at: datetime, to_at: datetime) -> AsyncIterator[list[StatementLine]]:
        """Give the books in one page."""
        now = datetime.now(UTC)
        yield [
            StatementLine(kind=kind, reference=str(reference), amount=amount, currency="CNY", booked_at=now)
            for attempt_id, charge in self.books.items()
            if charge.state == "succeeded" and charge.request
            for kind, reference, amount in (
                ("charge", attempt_id, charge.request.amount),
                *(("refund", refund_id, amount) for refund_id, amount in charge.refunds.items()),
            )
        ]

    def read_callback(self, signature: str, body: bytes) -> ChargeHeard | RefundHeard:
        """Read a message; its kind stands in the signature's place."""
        if b"refund_id" in body:
            heard = msgspec.json.decode(body)
            return RefundHeard(refund_id=UUID(heard["refund_id"]), answer=RefundConfirmed(**heard["answer"]))
        heard = msgspec.json.decode(body)
        kind = {"captured": Captured, "pending": Pending, "refused": Refused, "closed": Closed}[heard["kind"]]
        return ChargeHeard(attempt_id=UUID(heard["attempt_id"]), answer=kind(**heard["answer"]))

    async def disconnect(self) -> None:
        """Nothing is connected."""

    def arrive_late(self) -> None:
        """Let a request that was lost on the wire arrive now."""
        if self.late:
            request = self.late.pop(self.random.randrange(len(self.late)))
            charge = self._book(request)
            if charge.state == "closed" and not self.honest:
                charge.state, charge.request = "succeeded", request
                self._tell(request.attempt_id, charge)

    def confirm_pending(self) -> None:
        """Let pending charges succeed."""
        for attempt_id, charge in self.books.items():
            if charge.state == "pending" and (self.calm or self.random.random() < 0.3):
                charge.state = "succeeded"
                self._tell(attempt_id, charge)

    def net_of(self, subject: UUID) -> tuple[int, int]:
        """Return how many charges of an intent succeeded, and what it paid less what went back."""
        mine = [
            each
            for each in self.books.values()
            if each.request and each.request.subject == subject and each.state == "succeeded"
        ]
        return len(mine), sum(each.request.amount - sum(each.refunds.values()) for each in mine if each.request)

    def _book(self, request: ChargeRequest) -> Booked:
        if request.attempt_id not in self.books:
            state = "succeeded" if self.calm or self.random.random() < 0.7 else "pending"
            self.books[request.attempt_id] = Booked(state, request, {})
            self._tell(request.attempt_id, self.books[request.attempt_id])
        return self.books[request.attempt_id]

    def _tell(self, attempt_id: UUID, charge: Booked) -> None:
        """Write a callback, perhaps twice, perhaps never."""
        answer = self._answer(charge)
        letter = {"attempt_id": attempt_id, "kind": type(answer).__name__.lower(), "answer": answer}
        self.letters += [msgspec.json.encode(letter)] * self.random.choice([0, 1, 1, 2])

    def _answer(self, charge: Booked) -> Captured | Pending | Refused | Closed:
        match charge.state:
            case "succeeded":
                assert charge.request is not None
                return Captured(amount=charge.request.amount, currency=charge.request.currency)
            case "pending":
                return Pending()
            case "refused":
                return Refused(reason="insufficient-funds")
            case _:
                return Closed()

    def _silent(self) -> bool:
        return not self.calm and self.random.random() < 0.3

    async def _wire(self) -> None:
        await asyncio.sleep(self.random.random() * 0.004)


class Simulation:
    """Shoppers, a worker and two institutions, all driven by one seed."""

    def __init__(self, made: World, institutions: tuple[Institution, Institution], seed: int) -> None:
        self.world = made
        self.institutions = institutions
        self.random = Random(seed)
        self.intents: list[OpenIntent] = []
        self.closed: set[UUID] = set()
        self.asked: dict[UUID, int] = {}

    async def step(self) -> None:
        """Do one thing."""
        match self.random.choice(
            ["open", "pay", "pay", "pay", "pay", "pay", "die", "close", "refund", "letter", "letter", "late", "work"]
        ):
            case "open":
                amount, minutes = self.random.randint(1, 99_999), self.random.choice([2, 5, 60])
                self.intents += await self.world.open_many(4, amount, minutes=minutes)
            case "pay" | "die" as how:
                await self._pay(dies=how == "die")
            case "close":
                if intent := self._some_intent():
                    self.closed |= await self.world.close(intent)
            case "refund":
                await self._refund()
            case "letter":
                await self._deliver()
            case "late":
                for each in self.institutions:
                    each.arrive_late()
                    each.confirm_pending()
            case _:
                await self.world.work(self.random.choice([1, 5, 40]))

    async def end(self) -> None:
        """Calm the wires, let everything arrive, and settle."""
        for each in self.institutions:
            each.calm = True
        for _ in range(4):
            for each in self.institutions:
                while each.late:
                    each.arrive_late()
                each.confirm_pending()
            while any(each.letters for each in self.institutions):
                await self._deliver()
            await self.world.settle()
        now = datetime.now(UTC)
        for each in self.institutions:
            await self.world.payment.reconcile(each.name, now - timedelta(hours=30), now + timedelta(hours=30))
        await self.world.settle()

    async def judge(self) -> None:
        """Hold everything against the institutions' own books."""
        await self.world.hold()
        for intent in self.intents:
            look = await self.world.look(intent)
            nets = [each.net_of(intent.intent_id) for each in self.institutions]
            asked = self.asked.get(intent.intent_id, 0)
            expected = intent.amount - asked if look.state is IntentState.CAPTURED else 0
            assert sum(net for _, net in nets) == expected, (intent, look, nets)
            assert look.refunded == asked
            assert (intent.intent_id in self.closed) == (look.state is IntentState.CLOSED)
            assert look.state is not IntentState.CONFIRMING
        for each in self.institutions:
            books = sum(each.net_of(intent.intent_id)[1] for intent in self.intents)
            assert await self.world.balance(f"channel:{each.name}") == books

    async def _pay(self, *, dies: bool) -> None:
        intent = self._some_intent()
        if intent is None:
            return
        paying = asyncio.get_running_loop().create_task(self.world.payment.pay(intent.intent_id, BUYER))
        if dies:
            await asyncio.sleep(self.random.random() * 0.008)
            paying.cancel()
        try:
            await paying
        except (Refusal, asyncio.CancelledError):
            return

    async def _refund(self) -> None:
        intent = self._some_intent()
        if intent is None:
            return
        amount = self.random.randint(1, intent.amount)
        try:
            async with self.world.db.transaction() as tx:
                await self.world.payment.refund(tx, intent.intent_id, amount, "simulated")
        except Refusal:
            return
        self.asked[intent.intent_id] = self.asked.get(intent.intent_id, 0) + amount

    async def _deliver(self) -> None:
        """Deliver a callback of any age, in any order."""
        each = self.random.choice(self.institutions)
        if each.letters:
            letter = each.letters.pop(self.random.randrange(len(each.letters)))
            await self.world.payment.take_callback(each.name, "", letter)

    def _some_intent(self) -> OpenIntent | None:
        return self.random.choice(self.intents[-16:]) if self.intents else None


@pytest.mark.parametrize("honest", [True, False])
@pytest.mark.parametrize("seed", range(6))
async def test_nothing_is_charged_twice_or_lost_whatever_happens(
    db: Database, cache: Cache, seed: int, *, honest: bool
) -> None:
    institutions = (Institution("harbour", seed, honest=honest), Institution("lantern", seed, honest=honest))
    async with world(db, cache, adapters=institutions) as made:
        simulation = Simulation(made, institutions, seed)
        for _ in range(70):
            await asyncio.gather(*[simulation.step() for _ in range(6)])
        await simulation.end()
        await simulation.judge()
        charged = [each.net_of(intent.intent_id)[0] for each in institutions for intent in simulation.intents]
        assert any(charged), "how many is chance; none at all would prove nothing"


@pytest.mark.parametrize("seed", range(2))
async def test_a_flood_through_failing_channels_charges_nobody_twice_by_the_channels_own_books(
    hasty: World, harbour: SandboxProcess, lantern: SandboxProcess, seed: int
) -> None:
    random = Random(seed)
    before = [each.totals() for each in (harbour, lantern)]
    intents = await hasty.open_many(300, 250)

    async def faults() -> None:
        for _ in range(6):
            for each in (harbour, lantern):
                await asyncio.to_thread(each.order, **_some_faults(random))
            await asyncio.sleep(0.4)

    working = asyncio.get_running_loop().create_task(_worker(hasty))
    await asyncio.gather(faults(), *[_buyer(hasty, each, random.random() * 2.5) for each in intents])
    working.cancel()
    for each in (harbour, lantern):
        each.order()
    await hasty.settle()
    after = [each.totals() for each in (harbour, lantern)]
    captured = [each for each in intents if (await hasty.look(each)).state is IntentState.CAPTURED]
    charges = sum(now["charges"] - then["charges"] for now, then in zip(after, before, strict=True))
    refunds = sum(now["refunds"] - then["refunds"] for now, then in zip(after, before, strict=True))
    assert charges - refunds == len(captured)
    assert [each["charged_twice"] for each in after] == [0, 0]
    assert len(captured) > 30, "else nothing was tried"
    await hasty.hold()


async def _buyer(shop: World, intent: OpenIntent, pause_seconds: float) -> None:
    """Come after a while, and again while no channel works."""
    await asyncio.sleep(pause_seconds)
    for _ in range(12):
        try:
            await shop.pay(intent)
        except Refusal:
            await asyncio.sleep(0.5)
        else:
            return


async def _worker(shop: World) -> None:
    while True:
        await shop.work(0.5)
        await asyncio.sleep(0.25)


def _some_faults(random: Random) -> dict[str, object]:
    return random.choice([
        {},
        {"error_share": 0.5, "seed": random.randrange(99)},
        {"error_after_share": 0.5, "duplicate_share": 0.5},
        {"timeout_share": 0.3, "lost_share": 0.5},
        {"outage": "refused"},
        {"outage": "503"},
        {"outage": "declared"},
        {"slow_ms": 1_500, "slow_share": 0.3, "shuffle_ms": 300},
        {"answer": "pending", "confirm_ms": 300, "shuffle_ms": 200, "duplicate_share": 0.5},
        {"refuse_share": 0.3},
    ])  # fmt: skip
