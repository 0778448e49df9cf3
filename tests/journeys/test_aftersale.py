"""A person gives a part back and sees before what it brings; the price falls, and the difference comes back."""

import re
import subprocess
import sys

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import Festival
from tests.journeys.shopping import fill_address, pay, sign_in, staff_sign_in
from tidegate.app.up import SUPPORT_NAME

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("journeys")]


def test_a_part_goes_back_and_a_lower_price_comes_back(phone: Page, festival: Festival, browser: Browser) -> None:
    phone.goto("/?sort=price-down")
    goods = phone.locator("#goods .goods a").first
    goods.click()
    sku = phone.url.rsplit("/", 1)[1]
    phone.goto(f"/checkout?sku={sku}&quantity=3")
    sign_in(phone)
    fill_address(phone)
    phone.get_by_role("button", name="Place the order").click()
    order = pay(phone)

    phone.get_by_role("link", name="Give a part back").click()
    phone.locator("input[type=number]").fill("1")
    phone.get_by_role("button", name="See what comes back").click()
    shown = phone.get_by_role("button", name=re.compile("^Give back and refund"))
    amount = shown.inner_text().rpartition(" ")[2]
    shown.click()
    expect(phone.locator("section", has=phone.locator("#returned"))).to_contain_text(amount)

    subprocess.run([sys.executable, "-m", "tests.journeys.cheaper", sku, "500"], env=festival.environment(), check=True)
    phone.goto(f"/orders/{order}/protection")
    until_cheaper(phone)
    phone.get_by_role("button", name="Refund the difference").click()
    expect(phone.get_by_role("heading", name="What was given back")).to_be_visible()
    phone.locator(".unfold summary").first.click()
    expect(phone.get_by_text("The price on that day, step by step")).to_be_visible()
    staff_refund(browser, festival, order)
    phone.goto(f"/orders/{order}")
    expect(phone.locator("section", has=phone.locator("#returned"))).to_contain_text("Our staff: scratched on the way")


def until_cheaper(page: Page) -> None:
    """Load the page again until the process that answers has taken the new version up: a second or two."""
    for _ in range(60):
        if page.get_by_role("heading", name="You get back").is_visible():
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError("the new version was not taken up")


def staff_refund(browser: Browser, festival: Festival, order: str) -> None:
    """Refund one unit in the console, after looking at what it gives back."""
    context = browser.new_context(base_url=festival.url, viewport={"width": 1440, "height": 900}, locale="en-GB")
    page = context.new_page()
    page.goto("/console/sign-in")
    staff_sign_in(page, msgspec.structs.replace(festival, staff=SUPPORT_NAME))
    page.goto("/console/protection")
    expect(page.locator("table")).to_contain_text("the buyer")
    page.goto(f"/console/orders/{order}")
    refunds = page.locator("#refunds")
    refunds.locator("summary").click()
    refunds.locator("input[type=number]").fill("1")
    refunds.get_by_label("Reason").fill("scratched on the way")
    refunds.get_by_role("button", name="See what it gives back").click()
    page.locator("#plan").get_by_role("button", name=re.compile("^Refund ")).click()
    expect(page.locator("#refunds")).to_contain_text("scratched on the way")
    context.close()
