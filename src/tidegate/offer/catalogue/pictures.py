"""Goods pictures: which drawing shows which goods, what its files are called, and rendering them.

A drawing is known by its recipe, `kind/colour/variant`. Its files carry a digest of the recipe and of the code that
draws, so that a file of a given name never changes and may be cached for ever. Files are rendered when first asked
for, or ahead of time for a whole festival.
"""

import os
import re
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import cache, lru_cache
from importlib.resources import files
from multiprocessing import get_context
from pathlib import Path
from typing import Final, NamedTuple

from tidegate.base.crypto import digest
from tidegate.offer.catalogue.contracts import PICTURE_WIDTHS, Picture
from tidegate.offer.catalogue.drawing import KINDS, background, render
from tidegate.offer.catalogue.drawing.paint import PAINTS

VARIANTS: Final = 4
_BASE = re.compile(r"([a-z]+)-([a-z]+)-([0-3])(?:-[0-9a-f]{10})?")
_NAME = re.compile(r"([a-z0-9-]{1,100})-([0-9]{2,4})\.webp")

Progress = Callable[[int, int], None]


class Recipe(NamedTuple):
    """Which drawing, in which colour, in which of its four variants."""

    kind: str
    colour: str
    variant: int

    @property
    def base(self) -> str:
        """The name of its files, without width and type."""
        return f"{self.kind}-{self.colour}-{self.variant}-{_mark(self)}"


@cache
def _code_digest() -> str:
    """Digest of the code that draws: other code, other pixels, other names."""
    sources = sorted(
        (file for file in files("tidegate.offer.catalogue.drawing").iterdir() if file.name.endswith(".py")),
        key=lambda file: file.name,
    )
    return digest(b"".join(file.read_bytes() for file in sources))


@lru_cache(maxsize=20_000)
def _mark(recipe: Recipe) -> str:
    return digest(f"{recipe.kind}/{recipe.colour}/{recipe.variant}/{_code_digest()}".encode())[:10]


def recipe_of(text: str) -> Recipe | None:
    """Read `kettle/teal/1`, or the name of a picture drawn before; None if there is no such drawing."""
    found = _BASE.fullmatch(text.strip().replace("/", "-"))
    if found is None or found[1] not in KINDS or found[2] not in PAINTS:
        return None
    return Recipe(found[1], found[2], int(found[3]))


def drawn(recipe: Recipe) -> Picture:
    """The picture of a recipe; nothing is rendered yet."""
    return Picture(base=recipe.base, widths=PICTURE_WIDTHS, placeholder=background(recipe.colour, recipe.variant))


@lru_cache(maxsize=20_000)
def picture_of(kept: str, placeholder: str) -> Picture:
    """The picture that was kept with goods, under the name that today's drawing code gives it."""
    recipe = recipe_of(kept)
    return drawn(recipe) if recipe else Picture(base=kept, placeholder=placeholder)


def choose(sku: str, words: str) -> Recipe:
    """A drawing for goods that come without one: by a word of the English name, else a gift box."""
    spoken = set(re.findall(r"[a-z]+", words.lower()))
    spoken |= {word.removesuffix("s") for word in spoken}
    kind = next((kind for word, kind in _BY_WORD.items() if word in spoken), "giftbox")
    number = int(digest(sku.encode())[:10], 16)
    said = next((colour for word, colour in _COLOUR_WORDS.items() if word in spoken), None)
    return Recipe(kind, said or sorted(PAINTS)[number % len(PAINTS)], number // 97 % VARIANTS)


def render_files(recipe: Recipe, folder: Path) -> int:
    """Write the picture's files that are missing; return how many. Safe when two do it at once."""
    missing = [width for width in PICTURE_WIDTHS if not (folder / f"{recipe.base}-{width}.webp").exists()]
    if not missing:
        return 0
    for width, data in render(recipe.kind, recipe.colour, recipe.variant, missing).items():
        place = folder / f"{recipe.base}-{width}.webp"
        aside = place.with_suffix(f".{os.getpid()}.new")
        aside.write_bytes(data)
        aside.replace(place)
    return len(missing)


def render_all(
    pictures: Iterable[Picture], folder: Path, progress: Progress | None = None, *, processes: int = 2
) -> int:
    """Render all these pictures ahead of time in `processes` processes; return how many files were missing."""
    folder.mkdir(parents=True, exist_ok=True)
    recipes = {recipe for each in pictures if (recipe := recipe_of(each.base))}
    # Neighbours share a backdrop, which the canvas keeps from one drawing to the next.
    ordered = sorted(recipes, key=lambda recipe: (recipe.colour, recipe.variant, recipe.kind))
    written = 0
    # Fresh processes: a copy of this one could inherit a lock that one of its threads holds just now.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for done, count in enumerate(pool.map(_render_one, ordered, [folder] * len(ordered), chunksize=8), start=1):
            written += count
            if progress:
                progress(done, len(recipes))
    return written


def _render_one(recipe: Recipe, folder: Path) -> int:
    return render_files(recipe, folder)


def file_of(name: str, folder: Path) -> tuple[Path, Recipe | None] | None:
    """Where the file of a `/media/` name is, and the recipe it can be rendered from when it is not there yet.

    None for a name that no picture has: only names that today's code gives are rendered, so that a stranger
    can make us draw no more than there is to draw.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    recipe = recipe_of(found[1])
    place = folder / name
    if recipe and recipe.base == found[1] and int(found[2]) in PICTURE_WIDTHS:
        return place, recipe
    return (place, None) if place.exists() else None


_BY_WORD: Final = {
    "teapot": "kettle", "kettle": "kettle", "mug": "mug", "cup": "mug", "bowl": "bowl", "flask": "flask",
    "lantern": "candle", "candle": "candle", "light": "candle", "holder": "candle", "lamp": "lamp", "clock": "clock",
    "cushion": "cushion", "chair": "chair", "stool": "chair", "vase": "vase", "jug": "vase", "plant": "plant",
    "garden": "plant", "flower": "plant", "pan": "pan", "pot": "pot", "cake": "cookies", "biscuit": "cookies",
    "cookie": "cookies", "tin": "cookies", "jar": "honey", "chocolate": "chocolate", "bottle": "bottle",
    "tea": "teabox", "coffee": "coffee", "bag": "handbag", "handbag": "handbag", "purse": "handbag",
    "rucksack": "backpack", "luggage": "suitcase", "suitcase": "suitcase", "scarf": "scarf", "hat": "hat",
    "sock": "socks", "shirt": "tshirt", "apron": "dress", "book": "book", "notebook": "notebook",
    "journal": "notebook", "card": "notebook", "pen": "pen", "pencil": "pen", "bear": "bear", "doll": "bear",
    "block": "blocks", "game": "blocks", "playhouse": "blocks", "robot": "robot", "soap": "soap", "ball": "ball",
    "radio": "speaker", "soldier": "robot", "doormat": "yogamat", "mat": "yogamat", "dish": "bowl", "plate": "bowl",
}  # fmt: skip

_COLOUR_WORDS: Final = {
    "red": "coral", "pink": "blush", "blue": "sky", "green": "forest", "white": "ivory", "cream": "ivory",
    "black": "graphite", "silver": "slate", "grey": "slate", "gold": "amber", "yellow": "amber", "orange": "terracotta",
    "purple": "plum", "lilac": "plum", "mint": "mint", "navy": "navy", "natural": "sand", "wooden": "sand",
    "wood": "sand",
}  # fmt: skip
