"""No page has a serious fault in the eyes of axe-core (WCAG 2.2 AA), in light and dark, in both languages."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from tests.journeys.conftest import Festival
from tests.journeys.shopping import ADDRESS, sign_in, staff_sign_in

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("journeys")]

AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PUBLIC = [
    "/",
    "/?category=flash",
    "/search?q=kettle",
    "/search?q=zzzzqq",
    "/rules",
    "/privacy",
    "/licence",
    "/complaint",
]
CONSOLE = ["/console", "/console/orders", "/console/payments", "/console/campaign"]
FACES: list[tuple[int, Literal["light", "dark"], str]] = [(390, "light", "zh-CN"), (1440, "dark", "en-GB")]


@pytest.fixture(params=FACES, ids=["phone-light-zh", "desk-dark-en"])
def page(request: pytest.FixtureRequest, browser: Browser, festival: Festival) -> Iterator[Page]:
    """A page at one width, in one colour scheme and one language; the policy is lifted, so that axe can be put in."""
    width, scheme, locale = request.param
    context = browser.new_context(
        base_url=festival.url,
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        locale=locale,
        bypass_csp=True,
        reduced_motion="reduce",
    )
    yield context.new_page()
    context.close()


def faults(page: Page) -> list[str]:
    """What axe-core finds on the open page that is serious or worse, and what runs out of the page's width."""
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        "rules => axe.run({ runOnly: rules }).then(result => result.violations.map(v => "
        "[v.impact, v.id, v.nodes.map(n => n.target.join(' ')).slice(0, 3).join(', ')]))",
        RULES,
    )
    serious = [f"{page.url}: {rule} at {where}" for impact, rule, where in found if impact in {"serious", "critical"}]
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return serious + ([f"{page.url}: {wide} pixels too wide"] if wide > 0 else [])


def test_pages_for_everyone(page: Page) -> None:
    found = []
    for path in [*PUBLIC, "/nothing", "/sign-in"]:
        page.goto(path)
        found += faults(page)
    page.goto("/")
    page.locator("#goods .goods a").first.click()
    page.wait_for_load_state()
    found += faults(page)
    assert found == []


def test_pages_of_a_shopper(browser: Browser, festival: Festival) -> None:
    context = browser.new_context(base_url=festival.url, locale="en-GB", bypass_csp=True, reduced_motion="reduce")
    page = context.new_page()
    page.goto("/")
    page.locator("#goods .goods a").first.click()
    page.get_by_role("button", name="Buy now").click()
    found = faults(page)
    sign_in(page)
    page.wait_for_url("**/checkout?*")
    found += faults(page)
    page.get_by_role("button", name="Place the order").click()
    page.locator("#faults").wait_for()
    found += faults(page)
    for label, text in ADDRESS.items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name="Place the order").click()
    page.wait_for_url("**/orders/*")
    found += faults(page)
    page.goto("/orders")
    found += faults(page)
    context.close()
    assert found == []


def test_pages_of_staff(page: Page, festival: Festival) -> None:
    page.goto("/console/sign-in")
    found = faults(page)
    staff_sign_in(page, festival)
    for path in CONSOLE:
        page.goto(path)
        found += faults(page)
    assert found == []
