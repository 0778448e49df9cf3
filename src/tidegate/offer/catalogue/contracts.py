"""The frozen values that the catalogue hands out: goods, their pictures, categories, pages of them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, NewType

import msgspec

from tidegate.offer.campaign.contracts import Words

Sku = NewType("Sku", str)

SKU_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
QUERY_LENGTH_MAX: Final = 100
PAGE_LIMIT_MAX: Final = 100
OFFSET_MAX: Final = 10_000
LIST_PRICE_MAX: Final = 1_000_000_000_00
PICTURE_WIDTHS: Final = (160, 320, 640)


class Picture(msgspec.Struct, frozen=True):
    """A square picture in several widths; `base` changes whenever a pixel would."""

    base: Annotated[str, msgspec.Meta(examples=["kettle-teal-1-9f1c04ab72"])]
    widths: tuple[int, ...] = PICTURE_WIDTHS
    placeholder: Annotated[
        str,
        msgspec.Meta(description="A CSS colour that fills the frame until the picture is there", examples=["#dfe9e6"]),
    ] = "#eceef0"
    kind: Annotated[str, msgspec.Meta(description="File name extension and image type", examples=["webp"])] = "webp"

    def url(self, width: int = 320) -> str:
        """The address of the narrowest rendering at least `width` pixels wide (else of the widest)."""
        fitting = next((each for each in self.widths if each >= width), self.widths[-1])
        return f"/media/{self.base}-{fitting}.{self.kind}"

    @property
    def srcset(self) -> str:
        """All renderings, in the form of the HTML attribute `srcset`."""
        return ", ".join(f"{self.url(width)} {width}w" for width in self.widths)


class Goods(msgspec.Struct, frozen=True, kw_only=True):
    """One product as the shop shows it. `list_price` is in minor units of the campaign's currency.

    A value of this class that came out of the catalogue has passed `rules.faults_of`.
    """

    sku: Annotated[Sku, msgspec.Meta(pattern=SKU_PATTERN, examples=["KTL-1001"])]
    name: Words
    description: Words
    category: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,39}$", examples=["kitchen"])]
    brand: Annotated[str, msgspec.Meta(max_length=80, examples=["Murmur"])]
    list_price: Annotated[int, msgspec.Meta(gt=0, le=LIST_PRICE_MAX, description="Minor units", examples=[12900])]
    picture: Picture


class Category(msgspec.Struct, frozen=True):
    """A shelf of the shop with the number of goods on it."""

    slug: str
    name: Words
    goods_count: int


class GoodsPage(msgspec.Struct, frozen=True):
    """One page of a browse, ordered by SKU. `page` counts from 1; `total` counts the goods on all pages."""

    goods: tuple[Goods, ...]
    page: int
    limit: int
    total: int


class Match(StrEnum):
    """How near to the query the goods of a search result are."""

    EXACT = "exact"  # every word stands there, whole or as its beginning
    SIMILAR = "similar"  # every word stands there, perhaps spelt a little differently
    PARTIAL = "partial"  # most words stand there
    NONE = "none"


class SearchResult(msgspec.Struct, frozen=True):
    """Goods that answer a query, best first. `total` counts every match, not only those on this page."""

    query: str
    goods: tuple[Goods, ...]
    total: int
    limit: int
    offset: int
    match: Match


class Revision(msgspec.Struct, frozen=True):
    """The state of the catalogue, compared by everyone who keeps a copy: the number moves with every change.

    `identity` tells one database from another, so that a copy made from another one is never trusted.
    """

    identity: str
    number: int
    changed_at: datetime


class LineFault(msgspec.Struct, frozen=True):
    """One thing wrong in a file of goods: the line (counted from 1, as an editor does), the column, and what."""

    line: int
    field: str
    fault: str


class LogRow(msgspec.Struct, frozen=True):
    """The three columns of a real shop's order log from which goods can be told."""

    stock_code: str
    description: str
    unit_price: str
