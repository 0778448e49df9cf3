"""Who may keep an answer: what says nothing is nobody's to keep, on every door that a stranger can open."""

from collections.abc import AsyncIterator

import pytest
from httpx import ASGITransport, AsyncClient

from tests.app.framework import framework_of
from tests.offer.festivals import definition, offer
from tests.sale.shop import buyers, publish
from tidegate.app.api.caching import private_unless_stated
from tidegate.app.api.hot import Front
from tidegate.app.compose import App
from tidegate.trust.identity.api import SESSION_COOKIE


def test_what_is_stated_stays() -> None:
    stated = [(b"Cache-Control", b"public")]
    private_unless_stated(stated)
    assert stated == [(b"Cache-Control", b"public")]
    silent = [(b"content-type", b"text/html")]
    private_unless_stated(silent)
    assert silent == [(b"content-type", b"text/html"), (b"cache-control", b"private, no-store")]


@pytest.fixture
async def client(app: App) -> AsyncIterator[AsyncClient]:
    await publish(app, definition([offer("A")]))
    site = Front(app, framework_of(app))
    async with AsyncClient(transport=ASGITransport(site), base_url="http://shop") as client:  # type: ignore[arg-type]
        yield client


@pytest.mark.parametrize(
    ("path", "kept_seconds"),
    [
        ("/", 2), ("/rules", 2), ("/goods/A", 2), ("/search?q=A", 2), ("/licence", 2), ("/privacy", 2),
        ("/api/v1/campaign", 1), ("/api/v1/stock?skus=A", 1), ("/api/v1/campaign/rules", None),
        ("/api/v1/categories", None), ("/api/v1/goods/A", None),
    ],
)  # fmt: skip
async def test_what_is_the_same_for_everyone_may_be_kept(
    client: AsyncClient, path: str, kept_seconds: int | None
) -> None:
    stated = (await client.get(path)).headers["Cache-Control"]
    assert "public" in stated
    assert ("max-age=5" if kept_seconds is None else f"s-maxage={kept_seconds}") in stated


@pytest.mark.parametrize(
    "path",
    ["/orders", "/goods/A", "/checkout?sku=A", "/sign-in", "/api/v1/orders", "/api/v1/me", "/api/v1/addresses",
     "/api/v1/sessions", "/api/v1/defences", "/health/live", "/metrics", "/nothing/here", "/api/v1/campaign/versions"],
)  # fmt: skip
async def test_what_is_somebodys_own_may_not(app: App, client: AsyncClient, path: str) -> None:
    [buyer] = await buyers(app, 1)
    client.cookies.set(SESSION_COOKIE, buyer.token)
    stated = (await client.get(path)).headers.get_list("Cache-Control")
    assert len(stated) == 1
    assert "no-store" in stated[0]
