"""The JSON doors of campaign and pricing, served on the real database."""

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from httpx import ASGITransport, AsyncClient
from litestar import Litestar, Request, Response
from litestar.di import Provide

from tidegate.base.clock import ManualClock
from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.base.http import PROBLEM, problem
from tidegate.base.outbox import Outbox
from tidegate.offer.campaign import http as campaign_http
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.pricing import http as pricing_http
from tidegate.offer.pricing.api import Pricing


@pytest.fixture
def campaign(clock: ManualClock) -> Campaign:
    """The campaign module."""
    return Campaign(clock, Outbox())


@pytest.fixture
def pricing(campaign: Campaign) -> Pricing:
    """The pricing module."""
    return Pricing(campaign)


def refused(_: Request[Any, Any, Any], refusal: Refusal) -> Response[bytes]:
    """A refusal as a problem document."""
    return Response(problem(refusal), status_code=refusal.status, media_type=PROBLEM)


def always(value: object) -> Provide:
    """A dependency that is there already."""

    def give() -> object:
        return value

    return Provide(give, sync_to_thread=False)


@pytest.fixture
async def client(db: Database, clock: ManualClock, campaign: Campaign, pricing: Pricing) -> AsyncIterator[AsyncClient]:
    """Speaks to the doors; nobody is signed in."""
    given = {"db": db, "clock": clock, "campaign": campaign, "pricing": pricing, "maybe_account": None}
    site = Litestar(
        route_handlers=[*campaign_http.routes, *pricing_http.routes],
        dependencies={name: always(value) for name, value in given.items()},
        exception_handlers={Refusal: refused},
    )
    async with AsyncClient(transport=ASGITransport(cast("Any", site)), base_url="http://shop") as connected:
        yield connected
