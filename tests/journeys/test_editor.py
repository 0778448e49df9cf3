"""A campaign manager changes the festival in the editor: faults as one types, a price, a draft, a new version."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import Festival, running_festival

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("editor")]

EDITOR = "/console/campaigns/double-11/edit"
_PUBLISHED_WITHIN_MS = 90_000
PROMOTION = """
[[promotion]]
id = "cross-shop"
label = { zh = "跨店每满 300 减 50", en = "50 off for every 300" }
kind = "跨店满减"
reach = "300.00"
off = "OFF"
"""


@pytest.fixture(scope="module")
def festival() -> Iterator[Festival]:
    """A festival of its own, for its rules change."""
    with running_festival() as running:
        yield running


@pytest.fixture
def manager(browser: Browser, festival: Festival) -> Iterator[Page]:
    """The campaign manager at a desk, signed in; a fault in the browser's console fails the test."""
    context = browser.new_context(base_url=festival.url, viewport={"width": 1440, "height": 1000}, locale="en-GB")
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
    sign_in(page, festival)
    yield page
    context.close()
    assert faults == []


def sign_in(page: Page, festival: Festival) -> None:
    page.goto(f"/console/sign-in?to={EDITOR}")
    page.get_by_label("Name").fill(festival.staff)
    page.get_by_label("Password").fill(festival.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="festival.toml")).to_be_visible()


def test_from_a_fault_to_a_published_version(manager: Page) -> None:
    text = manager.get_by_label("festival.toml", exact=True).last
    published = text.input_value()
    lines = manager.locator("[data-editor='festival.toml'] .editor__lines > div")
    expect(lines).to_have_count(published.count("\n") + 1)

    text.fill(published + PROMOTION.replace("OFF", "300.00"))
    fault = manager.locator("[data-results] [data-line]")
    expect(fault).to_have_count(1)
    line = published.count("\n") + PROMOTION[: PROMOTION.index("off =")].count("\n") + 1
    expect(fault).to_have_text(f"festival.toml:{line}")
    expect(manager.locator(".editor__fault")).to_have_text(str(line))
    fault.click()
    expect(text).to_be_focused()
    start = text.evaluate("each => each.value.slice(each.selectionStart, each.selectionEnd)")
    assert start == 'off = "300.00"'

    text.fill(published + PROMOTION.replace("OFF", "50.00"))
    expect(manager.get_by_text("No faults")).to_be_visible()
    expect(manager.locator("[data-results]")).to_contain_text("promotions")
    manager.get_by_label("Coupon", exact=True).fill("NONE")
    expect(manager.locator("[data-results]").get_by_text("This coupon is not valid").first).to_be_visible()
    manager.get_by_label("Coupon", exact=True).fill("")

    manager.get_by_role("button", name="Save the draft").click()
    expect(manager.get_by_text("Shoppers see nothing of it until it is published.")).to_be_visible()
    manager.get_by_role("button", name="Publish as a new version").click()
    expect(manager.get_by_text("The reason is missing")).to_be_visible()
    manager.get_by_label("Reason").fill("A reduction across shops")
    # The lowest price of each of a thousand products is searched: seconds, and many where the machine is shared.
    manager.get_by_role("button", name="Publish as a new version").click(timeout=_PUBLISHED_WITHIN_MS)
    expect(manager.get_by_text("takes effect within two seconds")).to_be_visible()
    manager.goto("/rules")
    for _ in range(20):  # every process takes a version up within two seconds, and a page is kept for two
        if manager.get_by_role("heading", name="50 off for every 300").count():
            break
        manager.reload()
        manager.wait_for_timeout(500)
    expect(manager.get_by_role("heading", name="50 off for every 300")).to_be_visible()
    manager.get_by_role("link", name=re.compile("Compare with version")).first.click()
    expect(manager.get_by_role("heading", name=re.compile("What differs from version"))).to_be_visible()


def test_it_works_without_a_script(browser: Browser, festival: Festival) -> None:
    context = browser.new_context(base_url=festival.url, java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    sign_in(page, festival)
    text = page.get_by_label("festival.toml", exact=True).last
    text.fill(text.input_value().replace('theme = "shopping-festival"', 'theme = "party"'))
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_text('"party" is not known')).to_be_visible()
    assert 'theme = "party"' in page.get_by_label("festival.toml", exact=True).last.input_value()
    context.close()


def test_on_a_phone_in_chinese_nothing_is_wider_than_the_screen(browser: Browser, festival: Festival) -> None:
    context = browser.new_context(
        base_url=festival.url, viewport={"width": 390, "height": 844}, locale="zh-CN", color_scheme="dark"
    )
    page = context.new_page()
    page.goto(f"/console/sign-in?to={EDITOR}")
    page.locator("[name=name]").fill(festival.staff)
    page.locator("[name=password]").fill(festival.password)
    page.locator("form button").first.click()
    expect(page.get_by_role("button", name="保存草稿")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
