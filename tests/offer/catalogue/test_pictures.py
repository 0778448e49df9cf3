"""Pictures: drawn the same each time, named by what they show, and no more than there is to draw."""

import hashlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tidegate.offer.catalogue.contracts import Goods, Picture
from tidegate.offer.catalogue.drawing import KINDS, render
from tidegate.offer.catalogue.drawing.paint import PAINTS
from tidegate.offer.catalogue.pictures import (
    Recipe,
    choose,
    drawn,
    file_of,
    picture_of,
    recipe_of,
    render_all,
    render_files,
)

KETTLE = Recipe("kettle", "teal", 1)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_drawn_and_fills_its_frame(kind: str) -> None:
    data = render(kind, "coral", 0, [160])[160]
    image = Image.open(BytesIO(data)).convert("RGB")
    plain = Image.open(BytesIO(render("socks" if kind == "pen" else "pen", "coral", 0, [160])[160])).convert("RGB")
    assert image.size == (160, 160)
    assert len(image.getcolors(25_600) or []) > 200  # shaded, not flat
    assert image.tobytes() != plain.tobytes()
    assert len(data) < 6_000


def test_a_drawing_is_the_same_each_time_and_differs_by_colour_and_variant() -> None:
    first = render("kettle", "teal", 1, [320])[320]
    assert render("kettle", "teal", 1, [320])[320] == first
    others = [render("kettle", colour, variant, [320])[320] for colour, variant in (("teal", 2), ("plum", 1))]
    assert len({hashlib.sha256(data).hexdigest() for data in (first, *others)}) == 3


def test_a_picture_has_three_widths_and_a_placeholder() -> None:
    picture = drawn(KETTLE)
    assert picture.srcset == ", ".join(f"/media/{picture.base}-{width}.webp {width}w" for width in (160, 320, 640))
    assert picture.url(200).endswith("-320.webp")
    assert picture.url(9_999).endswith("-640.webp")
    assert picture.placeholder.startswith("#")
    assert len(picture.placeholder) == 7


@pytest.mark.parametrize("text", ["kettle/teal/1", "kettle-teal-1", "kettle-teal-1-0123456789", KETTLE.base])
def test_a_recipe_is_read_from_each_of_its_forms(text: str) -> None:
    assert recipe_of(text) == KETTLE


@pytest.mark.parametrize("text", ["", "kettle", "dragon/teal/1", "kettle/gold/1", "kettle/teal/4", "../kettle/teal/1"])
def test_other_texts_are_no_recipe(text: str) -> None:
    assert recipe_of(text) is None


def test_a_kept_picture_takes_the_name_of_todays_drawing() -> None:
    assert picture_of("kettle-teal-1-0123456789", "#000000") == drawn(KETTLE)
    assert picture_of("a-photograph", "#123456") == Picture(base="a-photograph", placeholder="#123456")


def test_goods_without_a_picture_get_one_by_their_words() -> None:
    assert choose("A", "REGENCY TEA CUP RED").kind in {"mug", "teabox"}
    assert choose("A", "Pink cushions").kind == "cushion"
    assert choose("A", "Pink cushions").colour == "blush"
    assert choose("A", "Zyx").kind == "giftbox"
    assert choose("A", "Zyx") == choose("A", "Zyx")


def test_only_missing_files_are_drawn(tmp_path: Path) -> None:
    assert render_files(KETTLE, tmp_path) == 3
    assert render_files(KETTLE, tmp_path) == 0
    (tmp_path / f"{KETTLE.base}-320.webp").unlink()
    assert render_files(KETTLE, tmp_path) == 1
    assert len(list(tmp_path.iterdir())) == 3


def test_a_festivals_pictures_are_drawn_ahead_with_progress(festival: list[Goods], tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    pictures = [each.picture for each in festival[:6]] * 2
    assert render_all(pictures, tmp_path / "media", lambda done, total: seen.append((done, total)), processes=2) == 18
    assert seen == [(done, 6) for done in range(1, 7)]


@pytest.mark.parametrize(
    "name",
    [
        "kettle-teal-1-0000000000-320.webp",
        f"{KETTLE.base}-321.webp",
        f"{KETTLE.base}-320.png",
        "../../etc/passwd",
        "..%2fx-320.webp",
        "x-320.webp",
        "",
    ],
)
def test_only_names_that_goods_have_lead_to_a_file(name: str, tmp_path: Path) -> None:
    assert file_of(name, tmp_path) is None


def test_every_colour_has_a_backdrop_of_its_own() -> None:
    for variant in range(4):
        assert len({drawn(Recipe("kettle", colour, variant)).placeholder for colour in PAINTS}) > 8
