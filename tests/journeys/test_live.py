"""Staff look at the live page while somebody buys: it moves by itself, says when it hears nothing, and catches up."""

import re
from collections.abc import Iterator
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.journeys.conftest import Festival
from tests.journeys.shopping import fill_address, pay, sign_in, staff_sign_in

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("journeys")]

_REMEMBER = """() => {
    const chart = document.querySelector('[data-chart="trade"]');
    window.said = [];
    new MutationObserver(() => window.said.push(chart.getAttribute("aria-label"))).observe(chart, { attributes: true });
}"""
"""What the chart of trade says last is remembered, each time it is drawn; a page that is loaded anew forgets it."""
BOUGHT_BY_NOBODY_ELSE = 7
"""Which goods of the front page: what no other journey holds units of, which would come back meanwhile."""


@pytest.fixture
def console(browser: Browser, festival: Festival) -> Iterator[Page]:
    """The live page, open on a desk."""
    context = browser.new_context(base_url=festival.url, viewport={"width": 1280, "height": 900}, locale="en-GB")
    page = context.new_page()
    page.goto("/console/sign-in")
    staff_sign_in(page, festival)
    page.goto("/console")
    page.evaluate(_REMEMBER)
    yield page
    context.close()


def test_the_live_page_moves_by_itself_and_catches_up_after_silence(phone: Page, console: Page) -> None:
    orders, gmv = console.locator('[data-figure="orders"]'), console.locator('[data-figure="gmv"]')
    expect(orders.locator('[data-part="target"]')).to_contain_text("placed in all")
    before, placed_before = amount(gmv.locator('[data-part="value"]')), count(orders)

    phone.goto("/")
    phone.locator("#goods .goods a").nth(BOUGHT_BY_NOBODY_ELSE).click()
    goods = phone.url
    phone.get_by_role("button", name="Buy now").click()
    sign_in(phone)
    fill_address(phone)
    phone.get_by_role("button", name="Place the order").click()
    first = to_pay(phone)
    pay(phone)

    hot = console.locator(f'[data-goods] [data-key="{goods.rsplit("/", 1)[1]}"] .hot__left')
    expect(gmv.locator('[data-part="value"]')).to_have_text(written(before + first))
    expect(orders.locator('[data-part="target"]')).to_contain_text(f"{placed_before + 1:,} placed in all")
    left = int(re.sub(r"\D", "", hot.inner_text().split("/")[0]))
    # A point is the mean of five seconds, so that one order is 0.2 a second in each of five points.
    console.wait_for_function("() => window.said.some(each => each.includes('Placed 0.2'))")
    drawn = charted(console)

    console.route("**/api/v1/monitor/live*", lambda route: route.abort())
    phone.goto(goods)
    phone.get_by_role("button", name=re.compile("^Order with one click")).click()
    second = to_pay(phone)
    pay(phone)
    expect(console.locator("[data-notice]")).to_contain_text(re.compile(r"No answer from the server for \d+ s"))
    assert int(hot.inner_text().split("/")[0].replace(",", "")) == left, "it cannot know yet"

    with console.expect_response("**/api/v1/monitor/live?since=*") as answer:
        console.unroute("**/api/v1/monitor/live*")
    assert len(answer.value.json()["points"]) >= 3, "the seconds that it missed"
    expect(console.locator("[data-notice]")).to_be_hidden()
    expect(gmv.locator('[data-part="value"]')).to_have_text(written(before + first + second))
    expect(orders.locator('[data-part="target"]')).to_contain_text(f"{placed_before + 2:,} placed in all")
    expect(hot).to_have_text(re.compile(rf"^{left - 1:,} / "))
    after = charted(console)
    assert after[: len(drawn)] == drawn, "nothing was loaded anew"
    assert len(set(after)) > len(set(drawn))

    console.context.clear_cookies()
    expect(console.locator("[data-notice]")).to_have_text("Your session has ended. Sign in again.")


def amount(value: Locator) -> Decimal:
    """The money that a figure shows, once it shows some."""
    expect(value).to_have_text(re.compile(r"\d"))
    return Decimal(re.sub(r"[^\d.]", "", value.inner_text()))


def written(money: Decimal) -> str:
    """As the console writes an amount below a million: to the cent, unless it is a round one."""
    return f"¥{money:,.0f}" if money == int(money) else f"¥{money:,.2f}"


def count(orders: Locator) -> int:
    """How many orders were placed in all."""
    return int(re.sub(r"\D", "", orders.locator('[data-part="target"]').inner_text().rsplit("·", 1)[-1]))


def to_pay(shopper: Page) -> Decimal:
    """What the button of an order that was just placed asks for."""
    button = shopper.get_by_role("button", name=re.compile("^Pay "))
    return Decimal(re.sub(r"[^\d.]", "", button.inner_text()))


def charted(console: Page) -> list[str]:
    """What the chart of trade said of its newest point, each time it was drawn: `... · 12:00:01 · Placed 0.2 · Paid 0`.

    Before the first point it says nothing.
    """
    said: list[str] = console.evaluate("window.said")
    return [each for each in said if re.search(r"\d\d:\d\d:\d\d", each)]
