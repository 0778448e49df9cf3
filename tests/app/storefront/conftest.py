"""A shop over HTTP, in this process: a small festival, open, and a client that behaves like a browser."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.app.framework import framework_of
from tests.offer.festivals import coupon, goods, offer
from tests.offer.festivals import definition as festival
from tests.sale.shop import Buyer, buyers, open_sale, publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.offer.campaign.contracts import OfferKind
from tidegate.trust.identity.api import SESSION_COOKIE

ORIGIN = "http://shop.test"


@pytest.fixture
async def shop(app: App, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    """The open shop: A at 80.00 (list 100.00), FLASH at 10.00 with one a buyer, 5 in all."""
    await publish(
        app,
        festival(
            entries=[goods("A"), goods("B"), goods("FLASH", 5_000)],
            offers=[offer("A"), offer("B", 9_000), offer("FLASH", 1_000, kind=OfferKind.FLASH, quota=5, per_buyer=1)],
            coupons=[coupon("TIDE50")],
        ),
    )
    open_sale(clock)
    async with visitor(app) as client:
        yield client


def visitor(app: App, *, language: str = "en") -> httpx.AsyncClient:
    """A browser that nobody has used yet."""
    headers = {"Accept": "text/html", "Accept-Language": language, "Origin": ORIGIN}
    transport = httpx.ASGITransport(app=framework_of(app))  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers)


@pytest.fixture
async def buyer(app: App, shop: httpx.AsyncClient) -> Buyer:
    """A shopper with an address, signed in at `shop`."""
    [one] = await buyers(app, 1)
    shop.cookies.set(SESSION_COOKIE, one.token)
    return one
