"""Write the goods of the example festival: `python examples/make_goods.py` makes `double-eleven/goods.csv` again.

The same seed and `goods_kinds.toml` give the same file to the last byte, so that it can be kept and still be explained.
"""

import csv
import random
import tomllib
from itertools import product
from pathlib import Path

import msgspec

SEED = 20261111
GOODS_PER_KIND = 16
FIELDS = (
    "sku",
    "name_zh",
    "name_en",
    "category",
    "brand",
    "description_zh",
    "description_en",
    "list_price",
    "picture",
)
HERE = Path(__file__).parent
SOURCE = HERE / "goods_kinds.toml"
TARGET = HERE / "double-eleven" / "goods.csv"

Pair = tuple[str, str]


class Kind(msgspec.Struct, frozen=True):
    """One kind of goods: its words, and its prices in whole yuan from the plainest to the best."""

    drawing: str
    category: str
    prefix: str
    price: tuple[int, int]
    coloured: bool
    nouns: tuple[Pair, ...]
    sizes: tuple[Pair, ...]
    features: tuple[Pair, ...]


class Source(msgspec.Struct, frozen=True):
    """The whole of `goods_kinds.toml`."""

    brands: dict[str, tuple[Pair, ...]]
    colours: dict[str, Pair]
    kind: tuple[Kind, ...]


class Choice(msgspec.Struct, frozen=True):
    """What one product is: noun and size with their ranks (a later one costs more), brand and colour."""

    noun_rank: int
    noun: Pair
    size_rank: int
    size: Pair
    brand: Pair
    colour: str


def price_yuan(low: int, high: int, share: float) -> str:
    """A price between low and high, geometric in `share`, ending the way shop prices do."""
    raw = low * (high / low) ** share
    if raw < 100:
        return f"{max(1, round(raw)) - 0.1:.2f}"
    step = 10 if raw < 1000 else 100
    return f"{round(raw / step) * step - 1:.2f}"


def row(kind: Kind, number: int, choice: Choice, paint: Pair, draw: random.Random) -> dict[str, str]:
    """One line of the file."""
    first, second = draw.sample(kind.features, 2)
    share = min(1.0, 0.22 * choice.noun_rank + 0.25 * choice.size_rank + draw.uniform(0.0, 0.18))
    zh, en = (f"{choice.brand[at]} {choice.noun[at]}" for at in (0, 1))
    return {
        "sku": f"{kind.prefix}-{1000 + number}",
        "name_zh": f"{zh} {choice.size[0]}" + (f" {paint[0]}" if kind.coloured else ""),
        "name_en": f"{en}, {choice.size[1]}" + (f", {paint[1]}" if kind.coloured else ""),
        "category": kind.category,
        "brand": choice.brand[1],
        "description_zh": f"{first[0]}；{second[0]}。",
        "description_en": f"{first[1]}. {second[1]}.",
        "list_price": price_yuan(*kind.price, share),
        "picture": f"{kind.drawing}/{choice.colour}/{number % 4}",
    }


def rows_of(kind: Kind, source: Source, draw: random.Random) -> list[dict[str, str]]:
    """Goods of one kind, no two of the same name."""
    ranked = list(product(enumerate(kind.nouns), enumerate(kind.sizes)))
    colours = draw.sample(list(source.colours), len(source.colours))
    draw.shuffle(ranked)
    brands = source.brands[kind.category]
    rows = []
    for number in range(1, GOODS_PER_KIND + 1):
        round_, at = divmod(number - 1, len(ranked))
        (noun_rank, noun), (size_rank, size) = ranked[at]
        # A noun and size that come round again get another brand (the extra step), so that names differ.
        brand, colour = brands[(number - 1 + round_) % len(brands)], colours[number % len(colours)]
        choice = Choice(noun_rank, noun, size_rank, size, brand, colour)
        rows.append(row(kind, number, choice, source.colours[colour], draw))
    return rows


def main() -> None:
    """Write the file, goods of all kinds, sorted by SKU."""
    source = msgspec.convert(tomllib.loads(SOURCE.read_text(encoding="utf-8")), Source)
    draw = random.Random(SEED)  # noqa: S311  a seeded draw is what is wanted, nothing is kept secret
    rows = sorted((each for kind in source.kind for each in rows_of(kind, source, draw)), key=lambda each: each["sku"])
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    with TARGET.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
