"""No page has a serious fault in the eyes of axe-core (WCAG 2.2 AA), in light and dark, in both languages."""

import re
from collections.abc import Iterator

import msgspec
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.journeys.axe import FACES, faults
from tests.journeys.conftest import Festival, running_promotions
from tests.journeys.shopping import ADDRESS, fill_address, pay, sign_in, staff_sign_in

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("journeys")]

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
CONSOLE = ["/console", "/console/orders", "/console/payments", "/console/campaign", "/console/stock"]


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


def test_pages_for_everyone(page: Page) -> None:
    found = []
    for path in [*PUBLIC, "/nothing", "/sign-in"]:
        page.goto(path)
        found += faults(page)
    page.goto("/")
    page.locator("#goods .goods a").first.click()
    page.wait_for_load_state()
    found += faults(page)
    page.locator("[data-add]").click()
    page.locator("[data-to-cart]").wait_for()
    found += faults(page)
    sku = page.url.rsplit("/", 1)[1]
    for cart in (f"{sku}:2", f"{sku}:9999~NONE:1", "no cart", ""):
        page.context.add_cookies([{"name": "tg_cart", "value": cart, "url": page.url}])
        page.goto("/cart")
        found += faults(page)
    page.goto(f"/cart?removed={sku}&units=1")
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


PRESALE = """
[[goods]]
sku = "KETTLE-P"
name = { zh = "新款抽水壶", en = "The next kettle" }
description = { zh = "下个月到货。", en = "Here next month." }
category = "kitchen"
brand = "Murmur"
list_price = "199.00"

[[presale]]
sku = "KETTLE-P"
label = { zh = "新品预售", en = "In presale" }
price = "189.00"
deposit = "20.00"
counts_for = "40.00"
quota = 50
per_buyer = 2
deposit_from_at = "start"
deposit_until_at = "start+1d"
balance_from_at = "start+1d"
balance_until_at = "start+2d"
ships_by_at = "start+20d"
"""


class Visited(msgspec.Struct, frozen=True):
    """Pages with something on them: those of a shopper, those of staff, and the cookies by which each sees them."""

    shopper: tuple[str, ...]
    staff: tuple[str, ...]
    shoppers_cookies: dict[str, str]
    staffs_cookies: dict[str, str]


@pytest.fixture(scope="module")
def promotions() -> Iterator[Festival]:
    """A festival with every way to buy: promotions, points, groups, a draw and a presale."""
    with running_promotions(PRESALE) as running:
        yield running


@pytest.fixture(scope="module")
def visited(browser: Browser, promotions: Festival) -> Visited:
    """What somebody leaves behind who buys in every way, and staff who look after him."""
    bought = browser.new_context(base_url=promotions.url, locale="en-GB", bypass_csp=True, reduced_motion="reduce")
    page = bought.new_page()
    page.goto("/groups")
    page.locator(".goods a").first.click()
    number = sign_in(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Open a group")
    opening = page.url
    fill_address(page)
    page.get_by_role("button", name="Open the group").click()
    pay(page)
    page.get_by_role("link", name="See how far the group is").click()
    group = page.url
    page.goto("/presales/KETTLE-P")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name=re.compile("^Reserve")).click()
    page.wait_for_url("**/reservations/*")
    reservation = page.url
    page.goto("/checkout?sku=KETTLE-1&quantity=2")
    checkout = page.url
    page.context.add_cookies([{"name": "tg_cart", "value": "KETTLE-1:1~TEAPOT-1:2~KETTLE-P:1", "url": page.url}])
    page.goto("/cart")
    page.locator("summary", has_text="other offer").first.click()
    assert faults(page) == []
    page.goto("/checkout")
    assert faults(page) == []
    page.goto(checkout)
    page.get_by_role("button", name="Place the order").click()
    order = pay(page)
    page.goto(f"/orders/{order}/return")
    page.locator("input[type=number]").first.fill("1")
    page.get_by_role("button", name="See what comes back").click()
    assert faults(page) == []
    page.get_by_role("button", name=re.compile("^Give back and refund")).click()
    page.wait_for_url("**/orders/*")
    mine = (
        "/points",
        "/coupons",
        "/draws",
        "/groups",
        "/presales",
        "/presales/KETTLE-P",
        "/reservations",
        "/orders",
    )
    of_order = (f"/orders/{order}", f"/orders/{order}/return", f"/orders/{order}/protection")
    shopper = (*mine, *of_order, opening, group, reservation, checkout, "/cart", "/checkout", "/rules")
    served = browser.new_context(base_url=promotions.url, locale="en-GB", bypass_csp=True, reduced_motion="reduce")
    staff = _served(served.new_page(), promotions, number, order, group.rsplit("/", 1)[1])
    found = Visited(shopper, staff, _cookies(bought), _cookies(served))
    bought.close()
    served.close()
    return found


def _cookies(context: BrowserContext) -> dict[str, str]:
    return {each["name"]: each["value"] for each in context.cookies() if each["name"] != "tg_language"}


def _served(page: Page, festival: Festival, number: str, order: str, group: str) -> tuple[str, ...]:
    """Put the shopper into a segment and a tier and find his page; return the console's pages about offers."""
    page.goto("/console/sign-in")
    staff_sign_in(page, festival)
    page.goto("/console/shoppers")
    page.get_by_label("Segment", exact=True).fill("tea")
    page.get_by_label("Phone numbers").fill(number)
    page.get_by_label("Reason").fill("bought in every way")
    page.get_by_role("button", name="Change the segment").click()
    expect(page.get_by_text("1 numbers are new in it")).to_be_visible()
    page.goto("/console/tiers")
    page.get_by_label("Member tier", exact=True).fill("gold")
    page.get_by_label("Phone numbers").fill(number)
    page.get_by_label("Reason").fill("bought in every way")
    page.get_by_role("button", name="Change the tier").click()
    expect(page.get_by_text("gold: 1 new members")).to_be_visible()
    page.goto(f"/console/shoppers?q={number}")
    shopper = page.url
    page.goto("/console/presales")
    reservation = page.locator("td a.code").first.get_attribute("href") or ""
    return (
        "/console/shoppers",
        "/console/segments/tea",
        "/console/tiers",
        shopper,
        "/console/presales",
        reservation,
        "/console/groups",
        f"/console/groups/{group}",
        "/console/draws",
        "/console/coupons",
        f"/console/orders/{order}",
        "/console/campaign",
        "/console/campaigns/promotions/edit",
    )


@pytest.mark.parametrize("whose", ["shopper", "staff"])
def test_pages_of_every_way_to_buy(page: Page, promotions: Festival, visited: Visited, whose: str) -> None:
    """Each with something on it, seen by whoever may see it."""
    is_shopper = whose == "shopper"
    paths = visited.shopper if is_shopper else visited.staff
    cookies = visited.shoppers_cookies if is_shopper else visited.staffs_cookies
    page.context.add_cookies([{"name": name, "value": value, "url": promotions.url} for name, value in cookies.items()])
    found = []
    for path in paths:
        answer = page.goto(path if path.startswith("http") else f"{promotions.url}{path}")
        assert answer is not None
        assert answer.status == 200, path
        found += faults(page)
    assert found == []
