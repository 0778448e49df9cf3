"""A person claims a coupon, buys with it, gives the order up, and has the coupon back; staff see its story."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import Festival
from tests.journeys.shopping import fill_address, sign_in, staff_sign_in

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("journeys")]

LABEL = "Claim it: 25 off from 169"


def test_claim_buy_with_it_cancel_and_it_is_back(phone: Page, festival: Festival, browser: Browser) -> None:
    phone.goto("/coupons")
    sign_in(phone)
    offered = phone.locator(".coupon", has_text=LABEL)
    offered.get_by_role("button", name="Claim").click()
    expect(phone.get_by_text("It is yours")).to_be_visible()
    mine = phone.locator(".coupon", has_text=LABEL)
    code = mine.locator("code").inner_text()
    expect(offered.get_by_role("button", name="Claim")).to_have_count(0)

    phone.goto("/?sort=price-down")
    phone.locator("#goods .goods a").first.click()
    phone.get_by_role("button", name="Buy now").click()
    expect(phone.get_by_role("radio", name=LABEL)).to_be_checked()
    fill_address(phone)
    phone.get_by_role("button", name="Place the order").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Ordered. Please pay now")
    order = phone.url

    phone.goto("/coupons")
    expect(phone.get_by_role("heading", name="In an order that waits for payment")).to_be_visible()
    phone.goto(order)
    phone.locator(".unfold summary", has_text="Give up this order").click()
    phone.get_by_role("button", name="Give up this order").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Cancelled")
    phone.goto("/coupons")
    expect(phone.locator(".coupon", has_text=code)).to_contain_text("came back")
    staff_see(browser, festival, code)


def staff_see(browser: Browser, festival: Festival, code: str) -> None:
    """Sign in to the console and read the coupon's story there."""
    context = browser.new_context(base_url=festival.url, viewport={"width": 1440, "height": 900}, locale="en-GB")
    page = context.new_page()
    page.goto("/console/sign-in")
    staff_sign_in(page, festival)
    page.goto("/console/coupons")
    page.get_by_label("Code", exact=True).fill(code)
    page.get_by_role("button", name="Show its story").click()
    expect(page.locator("#code")).to_contain_text("An order took it")
    expect(page.locator("#code")).to_contain_text("Its order was given up")
    context.close()
