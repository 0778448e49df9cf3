"""Claims of coupons a second over HTTP from 64 connections, and that none is given too many: `python -m bench.claims`.

Each shopper claims once of a coupon that lasts; then all ask at once for one of which there are few. The yardstick is
that of `make bench`, before and after each. All processes, this client included, share the machine.
"""

import asyncio
import os
import shutil
from collections.abc import Sequence
from itertools import cycle

import msgspec
import uvloop
from rich.console import Console
from rich.table import Table

from bench.client import NextRequest, Tally, load, request
from bench.orders import data_folder, definition, yardstick
from tidegate.app.compose import App, opened
from tidegate.app.publication import PublicationDesk
from tidegate.app.supervisor import Supervisor, festival
from tidegate.base.config import Config
from tidegate.base.embedded.postgres import EmbeddedPostgres
from tidegate.offer.campaign.contracts import CampaignDefinition, Coupon, OfferKind, UniqueCodes, Words

CONNECTIONS = 64
SECONDS = 8.0
YARDSTICK_SECONDS = 4
SHOPPERS = 60_000
PLENTY, SCARCE = "PLENTY", "SCARCE"
CODES = {PLENTY: 1_000_000, SCARCE: 5_000}
PORT = 18_480


def with_coupons(offered: CampaignDefinition) -> CampaignDefinition:
    """The campaign of the orders' benchmark, with two coupons, one for each shopper."""
    label = Words("优惠券", "Coupon")
    coupons = tuple(
        Coupon(
            code=code,
            threshold=9_000,
            off=1_000,
            quota=0,
            per_buyer=0,
            label=label,
            unique=UniqueCodes(count=count, claims_open_at=offered.phases[0].starts_at),
        )
        for code, count in CODES.items()
    )
    first, *others = offered.offers
    taking = msgspec.structs.replace(first, kind=OfferKind.DISCOUNT, coupons=True)
    return msgspec.structs.replace(offered, coupons=coupons, offers=(taking, *others))


def claims(tokens: Sequence[str], code: str) -> NextRequest:
    """Return a source of requests: each shopper in turn claims this coupon."""
    body = msgspec.json.encode({"coupon": code})
    headers = [{"Authorization": f"Bearer {token}", "Content-Type": "application/json"} for token in tokens]
    return cycle([request("POST", "/api/v1/coupons/claims", each, body) for each in headers]).__next__


async def given(app: App, code: str) -> int:
    """Return how many codes of a coupon the database holds as claimed."""
    async with app.db.read() as tx:
        return (await app.coupons.desk.totals(tx, "bench"))[code].claimed


async def main() -> None:
    """Measure both and print them. Raises RuntimeError where more was given than there is, or than was answered."""
    console, folder = Console(width=150), data_folder()
    config = Config.from_env({"TIDEGATE_DATA_DIR": str(folder), "TIDEGATE_PORT": str(PORT)})
    table = Table(title="Claims of a coupon over HTTP, one web worker, 64 connections", title_justify="left")
    for heading in (
        "coupon",
        "codes",
        "given",
        "claims/s",
        "answers/s",
        "yardstick",
        "ratio",
        "p50 ms",
        "p99 ms",
        "busy",
    ):
        table.add_column(heading, justify="left" if heading == "coupon" else "right")
    try:
        async with festival(config) as supervisor, opened(supervisor.config) as app:
            await PublicationDesk(app).publish(with_coupons(definition(1_000)), "bench")
            async with app.db.transaction() as tx:
                shoppers = await app.identity.open_rehearsal_accounts(tx, SHOPPERS)
            await asyncio.sleep(2.5)  # every process takes a version up within two seconds
            for code in (PLENTY, SCARCE):
                before = await _yardstick(supervisor)
                asking = claims([each.session.token for each in shoppers], code)
                tally = await load(supervisor.config.public_url, asking, connections=CONNECTIONS, seconds=SECONDS)
                held = await given(app, code)
                base = (before + await _yardstick(supervisor)) / 2
                _require_exact(code, held, tally)
                table.add_row(code.lower(), f"{CODES[code]:,}", f"{held:,}", *_rates(tally, base))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    console.print(table)


def _require_exact(code: str, held: int, tally: Tally) -> None:
    """Each answer that gave a code is one claimed code, there are no more than the coupon has, and no answer was lost.

    Of an answer that failed (busy, try again) it is not known here whether it claimed: as many more may be held.
    """
    answered, failed = tally.count(2), tally.count(5)
    if tally.lost or held > CODES[code] or not answered <= held <= answered + failed:
        told = f"{held} held, {answered} answered, {failed} failed, {tally.lost} lost"
        raise RuntimeError(f"{code}: {told}, of {CODES[code]} codes")


def _rates(tally: Tally, base: float) -> tuple[str, ...]:
    answers = (tally.count(2) + tally.count(4)) / tally.seconds
    status = 2 if tally.count(2) > tally.count(4) else 4
    quantiles = (tally.quantile_ms(0.5, status), tally.quantile_ms(0.99, status))
    shown = (f"{tally.rate():,.0f}", f"{answers:,.0f}", f"{base:,.0f}", f"{answers / base:.2f}")
    return (*shown, *(f"{each:.1f}" for each in quantiles), f"{tally.count(5):,}")


async def _yardstick(supervisor: Supervisor) -> float:
    postgres = next(server for server in supervisor.servers if isinstance(server, EmbeddedPostgres))
    return await asyncio.to_thread(yardstick, postgres, seconds=YARDSTICK_SECONDS)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    uvloop.run(main())
