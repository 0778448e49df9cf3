"""A whole festival on ports and a data folder of its own, shoppers who never give up, and a hand that kills.

Every acknowledged order is written down the moment its answer arrives; a request whose answer was lost is sent again
with the same idempotency key until there is an answer, as a good shop's client would.
"""

import asyncio
import json
import os
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import aiohttp
import httpx
import msgspec

from tests.faults.killing import again
from tests.offer.festivals import definition, goods, offer
from tests.ports import installation_port
from tidegate.app.compose import App
from tidegate.app.demo.outage import ChannelAdmin
from tidegate.app.publication import PublicationDesk
from tidegate.app.sandbox_channel.contracts import Totals
from tidegate.app.supervisor import Supervisor
from tidegate.base.config import Config
from tidegate.gate.admission.contracts import PASS_HEADER, PassWindow
from tidegate.offer.campaign.contracts import CampaignDefinition, OfferKind

HOT, STEADY = "HOT-1", ("STEADY-1", "STEADY-2", "STEADY-3")
HOT_UNITS = 150
PRICE = 8_000
_LOST = (aiohttp.ClientError, TimeoutError, OSError)
_REPEAT_SECONDS = 0.25
_STARTING_SECONDS = 30


@contextmanager
def settings(**changes: str) -> Iterator[Config]:
    """Give settings on a fresh data folder and ports that are free."""
    with TemporaryDirectory(prefix="tidegate-flood-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Config.from_env(
            {
                "TIDEGATE_DATA_DIR": folder,
                "TIDEGATE_PORT": str(installation_port()),
                "TIDEGATE_HOLD_SECONDS": "6",
                **changes,
            }
        )


def festival_of_now() -> CampaignDefinition:
    """Return a festival that is open, one hot SKU that sells out, three that do not; its few shoppers never rest."""
    flash = offer(HOT, PRICE, kind=OfferKind.FLASH, quota=HOT_UNITS)
    steady = [offer(sku, PRICE, quota=1_000_000) for sku in STEADY]
    festival = definition(
        [flash, *steady],
        entries=[goods(sku) for sku in (HOT, *STEADY)],
        campaign_id="kill-flood",
        start=datetime.now(UTC) - timedelta(hours=1),
    )
    return msgspec.structs.replace(festival, rate_limits=())


@dataclass
class Shopper:
    """Who buys, with what it takes to be let in."""

    account_id: UUID
    address_id: UUID
    headers: dict[str, str]


async def open_shop(app: App, shoppers: int) -> list[Shopper]:
    """Publish the festival and let so many shoppers in."""
    offered = festival_of_now()
    await PublicationDesk(app).publish(offered, "test")
    await app.refresh()
    async with app.db.transaction() as tx:
        opened = await app.identity.open_rehearsal_accounts(tx, shoppers)
    window = PassWindow(
        campaign_id=offered.id, opens_at=offered.phases[0].starts_at, closes_at=offered.phases[-1].ends_at
    )
    let_in = []
    for each in opened:
        session = each.session
        token = app.admission.issue_pass(session.account_id, session.session_id, window).token
        headers = {"Authorization": f"Bearer {session.token}", PASS_HEADER: token}
        let_in.append(Shopper(session.account_id, each.address_id, headers))
    return let_in


@dataclass(frozen=True)
class Acknowledged:
    """What the shop promised: this order, for this much."""

    order_id: str
    total: int


@dataclass
class Journal:
    """What shoppers asked for and were told, by buyer and idempotency key."""

    asked: set[tuple[UUID, str]] = field(default_factory=set)
    acknowledged: dict[tuple[UUID, str], Acknowledged] = field(default_factory=dict)
    refused: dict[tuple[UUID, str], str] = field(default_factory=dict)
    told_paid: set[str] = field(default_factory=set)
    contradictions: list[str] = field(default_factory=list)
    repeated: int = 0

    def note(self, key: tuple[UUID, str], status: int, answer: dict[str, object], *, had_order: bool) -> None:
        """Write down an answer to an order; `had_order`: it was acknowledged before this copy was sent.

        An acknowledged order stays the answer for ever. A refusal changed nothing and binds nothing: a copy that was
        on its way at the same time may still be taken, for instance with units that came back (decision 0001).
        """
        if status == 201:
            told = Acknowledged(str(answer["order_id"]), int(str(answer["total"])))
            if self.acknowledged.setdefault(key, told) != told:
                self.contradictions.append(f"{key}: {self.acknowledged[key]}, then {told}")
        else:
            self.refused[key] = str(answer.get("type", status))
            if had_order:
                self.contradictions.append(f"{key}: {self.acknowledged[key]}, then {self.refused[key]}")


class Flood:
    """Shoppers at the door, until they are told to stop; each ends with an answer to everything that was asked."""

    def __init__(self, url: str, shoppers: list[Shopper], seed: int) -> None:
        self.journal = Journal()
        self._url = url
        self._shoppers = shoppers
        self._random = random.Random(seed)
        self._stopped = asyncio.Event()
        self._number = 0

    def stop(self) -> None:
        """Let no new order begin."""
        self._stopped.set()

    async def run(self, lanes: int) -> None:
        """Order and pay in so many lanes at once."""
        timeout = aiohttp.ClientTimeout(total=15)
        async with aiohttp.ClientSession(self._url, timeout=timeout) as client, asyncio.TaskGroup() as group:
            for _ in range(lanes):
                group.create_task(self._shop(client))

    async def _shop(self, client: aiohttp.ClientSession) -> None:
        while not self._stopped.is_set():
            shopper = self._random.choice(self._shoppers)
            order_id = await self._order(client, shopper)
            if order_id is not None and self._random.random() < 0.75:
                await self._pay(client, shopper, order_id)
            await asyncio.sleep(self._random.uniform(0.02, 0.2))

    async def _order(self, client: aiohttp.ClientSession, shopper: Shopper) -> str | None:
        self._number += 1
        key = (shopper.account_id, f"flood-{self._number:08d}")
        sku = HOT if self._random.random() < 0.3 else self._random.choice(STEADY)
        body = {
            "lines": [{"sku": sku, "quantity": 1}],
            "address_id": str(shopper.address_id),
            "expected_total": PRICE,
        }
        headers = {**shopper.headers, "Idempotency-Key": key[1]}
        self.journal.asked.add(key)
        copies = 2 if self._random.random() < 0.1 else 1
        await asyncio.gather(*[self._send_order(client, key, headers, body) for _ in range(copies)])
        if self._random.random() < 0.1:  # a late repetition, as after a broken line
            await self._send_order(client, key, headers, body)
        known = self.journal.acknowledged.get(key)
        return known.order_id if known else None

    async def _send_order(
        self, client: aiohttp.ClientSession, key: tuple[UUID, str], headers: dict[str, str], body: dict[str, object]
    ) -> None:
        had_order = key in self.journal.acknowledged
        status, answer = await self._until_answered(client, "/api/v1/orders", headers, body)
        self.journal.note(key, status, answer, had_order=had_order)

    async def _pay(self, client: aiohttp.ClientSession, shopper: Shopper, order_id: str) -> None:
        status, answer = await self._until_answered(client, f"/api/v1/orders/{order_id}/payments", shopper.headers, {})
        if status == 200 and answer["state"] == "captured":
            self.journal.told_paid.add(order_id)

    async def _until_answered(
        self, client: aiohttp.ClientSession, path: str, headers: dict[str, str], body: dict[str, object]
    ) -> tuple[int, dict[str, object]]:
        """Send until something other than a lost connection or a 5xx comes back."""
        while True:
            try:
                async with client.post(path, json=body, headers=headers) as answer:
                    if answer.status < 500:
                        return answer.status, json.loads(await answer.read())
            except _LOST:
                pass
            self.journal.repeated += 1
            await asyncio.sleep(_REPEAT_SECONDS)


def web_worker(supervisor: Supervisor) -> int:
    """Return the process id of what serves: a child where the web process only watches, else that process itself."""
    main = supervisor.process("web").pid
    assert main is not None
    children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
    serving = [int(pid) for pid in children if b"resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return serving[-1] if serving else main


def kill(supervisor: Supervisor, victim: str) -> bool:
    """Kill -9 one part of the festival; return False where it was just being started again."""
    match victim:
        case "postgres":
            pid = supervisor.servers[0].pid
        case "valkey":
            pid = supervisor.servers[1].pid
        case "web worker":
            try:
                pid = web_worker(supervisor)
            except (AssertionError, IndexError, OSError):
                return False
        case _:
            pid = supervisor.process(victim).pid
    if pid is None:
        return False
    os.kill(pid, signal.SIGKILL)
    return True


async def channel_totals(supervisor: Supervisor) -> list[Totals]:
    """Return what each channel's own books say; one that was killed a moment ago may still be starting."""
    async with asyncio.timeout(_STARTING_SECONDS):
        return [
            await again(ChannelAdmin(setting).totals, (httpx.TransportError,)) for setting in supervisor.config.channels
        ]
