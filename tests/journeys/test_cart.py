"""A person puts goods of two shops in the cart, sees what a little more brings, and buys all of it as one order."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import Festival, running_promotions
from tests.journeys.shopping import fill_address, pay, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("journeys")]

KETTLE, TEAPOT = "/goods/KETTLE-1", "/goods/TEAPOT-1"
ACROSS = "50 off for every 300 across shops"


@pytest.fixture(scope="module")
def festival() -> Iterator[Festival]:
    """The festival of all promotions, open: a kettle at 159.00 of one shop, a teapot at 169.00 of another."""
    with running_promotions() as running:
        yield running


def put_in(page: Page, path: str) -> None:
    """Add goods with one click, without leaving their page."""
    page.goto(path)
    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_role("status").filter(has_text="It is in your cart.")).to_be_visible()
    expect(page).to_have_url(re.compile(f"{path}$"))


def test_goods_of_two_shops_reach_a_threshold_together_and_are_one_order(phone: Page) -> None:
    put_in(phone, KETTLE)
    expect(phone.locator("[data-cart-count]")).to_have_text("1")
    phone.get_by_role("link", name="See the cart").click()
    across = phone.locator(".sum div", has_text=ACROSS)
    expect(phone.locator(".told li", has_text=ACROSS)).to_contain_text("151.00 more")
    expect(across).to_have_count(0)

    put_in(phone, TEAPOT)
    phone.get_by_role("link", name="See the cart").click()
    lines, total = phone.locator(".cart .line"), phone.locator(".sum__total dd")
    expect(lines).to_have_count(2)
    expect(across).to_contain_text("-¥50.00")
    expect(total).to_have_text("¥268.00")

    lines.first.get_by_role("button", name="One more").click()
    expect(total).not_to_have_text("¥268.00")
    expect(phone.locator("[data-cart-count]")).to_have_text("3")
    expect(lines.first.get_by_role("button", name="One more")).to_be_focused()
    lines.first.get_by_role("button", name="One less").click()
    expect(total).to_have_text("¥268.00")
    lines.nth(1).get_by_role("button", name="Remove").click()
    expect(across).to_have_count(0)
    phone.get_by_role("button", name="Put it back").click()
    expect(across).to_have_count(1)

    phone.locator("a:visible", has_text="Check out").click()
    sign_in(phone)
    fill_address(phone)
    phone.get_by_role("button", name="Place the order").click()
    pay(phone)
    ordered = phone.locator("section", has=phone.locator("#lines"))
    for path in (KETTLE, TEAPOT):
        expect(ordered.locator(f'a[href="{path}"]')).to_be_visible()
    expect(ordered.locator(".sum div", has_text=ACROSS)).to_contain_text("-¥50.00")
    expect(ordered.locator(".sum__total dd")).to_have_text("¥268.00")
    expect(phone.locator("[data-cart-count]")).to_be_hidden()


def test_a_cart_is_bought_without_a_script(browser: Browser, festival: Festival) -> None:
    context = browser.new_context(base_url=festival.url, java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    for path in (KETTLE, TEAPOT):
        page.goto(path)
        page.get_by_role("button", name="Add to cart").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Cart")
    page.get_by_label("Quantity").first.fill("2")
    page.get_by_role("button", name="Change the quantity").first.click()
    expect(page.get_by_label("Quantity").first).to_have_value("2")
    expect(page.locator("[data-cart-count]")).to_have_text("3")
    page.locator("a:visible", has_text="Check out").click()
    sign_in(page)
    fill_address(page)
    page.get_by_role("button", name="Place the order").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ordered. Please pay now")
    assert [cookie for cookie in context.cookies() if cookie["name"] == "tg_cart"] == []
    context.close()
