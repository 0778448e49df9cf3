"""Pages that everyone may see: the campaign, one goods, search. The only I/O is the stock left, once in two seconds."""

from collections.abc import Iterable
from functools import partial
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from litestar import Response, get
from litestar.params import Parameter

from tidegate.app.pages.errors import PageUnknown
from tidegate.app.pages.rendering import Html
from tidegate.app.storefront.coupons import Choice, CouponBook
from tidegate.app.storefront.honeypot import asked_for_goods, decoy_of
from tidegate.app.storefront.offers import Offers
from tidegate.app.storefront.shelf import FLASH_GOODS, PAGE_GOODS, Listing, Sort
from tidegate.app.storefront.visit import Asking, Visit
from tidegate.base.db import Database
from tidegate.gate.bots.api import Bots
from tidegate.offer.catalogue.api import Catalogue
from tidegate.offer.catalogue.contracts import QUERY_LENGTH_MAX, Category
from tidegate.offer.pricing.contracts import Cart, CartLine
from tidegate.trust.identity.api import Identity, mask_address, mask_name
from tidegate.trust.identity.contracts import SavedAddress

PAGE_MAX = 10_000
BESIDE_GOODS = 6
SEARCH_PAGE_MAX = 40

PageNumber = Annotated[int, Parameter(query="page", ge=1, le=PAGE_MAX)]


class Mine(msgspec.Struct, frozen=True):
    """What a goods page has of who is looking: where an order goes, its idempotency key, the best coupon of one's own.

    A guest's page has nothing of it, so that it is everybody's.
    """

    address: SavedAddress | None = None
    key: str = ""
    own: Choice | None = None


@get("/", include_in_schema=False)
async def front(
    *,
    visit: Visit,
    offers: Offers,
    coupon_book: CouponBook,
    catalogue: Catalogue,
    bots: Bots,
    db: Database,
    category: Annotated[str, Parameter(max_length=40)] = "",
    sort: Annotated[str, Parameter(max_length=20)] = Sort.FEATURED,
    page: PageNumber = 1,
) -> Response[bytes]:
    """The campaign: what is on sale, until when, how much is left, what it costs, how to get it."""
    listing = Listing(category, Sort(sort) if sort in tuple(Sort) else Sort.FEATURED, page)

    async def make() -> Html:
        shelf = visit.shelf
        if shelf is None:
            return visit.render("closed")
        skus, pages = shelf.list(listing)
        flash = shelf.flash[:FLASH_GOODS] if listing == Listing() else ()
        timed = offers.in_slots(FLASH_GOODS) if listing == Listing() else ()
        async with db.read() as tx:
            cards = await offers.cards(tx, (*timed, *flash, *skus))
            claimable = await coupon_book.claimable(tx) if listing == Listing() else []
            names = await _category_names(await catalogue.categories(tx), shelf.categories)
        return visit.render(
            "front",
            listing=listing,
            timed=[cards[sku] for sku in timed if sku in cards],
            flash=[cards[sku] for sku in flash if sku in cards and sku not in timed],
            cards=[cards[sku] for sku in skus if sku in cards],
            page_count=pages,
            count=len(shelf),
            categories=names,
            claimable=claimable,
            sorts=tuple(Sort),
            rules=offers.rules,
            decoy=decoy_of(visit, bots),
        )

    return await visit.public(make)


async def _category_names(known: Iterable[Category], wanted: tuple[str, ...]) -> list[Category]:
    names = {each.slug: each for each in known}
    return [names[slug] for slug in wanted if slug in names]


@get("/search", include_in_schema=False)
async def search(
    *,
    visit: Visit,
    offers: Offers,
    catalogue: Catalogue,
    bots: Bots,
    db: Database,
    q: Annotated[str, Parameter(max_length=400)] = "",
    page: Annotated[int, Parameter(ge=1, le=SEARCH_PAGE_MAX)] = 1,
) -> Response[bytes]:
    """Goods found by words, Chinese or English, with typos forgiven."""
    words = q.strip()[:QUERY_LENGTH_MAX]

    async def make() -> Html:
        result = catalogue.search(words, PAGE_GOODS, (page - 1) * PAGE_GOODS)
        async with db.read() as tx:
            cards = await offers.cards(tx, [goods.sku for goods in result.goods])
        pages = min(SEARCH_PAGE_MAX, max(1, -(-result.total // PAGE_GOODS)))
        found = [cards[goods.sku] for goods in result.goods if goods.sku in cards]
        return visit.render(
            "search",
            query=words,
            result=result,
            cards=found,
            page=page,
            page_count=pages,
            link=partial(_search_page, words),
            decoy=decoy_of(visit, bots),
        )

    return await visit.public(make)


def _search_page(words: str, page: int) -> str:
    return "/search?" + urlencode({"q": words} | ({"page": page} if page > 1 else {}))


@get("/goods/{sku:str}", include_in_schema=False)
async def goods(
    *,
    request: Asking,
    visit: Visit,
    offers: Offers,
    coupon_book: CouponBook,
    identity: Identity,
    bots: Bots,
    db: Database,
    sku: Annotated[str, Parameter(max_length=64)],
) -> Response[bytes]:
    """One goods: its picture, its price step by step, how many are left, and the button that buys it."""
    await asked_for_goods(request, visit, bots, sku)
    if visit.session is None:
        return await visit.public(lambda: _goods_page(visit, offers, db, sku, Mine()))
    async with db.read() as tx:
        addresses = await identity.addresses(tx, visit.account)
    # Asked again with the next order; made here so that two presses of the button are one order.
    own = await coupon_book.best(one_of(sku), offers.facts)
    mine = Mine(address=addresses[0] if addresses else None, key=offers.new_key(), own=own)
    html = await _goods_page(visit, offers, db, sku, mine)
    return visit.answer(html)


def one_of(sku: str, quantity: int = 1, own: Choice | None = None) -> Cart:
    """Return so many of one SKU as a cart, with a coupon of the shopper's own."""
    return Cart((CartLine(sku, quantity),), own.kept.code if own else None)


async def _goods_page(visit: Visit, offers: Offers, db: Database, sku: str, mine: Mine) -> Html:
    shelf = visit.shelf
    beside = shelf.beside(sku, BESIDE_GOODS) if shelf else ()
    async with db.read() as tx:
        cards = await offers.cards(tx, (sku, *beside))
        categories = {each.slug: each for each in await offers.categories(tx)}
    if sku not in cards:
        raise PageUnknown("These goods are not in the shop. They may have been withdrawn; look for others.")
    told = await offers.price(one_of(sku, own=mine.own))
    return visit.render(
        "goods",
        card=cards[sku],
        timetable=offers.timetable(sku),
        category=categories.get(cards[sku].goods.category),
        beside=[cards[each] for each in beside if each in cards],
        told=told,
        priced=told.priced if told else None,
        own=mine.own,
        phase=offers.phase(visit.now),
        rules=offers.rules,
        quantity_max=offers.quantity_max(cards[sku]),
        per_buyer=shelf.per_buyer.get(sku, 0) if shelf else 0,
        address=mine.address,
        key=mine.key,
        mask_address=mask_address,
        mask_name=mask_name,
    )


@get("/goods/{sku:str}/price", include_in_schema=False)
async def price(
    visit: Visit,
    offers: Offers,
    coupon_book: CouponBook,
    sku: Annotated[str, Parameter(max_length=64)],
    quantity: Annotated[int, Parameter(ge=1, le=9_999)] = 1,
) -> Response[bytes]:
    """The price of so many, as a fragment for the goods page: kept for everybody where it is everybody's."""
    own = await coupon_book.best(one_of(sku, quantity), offers.facts)
    cart = one_of(sku, quantity, own)

    async def make() -> Html:
        return visit.render("price", told=await offers.price(cart), own=own, phase=offers.phase(visit.now))

    return visit.answer(await make()) if own or offers.is_own(cart) else await visit.public(make)


routes = [front, search, goods, price]
