"""Purging over HTTP as caches and CDNs document it."""

from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from tests.gate.edge.caches import TOKEN, Cloudflare, Fastly, Server, Varnish, serving
from tidegate.base.config import Config
from tidegate.gate.edge.adapters.purging import purger_of
from tidegate.gate.edge.contracts import PAGES_TAG
from tidegate.gate.edge.errors import PurgeRefused

PUBLIC_URL = "https://shop.example"


def settings(way: str, url: str = "", *, edges: Sequence[str] = (), token: str = TOKEN) -> Config:
    """Settings of an installation whose edge is purged this way."""
    return Config(
        data_dir=Path("nowhere"),
        secret=b"a secret of the tests, long enough",
        public_url=PUBLIC_URL,
        edge_urls=tuple(edges),
        edge_purge=way,
        edge_purge_url=url,
        edge_purge_token=token,
    )


async def purged(config: Config, paths: Sequence[str]) -> None:
    """Purge these pages in the way of the settings."""
    purger = purger_of(config)
    assert purger is not None
    await purger.purge(paths)


def test_without_a_way_there_is_none() -> None:
    assert purger_of(settings("")) is None


async def test_every_cache_forgets_every_copy_of_a_page_and_no_other() -> None:
    with serving(Varnish) as one, serving(Varnish) as other:
        for server in (one, other):
            fill(server)
        await purged(settings("method", edges=[one.url, other.url]), ["/rules"])
        assert one.kept == other.kept == {("/", "zh", "br")}
        assert {(each.method, each.path, each.headers["host"]) for each in one.heard[-9:]} == {
            ("PURGE", "/rules", "shop.example")
        }


def fill(server: Server) -> None:
    """Have a cache keep two copies of one page, and another page."""
    for path, language, encoding in (("/rules", "zh", "br"), ("/rules", "en", "gzip"), ("/", "zh", "br")):
        httpx.get(server.url + path, headers={"Accept-Language": language, "Accept-Encoding": encoding})
    assert len(server.kept) == 3


async def test_a_cache_that_does_not_allow_it_is_named() -> None:
    with serving(Varnish) as cache:
        cache.refusals, cache.refuses_with = 100, 405
        with pytest.raises(PurgeRefused, match=rf"{cache.url}/rules answered HTTP 405"):
            await purged(settings("method", edges=[cache.url]), ["/rules"])


async def test_a_cache_that_says_it_is_too_much_is_asked_again() -> None:
    with serving(Varnish) as cache:
        fill(cache)
        cache.refusals, cache.refuses_with = 3, 429
        await purged(settings("method", edges=[cache.url]), ["/rules"])
        assert cache.kept == {("/", "zh", "br")}


async def test_a_cache_that_is_away_is_named() -> None:
    with serving(Varnish) as cache:
        away = cache.url
    with pytest.raises(PurgeRefused, match=rf"{away} does not answer"):
        await purged(settings("method", edges=[away]), ["/"])


async def test_cloudflare_takes_thirty_addresses_a_request() -> None:
    with serving(Cloudflare) as cdn:
        await purged(settings("cloudflare-urls", f"{cdn.url}/zones/z/purge_cache"), [f"/goods/{n}" for n in range(61)])
        assert [len(each.body["files"]) for each in cdn.heard] == [30, 30, 1]
        assert cdn.heard[0].body["files"][0] == f"{PUBLIC_URL}/goods/0"
        assert {each.path for each in cdn.heard} == {"/zones/z/purge_cache"}


async def test_cloudflare_forgets_all_pages_by_their_tag() -> None:
    with serving(Cloudflare) as cdn:
        await purged(settings("cloudflare-tags", f"{cdn.url}/zones/z/purge_cache"), ["/", "/rules"])
        assert [each.body for each in cdn.heard] == [{"tags": [PAGES_TAG]}]


async def test_what_cloudflare_complains_of_is_said_and_the_token_is_not() -> None:
    with serving(Cloudflare) as cdn:
        wrong = settings("cloudflare-urls", f"{cdn.url}/zones/z/purge_cache", token="another one")
        with pytest.raises(PurgeRefused, match="HTTP 403: Authentication error") as refusal:
            await purged(wrong, ["/"])
        assert "another one" not in refusal.value.detail


async def test_an_answer_that_is_no_json_is_not_taken_for_done() -> None:
    with serving(Varnish) as portal, pytest.raises(PurgeRefused, match="answered HTTP 501"):
        await purged(settings("cloudflare-urls", portal.url), ["/"])


async def test_fastly_forgets_all_pages_by_their_key() -> None:
    with serving(Fastly) as cdn:
        await purged(settings("fastly-keys", f"{cdn.url}/service/s/purge"), ["/"])
        assert [(each.path, each.body) for each in cdn.heard] == [("/service/s/purge", {"surrogate_keys": [PAGES_TAG]})]
        with pytest.raises(PurgeRefused, match="HTTP 401"):
            await purged(settings("fastly-keys", f"{cdn.url}/service/s/purge", token="wrong"), ["/"])
