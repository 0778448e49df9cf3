"""Finding goods: real queries on the example festival, and an index that no crash can break."""

import multiprocessing
import os
import shutil
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.offer.catalogue.conftest import revision_of
from tidegate.offer.campaign.contracts import Words
from tidegate.offer.catalogue.contracts import Goods, Match, SearchResult
from tidegate.offer.catalogue.errors import PageOutOfRange, QueryTooLong
from tidegate.offer.catalogue.search import SearchReader, SearchWriter


def names(result: SearchResult) -> list[str]:
    return [f"{each.name.zh} {each.name.en.lower()}" for each in result.goods]


@pytest.mark.parametrize(
    ("query", "match", "in_first"),
    [
        ("kettle", Match.EXACT, "kettle"),
        ("KETTLE", Match.EXACT, "kettle"),
        ("kett", Match.EXACT, "kettle"),
        ("kettel", Match.SIMILAR, "kettle"),
        ("headphnoes", Match.SIMILAR, "headphones"),
        ("head phone", Match.EXACT, "headphones"),
        ("powerbank", Match.EXACT, "power bank"),
        ("t-shirt", Match.EXACT, "t-shirt"),
        ("mechanical keyb", Match.EXACT, "mechanical keyboard"),
        ("保温杯", Match.EXACT, "保温杯"),
        ("保温怀", Match.SIMILAR, "保温"),
        ("毛绒小熊", Match.SIMILAR, "熊"),
        ("龙井", Match.EXACT, "龙井茶"),
        ("茶", Match.EXACT, "茶"),
        ("无线 headphones", Match.EXACT, "无线监听耳机"),
        ("跑鞋 42", Match.EXACT, "跑鞋 42 码"),
        ("500ml bottle", Match.EXACT, "500 ml"),
        ("Murmur 手冲壶", Match.EXACT, "澜语 细嘴手冲壶"),
        ("nike 跑鞋", Match.PARTIAL, "跑鞋"),
    ],
)
def test_people_find_what_they_mean(reader: SearchReader, query: str, match: Match, in_first: str) -> None:
    result = reader.search(query, 5, 0)
    assert result.match is match
    assert names(result)
    assert all(in_first in name for name in names(result)[:3])


@pytest.mark.parametrize("query", ["KTL-1003", "ktl-1003", "  KTL-1003 "])
def test_a_sku_finds_its_goods_first(reader: SearchReader, query: str) -> None:
    assert reader.search(query, 5, 0).goods[0].sku == "KTL-1003"


def test_the_beginning_of_a_sku_finds_its_family(reader: SearchReader) -> None:
    result = reader.search("ktl-1", 50, 0)
    assert {goods.sku[:4] for goods in result.goods} == {"KTL-"}
    assert result.total == 16


def test_a_whole_word_comes_before_its_beginning_and_a_name_before_a_description(tmp_path: Path) -> None:
    reader = reader_of(
        tmp_path,
        goods("A1", "Lamps of glass"),
        goods("A2", "Bowl", description="Goes well beside a lamp."),
        goods("A3", "Lamp"),
        goods("A4", "Lapm"),
    )
    assert [each.sku for each in reader.search("lamp", 9, 0).goods] == ["A3", "A1", "A2"]


def test_characters_in_order_come_before_the_same_characters_apart(tmp_path: Path) -> None:
    reader = reader_of(tmp_path, goods("B1", "x", zh="杯子 保温 茶具"), goods("B2", "x", zh="保温杯"))
    assert reader.search("保温杯", 9, 0).goods[0].sku == "B2"


@pytest.mark.parametrize(
    "query", ["", "   ", "*", '"""', "qwertyzxcv", "a" * 100, "\x00", "😀", "):", "~", "\x00revision"]
)
def test_nothing_sensible_finds_nothing_and_harms_nothing(reader: SearchReader, query: str) -> None:
    result = reader.search(query, 5, 0)
    assert (result.total, result.goods, result.match) == (0, (), Match.NONE)


@pytest.mark.parametrize("query", ['"kettle"', "+kettle", "kettle*", "name:kettle", "(kettle", "kettle~2", "kettle^9"])
def test_operators_and_quotes_mean_nothing(reader: SearchReader, query: str) -> None:
    assert "KTL-" in reader.search(query, 5, 0).goods[0].sku


@given(query=st.text(max_size=100))
def test_any_text_may_be_searched_for(reader: SearchReader, query: str) -> None:
    result = reader.search(query, 3, 0)
    assert (result.total == 0) == (result.match is Match.NONE)
    assert len(result.goods) == min(3, result.total)


def test_a_query_has_a_bounded_length(reader: SearchReader) -> None:
    with pytest.raises(QueryTooLong) as refusal:
        reader.search("a" * 101, 5, 0)
    assert refusal.value.fields == {"length": 101, "length_max": 100}


@pytest.mark.parametrize(("limit", "offset"), [(0, 0), (101, 0), (5, -1), (5, 10_001)])
def test_a_window_has_bounds(reader: SearchReader, limit: int, offset: int) -> None:
    with pytest.raises(PageOutOfRange):
        reader.search("kettle", limit, offset)


def test_pages_are_parts_of_one_order(reader: SearchReader) -> None:
    whole = reader.search("lamp", 12, 0)
    parts = [reader.search("lamp", 4, offset) for offset in (0, 4, 8)]
    assert [each.sku for part in parts for each in part.goods] == [each.sku for each in whole.goods]
    assert {part.total for part in parts} == {whole.total}


def test_without_an_index_nothing_is_found(tmp_path: Path) -> None:
    reader = SearchReader(tmp_path)
    assert not reader.refresh()
    assert reader.search("kettle", 5, 0).total == 0


def test_an_update_is_seen_after_a_refresh(tmp_path: Path) -> None:
    reader = reader_of(tmp_path, goods("C1", "Kettle"), goods("C2", "Kettle"))
    SearchWriter(tmp_path).update(8, [goods("C2", "Teapot"), goods("C3", "Kettle")], ["C1"])
    assert [each.sku for each in reader.search("kettle", 5, 0).goods] == ["C1", "C2"]
    assert reader.refresh()
    assert [each.sku for each in reader.search("kettle", 5, 0).goods] == ["C3"]
    assert (reader.revision, reader.goods_count) == (8, 2)
    assert not reader.refresh()


def test_only_one_writes_at_a_time(tmp_path: Path) -> None:
    with SearchWriter(tmp_path).lock() as first, SearchWriter(tmp_path).lock() as second:
        assert (first, second) == (True, False)
    with SearchWriter(tmp_path).lock() as again:
        assert again


@pytest.mark.parametrize(
    ("identity", "number", "held"),
    [("one database", 7, 7), ("one database", 9, 7), ("another", 7, None), ("one database", 6, None)],
)
def test_an_index_of_another_database_is_not_trusted(
    tmp_path: Path, identity: str, number: int, held: int | None
) -> None:
    reader_of(tmp_path, goods("D1", "Kettle"))
    assert SearchWriter(tmp_path).indexed_revision(revision_of(number, identity)) == held


def test_a_damaged_index_is_made_again(tmp_path: Path) -> None:
    reader_of(tmp_path, goods("E1", "Kettle"))
    (tmp_path / "generation-1" / "meta.json").write_text("{")
    assert SearchWriter(tmp_path).indexed_revision(revision_of(7)) is None
    reader = reader_of(tmp_path, goods("E1", "Kettle"))
    assert reader.search("kettle", 5, 0).total == 1


def test_a_build_that_was_killed_is_not_seen_and_swept_away(tmp_path: Path) -> None:
    reader = reader_of(tmp_path, goods("F1", "Kettle"))
    killed = multiprocessing.get_context("spawn").Process(target=build_and_die, args=(tmp_path,))
    killed.start()
    killed.join()
    assert killed.exitcode == 9
    assert (tmp_path / "generation-2").exists()
    assert not reader.refresh()
    assert reader.search("kettle", 5, 0).total == 1
    SearchWriter(tmp_path).begin(revision_of(8))
    assert sorted(place.name for place in tmp_path.glob("generation-*")) == ["generation-1", "generation-2"]
    assert not list((tmp_path / "generation-2").glob("*.store"))


def build_and_die(folder: Path) -> None:
    generation = SearchWriter(folder).begin(revision_of(8))
    generation.add([goods("F2", "Kettle")])
    os._exit(9)


def test_a_reader_outlives_the_generation_it_reads(tmp_path: Path) -> None:
    old = reader_of(tmp_path, goods("G1", "Kettle"))
    reader_of(tmp_path, goods("G2", "Kettle"))
    shutil.rmtree(tmp_path / "generation-1")
    assert old.search("kettle", 5, 0).goods[0].sku == "G1"
    assert old.refresh()
    assert old.search("kettle", 5, 0).goods[0].sku == "G2"


def test_goods_come_back_as_they_went_in(reader: SearchReader, festival: list[Goods]) -> None:
    one = festival[500]
    assert msgspec.to_builtins(reader.search(one.sku, 1, 0).goods[0]) == msgspec.to_builtins(one)


def goods(sku: str, en: str, *, zh: str = "物", description: str = "Something.") -> Goods:
    return msgspec.convert(
        {
            "sku": sku,
            "name": Words(zh, en),
            "description": Words("一件东西", description),
            "category": "home",
            "brand": "",
            "list_price": 100,
            "picture": {"base": "giftbox-sand-0"},
        },
        Goods,
    )


def reader_of(folder: Path, *of: Goods) -> SearchReader:
    generation = SearchWriter(folder).begin(revision_of(7))
    generation.add(of)
    generation.finish()
    reader = SearchReader(folder)
    reader.refresh()
    return reader


@settings(max_examples=12, deadline=None)
@given(
    changes=st.lists(
        st.dictionaries(st.sampled_from(["H1", "H2", "H3", "H4"]), st.sampled_from(["kettle", "lamp", ""])), max_size=4
    )
)
def test_the_index_holds_exactly_the_goods_on_sale(changes: list[dict[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        reader, truth = reader_of(folder, goods("H1", "kettle")), {"H1": "kettle"}
        for number, change in enumerate(changes, start=8):
            put = [goods(sku, en) for sku, en in change.items() if en]
            SearchWriter(folder).update(number, put, [sku for sku, en in change.items() if not en])
            truth = {sku: en for sku, en in {**truth, **change}.items() if en}
            reader.refresh()
            assert (reader.revision, reader.goods_count) == (number, len(truth))
        for word in ("kettle", "lamp"):
            found = {each.sku for each in reader.search(word, 9, 0).goods}
            assert found == {sku for sku, en in truth.items() if en == word}
