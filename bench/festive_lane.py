"""How much of the hot lane's speed is left with 50 live promotions: `python -m bench.festive_lane`.

Orders over HTTP, one web worker, the load on the same machine: of one hot SKU and of a thousand, without promotions and
with 50 of them, in turn, and the other way round in every second round, so that both meet the same machine and the same
of what the worker does each minute; the mean of each. The promotions are reductions by threshold, percentage, piece and
group, within a shop and across shops, gifts, a member price and points; twelve with counters or a budget, and some for
an audience, so that who the buyer is has to be read. Every order is placed at the price that the engine shows its
buyer. Bar: 85 % of the throughput without.
"""

import asyncio
import shutil
from random import Random
from statistics import mean
from uuid import UUID

import uvloop
from msgspec import structs
from rich.console import Console
from rich.table import Table

from bench.client import load
from bench.orders import SKUS, data_folder, definition, durable, orders, prepare
from bench.publishing import publish
from tidegate.app.compose import App, opened
from tidegate.app.supervisor import Supervisor, festival
from tidegate.base.config import Config
from tidegate.offer.campaign.contracts import (
    AmountOff,
    Audience,
    Benefit,
    Gift,
    Layer,
    MemberPrice,
    NthPiece,
    PercentOff,
    PointsOff,
    Promotion,
    PromotionLimits,
    Selection,
    Step,
    Words,
)
from tidegate.offer.pricing.contracts import Cart, CartLine

PORT = 18_490
PROMOTIONS = 50
CONNECTIONS = 256
SECONDS = 8.0
ROUNDS = 4
UNITS = 100_000_000
WORDS = Words("优惠", "Promotion")


def promotions() -> tuple[Promotion, ...]:
    """Fifty of all kinds; the first SKU is concerned by a dozen."""
    random = Random(5)
    return tuple(_promotion(number, random) for number in range(PROMOTIONS))


def _promotion(number: int, random: Random) -> Promotion:
    kinds: tuple[Benefit, ...] = (
        AmountOff(steps=(Step(5_000, 300), Step(30_000, 2_000))),
        PercentOff(steps=(Step(1, 100 + number),)),
        AmountOff(steps=(Step(9_000, 500),), every=True, cap=5_000),
        NthPiece(nth=2, off=5_000),
        Gift(sku=SKUS[-1], reach=60_000),
        MemberPrice(prices=((SKUS[number], 9_000),)),
        PointsOff(points=1, share=5_000),
    )
    benefit = kinds[number % len(kinds)]
    across = number % 7 == 2
    skus = (SKUS[0], *random.sample(SKUS[1:], 40)) if number % 4 == 0 else tuple(random.sample(SKUS[1:], 40))
    is_member_price = isinstance(benefit, MemberPrice)
    layer = Layer.POINTS if isinstance(benefit, PointsOff) else Layer.PLATFORM if across else Layer.SHOP
    return Promotion(
        id=f"p-{number:02}",
        label=WORDS,
        benefit=benefit,
        layer=layer,
        goods=Selection() if across or is_member_price else Selection(skus=skus),
        audience=(Audience.MEMBERS,) if is_member_price else (Audience.NEW,) if number % 8 == 0 else (),
        group=f"group-{number % 3}" if number % 5 == 0 else "",
        priority=100 + number % 7,
        limits=PromotionLimits(total=UNITS, budget=10**11) if number % 4 == 0 else PromotionLimits(),
    )


async def totals(app: App, buyer: UUID, skus: list[str]) -> dict[str, int]:
    """What one unit of each costs this shopper."""
    found = {}
    for sku in skus:
        cart = Cart((CartLine(sku, 1),))
        found[sku] = app.pricing.price(cart, await app.pricing.facts_of(cart, buyer, app.clock.now())).total
    return found


async def measured(
    supervisor: Supervisor, app: App, shoppers: list[tuple[dict[str, str], str]], skus: list[str]
) -> float:
    """Orders a second that are durable, at the prices of this moment."""
    session = app.identity.session(shoppers[0][0]["Authorization"].removeprefix("Bearer "))
    assert session is not None
    shown = await totals(app, session.account_id, skus)  # all shoppers are alike: new ones, no members
    before = await durable(app)
    await asyncio.sleep(1.5)  # every process has taken the version up
    await load(supervisor.config.public_url, orders(shoppers, skus, shown), connections=CONNECTIONS, seconds=SECONDS)
    return (await durable(app) - before) / SECONDS


async def main() -> None:
    """Measure in turn and print the table."""
    console = Console(width=120)
    folder = data_folder()
    config = Config.from_env({"TIDEGATE_DATA_DIR": str(folder), "TIDEGATE_PORT": str(PORT)})
    plain = definition(UNITS)
    festive = structs.replace(plain, promotions=promotions())
    found: dict[tuple[str, bool], list[float]] = {}
    try:
        async with festival(config) as supervisor, opened(supervisor.config) as app:
            shoppers = await prepare(app)
            for turn in range(ROUNDS):
                for with_promotions in (False, True) if turn % 2 == 0 else (True, False):
                    await publish(app, festive if with_promotions else plain)
                    for name, skus in (("one hot SKU", SKUS[:1]), ("1,000 SKUs", SKUS)):
                        console.print(f"... round {turn + 1}, {name}, promotions: {with_promotions}", style="dim")
                        rate = await measured(supervisor, app, shoppers, skus)
                        found.setdefault((name, with_promotions), []).append(rate)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    table = Table("Durable orders a second", "without", f"with {PROMOTIONS}", "left")
    for name in ("one hot SKU", "1,000 SKUs"):
        without, withal = (mean(found[name, with_promotions]) for with_promotions in (False, True))
        table.add_row(name, f"{without:,.0f}", f"{withal:,.0f}", f"{withal / without:.0%}")
    console.print(table)


if __name__ == "__main__":
    uvloop.run(main())
