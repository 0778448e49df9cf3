"""Whatever colour a campaign chooses, its pages can be read."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.app.pages.colour import (
    TEXT_CONTRAST_MIN,
    accent_css,
    contrast,
    dark_accent,
    light_accent,
)

colours = st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06x}")


def rgb(colour: str) -> tuple[int, int, int]:
    return (int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16))


@given(colours)
def test_every_accent_meets_aa_in_light_and_dark(colour: str) -> None:
    for accent, grounds in (
        (light_accent(colour), ("#f5f6f8", "#ffffff")),
        (dark_accent(colour), ("#171c22", "#0e1216")),
    ):
        assert contrast(rgb(accent.fill), rgb(accent.on)) >= TEXT_CONTRAST_MIN
        assert contrast(rgb(accent.deep), rgb(accent.on)) >= TEXT_CONTRAST_MIN
        for ground in (*grounds, accent.soft):
            assert contrast(rgb(accent.ink), rgb(ground)) >= TEXT_CONTRAST_MIN


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == 21
    assert round(contrast((119, 119, 119), (255, 255, 255)), 2) == 4.48


def test_what_is_not_a_colour_gives_no_css() -> None:
    assert accent_css("red;}body{display:none") == ""
    assert accent_css("#12345") == ""
    assert "--accent:#b3122f" in accent_css("#b3122f")
