"""Goods in order: every goods on exactly one page, whichever way they are sorted."""

import pytest

from tests.offer.festivals import definition, goods, offer, version
from tidegate.app.storefront.shelf import FLASH, PAGE_GOODS, Listing, Shelf, Sort
from tidegate.offer.campaign.contracts import OfferKind


def shelf(count: int) -> Shelf:
    offers = [
        offer(f"G-{place}", 1_000 + place, kind=OfferKind.FLASH if place < 3 else OfferKind.DISCOUNT)
        for place in range(count)
    ]
    return Shelf(version(definition(offers, entries=[goods(each.sku) for each in offers])))


@pytest.mark.parametrize("sort", list(Sort))
@pytest.mark.parametrize("count", [1, PAGE_GOODS, PAGE_GOODS + 1, 100])
def test_every_goods_stands_on_one_page(sort: Sort, count: int) -> None:
    on = shelf(count)
    _, pages = on.list(Listing(sort=sort))
    shown = [sku for page in range(1, pages + 1) for sku in on.list(Listing(sort=sort, page=page))[0]]
    assert sorted(shown) == sorted(f"G-{place}" for place in range(count))
    assert on.list(Listing(sort=sort, page=pages + 1))[0] == ()


def test_prices_go_up_and_down() -> None:
    assert shelf(5).list(Listing(sort=Sort.CHEAP))[0] == ("G-0", "G-1", "G-2", "G-3", "G-4")
    assert shelf(5).list(Listing(sort=Sort.DEAR))[0] == ("G-4", "G-3", "G-2", "G-1", "G-0")


def test_flash_offers_can_be_seen_alone() -> None:
    assert set(shelf(9).list(Listing(category=FLASH))[0]) == {"G-0", "G-1", "G-2"}


def test_an_address_names_only_what_is_unusual() -> None:
    assert Listing().address() == "/#goods"
    assert Listing("kitchen", Sort.CHEAP, 3).address() == "/?category=kitchen&sort=price&page=3#goods"
    assert Listing("kitchen", Sort.CHEAP, 3).address(page=1, category="") == "/?sort=price#goods"


def test_goods_beside_are_others_of_the_category() -> None:
    beside = shelf(5).beside("G-1", 3)
    assert len(set(beside)) == 3
    assert "G-1" not in beside
