"""Goods from files: our own CSV with a precise word on each fault, and the order log of a real shop. Pure."""

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from io import StringIO
from typing import Final

from tidegate.offer.campaign.contracts import Words
from tidegate.offer.catalogue import pictures, rules
from tidegate.offer.catalogue.contracts import LIST_PRICE_MAX, Goods, LineFault, LogRow, Picture, Sku
from tidegate.offer.catalogue.errors import GoodsFileRefused

REQUIRED: Final = ("sku", "name_zh", "name_en", "category", "list_price")
OPTIONAL: Final = ("brand", "description_zh", "description_en", "picture")
GOODS_PER_FILE_MAX: Final = 200_000

_PRICE = re.compile(r"\d{1,10}(\.\d{1,2})?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_FIELD_LENGTH_MAX = 10_000


def read_goods(text: str) -> list[Goods]:
    """The goods of a CSV file with a head line. Raises GoodsFileRefused with every fault by line and column."""
    faults: list[LineFault] = []
    goods: list[Goods] = []
    lines_of: dict[str, int] = {}
    try:
        for line, row in _rows(text, faults):
            each = _goods(line, row, faults)
            first = lines_of.setdefault(each.sku, line)
            if first != line:
                faults.append(LineFault(line, "sku", f"{each.sku} stands on line {first} already"))
            goods.append(each)
    except csv.Error as fault:
        faults.append(LineFault(1 + text.count("\n"), "", f"the file is no CSV from some line on: {fault}"))
    if not goods and not faults:
        faults.append(LineFault(1, "", "the file holds no goods"))
    if faults:
        raise GoodsFileRefused(faults)
    return goods


def _rows(text: str, faults: list[LineFault]) -> Iterator[tuple[int, dict[str, str]]]:
    """Each record with the line it begins on; records of the wrong width become faults."""
    csv.field_size_limit(_FIELD_LENGTH_MAX)
    reader = csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    head = [name.strip() for name in next(reader, [])]
    if head_faults := list(_head_faults(head)):
        faults += head_faults
        return
    begins, count = reader.line_num + 1, 0
    for record in reader:
        line, begins, count = begins, reader.line_num + 1, count + 1
        if count > GOODS_PER_FILE_MAX:
            faults.append(LineFault(line, "", f"a file may hold {GOODS_PER_FILE_MAX:,} goods; part it"))
            return
        if not record:
            continue
        if len(record) != len(head):
            faults.append(LineFault(line, "", f"has {len(record)} fields, the head line names {len(head)}"))
            continue
        yield line, dict(zip(head, (field.strip() for field in record), strict=True))


def _head_faults(head: Sequence[str]) -> Iterator[LineFault]:
    for name in REQUIRED:
        if name not in head:
            yield LineFault(1, name, "the head line lacks this column")
    for name, count in Counter(head).items():
        if name not in (*REQUIRED, *OPTIONAL):
            yield LineFault(1, name[:40], f"is no column we know; there are {', '.join((*REQUIRED, *OPTIONAL))}")
        elif count > 1:
            yield LineFault(1, name, "stands twice in the head line")


def _goods(line: int, row: Mapping[str, str], faults: list[LineFault]) -> Goods:
    price = _price(row["list_price"])
    named = row.get("picture", "")
    recipe = pictures.recipe_of(named) if named else pictures.choose(row["sku"], row["name_en"])
    goods = Goods(
        sku=Sku(row["sku"]),
        name=Words(row["name_zh"], row["name_en"]),
        description=Words(
            row.get("description_zh") or row["name_zh"] or "-", row.get("description_en") or row["name_en"] or "-"
        ),
        category=row["category"],
        brand=row.get("brand", ""),
        list_price=1 if price is None else price,
        picture=pictures.drawn(recipe) if recipe else Picture(base="none"),
    )
    if price is None:
        faults.append(LineFault(line, "list_price", f"{row['list_price'][:20]!r} is no price such as 129.00"))
    if recipe is None:
        faults.append(LineFault(line, "picture", f"{named[:40]!r} is no drawing such as kettle/teal/1"))
    faults += [
        LineFault(line, field, fault)
        for field, fault in rules.faults_of(goods)
        if (field, price) != ("list_price", None)
    ]
    return goods


def _price(text: str) -> int | None:
    """`129.00` as minor units; None for anything else."""
    return int(Decimal(text) * 100) if text.isascii() and _PRICE.fullmatch(text) else None


def goods_from_log(rows: Iterable[LogRow], *, category: str = "gifts") -> list[Goods]:
    """The goods that a real shop's log speaks of, by SKU, each once.

    A stock code has many spellings and prices in such a log; its most frequent description and price count, the
    first met among equals. Codes without any positive price are left out: nothing can be sold under them. Prices
    are rounded half up to whole minor units.
    """
    names: dict[str, Counter[str]] = defaultdict(Counter)
    prices: dict[str, Counter[int]] = defaultdict(Counter)
    for row in rows:
        sku = sku_of_code(row.stock_code)
        price = _log_price(row.unit_price)
        if sku is None or price is None:
            continue
        prices[sku][price] += 1
        if described := " ".join(_CONTROL.sub(" ", row.description).split()):
            names[sku][described] += 1
    return [_log_goods(sku, names[sku], prices[sku], category) for sku in sorted(prices)]


def sku_of_code(code: str) -> str | None:
    """A log's stock code as a SKU: upper case, other characters become dashes; None when nothing is left."""
    return re.sub(r"[^A-Z0-9._-]+", "-", code.upper()).strip("-._")[:64] or None


def _log_price(text: str) -> int | None:
    try:
        price = Decimal(text)
    except InvalidOperation:
        return None
    if not price.is_finite() or not 0 < price < LIST_PRICE_MAX // 100:
        return None
    return int((price * 100).quantize(Decimal(1), ROUND_HALF_UP)) or None


def _log_goods(sku: str, names: Counter[str], prices: Counter[int], category: str) -> Goods:
    name = names.most_common(1)[0][0] if names else sku
    spoken = (name.capitalize() if name.isupper() else name)[: rules.NAME_LENGTH_MAX].strip()
    return Goods(
        sku=Sku(sku),
        name=Words(spoken, spoken),
        description=Words(spoken, spoken),
        category=category,
        brand="",
        list_price=prices.most_common(1)[0][0],
        picture=pictures.drawn(pictures.choose(sku, name)),
    )
