"""What people do in the journeys, step by step."""

import re
import secrets

from playwright.sync_api import Page, expect

from tests.journeys.conftest import Festival

ADDRESS = {
    "Name": "林月",
    "Phone": "13800138000",
    "Province": "浙江省",
    "City": "杭州市",
    "District": "西湖区",
    "Street, house, room": "文三路 90 号 2 幢 301",
}


def sign_in(page: Page) -> str:
    """Sign in with a phone that nobody used, from the sign-in page that is open; return its number."""
    number = f"139{secrets.randbelow(10**8):08d}"
    page.get_by_label("Mobile number").fill(number)
    page.get_by_role("button", name="Send me a code").click()
    code = page.locator("#shown-code").inner_text().strip()
    page.get_by_label("Six digits").fill(code)
    page.get_by_role("button", name="Sign in", exact=True).click()
    return number


def fill_address(page: Page) -> None:
    """Fill the checkout's form."""
    for label, text in ADDRESS.items():
        page.get_by_label(label, exact=True).fill(text)


def pay(page: Page) -> str:
    """Pay on the order's page, wait until it says so by itself, and return the order's number."""
    page.get_by_role("button", name=re.compile("^Pay ")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Paid. Thank you!", timeout=20_000)
    return page.url.rsplit("/", 1)[1]


def staff_sign_in(page: Page, festival: Festival) -> None:
    """Sign in to the console, whose sign-in page is open."""
    page.locator("input[name=name]").fill(festival.staff)
    page.locator("input[type=password]").fill(festival.password)
    page.locator("form:has(input[type=password]) button").click()
    page.wait_for_url(lambda url: "sign-in" not in url)
