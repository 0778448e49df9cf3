"""A shopper waits on a phone for a slot of a flash price and buys within it; others see it run out, and end.

The slot is moved to just before each of its moments once the pages are open, so that nobody waits for a slow start.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import Festival, running_promotions
from tests.journeys.shopping import fill_address, pay, sign_in, staff_sign_in

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("slots")]

KETTLE = "/goods/KETTLE-2"
ORDINARY, FLASH = "¥239.00", "¥199.00"
AHEAD = timedelta(seconds=8)
"""How long before a slot begins or ends the manager says so: about as long as publishing takes."""
FOLLOWS_MS = 45_000
"""An open page looks again every five seconds, and loads itself anew within six."""


def slots(starts_at: datetime, ends_at: datetime) -> str:
    """The kettle's only slot, with one unit, as the campaign file states it."""
    times = f"starts_at = {starts_at.isoformat()}, ends_at = {ends_at.isoformat()}"
    return f'slots = [{{ name = "evening", {times}, units = 1 }}]'


def now() -> datetime:
    """The time in whole seconds, as files state it."""
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def festival() -> Iterator[Festival]:
    """The festival of all promotions; the kettle's only slot is an hour away."""
    start = now()
    later = slots(start + timedelta(hours=1), start + timedelta(hours=2))
    with running_promotions(slots=later, start=start.isoformat()) as running:
        yield running


def move_slot(festival: Festival, starts_at: datetime, ends_at: datetime) -> None:
    """Have the manager publish the festival with other times of the slot, by the command that a person types."""
    file = Path(festival.data_dir) / "promotions.toml"
    text, count = re.subn(r"^slots = .*$", slots(starts_at, ends_at), file.read_text(), flags=re.MULTILINE)
    assert count == 1
    file.write_text(text)
    waiver = ["--by", "lin.yue", "--waive", "cn-ecommerce-34=moved for the journey"]
    command = [sys.executable, "-m", "tidegate", "campaign", "publish", str(file), *waiver]
    told = subprocess.run(command, env=festival.environment(), check=False, capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stderr


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

    begins = now() + AHEAD
    move_slot(festival, begins, begins + timedelta(hours=1))
    for page in (phone, other):  # nobody touches them: the open page itself says that it has begun
        expect(page.get_by_text("On now: " + FLASH)).to_be_visible(timeout=FOLLOWS_MS)
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
    move_slot(festival, begins, now() + AHEAD)
    expect(other.get_by_text("All slots are over.")).to_be_visible(timeout=FOLLOWS_MS)
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
