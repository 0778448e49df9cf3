"""The catalogue on a real database."""

from pathlib import Path

import msgspec
import psycopg
import pytest

from tidegate.base.clock import ManualClock
from tidegate.base.db import Database
from tidegate.offer.campaign.contracts import Words
from tidegate.offer.catalogue.api import Catalogue
from tidegate.offer.catalogue.contracts import Goods, Match, Sku
from tidegate.offer.catalogue.errors import (
    CategoryNotFound,
    GoodsNotFound,
    GoodsRefused,
    PageOutOfRange,
    PictureNotFound,
)


async def put(db: Database, catalogue: Catalogue, goods: list[Goods]) -> int:
    async with db.transaction() as tx:
        return await catalogue.put_goods(tx, goods)


async def refresh(db: Database, catalogue: Catalogue) -> bool:
    async with db.read() as tx:
        return await catalogue.refresh(tx)


async def lag(db: Database, catalogue: Catalogue) -> int:
    async with db.read() as tx:
        return await catalogue.index_lag(tx)


async def index(db: Database, catalogue: Catalogue) -> int:
    async with db.read() as tx:
        return await catalogue.update_index(tx)


async def put_and_fail(db: Database, catalogue: Catalogue, goods: list[Goods]) -> None:
    async with db.transaction() as tx:
        assert await catalogue.put_goods(tx, goods) == len(goods)
        await catalogue.put_goods(tx, [msgspec.structs.replace(goods[0], list_price=0)])


def renamed(goods: Goods, en: str) -> Goods:
    return msgspec.structs.replace(goods, name=Words(goods.name.zh, en))


async def test_goods_are_kept_and_the_same_again_change_nothing(
    db: Database, catalogue: Catalogue, festival: list[Goods]
) -> None:
    assert await put(db, catalogue, festival[:20]) == 20
    await refresh(db, catalogue)
    assert catalogue.revision == 1
    assert await put(db, catalogue, festival[:20]) == 0
    assert not await refresh(db, catalogue)
    assert await put(db, catalogue, [renamed(festival[0], "Another name"), *festival[1:20]]) == 1
    assert await refresh(db, catalogue)
    assert catalogue.revision == 2
    async with db.read() as tx:
        assert (await catalogue.goods(tx, festival[0].sku)).name.en == "Another name"
        assert await catalogue.goods(tx, festival[1].sku) == festival[1]


async def test_goods_that_cannot_be_shown_are_refused_and_nothing_is_kept(
    db: Database, catalogue: Catalogue, festival: list[Goods]
) -> None:
    with pytest.raises(GoodsRefused) as refusal:
        await put(db, catalogue, [festival[0], msgspec.structs.replace(festival[1], list_price=0)])
    assert refusal.value.fields["faults"] == [{"field": "list_price", "fault": "must be above zero"}]
    await refresh(db, catalogue)
    assert catalogue.revision == 0


@pytest.mark.parametrize(
    "column", ["list_price = 0", "name_zh = ''", "sku = 'a b'", "revision = 0", "placeholder = 'red'", "category = 'A'"]
)
async def test_the_schema_refuses_what_the_rules_refuse(
    db: Database, catalogue: Catalogue, festival: list[Goods], column: str
) -> None:
    await put(db, catalogue, festival[:1])
    with pytest.raises(psycopg.errors.CheckViolation):
        async with db.transaction() as tx:
            await tx.execute(f"update catalogue.goods set {column}".encode())


async def test_a_catalogue_kept_whole_follows_changes(
    db: Database, catalogue: Catalogue, festival: list[Goods]
) -> None:
    await put(db, catalogue, festival[:3])
    await refresh(db, catalogue)
    other = Catalogue(ManualClock(catalogue._clock.now()), Path("unused"))
    await put(db, other, [renamed(festival[0], "New"), festival[3]])
    async with db.transaction() as tx:
        assert await other.withdraw_goods(tx, [festival[1].sku, "unknown"]) == 1
    at_hand = catalogue.at_hand(festival[0].sku)
    assert at_hand is not None
    assert at_hand.name.en == festival[0].name.en
    assert await refresh(db, catalogue)
    at_hand = catalogue.at_hand(festival[0].sku)
    assert at_hand is not None
    assert at_hand.name.en == "New"
    assert catalogue.at_hand(festival[1].sku) is None
    assert catalogue.at_hand(festival[3].sku) == festival[3]


async def test_a_large_catalogue_is_kept_in_part(
    db: Database, clock: ManualClock, tmp_path: Path, festival: list[Goods]
) -> None:
    catalogue = Catalogue(clock, tmp_path, whole_max=10)
    await put(db, catalogue, festival)
    await refresh(db, catalogue)
    async with db.read() as tx:
        for each in festival[:30]:
            assert await catalogue.goods(tx, each.sku) == each
        assert catalogue.at_hand(festival[0].sku) is None
        assert catalogue.at_hand(festival[29].sku) == festival[29]
        page = await catalogue.browse(tx, "toys", 2, 20)
    assert (page.total, len(page.goods), {each.category for each in page.goods}) == (48, 20, {"toys"})
    await put(db, catalogue, [renamed(festival[29], "New")])
    assert await refresh(db, catalogue)
    assert catalogue.at_hand(festival[29].sku) is None
    async with db.read() as tx:
        assert (await catalogue.goods(tx, festival[29].sku)).name.en == "New"


async def test_withdrawn_goods_are_found_by_orders_only(
    db: Database, catalogue: Catalogue, festival: list[Goods]
) -> None:
    await put(db, catalogue, festival[:2])
    async with db.transaction() as tx:
        await catalogue.withdraw_goods(tx, [festival[0].sku])
    await refresh(db, catalogue)
    async with db.read() as tx:
        with pytest.raises(GoodsNotFound):
            await catalogue.goods(tx, festival[0].sku)
        named = await catalogue.goods_of(tx, [festival[0].sku, festival[1].sku, "unknown"])
    assert named == {Sku(each.sku): each for each in festival[:2]}
    assert await put(db, catalogue, festival[:1]) == 1  # put again, it is on sale again
    async with db.read() as tx:
        assert await catalogue.goods(tx, festival[0].sku) == festival[0]


@pytest.mark.parametrize("whole_max", [10, 10_000])
async def test_pages_hold_all_goods_once_in_order(
    db: Database, clock: ManualClock, tmp_path: Path, festival: list[Goods], whole_max: int
) -> None:
    catalogue = Catalogue(clock, tmp_path, whole_max=whole_max)
    await put(db, catalogue, festival)
    async with db.read() as tx:
        pages = [await catalogue.browse(tx, None, page, 100) for page in range(1, 13)]
        categories = await catalogue.categories(tx)
    assert [each.sku for page in pages for each in page.goods] == sorted(each.sku for each in festival)
    assert {page.total for page in pages} == {1024}
    assert sum(each.goods_count for each in categories) == 1024
    assert (categories[0].slug, categories[0].name.zh, categories[0].goods_count) == ("digital", "数码", 144)


async def test_pages_and_categories_that_there_are_not(db: Database, catalogue: Catalogue) -> None:
    async with db.read() as tx:
        with pytest.raises(CategoryNotFound):
            await catalogue.browse(tx, "toys")
        with pytest.raises(PageOutOfRange):
            await catalogue.browse(tx, None, 0)
        with pytest.raises(PageOutOfRange):
            await catalogue.browse(tx, None, 1, 101)
        assert (await catalogue.browse(tx)).total == 0


async def test_the_index_follows_the_database(db: Database, catalogue: Catalogue, festival: list[Goods]) -> None:
    assert catalogue.search("kettle").match is Match.NONE
    assert await index(db, catalogue) == 0  # an empty catalogue has an empty index
    await put(db, catalogue, festival)
    assert await index(db, catalogue) == 1024
    assert await index(db, catalogue) == 0
    assert catalogue.search("kettle").total == 16
    assert await lag(db, catalogue) == 0
    await put(db, catalogue, [renamed(festival[0], "Singular Wunderding")])
    assert await lag(db, catalogue) > 0
    assert await index(db, catalogue) == 1
    assert await lag(db, catalogue) == 0
    assert catalogue.search("wunderding").goods[0].sku == festival[0].sku
    async with db.transaction() as tx:
        await catalogue.withdraw_goods(tx, [festival[0].sku])
    assert await index(db, catalogue) == 1
    assert catalogue.search("wunderding").total == 0


async def test_another_process_sees_the_index_after_its_refresh(
    db: Database, catalogue: Catalogue, clock: ManualClock, tmp_path: Path, festival: list[Goods]
) -> None:
    web = Catalogue(clock, tmp_path)
    await put(db, catalogue, festival[:100])
    await index(db, catalogue)
    assert web.search("size").total == 0
    assert await refresh(db, web)
    assert web.search("size").total > 0


async def test_a_transaction_that_fails_leaves_no_trace(
    db: Database, catalogue: Catalogue, festival: list[Goods]
) -> None:
    await put(db, catalogue, festival[:1])
    with pytest.raises(GoodsRefused):
        await put_and_fail(db, catalogue, festival[1:5])
    assert await index(db, catalogue) == 1
    await refresh(db, catalogue)
    assert (catalogue.revision, catalogue.at_hand(festival[1].sku)) == (1, None)


async def test_invariants_hold_and_a_breach_is_named(db: Database, catalogue: Catalogue, festival: list[Goods]) -> None:
    await put(db, catalogue, festival[:50])
    await index(db, catalogue)
    async with db.read() as tx:
        checks = await catalogue.check(tx)
    assert [(check.name, check.holds, check.examined) for check in checks] == [
        ("goods-complete", True, 50),
        ("goods-revision", True, 50),
        ("search-index", True, 50),
    ]
    async with db.transaction() as tx:
        await tx.execute("update catalogue.goods set revision = 9 where sku = %s", [festival[0].sku])
        await tx.execute("delete from catalogue.goods where sku = %s", [festival[1].sku])
        await tx.execute("update catalogue.goods set name_en = ' ' where sku = %s", [festival[2].sku])
    async with db.read() as tx:
        complete, revision, search = await catalogue.check(tx)
    assert (complete.holds, complete.detail) == (False, festival[2].sku)
    assert (revision.holds, revision.detail) == (False, festival[0].sku)
    assert (search.holds, search.detail) == (False, "the index holds 50 goods at revision 1, the database has 49")


async def test_a_picture_is_drawn_when_first_asked_for(catalogue: Catalogue, festival: list[Goods]) -> None:
    name = festival[0].picture.url(320).removeprefix("/media/")
    place = await catalogue.picture_file(name)
    assert place.read_bytes()[8:12] == b"WEBP"
    assert await catalogue.picture_file(name) == place
    with pytest.raises(PictureNotFound):
        await catalogue.picture_file("kettle-teal-1-0000000000-320.webp")


async def test_pictures_of_all_goods_are_drawn_ahead(db: Database, catalogue: Catalogue, festival: list[Goods]) -> None:
    await put(db, catalogue, festival[:3])
    async with db.read() as tx:
        assert await catalogue.render_pictures(tx) == 9
        assert await catalogue.render_pictures(tx) == 0
