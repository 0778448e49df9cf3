"""What the browser keeps of a cart: bounded, read back as it was written, and nothing else is a cart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.app.storefront import cart
from tidegate.offer.pricing.contracts import QUANTITY_MAX, CartLine

SKUS = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
LINES = st.dictionaries(SKUS, st.integers(1, QUANTITY_MAX), max_size=cart.LINES_MAX).map(
    lambda units: tuple(CartLine(sku, quantity) for sku, quantity in units.items())
)
TWO = (CartLine("A", 2), CartLine("B", 1))


@given(lines=LINES)
def test_what_was_written_is_read_back(lines: tuple[CartLine, ...]) -> None:
    kept = cart.read(cart.write(lines))
    assert kept == cart.Kept(lines)
    assert kept.units == sum(line.quantity for line in lines)


def test_the_largest_cart_is_within_what_browsers_keep() -> None:
    lines = tuple(CartLine(f"{place:064d}", QUANTITY_MAX) for place in range(cart.LINES_MAX))
    text = cart.write(lines)
    assert cart.read(text).lines == lines
    header = cart.cookie(lines, secure=True).to_header(header="")
    assert text in header, "written without quotes, as the page's script reads it"
    assert len(header) < 4_096


@pytest.mark.parametrize(
    "text",
    [
        "A", "A:", ":1", "A:0", "A:-1", "A:1.5", "A:10000", "A:1~", "~A:1", "A:1~A:2", "A:1,B:2", "A:１", "-A:1",
        "<script>:1", "A B:1", '"A:1"', "%41:1", "A:1\n", "x" * 65 + ":1", "~".join(f"S{n}:1" for n in range(31)),
        "A:1~" * 5_000,
    ],
)  # fmt: skip
def test_anything_else_is_no_cart(text: str) -> None:
    assert cart.read(text) == cart.Kept(unreadable=True)


@given(text=st.text(max_size=300))
def test_no_text_is_too_strange_to_be_read(text: str) -> None:
    kept = cart.read(text)
    assert kept.lines == () or cart.write(kept.lines) == text


def test_nothing_is_an_empty_cart() -> None:
    assert cart.read(None) == cart.read("") == cart.Kept()


def test_more_of_the_same_is_one_line_and_never_beyond_its_bound() -> None:
    assert cart.with_more(TWO, [CartLine("A", 3), CartLine("C", 1)]) == (
        CartLine("A", 5), CartLine("B", 1), CartLine("C", 1),
    )  # fmt: skip
    assert cart.with_more(TWO, [CartLine("A", QUANTITY_MAX)]) == (CartLine("A", QUANTITY_MAX), CartLine("B", 1))


def test_a_full_cart_takes_more_of_what_it_has_and_nothing_new() -> None:
    full = tuple(CartLine(f"S{place}", 1) for place in range(cart.LINES_MAX))
    assert cart.with_more(full, [CartLine("NEW", 1)]) is None
    assert cart.with_more(full, [CartLine("S0", 1)]) == (CartLine("S0", 2), *full[1:])


def test_another_quantity_removes_at_none_and_adds_nothing() -> None:
    assert cart.with_quantity(TWO, "A", 9) == (CartLine("A", 9), CartLine("B", 1))
    assert cart.with_quantity(TWO, "A", 0) == (CartLine("B", 1),)
    assert cart.with_quantity(TWO, "C", 4) == TWO


def test_what_was_put_in_beside_an_order_stays() -> None:
    assert cart.without((CartLine("A", 5), CartLine("B", 1), CartLine("C", 2)), TWO) == (
        CartLine("A", 3), CartLine("C", 2),
    )  # fmt: skip
