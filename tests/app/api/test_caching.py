"""Who may keep an answer: what says nothing is nobody's to keep, on every door that a stranger can open."""

from collections.abc import AsyncIterator

import msgspec
import pytest
from httpx import ASGITransport, AsyncClient

from tests.app.framework import framework_of
from tests.offer.festivals import START, definition, offer
from tests.sale.shop import buyers, publish
from tidegate.app.api.caching import private_unless_stated, tag_pages
from tidegate.app.api.hot import Front
from tidegate.app.compose import App, compose
from tidegate.base.clock import ManualClock
from tidegate.base.config import Config
from tidegate.base.ids import Ids
from tidegate.trust.identity.api import SESSION_COOKIE


def test_what_is_stated_stays() -> None:
    stated = [(b"Cache-Control", b"public")]
    private_unless_stated(stated)
    assert stated == [(b"Cache-Control", b"public")]
    silent = [(b"content-type", b"text/html")]
    private_unless_stated(silent)
    assert silent == [(b"content-type", b"text/html"), (b"cache-control", b"private, no-store")]


def test_a_page_of_everyone_is_tagged_and_nothing_else() -> None:
    tag = (b"cache-tag", b"tidegate-pages")
    for stated, tagged in ((b"public, s-maxage=2", True), (b"private, no-store", False), (b"public, immutable", False)):
        headers = [(b"cache-control", stated)]
        tag_pages(headers, tag)
        assert (tag in headers) is tagged
        tag_pages(headers, None)
        assert len(headers) == 1 + tagged


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


async def test_an_edge_that_is_purged_by_tag_finds_it_on_every_page_of_everyone(config: Config, ids: Ids) -> None:
    app = compose(msgspec.structs.replace(config, edge_purge="fastly-keys"), clock=ManualClock(START), ids=ids)
    await app.open()
    try:
        await publish(app, definition([offer("A")]))
        site = Front(app, framework_of(app))
        async with AsyncClient(transport=ASGITransport(site), base_url="http://shop") as client:  # type: ignore[arg-type]
            tags = {
                path: (await client.get(path)).headers.get("surrogate-key") for path in ("/", "/goods/A", "/orders")
            }
    finally:
        await app.close()
    assert tags == {"/": "tidegate-pages", "/goods/A": "tidegate-pages", "/orders": None}


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
