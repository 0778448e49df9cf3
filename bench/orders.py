"""Durable orders a second over HTTP, on one hot SKU and on a thousand, against pgbench's yardstick in the same run."""

import asyncio
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import msgspec

from bench.client import Tally, load, request
from bench.publishing import publish
from tidegate.app.compose import App, opened
from tidegate.app.supervisor import Supervisor
from tidegate.base.embedded.postgres import EmbeddedPostgres
from tidegate.gate.admission.contracts import PASS_HEADER, PassWindow
from tidegate.offer.campaign.contracts import (
    Audience,
    CampaignDefinition,
    CampaignId,
    GoodsEntry,
    Limit,
    Offer,
    OfferKind,
    Phase,
    PhaseName,
    Returns,
    Shipping,
    Theme,
    Words,
)

SKUS = [f"BENCH-{number:04d}" for number in range(1000)]
PRICE = 9_900
SHOPPERS = 20_000
_YARDSTICK = """\
begin;
update yardstick.hot set free = free - 1 where id = 1;
insert into yardstick.orders (buyer) values (1);
commit;
"""


def yardstick(postgres: EmbeddedPostgres, *, seconds: int) -> float:
    """Return transactions/s of pgbench on one hot row, 16 clients: update it, insert an order, commit."""
    url = postgres.maintenance_url("tidegate")
    run = [str(postgres.program("psql")), url, "-q", "-c"]
    made = (
        "drop schema if exists yardstick cascade; create schema yardstick;"
        " create table yardstick.hot (id int primary key, free bigint);"
        " insert into yardstick.hot values (1, 1000000000);"
        " create table yardstick.orders (id bigint generated always as identity primary key, buyer bigint)"
    )
    subprocess.run([*run, made], check=True, capture_output=True)
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(_YARDSTICK)
        script.flush()
        pgbench = str(postgres.program("pgbench"))
        command = [pgbench, "-n", "-c", "16", "-j", "1", "-T", str(seconds), "-f", script.name, url]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"tps = ([0-9.]+)", told)
    assert found is not None
    return float(found.group(1))


def definition(units: int) -> CampaignDefinition:
    """Return a campaign of 1,000 goods, each with so many units, a limit over all of them, open for a day."""
    now = datetime.now(UTC)
    starts = [now - timedelta(days=3), now - timedelta(days=2), now - timedelta(days=1), now + timedelta(days=1)]
    ends = [*starts[1:], now + timedelta(days=2)]
    words = Words("基准", "Benchmark")
    goods = tuple(
        GoodsEntry(
            sku=sku,
            name=words,
            description=words,
            category="other",
            brand="Bench",
            list_price=PRICE + 1_000,
            picture="",
        )
        for sku in SKUS
    )
    offers = tuple(
        Offer(sku=sku, kind=OfferKind.FLASH, price=PRICE, quota=units, per_buyer=0, coupons=False) for sku in SKUS
    )
    return CampaignDefinition(
        id=CampaignId("bench"),
        title=words,
        theme=Theme.LAUNCH,
        audience=(Audience.EVERYONE,),
        accent="#d4380d",
        currency="CNY",
        payment_minutes=60,
        phases=tuple(
            Phase(name=name, starts_at=start, ends_at=end)
            for name, start, end in zip(PhaseName, starts, ends, strict=True)
        ),
        goals=(),
        owners=(),
        goods=goods,
        offers=offers,
        coupons=(),
        limits=(Limit(name="all", skus=(), per_buyer=100_000, label=words),),
        shipping=Shipping(fee=0, free_from=None),
        returns=Returns(days=7, text=words),
        rules=words,
    )


async def prepare(app: App, *, shoppers: int = SHOPPERS) -> list[tuple[dict[str, str], str]]:
    """Publish the campaign and open simulated shoppers; return their headers and addresses."""
    offered = definition(100_000_000)
    await publish(app, offered)
    async with app.db.transaction() as tx:
        opened_for = await app.identity.open_rehearsal_accounts(tx, shoppers)
    window = PassWindow(campaign_id="bench", opens_at=offered.phases[0].starts_at, closes_at=offered.phases[3].ends_at)
    ready = []
    for shopper in opened_for:
        session = shopper.session
        token = app.admission.issue_pass(session.account_id, session.session_id, window).token
        ready.append(({"Authorization": f"Bearer {session.token}", PASS_HEADER: token}, str(shopper.address_id)))
    return ready


def orders(
    shoppers: list[tuple[dict[str, str], str]], skus: list[str], totals: Mapping[str, int] | None = None
) -> Callable[[], bytes]:
    """Return a source of requests: a new order each time, shoppers and SKUs in turn. `totals` are the prices shown, by
    SKU; without them each costs `PRICE`.
    """
    numbers = count()
    run = f"{time.time_ns():x}"

    def prepared() -> Iterator[tuple[bytes, bytes]]:
        for place, (headers, address) in enumerate(shoppers):
            sku = skus[place % len(skus)]
            line, total = {"sku": sku, "quantity": 1}, (totals or {}).get(sku, PRICE)
            body = msgspec.json.encode({"lines": [line], "address_id": address, "expected_total": total})
            whole = request("POST", "/api/v1/orders", {**headers, "Idempotency-Key": "@"}, body)
            before, _, after = whole.partition(b"@")
            yield before, after

    parts = list(prepared())

    def following() -> bytes:
        number = next(numbers)
        before, after = parts[number % len(parts)]
        return b"%b%b-%d%b" % (before, run.encode(), number, after)

    return following


async def measure(supervisor: Supervisor, skus: list[str], *, connections: int, seconds: float) -> tuple[Tally, int]:
    """Return what the client saw, and how many orders the database holds of this run."""
    async with opened(supervisor.config) as app:
        shoppers = await prepare(app)
        before = await durable(app)
        await asyncio.sleep(1.5)
        tally = await load(
            supervisor.config.public_url, orders(shoppers, skus), connections=connections, seconds=seconds
        )
        return tally, await durable(app) - before


async def durable(app: App) -> int:
    """Return how many orders the database holds."""
    async with app.db.read() as tx:
        row = await (await tx.execute("select count(*) from ordering.orders")).fetchone()
        return int(row[0]) if row else 0


def data_folder() -> Path:
    """Return a fresh folder for one run's data."""
    folder = Path(tempfile.mkdtemp(prefix="tidegate-bench-"))
    folder.chmod(0o755)
    return folder
