"""Three people buy together: one opens a group and shares its link, two join, all see it fill; staff see it too."""

import os
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import Festival, running_promotions
from tests.journeys.shopping import fill_address, pay, sign_in, staff_sign_in

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("journeys")]

_SHOTS = os.environ.get("TIDEGATE_SCREENSHOTS", "")


@pytest.fixture(scope="module")
def together() -> Iterator[Festival]:
    """The festival of the examples that sells a kettle to groups, open."""
    with running_promotions() as running:
        yield running


def shot(page: Page, name: str) -> None:
    """Keep a picture of a page where the environment asks for it: on a phone and on a desk, light and dark."""
    if not _SHOTS:
        return
    size = page.viewport_size
    for width, height, word in ((390, 844, "phone"), (1280, 900, "desk")):
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=f"{_SHOTS}-{name}-{word}-{scheme}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    if size is not None:
        page.set_viewport_size(size)


def a_phone(browser: Browser, festival: Festival, faults: list[str], locale: str = "en-GB") -> Page:
    """A phone that has never been here; what goes wrong on its pages is written down."""
    context = browser.new_context(
        base_url=festival.url, viewport={"width": 390, "height": 844}, locale=locale, reduced_motion="reduce"
    )
    page = context.new_page()
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
    return page


def test_three_people_fill_a_group_and_each_sees_it_by_itself(browser: Browser, together: Festival) -> None:
    faults: list[str] = []
    first = a_phone(browser, together, faults)
    first.goto("/groups")
    shot(first, "all")
    first.locator(".goods a").first.click()
    sign_in(first)
    expect(first.get_by_role("heading", level=1)).to_have_text("Open a group")
    fill_address(first)
    shot(first, "open")
    first.get_by_role("button", name="Open the group").click()
    pay(first)
    first.get_by_role("link", name="See how far the group is").click()
    expect(first.get_by_role("heading", level=1)).to_have_text("2 more and the group price holds")
    link = first.locator(".share__link").inner_text()
    assert link == first.url
    shot(first, "group")
    for number, seen in ((1, "1 more and the group price holds"), (2, "The group is filled")):
        friend = a_phone(browser, together, faults, locale="zh-CN" if number == 2 else "en-GB")
        friend.goto(link)
        if number == 2:
            shot(friend, "friend-zh")
            friend.goto(f"/language/en?next={link.removeprefix(together.url)}")
        friend.get_by_role("link", name=re.compile("^Join for")).click()
        sign_in(friend)
        fill_address(friend)
        friend.get_by_role("button", name="Take my place").click()
        pay(friend)
        expect(first.get_by_role("heading", level=1)).to_have_text(seen, timeout=20_000)
        friend.context.close()
    expect(first.locator(".seat--confirmed")).to_have_count(3)
    shot(first, "filled")
    first.goto("/groups")
    expect(first.locator(".order-row")).to_contain_text("Filled")
    shot(first, "mine")
    first.goto("/draws")
    expect(first.locator("#draw-kettles")).to_contain_text("Order …")
    shot(first, "draws")
    first.context.close()
    staff_see(browser, together, link.rsplit("/", 1)[1])
    assert faults == []


def staff_see(browser: Browser, festival: Festival, group_id: str) -> None:
    """Sign in to the console and find the group there."""
    context = browser.new_context(base_url=festival.url, viewport={"width": 1440, "height": 900}, locale="en-GB")
    page = context.new_page()
    page.goto("/console/sign-in")
    staff_sign_in(page, festival)
    page.goto("/console/groups?state=filled")
    expect(page.locator("main")).to_contain_text("3 / 3 / 3")
    shot(page, "console")
    page.locator(f'a[href="/console/groups/{group_id}"]').click()
    expect(page.locator("main")).to_contain_text("Confirmed")
    shot(page, "console-one")
    page.goto("/console/draws")
    expect(page.locator("main")).to_contain_text("Win a kettle with thermostat")
    shot(page, "console-draws")
    context.close()
