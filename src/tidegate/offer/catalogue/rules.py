"""What makes goods fit to be shown, how pages are cut, and what categories are called. Pure."""

import re
from typing import Final

from tidegate.offer.campaign.contracts import Words
from tidegate.offer.catalogue.contracts import LIST_PRICE_MAX, OFFSET_MAX, PAGE_LIMIT_MAX, SKU_PATTERN, Goods
from tidegate.offer.catalogue.errors import PageOutOfRange

NAME_LENGTH_MAX: Final = 200
DESCRIPTION_LENGTH_MAX: Final = 2000
BRAND_LENGTH_MAX: Final = 80
CATEGORY_PATTERN: Final = r"^[a-z][a-z0-9-]{0,39}$"
PICTURE_PATTERN: Final = r"^[a-z0-9][a-z0-9-]{0,99}$"
PLACEHOLDER_PATTERN: Final = r"^#[0-9a-f]{6}$"
PAGE_MAX: Final = 100_000

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

CATEGORIES: Final[dict[str, Words]] = {
    "kitchen": Words("厨房餐具", "Kitchen"),
    "home": Words("家居", "Home"),
    "appliances": Words("家用电器", "Appliances"),
    "digital": Words("数码", "Digital"),
    "clothing": Words("服饰", "Clothing"),
    "shoes-bags": Words("鞋靴箱包", "Shoes and bags"),
    "beauty": Words("美妆个护", "Beauty and care"),
    "food": Words("食品", "Food"),
    "tea-drinks": Words("饮品", "Tea and drinks"),
    "toys": Words("玩具", "Toys"),
    "books-stationery": Words("图书文具", "Books and stationery"),
    "sports-outdoor": Words("运动户外", "Sports and outdoor"),
    "gifts": Words("礼品", "Gifts"),
}


def category_name(slug: str) -> Words:
    """The shopper's words for a category; one that we have no words for is called by its slug."""
    spoken = slug.replace("-", " ").capitalize()
    return CATEGORIES.get(slug, Words(spoken, spoken))


def faults_of(goods: Goods) -> list[tuple[str, str]]:
    """All that keeps these goods from being shown, as (field, fault); empty when they are fit."""
    faults = [
        _shape("sku", goods.sku, SKU_PATTERN, "1 to 64 letters, digits, dots, dashes or underscores"),
        _words("name_zh", goods.name.zh, NAME_LENGTH_MAX),
        _words("name_en", goods.name.en, NAME_LENGTH_MAX),
        _words("description_zh", goods.description.zh, DESCRIPTION_LENGTH_MAX),
        _words("description_en", goods.description.en, DESCRIPTION_LENGTH_MAX),
        _shape("category", goods.category, CATEGORY_PATTERN, "small letters, digits and dashes, 40 at most"),
        _words("brand", goods.brand, BRAND_LENGTH_MAX) if goods.brand else None,
        _price(goods.list_price),
        _shape("picture", goods.picture.base, PICTURE_PATTERN, "small letters, digits and dashes, 100 at most"),
        _shape("placeholder", goods.picture.placeholder, PLACEHOLDER_PATTERN, "a colour such as #dfe9e6"),
    ]
    return [fault for fault in faults if fault is not None]


def _shape(field: str, value: str, pattern: str, wanted: str) -> tuple[str, str] | None:
    return None if re.fullmatch(pattern, value) else (field, f"must be {wanted}")


def _words(field: str, value: str, length_max: int) -> tuple[str, str] | None:
    if not value.strip():
        return field, "must not be empty"
    if len(value) > length_max:
        return field, f"may have {length_max} characters, has {len(value)}"
    if _CONTROL.search(value):
        return field, "must not hold control characters"
    return None


def _price(amount: int) -> tuple[str, str] | None:
    if amount <= 0:
        return "list_price", "must be above zero"
    return None if amount <= LIST_PRICE_MAX else ("list_price", "is larger than any price we can reckon with")


def require_page(page: int, limit: int) -> None:
    """Raise PageOutOfRange unless both are within their bounds."""
    _require_between("page", page, 1, PAGE_MAX)
    _require_between("limit", limit, 1, PAGE_LIMIT_MAX)


def require_window(limit: int, offset: int) -> None:
    """Raise PageOutOfRange unless both are within their bounds."""
    _require_between("limit", limit, 1, PAGE_LIMIT_MAX)
    _require_between("offset", offset, 0, OFFSET_MAX)


def _require_between(field: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise PageOutOfRange(field, value, low, high)
