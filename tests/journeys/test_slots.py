"""A shopper waits on a phone for a slot of a flash price and buys within it; others see it run out, and end."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import Festival, running_promotions
from tests.journeys.shopping import fill_address, pay, sign_in, staff_sign_in

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("slots")]

KETTLE = "/goods/KETTLE-2"
ORDINARY, FLASH = "¥239.00", "¥199.00"
BEGINS_MS = 75_000
"""Longer than the slot is away when the festival begins, with the seconds after which an open page looks again."""
ENDS_MS = 120_000


@pytest.fixture(scope="module")
def festival() -> Iterator[Festival]:
    """The festival of all promotions; the kettle's only slot has one unit and begins in less than a minute."""
    slot = 'slots = [{ name = "evening", starts_at = "start+45s", ends_at = "start+130s", units = 1 }]'
    with running_promotions(slots=slot) as running:
        yield running


def test_wait_for_the_slot_buy_the_last_unit_and_see_it_end(phone: Page, festival: Festival, browser: Browser) -> None:
    phone.goto("/")
    expect(phone.get_by_role("heading", name="Flash prices by the hour")).to_be_visible()
    phone.goto("/sign-in?next=" + KETTLE)
    sign_in(phone)
    other = browser.new_context(base_url=festival.url, locale="en-GB").new_page()
    for page in (phone, other):
        page.goto(KETTLE)
        expect(page.get_by_text("Next slot: " + FLASH)).to_be_visible()
        expect(page.locator(".price__now").first).to_have_text(ORDINARY)

    for page in (phone, other):  # nobody touches them: the open page itself says that it has begun
        expect(page.get_by_text("On now: " + FLASH)).to_be_visible(timeout=BEGINS_MS)
        expect(page.locator(".price__now").first).to_have_text(FLASH)
    expect(other.get_by_text("1 left in this slot").first).to_be_visible()
    phone.get_by_role("button", name="Buy now").click()
    fill_address(phone)
    phone.get_by_role("button", name="Place the order").click()
    expect(phone.get_by_text(FLASH).first).to_be_visible()
    order = pay(phone)

    expect(other.get_by_text("0 left in this slot").first).to_be_visible(timeout=15_000)
    other.reload()
    expect(other.get_by_text("This slot is sold out")).to_be_visible()
    expect(other.locator(".price__now").first).to_have_text(ORDINARY)
    expect(other.get_by_text("All slots are over.")).to_be_visible(timeout=ENDS_MS)
    staff_see(browser, festival, order)


def staff_see(browser: Browser, festival: Festival, order: str) -> None:
    """The console tells what was sold at the flash price, and what the order paid."""
    page = browser.new_context(base_url=festival.url, locale="en-GB").new_page()
    page.goto("/console/sign-in")
    staff_sign_in(page, festival)
    page.goto("/console/slots")
    slot = page.get_by_role("row").filter(has_text="kettle-slots/evening")
    expect(slot).to_contain_text(FLASH)
    expect(slot.locator("td.number").nth(2)).to_have_text("1")
    page.goto(f"/console/orders/{order}")
    expect(page.get_by_text(FLASH).first).to_be_visible()
