"""Identity on the real servers, with a sandbox SMS gateway, and its JSON doors in a small application."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient
from litestar import Litestar, Request, Response
from litestar.di import Provide

from tidegate.base.cache import Cache
from tidegate.base.clock import ManualClock
from tidegate.base.config import Config
from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.base.http import PROBLEM, problem
from tidegate.base.ids import Ids
from tidegate.trust.identity.api import Identity, build_identity
from tidegate.trust.identity.contracts import Address, Session
from tidegate.trust.identity.http import dependencies, routes

PHONE = "138 0013 1234"
CLIENT = "203.0.113.9"


@pytest.fixture
def identity(config: Config, db: Database, cache: Cache, clock: ManualClock, ids: Ids) -> Identity:
    """Identity as an example festival has it."""
    return build_identity(config, db=db, cache=cache, clock=clock, ids=ids)


@pytest.fixture
def address() -> Address:
    """A good address."""
    return Address(
        name="张三",
        phone="+8613800131234",
        province="浙江省",
        city="杭州市",
        district="西湖区",
        street="文三路 90 号 2 幢 301",
    )


async def signed_in(identity: Identity, phone: str = PHONE, device: str = "Tests/1.0") -> Session:
    """Sign a shopper in as a person would: ask for a code, read it, send it back."""
    await identity.request_code(phone, CLIENT)
    code = await identity.sandbox_code(phone)
    assert code is not None
    return await identity.sign_in(phone, code, device, CLIENT)


@pytest.fixture
async def session(identity: Identity) -> Session:
    """A signed-in shopper."""
    return await signed_in(identity)


def refused(request: Request[Any, Any, Any], refusal: Refusal) -> Response[bytes]:
    """Render a refusal."""
    return Response(problem(refusal), status_code=refusal.status, media_type=PROBLEM)


@pytest.fixture
def doors(identity: Identity, db: Database) -> Litestar:
    """Identity's JSON doors in a small application."""
    return Litestar(
        route_handlers=list(routes),
        dependencies={
            "db": Provide(lambda: db, sync_to_thread=False),
            "identity": Provide(lambda: identity, sync_to_thread=False),
            **dependencies,
        },
        exception_handlers={Refusal: refused},
        logging_config=None,
    )


@pytest.fixture
async def client(doors: Litestar) -> AsyncIterator[AsyncClient]:
    """A client of these doors, in the test's own event loop."""
    transport = ASGITransport(app=doors)  # type: ignore[arg-type]  # Litestar's scope type is narrower than httpx's
    async with AsyncClient(transport=transport, base_url="http://shop.example.com") as opened:
        yield opened
