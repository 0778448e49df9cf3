"""A shopper goes through the waiting room: place, draw, turn, order. The festival is the drop of the examples."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import Festival
from tests.journeys.shopping import fill_address, pay, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("line")]


@pytest.fixture
def phone(browser: Browser, drop: Festival) -> Iterator[Page]:
    """A phone in front of the drop."""
    context = browser.new_context(base_url=drop.url, viewport={"width": 390, "height": 844}, locale="en-GB")
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    yield page
    context.close()
    assert faults == []


def test_from_the_draw_to_a_paid_order(phone: Page, drop: Festival) -> None:
    phone.goto("/")
    assert phone.locator("a[href='/early-offers']").count() == 1
    assert phone.get_by_text("here to find programs").locator("visible=true").count() == 0
    assert phone.get_by_role("link", name="here to find programs").count() == 0
    phone.get_by_role("link", name="To the line").click()
    phone.get_by_role("link", name="Sign in").last.click()
    sign_in(phone)
    phone.get_by_role("button", name="Take my place").click()
    # This browser has no window and says that a program steers it: it is told what follows, and served all the same.
    expect(phone.locator("form [role=status]")).to_have_text("Ready. Take your place.", timeout=30_000)
    phone.get_by_role("button", name="Take my place").click()
    heading = phone.get_by_role("heading", level=1)
    expect(heading).to_have_text("Your place is in the draw")
    expect(phone.get_by_text("Your place stands in the slow lane")).to_be_visible()
    phone.goto("/checkout?sku=PHN-1010")
    assert phone.url.endswith("/line"), "nobody orders before his turn"
    expect(heading).to_have_text("You are in", timeout=90_000)
    phone.get_by_text("How you can check that the draw is fair").click()
    expect(phone.get_by_text("The secret number", exact=True)).to_be_visible()
    phone.goto("/checkout?sku=PHN-1010")
    fill_address(phone)
    phone.get_by_role("button", name="Place the order").click()
    pay(phone)
    phone.wait_for_timeout(4_000)  # within two seconds the pass is known to be used up
    phone.goto("/line")
    expect(phone.get_by_text("This place was used")).to_be_visible(timeout=10_000)
    sealed = httpx.get(f"{drop.url}/api/v1/queue/sealed?campaign_id=drop").raise_for_status().json()
    assert (sealed["count"], len(sealed["places"])) == (1, 1)
    assert sealed["seed"] is not None
