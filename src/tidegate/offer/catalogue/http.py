"""JSON doors of the catalogue, and the pictures. Public, with validators."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from litestar import Request, Response, get
from litestar.params import PathParameter, QueryParameter
from litestar.response import File
from litestar.status_codes import HTTP_304_NOT_MODIFIED

from tidegate.base.db import Database
from tidegate.base.http import etag, matches
from tidegate.base.openapi import refuses
from tidegate.offer.campaign.contracts import Words
from tidegate.offer.catalogue.api import Catalogue
from tidegate.offer.catalogue.contracts import (
    OFFSET_MAX,
    PAGE_LIMIT_MAX,
    QUERY_LENGTH_MAX,
    SKU_PATTERN,
    Category,
    Goods,
    GoodsPage,
    Match,
    SearchResult,
    Sku,
)
from tidegate.offer.catalogue.errors import (
    CategoryNotFound,
    GoodsNotFound,
    PageOutOfRange,
    PictureNotFound,
    QueryTooLong,
)
from tidegate.offer.catalogue.rules import CATEGORY_PATTERN, PAGE_MAX

AnyRequest = Request[Any, Any, Any]
T = TypeVar("T")
V = TypeVar("V")

SEARCH_CACHE = _CACHE = "public, max-age=5"
_CACHE_PICTURE = "public, max-age=31536000, immutable"

SkuInPath = Annotated[Sku, PathParameter(pattern=SKU_PATTERN, max_length=64, description="The goods' SKU.")]
CategorySlug = Annotated[
    str | None,
    QueryParameter(pattern=CATEGORY_PATTERN, max_length=40, description="Only this category; without it, all goods."),
]
PageNumber = Annotated[int, QueryParameter(ge=1, le=PAGE_MAX, description="Which page, from 1.")]
Limit = Annotated[int, QueryParameter(ge=1, le=PAGE_LIMIT_MAX, description="Goods on a page.")]
Offset = Annotated[int, QueryParameter(ge=0, le=OFFSET_MAX, description="Goods to leave out before the first.")]
Query = Annotated[
    str, QueryParameter(max_length=QUERY_LENGTH_MAX, description="Words, Chinese or English, or a SKU.", query="q")
]


class PictureView(msgspec.Struct, frozen=True):
    """A square picture: the address of each width, narrowest first, and a colour for its frame until it is there."""

    urls: Annotated[dict[str, str], msgspec.Meta(examples=[{"160": "/media/kettle-teal-1-9f1c04ab72-160.webp"}])]
    placeholder: Annotated[str, msgspec.Meta(examples=["#dfe9e6"])]


class GoodsView(msgspec.Struct, frozen=True):
    """One product. `list_price` is in minor units of the current campaign's currency, before any offer."""

    sku: Annotated[Sku, msgspec.Meta(examples=["KTL-1001"])]
    name: Words
    description: Words
    category: Annotated[str, msgspec.Meta(examples=["kitchen"])]
    brand: Annotated[str, msgspec.Meta(examples=["Murmur"])]
    list_price: Annotated[int, msgspec.Meta(examples=[12900])]
    picture: PictureView


class GoodsPageView(msgspec.Struct, frozen=True):
    """One page of goods; `total` counts those on all pages."""

    goods: list[GoodsView]
    page: int
    limit: int
    total: int


class SearchView(msgspec.Struct, frozen=True):
    """Goods found, best first. `match` says how near they are to the words asked for."""

    query: str
    goods: list[GoodsView]
    total: int
    limit: int
    offset: int
    match: Match


def view(goods: Goods) -> GoodsView:
    """Goods as the API shows them."""
    picture = goods.picture
    return GoodsView(
        sku=goods.sku,
        name=goods.name,
        description=goods.description,
        category=goods.category,
        brand=goods.brand,
        list_price=goods.list_price,
        picture=PictureView({str(width): picture.url(width) for width in picture.widths}, picture.placeholder),
    )


@get(
    "/api/v1/goods",
    summary="Browse goods",
    description="The goods on sale in order of SKU, page by page, of one category or of all.",
    tags=["catalogue"],
    responses=refuses(CategoryNotFound, PageOutOfRange),
)
async def browse_goods(
    *,
    request: AnyRequest,
    catalogue: Catalogue,
    db: Database,
    category: CategorySlug = None,
    page: PageNumber = 1,
    limit: Limit = 24,
) -> Response[GoodsPageView | None]:
    """Return a page of goods. Raises CategoryNotFound."""
    async with db.read() as tx:
        found = await catalogue.browse(tx, category, page, limit)
    return _answer(request, found, _page_view)


@get(
    "/api/v1/goods/{sku:str}",
    summary="One product",
    description="Names, description, list price and pictures of the goods with this SKU.",
    tags=["catalogue"],
    responses=refuses(GoodsNotFound),
)
async def one_goods(
    request: AnyRequest, catalogue: Catalogue, db: Database, sku: SkuInPath
) -> Response[GoodsView | None]:
    """Return the goods. Raises GoodsNotFound."""
    found = catalogue.at_hand(sku)
    if found is None:
        async with db.read() as tx:
            found = await catalogue.goods(tx, sku)
    return _answer(request, found, view)


@get(
    "/api/v1/categories",
    summary="All categories",
    description="The categories that have goods on sale, the fullest first.",
    tags=["catalogue"],
    responses=refuses(),
)
async def all_categories(
    request: AnyRequest, catalogue: Catalogue, db: Database
) -> Response[tuple[Category, ...] | None]:
    """Return the categories."""
    async with db.read() as tx:
        found = await catalogue.categories(tx)
    return _answer(request, found, lambda categories: categories)


@get(
    "/api/v1/search",
    summary="Search goods",
    description=(
        "Chinese and English words together, or a SKU. Unfinished words are completed. When nothing matches, slips of "
        "the finger are forgiven (`match` is `similar`), then goods with most of the words are shown (`partial`). "
        "Operators and quotes have no meaning. An empty search finds nothing."
    ),
    tags=["catalogue"],
    sync_to_thread=False,
    responses=refuses(QueryTooLong, PageOutOfRange),
)
def search_goods(
    request: AnyRequest, catalogue: Catalogue, q: Query = "", limit: Limit = 24, offset: Offset = 0
) -> Response[SearchView | None]:
    """Return goods that answer `q`, best first. A search takes about a millisecond: no thread is worth its switch."""
    return _answer(request, catalogue.search(q, limit, offset), _search_view)


def search_body(found: SearchResult) -> tuple[bytes, str]:
    """Return the body that `search_goods` answers with, and its validator."""
    body = msgspec.json.encode(_search_view(found))
    return body, etag(body)


@get(
    "/media/{name:str}",
    include_in_schema=False,
    responses=refuses(PictureNotFound),
)
async def picture(catalogue: Catalogue, name: Annotated[str, PathParameter(max_length=140)]) -> File:
    """Return a picture's file; its name changes with its content, so it may be kept for ever."""
    place: Path = await catalogue.picture_file(name)
    return File(
        path=place,
        media_type="image/webp",
        content_disposition_type="inline",
        headers={"Cache-Control": _CACHE_PICTURE},
    )


def _page_view(found: GoodsPage) -> GoodsPageView:
    return GoodsPageView([view(goods) for goods in found.goods], found.page, found.limit, found.total)


def _search_view(found: SearchResult) -> SearchView:
    goods = [view(each) for each in found.goods]
    return SearchView(found.query, goods, found.total, found.limit, found.offset, found.match)


def _answer(request: AnyRequest, found: T, shown: Callable[[T], V]) -> Response[V | None]:
    """Answer with a validator, or say that what the client holds is still true."""
    body = shown(found)
    tag = etag(msgspec.json.encode(body))
    headers = {"ETag": tag, "Cache-Control": _CACHE}
    if matches(request.headers.get("if-none-match"), tag):
        return Response(None, status_code=HTTP_304_NOT_MODIFIED, headers=headers)
    return Response(body, headers=headers)


routes = [browse_goods, one_goods, all_categories, search_goods, picture]
