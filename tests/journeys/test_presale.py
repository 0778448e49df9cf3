"""A person reserves on a phone, pays the deposit, later the balance, and has an order; staff see every step."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.journeys.axe import faults
from tests.journeys.conftest import Festival, running_campaign
from tests.journeys.shopping import fill_address, sign_in, staff_sign_in

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("presale")]

EXAMPLE = Path(__file__).parents[2] / "examples" / "presale" / "festival.toml"
WINDOW_MS = 180_000
"""Longer than the deposit window of the festival here: the balance is due before that."""


@pytest.fixture(scope="module")
def festival() -> Iterator[Festival]:
    """The presale of the examples, with a deposit window of little less than a minute."""
    with running_campaign("presale", EXAMPLE.read_text().replace('"start+5m"', '"start+55s"')) as running:
        yield running


def test_reserve_pay_later_and_have_an_order(phone: Page, festival: Festival, browser: Browser) -> None:
    phone.goto("/")
    phone.get_by_role("link", name="2 products in presale").click()
    phone.locator(".goods a").first.click()
    expect(phone.get_by_text("counts for").first).to_be_visible()
    reserve(phone)
    sign_in(phone)
    reserve(phone)
    expect(phone.get_by_role("heading", level=1)).to_have_text("Reserved. Please pay the deposit")
    phone.get_by_role("button", name=re.compile("^Pay the deposit")).click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Deposit paid. The balance comes later", timeout=20_000)

    look_at_every_face(browser, festival, phone)
    expect(phone.get_by_role("heading", level=1)).to_have_text(
        "Deposit paid. Please pay the balance now", timeout=WINDOW_MS
    )
    fill_address(phone)
    phone.get_by_role("button", name=re.compile("^Pay the balance")).click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Paid. Thank you!", timeout=20_000)
    phone.get_by_role("link", name="See the order").click()
    expect(phone.get_by_text("were paid as the deposit")).to_be_visible()
    staff_see(browser, festival)


def reserve(page: Page) -> None:
    """Agree and reserve, on the page of the goods."""
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name=re.compile("^Reserve")).click()


def look_at_every_face(browser: Browser, festival: Festival, phone: Page) -> None:
    """The pages have no serious fault in the eyes of axe-core, at phone and desk width, light and dark."""
    cookies, here = phone.context.cookies(), phone.url
    for width, scheme, locale in ((390, "light", "zh-CN"), (1440, "dark", "en-GB")):
        context: BrowserContext = browser.new_context(
            base_url=festival.url,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
            locale=locale,
            bypass_csp=True,
            reduced_motion="reduce",
        )
        context.add_cookies([{"name": c["name"], "value": c["value"], "url": festival.url} for c in cookies])
        page, found = context.new_page(), []
        for path in ("/presales", "/presales/PHN-1010", "/reservations", here, "/rules"):
            page.goto(path)
            found += faults(page)
            keep(page, f"{width}-{path.strip('/').split('/')[-1][:8]}")
        context.close()
        assert found == []


def keep(page: Page, name: str) -> None:
    """Save a picture of the page where TIDEGATE_PICTURES names a folder, for people to look at."""
    if folder := os.environ.get("TIDEGATE_PICTURES"):
        page.screenshot(path=f"{folder}/presale-{name}.png", full_page=True)


def staff_see(browser: Browser, festival: Festival) -> None:
    """The console lists the reservation, and its page tells every step."""
    context = browser.new_context(base_url=festival.url, viewport={"width": 1440, "height": 900}, locale="en-GB")
    page = context.new_page()
    page.goto("/console/sign-in")
    staff_sign_in(page, festival)
    page.goto("/console/presales?state=completed")
    keep(page, "console-list")
    page.locator("td a.code").first.click()
    expect(page.get_by_text("Balance paid; it is an order")).to_be_visible()
    keep(page, "console-one")
    page.goto("/console/invariants")
    page.get_by_role("button", name="Examine now").click()
    expect(page.get_by_text(re.compile(r"^All \d+ invariants hold$"))).to_be_visible(timeout=20_000)
    context.close()
