"""What the catalogue refuses.

Refusal
  GoodsNotFound, CategoryNotFound, PictureNotFound   404
  QueryTooLong, PageOutOfRange                       400
  GoodsFileRefused, GoodsRefused                     422
"""

from collections.abc import Sequence

import msgspec

from tidegate.base.errors import Refusal
from tidegate.offer.catalogue.contracts import LineFault

FAULTS_SHOWN_MAX = 50


class GoodsNotFound(Refusal):
    """No goods on sale has this SKU."""

    code = "goods-not-found"
    status = 404
    title = "No such goods"

    def __init__(self, sku: str) -> None:
        super().__init__(
            f"No goods on sale has the SKU {sku[:64]!r}. Search for it, or choose a category.", sku=sku[:64]
        )


class CategoryNotFound(Refusal):
    """No goods stands in this category."""

    code = "category-not-found"
    status = 404
    title = "No such category"

    def __init__(self, category: str) -> None:
        super().__init__(
            f"There is no category {category[:40]!r}. GET /api/v1/categories lists those that there are.",
            category=category[:40],
        )


class PictureNotFound(Refusal):
    """No picture has this name, or no longer."""

    code = "picture-not-found"
    status = 404
    title = "No such picture"

    def __init__(self, name: str) -> None:
        super().__init__(
            "There is no picture of this name. The goods' own data names the present one.", name=name[:120]
        )


class QueryTooLong(Refusal):
    """A search of more characters than anyone types."""

    code = "query-too-long"
    status = 400
    title = "Search too long"

    def __init__(self, length: int, length_max: int) -> None:
        super().__init__(
            f"A search may have {length_max} characters, this one has {length}. Leave some words out.",
            length=length,
            length_max=length_max,
        )


class PageOutOfRange(Refusal):
    """A page, limit or offset outside its bounds."""

    code = "page-out-of-range"
    status = 400
    title = "Page out of range"

    def __init__(self, field: str, value: int, low: int, high: int) -> None:
        super().__init__(
            f"{field} must be between {low} and {high}, not {value}.", field=field, value=value, low=low, high=high
        )


class GoodsRefused(Refusal):
    """Goods that cannot be shown as they are."""

    code = "goods-refused"
    status = 422
    title = "Goods not accepted"

    def __init__(self, sku: str, faults: Sequence[tuple[str, str]]) -> None:
        told = "; ".join(f"{field}: {fault}" for field, fault in faults)
        super().__init__(
            f"Goods {sku[:64]!r} cannot be kept: {told}. Nothing was changed. Correct it and send all goods again.",
            sku=sku[:64],
            faults=[{"field": field, "fault": fault} for field, fault in faults],
        )


class GoodsFileRefused(Refusal):
    """A file of goods with faults in it."""

    code = "goods-file-refused"
    status = 422
    title = "Goods file not imported"

    def __init__(self, faults: Sequence[LineFault]) -> None:
        self.faults = tuple(faults)
        lines = len({fault.line for fault in faults})
        super().__init__(
            f"The file has {len(faults)} fault{'s' * (len(faults) != 1)} on {lines} line{'s' * (lines != 1)}. "
            "Nothing was imported. Correct the lines and import the file again.",
            faults=[msgspec.to_builtins(fault) for fault in faults[:FAULTS_SHOWN_MAX]],
            faults_count=len(faults),
        )
