"""A publication has the edge purged: by a job, after the processes have the version, again until it is taken."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import msgspec
import pytest

from tests.gate.edge.caches import Server, Varnish, serving
from tests.offer.festivals import definition, offer
from tests.sale.shop import publish
from tidegate.app.compose import App, compose
from tidegate.base.clock import ManualClock
from tidegate.base.config import Config
from tidegate.base.ids import Ids
from tidegate.gate.edge import jobs as edge_jobs
from tidegate.gate.edge.api import TRIES_MAX
from tidegate.gate.edge.commands import state_of
from tidegate.gate.edge.contracts import Kind
from tidegate.gate.edge.errors import EdgeNoPage, EdgeNotSet, PurgeRefused
from tidegate.watch.monitor.contracts import Announcement, Level

FRONT = ["/", "/?category=flash", "/?category=kitchen", "/rules", "/privacy", "/licence", "/complaint"]


@pytest.fixture
def cache() -> Iterator[Server]:
    """A cache that takes PURGE."""
    with serving(Varnish) as server:
        yield server


@pytest.fixture
async def shop(config: Config, clock: ManualClock, ids: Ids, cache: Server) -> AsyncIterator[App]:
    """A shop behind that cache."""
    behind = msgspec.structs.replace(config, edge_purge="method", edge_urls=(cache.url,), public_url="http://shop")
    app = compose(behind, clock=clock, ids=ids)
    await app.open()
    yield app
    await app.close()


async def heard_of(app: App) -> None:
    """Carry the events of everything so far."""
    for subscriber in ("edge", "monitor"):
        while await app.outbox.deliver(app.db, subscriber):
            pass


async def news(app: App) -> list[Announcement]:
    """What the live page tells of the edge, oldest first."""
    await heard_of(app)
    async with app.db.read() as tx:
        return [each for each in reversed(await app.monitor.feed(tx)) if each.kind.startswith("edge-")]


def purged(cache: Server) -> set[str]:
    """The pages that the cache was asked to forget."""
    return {each.path for each in cache.heard if each.method == "PURGE"}


async def test_a_publication_is_purged_when_every_process_has_it(shop: App, cache: Server, clock: ManualClock) -> None:
    await publish(shop, definition([offer("A"), offer("B")]))
    await heard_of(shop)
    async with shop.db.read() as tx:
        [asked] = await shop.edge.purges(tx)
        row = await tx.execute("select scheduled_at, args from procrastinate.procrastinate_jobs")
        [job] = await row.fetchall()
    assert (state_of(asked), asked.tries) == ("waits", 0)
    assert job == (clock.now() + timedelta(seconds=5), {"purge_id": asked.purge_id})
    assert cache.heard == []

    await shop.edge.purge_published(shop.db, asked.purge_id)
    assert purged(cache) >= {*FRONT, "/goods/A", "/goods/B"}
    async with shop.db.read() as tx:
        [done] = await shop.edge.purges(tx)
    assert (state_of(done), done.tries, done.pages) == ("done", 1, len(purged(cache)))
    [told] = await news(shop)
    assert (told.level, told.kind, told.facts["pages"]) == (Level.INFO, "edge-purged", done.pages)

    cache.heard.clear()
    await shop.edge.purge_published(shop.db, asked.purge_id)
    assert cache.heard == [], "a job that runs again finds it done"


async def test_the_next_publication_purges_what_changed_since_the_last_that_was_done(shop: App, cache: Server) -> None:
    for offers in ([offer("A"), offer("B")], [offer("A", 7_900), offer("B")], [offer("A", 7_900), offer("B", 7_900)]):
        await publish(shop, definition(offers))
    await heard_of(shop)
    async with shop.db.read() as tx:
        third, second, first = await shop.edge.purges(tx)
    await shop.edge.purge_published(shop.db, first.purge_id)
    cache.heard.clear()
    await shop.edge.purge_published(shop.db, second.purge_id)
    assert {path for path in purged(cache) if path.startswith("/goods/")} == {"/goods/A"}

    cache.heard.clear()
    async with shop.db.transaction() as tx:
        await tx.execute("update edge.purge set done_at = null, gave_up_at = now() where version = 2")
    await shop.edge.purge_published(shop.db, third.purge_id)
    assert {path for path in purged(cache) if path.startswith("/goods/")} == {"/goods/A", "/goods/B"}


async def test_a_refused_purge_is_told_tried_again_and_told_when_it_is_done(shop: App, cache: Server) -> None:
    shop.edge._settled = timedelta(days=-365)  # the job's own clock is the database's
    cache.refusals, cache.refuses_with = 1, 405
    await publish(shop, definition([offer("A")]))
    await heard_of(shop)
    edge_jobs.schedule(shop.jobs, shop.db, shop.edge)
    working = asyncio.create_task(shop.jobs.run())
    try:
        async with asyncio.timeout(30):
            while len(told := await news(shop)) < 2:
                await asyncio.sleep(0.1)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    assert [(each.level, each.kind) for each in told] == [(Level.WATCH, "edge-not-purged"), (Level.GOOD, "edge-purged")]
    assert "answered HTTP 405" in str(told[0].facts["fault"])
    assert told[1].facts["tries"] == 2


async def test_after_the_last_try_it_is_given_up_and_somebody_is_to_act(shop: App, cache: Server) -> None:
    cache.refusals, cache.refuses_with = 10_000, 500
    await publish(shop, definition([offer("A")]))
    await heard_of(shop)
    with pytest.raises(PurgeRefused):
        await shop.edge.purge_published(shop.db, 1)
    async with shop.db.transaction() as tx:
        await tx.execute("update edge.purge set tries = %s", [TRIES_MAX - 2])
    for _ in range(2):
        with pytest.raises(PurgeRefused):
            await shop.edge.purge_published(shop.db, 1)
    await shop.edge.purge_published(shop.db, 1)
    async with shop.db.read() as tx:
        [purge] = await shop.edge.purges(tx)
    assert (state_of(purge), purge.tries) == ("given up", TRIES_MAX)
    assert [(each.level, each.kind) for each in await news(shop)] == [
        (Level.WATCH, "edge-not-purged"),
        (Level.ACT, "edge-purge-given-up"),
    ]


async def test_by_hand_named_pages_or_all_of_the_campaign(shop: App, cache: Server) -> None:
    await publish(shop, definition([offer("A")]))
    assert await shop.edge.purge(["/rules"]) == 1
    assert purged(cache) == {"/rules"}
    assert await shop.edge.purge() == len(purged(cache))
    assert purged(cache) >= {*FRONT, "/goods/A"}
    with pytest.raises(EdgeNoPage):
        await shop.edge.purge(["https://elsewhere.example/"])


async def test_without_a_way_to_purge_a_publication_asks_nothing(app: App) -> None:
    await publish(app, definition([offer("A")]))
    await heard_of(app)
    async with app.db.read() as tx:
        assert await app.edge.purges(tx) == []
    with pytest.raises(EdgeNotSet):
        await app.edge.purge(["/rules"])


async def test_what_is_warmed_is_files_pictures_and_pages_of_everyone_in_both_languages(app: App) -> None:
    await publish(app, definition([offer("A"), offer("B")]))
    version = app.campaign.current()
    assert version is not None
    asks = app.edge.to_warm(version)
    assert [each.kind for each in asks] == sorted((each.kind for each in asks), key=list(Kind).index)
    pages = {(each.path, each.language) for each in asks if each.kind is Kind.PAGE}
    assert pages >= {(path, language) for path in (*FRONT, "/goods/A", "/goods/B") for language in ("zh", "en")}
    own = ("/orders", "/line", "/cart", "/checkout", "/sign-in", "/console")
    assert not [path for path, _ in pages if path.startswith(own)]
    assert len({each.path for each in asks if each.kind is Kind.PICTURE}) in {3, 6}
    assert {each.language for each in asks if each.kind is not Kind.PAGE} == {""}
