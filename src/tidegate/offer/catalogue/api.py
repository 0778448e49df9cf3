"""What the rest of Tidegate asks of the catalogue."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from tidegate.base.clock import Clock
from tidegate.base.db import Tx
from tidegate.base.invariant import Check
from tidegate.offer.campaign.contracts import CampaignDefinition
from tidegate.offer.catalogue import pictures, rules, store
from tidegate.offer.catalogue.contracts import Category, Goods, GoodsPage, Revision, SearchResult, Sku
from tidegate.offer.catalogue.errors import CategoryNotFound, GoodsNotFound, GoodsRefused, PictureNotFound
from tidegate.offer.catalogue.search import SearchReader, SearchWriter
from tidegate.offer.catalogue.shelf import WHOLE_MAX, Shelf

GOODS_PER_CALL_MAX: Final = 5_000
_BATCH: Final = 5_000
_REBUILD_FROM: Final = 20_000

Progress = Callable[[int, int], None]


class Catalogue:
    """The goods of the shop. Reads answer from memory and follow the database within a second (`refresh`)."""

    def __init__(self, clock: Clock, data_dir: Path, *, whole_max: int = WHOLE_MAX) -> None:
        self._clock = clock
        self._media = data_dir / "media"
        self._reader = SearchReader(data_dir / "search")
        self._writer = SearchWriter(data_dir / "search")
        self._shelf = Shelf(whole_max)
        self._revision: Revision | None = None
        self._drawing = asyncio.Lock()

    @property
    def revision(self) -> int:
        """The revision that this process knows; part of the validators of pages."""
        return self._revision.number if self._revision else 0

    async def put_goods(self, tx: Tx, goods: Sequence[Goods]) -> int:
        """Add goods or replace those of the same SKU; return how many were new or different.

        All or nothing: raises GoodsRefused, with what is wrong, before anything is written. The same goods again
        change nothing, not even the revision.
        """
        unique = {each.sku: each for each in goods}
        for each in unique.values():
            if faults := rules.faults_of(each):
                raise GoodsRefused(each.sku, faults)
        changed = 0
        number: int | None = None
        for batch in _batches(list(unique.values())):
            different = await store.changed_among(tx, batch)
            if different:
                number = number or await store.next_revision(tx, self._clock.now())
                await store.put(tx, [each for each in batch if each.sku in different], number)
                changed += len(different)
        return changed

    async def put_campaign_goods(self, tx: Tx, definition: CampaignDefinition) -> int:
        """Take over the goods that a campaign's definition brings along; return how many were new or different."""
        return await self.put_goods(tx, goods_of_campaign(definition))

    async def withdraw_goods(self, tx: Tx, skus: Sequence[str]) -> int:
        """Take goods off sale, so that nobody finds them any more; return how many were on sale until now."""
        on_sale = await store.on_sale_among(tx, skus)
        if on_sale:
            await store.withdraw(tx, on_sale, await store.next_revision(tx, self._clock.now()), self._clock.now())
        return len(on_sale)

    async def refresh(self, tx: Tx) -> bool:
        """Follow what changed since; return whether anything did. Every process calls this once a second."""
        index_moved = self._reader.refresh()
        known, now = self._revision, await store.revision(tx)
        if known is not None and (known.identity, known.number) == (now.identity, now.number):
            return index_moved
        if known is None or known.identity != now.identity or not await self._follow(tx, known.number):
            await self._load(tx)
        self._revision = now
        return True

    async def _follow(self, tx: Tx, number: int) -> bool:
        """Apply what changed after revision `number`; False when that is so much that loading anew is cheaper."""
        if await store.changed_count(tx, number) > self._shelf.goods_max:
            return False
        changed, gone = await store.changed_after(tx, number)
        self._shelf.change(changed, gone)
        if not self._shelf.whole:
            self._shelf.count(await store.category_counts(tx))
        return len(self._shelf) <= self._shelf.goods_max

    async def _load(self, tx: Tx) -> None:
        counts = await store.category_counts(tx)
        if sum(counts.values()) <= self._shelf.goods_max:
            self._shelf.fill(await store.page(tx, None, self._shelf.goods_max, 0))
        else:
            self._shelf.empty(counts)

    async def goods(self, tx: Tx, sku: str) -> Goods:
        """The goods of this SKU that are on sale, at most a second old. Raises GoodsNotFound."""
        if (at_hand := self._shelf.get(sku)) is not None:
            return at_hand
        found = await store.goods_among(tx, [sku], withdrawn=False)
        if not found:
            raise GoodsNotFound(sku)
        self._shelf.keep(found)
        return found[0]

    def at_hand(self, sku: str) -> Goods | None:
        """The goods of this SKU if this process has them in memory; no I/O. All goods of a festival are."""
        return self._shelf.get(sku)

    async def goods_of(self, tx: Tx, skus: Iterable[str]) -> dict[Sku, Goods]:
        """Goods by SKU, also withdrawn ones (orders name them for ever); unknown SKUs are left out."""
        wanted = set(skus)
        found = {goods.sku: goods for sku in wanted if (goods := self._shelf.get(sku)) is not None}
        missing = sorted(wanted - set(found))[:GOODS_PER_CALL_MAX]
        if missing:
            read = await store.goods_among(tx, missing, withdrawn=True)
            found |= {goods.sku: goods for goods in read}
        return found

    async def browse(self, tx: Tx, category: str | None = None, page: int = 1, limit: int = 24) -> GoodsPage:
        """A page of the goods on sale, of one category or of all. Raises PageOutOfRange and CategoryNotFound."""
        rules.require_page(page, limit)
        await self._ensure_loaded(tx)
        counts = {each.slug: each.goods_count for each in self._shelf.categories}
        if category is not None and category not in counts:
            raise CategoryNotFound(category)
        total = counts[category] if category is not None else sum(counts.values())
        offset = (page - 1) * limit
        if self._shelf.whole:
            return GoodsPage(self._shelf.of(category)[offset : offset + limit], page, limit, total)
        goods = await store.page(tx, category, limit, offset) if offset < total else []
        self._shelf.keep(goods)
        return GoodsPage(tuple(goods), page, limit, total)

    async def categories(self, tx: Tx) -> tuple[Category, ...]:
        """The categories that have goods on sale, the fullest first."""
        await self._ensure_loaded(tx)
        return self._shelf.categories

    async def _ensure_loaded(self, tx: Tx) -> None:
        if self._revision is None:
            await self.refresh(tx)

    def search(self, query: str, limit: int = 24, offset: int = 0) -> SearchResult:
        """Goods that answer `query`, best first, from the index on this machine: no I/O but memory-mapped files.

        Chinese and English together, forgiving typos and unfinished words. An empty query finds nothing. Raises
        QueryTooLong and PageOutOfRange.
        """
        return self._reader.search(query, limit, offset)

    @property
    def index(self) -> object:
        """Which index the searches are answered from: another value as soon as anything in it may have changed."""
        return self._reader.state

    async def index_lag(self, tx: Tx) -> int:
        """How many revisions the index on this machine is behind the goods; 0: searches find all of today's."""
        self._reader.refresh()
        revision = await store.revision(tx)
        return revision.number - (self._reader.revision if self._reader.identity == revision.identity else 0)

    async def update_index(self, tx: Tx, progress: Progress | None = None) -> int:
        """Bring this machine's search index up to date; return how many goods were written to it.

        The worker calls this every second. It does nothing when nothing changed, or when another process on this
        machine is at it. Afterwards this process's own searches see it.
        """
        with self._writer.lock() as mine:
            written = await self._write_index(tx, progress) if mine else 0
        self._reader.refresh()
        return written

    async def _write_index(self, tx: Tx, progress: Progress | None) -> int:
        now = await store.revision(tx)
        held = self._writer.indexed_revision(now)
        if held == now.number:
            return 0
        if held is None or await store.changed_count(tx, held) > _REBUILD_FROM:
            return await self._build_index(tx, now, progress)
        changed, gone = await store.changed_after(tx, held)
        await asyncio.to_thread(self._writer.update, now.number, changed, gone)
        return len(changed) + len(gone)

    async def _build_index(self, tx: Tx, revision: Revision, progress: Progress | None) -> int:
        """Build the index anew from all goods. Goods that change meanwhile come with the next update."""
        total, written, last = sum((await store.category_counts(tx)).values()), 0, ""
        generation = self._writer.begin(revision)
        while batch := await store.on_sale_after(tx, last, _BATCH):
            await asyncio.to_thread(generation.add, batch)
            last, written = batch[-1].sku, written + len(batch)
            if progress:
                progress(written, max(total, written))
        await asyncio.to_thread(generation.finish)
        return written

    async def picture_file(self, name: str) -> Path:
        """The file behind `/media/<name>`, rendered now if nobody asked for it before. Raises PictureNotFound."""
        found = pictures.file_of(name, self._media)
        if found is None:
            raise PictureNotFound(name)
        place, recipe = found
        if recipe is not None and not place.exists():
            self._media.mkdir(parents=True, exist_ok=True)
            # One drawing at a time: a page of new pictures must not take all threads, nor one picture be drawn twice.
            async with self._drawing:
                await asyncio.to_thread(pictures.render_files, recipe, self._media)
        return place

    async def render_pictures(self, tx: Tx, progress: Progress | None = None, *, processes: int = 2) -> int:
        """Render the pictures of all goods on sale ahead of time; return how many files were missing."""
        last, wanted = "", []
        while batch := await store.on_sale_after(tx, last, _BATCH):
            wanted += [each.picture for each in batch]
            last = batch[-1].sku
        return await asyncio.to_thread(pictures.render_all, wanted, self._media, progress, processes=processes)

    async def check(self, tx: Tx) -> list[Check]:
        """Hold the module's invariants against the live database and this machine's index."""
        examined = await store.goods_count(tx)
        incomplete, ahead = await store.incomplete(tx), await store.ahead_of_revision(tx)
        return [
            Check(name="goods-complete", holds=not incomplete, detail=", ".join(incomplete), examined=examined),
            Check(name="goods-revision", holds=not ahead, detail=", ".join(ahead), examined=examined),
            await self._check_index(tx),
        ]

    async def _check_index(self, tx: Tx) -> Check:
        """An index that lags behind is not at fault; one that claims today's revision must hold today's goods."""
        is_current, on_sale = not await self.index_lag(tx), sum((await store.category_counts(tx)).values())
        held = self._reader.goods_count
        holds = held == on_sale or not is_current
        detail = (
            ""
            if holds
            else f"the index holds {held} goods at revision {self._reader.revision}, the database has {on_sale}"
        )
        return Check(name="search-index", holds=holds, detail=detail, examined=held)


def goods_of_campaign(definition: CampaignDefinition) -> list[Goods]:
    """A campaign's goods entries as goods of the catalogue; those without a picture get a drawing that suits them."""
    made = []
    for entry in definition.goods:
        recipe = pictures.recipe_of(entry.picture) or pictures.choose(entry.sku, entry.name.en)
        made.append(
            Goods(
                sku=Sku(entry.sku),
                name=entry.name,
                description=entry.description,
                category=entry.category,
                brand=entry.brand,
                list_price=entry.list_price,
                picture=pictures.drawn(recipe),
            )
        )
    return made


def _batches(goods: Sequence[Goods]) -> list[Sequence[Goods]]:
    return [goods[at : at + _BATCH] for at in range(0, len(goods), _BATCH)]
