"""While only the essentials are served: cached pages and the money path go on, all else gets a small 503."""

from collections.abc import AsyncIterator

import msgspec
import pytest
from httpx import ASGITransport, AsyncClient

from tests.app.framework import framework_of
from tests.gate.defence.test_api import PASSWORD, rule
from tests.offer.festivals import definition, offer
from tests.sale.shop import publish
from tidegate.app.api.hot import Front
from tidegate.app.compose import App
from tidegate.gate.defence.contracts import Defence, StartDefence, UndoDefence
from tidegate.trust.identity.contracts import Role, Staff


@pytest.fixture
async def officer(app: App) -> Staff:
    festival = msgspec.structs.replace(definition([offer("A")]), defences=(rule("static", Defence.STATIC_ONLY),))
    await publish(app, festival)
    async with app.db.transaction() as tx:
        officer = await app.identity.add_staff(tx, "officer", Role.RISK, PASSWORD)
        await app.defences.start(tx, officer, "static", StartDefence(reason="too much of everything"))
    await app.refresh()
    return officer


@pytest.fixture
async def client(app: App, officer: Staff) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(transport=ASGITransport(Front(app, framework_of(app))), base_url="http://shop") as client:  # type: ignore[arg-type]
        yield client


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200), ("/rules", 200), ("/goods/A", 200), ("/goods/A/price?quantity=2", 200), ("/api/v1/campaign", 200),
        ("/api/v1/stock?skus=A", 200), ("/sign-in?next=/", 200), ("/orders", 303), ("/api/v1/orders", 401),
        ("/reservations", 303), ("/api/v1/presales/reservations", 401), ("/api/v1/presales", 200),
        ("/groups", 200), ("/api/v1/groups", 401), ("/cart", 200),
        ("/api/v1/defences", 401), ("/health/live", 200), ("/console/sign-in", 200),
    ],
)  # fmt: skip
async def test_cached_pages_the_money_path_and_staff_go_on(client: AsyncClient, path: str, status: int) -> None:
    assert (await client.get(path, headers={"Accept": "text/html"})).status_code == status


@pytest.mark.parametrize(
    "path",
    ["/search?q=kettle", "/?category=kitchen", "/?x=1", "/api/v1/search?q=kettle", "/wp-login.php", "/api/v1/goods?x=1",
     "/ordersx", "/api/v1/campaign/versions", "/openapi.json", "/line/draws/drop",
     "/api/v1/queue/sealed?campaign_id=drop"],
)  # fmt: skip
async def test_all_else_waits(client: AsyncClient, path: str) -> None:
    page = await client.get(path, headers={"Accept": "text/html"})
    problem = await client.get(path)
    for answer in (page, problem):
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "30"
        assert answer.headers["Cache-Control"] == "no-store"
        assert len(answer.content) < 1_500
    assert problem.json()["type"] == "/problems/static-only"
    if not path.startswith("/api/"):
        assert "您的订单不受影响" in page.text


async def test_what_it_refuses_is_no_failure_and_it_ends_with_an_undo(
    app: App, client: AsyncClient, officer: Staff
) -> None:
    app.defences.tally.take()
    await client.post("/", content=b"x")
    await client.head("/search")
    counts = app.defences.tally.take()
    assert (counts.requests, counts.failures, counts.held_off) == (2, 0, 2)
    async with app.db.transaction() as tx:
        await app.defences.undo(tx, officer, "static", UndoDefence(reason="it is over"))
    await app.refresh()
    assert (await client.get("/search?q=kettle")).status_code == 200
