"""The copy in memory: whatever changes come, it holds what the database holds."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.offer.campaign.contracts import Words
from tidegate.offer.catalogue.contracts import Goods, Picture, Sku
from tidegate.offer.catalogue.shelf import Shelf

SKUS = [f"S{number}" for number in range(8)]


def goods(sku: str, price: int, category: str) -> Goods:
    words = Words("物", "Thing")
    return Goods(
        sku=Sku(sku),
        name=words,
        description=words,
        category=category,
        brand="",
        list_price=price,
        picture=Picture("giftbox-sand-0"),
    )


some_goods = st.dictionaries(
    st.sampled_from(SKUS), st.tuples(st.integers(1, 9), st.sampled_from(["home", "toys"])), max_size=8
).map(lambda made: [goods(sku, *rest) for sku, rest in made.items()])
changes = st.lists(st.tuples(some_goods, st.lists(st.sampled_from(SKUS), unique=True)), max_size=5)


@given(first=some_goods, changes=changes)
def test_a_whole_copy_follows_every_change(first: list[Goods], changes: list[tuple[list[Goods], list[str]]]) -> None:
    shelf, truth = Shelf(), {each.sku: each for each in first}
    shelf.fill(first)
    for changed, gone in changes:
        kept = [sku for sku in gone if sku not in {each.sku for each in changed}]
        shelf.change(changed, kept)
        truth |= {each.sku: each for each in changed}
        truth = {sku: each for sku, each in truth.items() if sku not in kept}
    assert shelf.of(None) == tuple(truth[sku] for sku in sorted(truth))
    assert {each.slug: each.goods_count for each in shelf.categories} == {
        slug: len(shelf.of(slug)) for slug in {each.category for each in truth.values()}
    }
    assert len(shelf) == len(truth)


@given(first=some_goods, read=st.lists(st.sampled_from(SKUS), max_size=30), changes=changes)
def test_a_copy_in_part_is_bounded_and_never_stale(
    first: list[Goods], read: list[str], changes: list[tuple[list[Goods], list[str]]]
) -> None:
    shelf, truth = Shelf(goods_max=3), {str(each.sku): each for each in first}
    shelf.empty({"home": 8})
    for sku in read:
        if shelf.get(sku) is None and sku in truth:
            shelf.keep([truth[sku]])
        assert len(shelf) <= 3
    for changed, gone in changes:
        shelf.change(changed, gone)
        truth |= {str(each.sku): each for each in changed}
        truth = {sku: each for sku, each in truth.items() if sku not in gone}
        assert all(shelf.get(sku) in (None, truth.get(sku)) for sku in SKUS)
