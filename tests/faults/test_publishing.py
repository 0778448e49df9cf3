"""A new version is published while orders flow: every request is answered, with an order or with a stated refusal."""

import asyncio
from collections import Counter
from itertools import count
from uuid import uuid4

import aiohttp
import msgspec
import pytest

from tests.faults.flood import PRICE, STEADY, Shopper, festival_of_now, open_shop, settings
from tests.sale.shop import publish
from tidegate.app.compose import App, opened
from tidegate.app.supervisor import festival
from tidegate.offer.campaign.contracts import CampaignDefinition

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("flood")]

SHOPPERS = 24
PRICES = (PRICE - 100, PRICE - 200, PRICE - 300)
"""Of the versions that are published one after the other while PRICE is what the first one asks."""
BETWEEN_SECONDS = 1.2


class Answers:
    """What shoppers and onlookers were answered."""

    def __init__(self) -> None:
        self.orders: Counter[int] = Counter()
        """Orders by what they cost."""
        self.refused: Counter[str] = Counter()
        self.looks: Counter[int] = Counter()
        self.dropped: list[str] = []
        """Requests that got no answer."""
        self.wrong: list[str] = []


async def test_a_new_version_is_taken_up_within_seconds_and_no_request_is_dropped() -> None:
    with settings(TIDEGATE_HOLD_SECONDS="600", TIDEGATE_WAIT_TARGET_MS="0") as config:
        async with festival(config) as supervisor, opened(supervisor.config) as app:
            first = festival_of_now()
            shoppers = await open_shop(app, SHOPPERS)
            answers, stop = Answers(), asyncio.Event()
            async with aiohttp.ClientSession(config.public_url) as session:
                await _taken_up(session)
                buying = [_buy(session, each, answers, stop) for each in shoppers]
                looking = [_look(session, path, answers, stop) for path in ("/", "/rules", "/api/v1/stock?skus=HOT-1")]
                traffic = asyncio.gather(*buying, *looking)
                await _publish_in_turn(app, first, answers)
                stop.set()
                await traffic
            assert (answers.dropped, answers.wrong) == ([], [])
            assert set(answers.orders) == {PRICE, *PRICES}
            assert set(answers.refused) - {"/problems/overloaded"} == {"/problems/price-changed"}
            assert set(answers.looks) == {200}
            async with app.db.snapshot() as tx:
                examination = await app.monitor.doctor(tx)
            assert [f"{check.name}: {check.detail}" for check in examination.broken] == []


async def _taken_up(session: aiohttp.ClientSession) -> None:
    """Wait until the web process knows the first version."""
    async with asyncio.timeout(10):
        while (await session.get("/api/v1/campaign")).status != 200:
            await asyncio.sleep(0.1)


async def _publish_in_turn(app: App, first: CampaignDefinition, answers: Answers) -> None:
    """Publish one version after the other, each once orders have flowed at the price of the one before."""
    await asyncio.sleep(BETWEEN_SECONDS)
    for price in PRICES:
        offers = [msgspec.structs.replace(each, price=price) for each in first.offers]
        await publish(app, msgspec.structs.replace(first, offers=tuple(offers)))
        async with asyncio.timeout(10):  # "within seconds"
            while answers.orders[price] < SHOPPERS:
                await asyncio.sleep(0.05)
        await asyncio.sleep(BETWEEN_SECONDS)


async def _buy(session: aiohttp.ClientSession, shopper: Shopper, answers: Answers, stop: asyncio.Event) -> None:
    """Order one unit again and again, at the price that was heard last."""
    price = PRICE
    for number in count():
        if stop.is_set():
            return
        sku = STEADY[number % len(STEADY)]
        order = {
            "lines": [{"sku": sku, "quantity": 1}],
            "address_id": str(shopper.address_id),
            "expected_total": price,
        }
        headers = {**shopper.headers, "Idempotency-Key": uuid4().hex}
        try:
            async with session.post("/api/v1/orders", json=order, headers=headers) as answer:
                told = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError) as fault:
            answers.dropped.append(repr(fault))
            continue
        match answer.status:
            case 201 if told["total"] == price:
                answers.orders[price] += 1
            case 409 | 503:
                answers.refused[told["type"]] += 1
                price = told.get("total", price)
            case _:
                answers.wrong.append(f"{answer.status} {told}")
        await asyncio.sleep(0.02)


async def _look(session: aiohttp.ClientSession, path: str, answers: Answers, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            async with session.get(path) as answer:
                await answer.read()
        except (aiohttp.ClientError, TimeoutError) as fault:
            answers.dropped.append(repr(fault))
        else:
            answers.looks[answer.status] += 1
        await asyncio.sleep(0.05)
