"""`tidegate edge` at the command line: what it prints, and how it ends."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from click.testing import CliRunner, Result

from tests.gate.edge.caches import Server, Varnish, serving
from tests.offer.festivals import definition, offer
from tests.sale.shop import publish
from tidegate.app.compose import App, opened
from tidegate.base.config import Config
from tidegate.gate.edge.commands import KindWarmed, group
from tidegate.gate.edge.contracts import Kind, Purge

Ask = Callable[..., Result]


@pytest.fixture
def cache() -> Iterator[Server]:
    """A cache that takes PURGE."""
    with serving(Varnish) as server:
        yield server


@pytest.fixture
def ask(config: Config, cache: Server) -> Ask:
    """Call `tidegate edge` in a shop behind that cache, which sells A."""
    behind = msgspec.structs.replace(config, edge_purge="method", edge_urls=(cache.url,), public_url="http://shop")

    @asynccontextmanager
    async def installation() -> AsyncIterator[App]:
        async with opened(behind) as app:
            yield app

    async def sell() -> None:
        async with installation() as app:
            await publish(app, definition([offer("A")]))
            await app.outbox.deliver(app.db, "edge")

    asyncio.run(sell())
    return lambda *words: CliRunner().invoke(group(installation), list(words))


def test_prewarm_reports_what_the_edge_said_and_ends_with_1_where_something_failed(ask: Ask, cache: Server) -> None:
    quick = ("prewarm", "--a-second", "10000", "--json")
    first, again = ask(*quick), ask(*quick)
    assert (first.exit_code, again.exit_code) == (0, 0), first.output
    missed, had = (msgspec.json.decode(each.stdout, type=list[KindWarmed]) for each in (first, again))
    assert [each.kind for each in missed] == list(Kind)
    assert all(each.miss == each.asked > 0 for each in missed)
    assert all(each.hit == each.asked > 0 for each in had)

    cache.private, cache.gone = {"/rules"}, {"/goods/A"}
    told = ask("prewarm", "--a-second", "10000")
    assert told.exit_code == 1
    assert f"{cache.url}/rules is not for everyone" in told.stdout
    assert f"{cache.url}/goods/A HTTP 404" in told.stdout


def test_purge_and_status_say_what_was_done(ask: Ask, cache: Server) -> None:
    told = ask("purge", "/rules", "/")
    assert (told.exit_code, told.stdout) == (0, "The edge forgot 2 pages.\n")
    assert {each.path for each in cache.heard} == {"/rules", "/"}
    [waiting] = msgspec.json.decode(ask("status", "--json").stdout, type=list[Purge])
    assert (waiting.version, waiting.tries, waiting.done_at) == (1, 0, None)
    assert "waits" in ask("status").stdout
