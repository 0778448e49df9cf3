"""A person comes, buys, pays and sees the paid order; staff see it arrive."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import Festival
from tests.journeys.shopping import fill_address, pay, sign_in, staff_sign_in

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("journeys")]


def first_goods(page: Page) -> None:
    """Go from the front page to some goods that are no flash offer."""
    page.goto("/")
    page.locator("#goods .goods a").first.click()
    expect(page.get_by_role("button", name="Buy now")).to_be_visible()


def test_buy_pay_and_see_it_paid_and_again_with_one_click(phone: Page, festival: Festival, browser: Browser) -> None:
    first_goods(phone)
    goods = phone.url
    phone.get_by_role("button", name="Buy now").click()
    sign_in(phone)

    fill_address(phone)
    phone.get_by_role("button", name="Place the order").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Ordered. Please pay now")
    first = pay(phone)

    phone.goto(goods)
    phone.get_by_role("button", name=re.compile("^Order with one click")).click()
    second = pay(phone)
    assert second != first

    phone.get_by_role("link", name="My orders").first.click()
    expect(phone.locator(".order-row")).to_have_count(2)
    expect(phone.locator(".order-row").first).to_contain_text("Paid")
    staff_see(browser, festival, second)


def staff_see(browser: Browser, festival: Festival, order: str) -> None:
    """Sign in to the console and find the order there."""
    context = browser.new_context(base_url=festival.url, viewport={"width": 1440, "height": 900}, locale="en-GB")
    page = context.new_page()
    page.goto("/console/sign-in")
    staff_sign_in(page, festival)
    page.goto(f"/console/orders?q={order}")
    expect(page.locator("main")).to_contain_text(order[-6:])
    page.goto(f"/console/orders/{order}")
    expect(page.locator("main")).to_contain_text("Paid")
    context.close()


def test_the_price_follows_the_quantity_in_place(phone: Page) -> None:
    first_goods(phone)
    total = phone.locator("#steps .sum__total dd")
    phone.locator(".unfold summary").first.click()
    before = total.inner_text()
    phone.get_by_role("button", name="One more").click()
    expect(phone.get_by_label("Quantity")).to_have_value("2")
    expect(total).not_to_have_text(before)
    phone.get_by_role("button", name="One less").click()
    expect(total).to_have_text(before)


def test_countdown_runs_and_stock_is_renewed_without_moving_anything(phone: Page) -> None:
    phone.goto("/")
    seconds = phone.locator('[data-part="seconds"]')
    expect(seconds).to_have_text(re.compile(r"^\d\d$"))
    shown = seconds.inner_text()
    expect(seconds).not_to_have_text(shown, timeout=3_000)
    with phone.expect_response(re.compile("/api/v1/stock")) as answer:
        pass
    assert answer.value.status == 200
    shift = phone.evaluate(
        """() => new Promise(done => {
            let sum = 0;
            new PerformanceObserver(list => { for (const each of list.getEntries()) sum += each.value; })
                .observe({ type: "layout-shift", buffered: true });
            setTimeout(() => done(sum), 2500);
        })"""
    )
    assert shift < 0.01


def test_a_page_that_says_something_else_by_now_waits_for_who_is_writing(phone: Page) -> None:
    phone.goto("/")
    phone.evaluate(
        """() => {
            window.stillHere = true;
            window.isOver = () => {
                const over = document.createElement("p");
                over.dataset.until = new Date(Date.now() - 60000).toISOString();
                over.dataset.then = "reload";
                document.body.append(over);
                return over;
            };
            const renewed = window.isOver();
            setTimeout(() => renewed.remove(), 1050);  // seen within a second, loaded anew a second later at least
        }"""
    )
    phone.wait_for_timeout(7_000)
    assert phone.evaluate("() => window.stillHere"), "what said so has been renewed meanwhile"
    phone.evaluate("() => { window.isOver(); }")
    search = phone.get_by_role("searchbox").first
    for letter in "kettle kettle":
        search.press_sequentially(letter)
        phone.wait_for_timeout(600)
    assert phone.evaluate("() => window.stillHere"), "the page was loaded anew from under somebody's hands"
    expect(search).to_have_value("kettle kettle")
    phone.wait_for_function("() => !window.stillHere", timeout=20_000)


def test_an_order_given_up_says_so(phone: Page) -> None:
    first_goods(phone)
    phone.get_by_role("button", name="Buy now").click()
    sign_in(phone)
    fill_address(phone)
    phone.get_by_role("button", name="Place the order").click()
    phone.locator("summary", has_text="Give up this order").click()
    phone.get_by_role("button", name="Give up this order").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Cancelled")
    expect(phone.locator("main")).to_contain_text("Nothing was charged")


def test_everything_works_without_a_script(browser: Browser, festival: Festival) -> None:
    context = browser.new_context(base_url=festival.url, java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    first_goods(page)
    page.get_by_role("button", name="Buy now").click()
    sign_in(page)
    fill_address(page)
    page.get_by_role("button", name="Place the order").click()
    page.get_by_role("button", name=re.compile("^Pay ")).click()
    for _ in range(20):
        if page.get_by_role("heading", level=1).inner_text() == "Paid. Thank you!":
            break
        page.wait_for_timeout(500)
        page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Paid. Thank you!")
    context.close()


def test_a_shopper_can_go_by_keyboard_alone(phone: Page) -> None:
    phone.goto("/")
    phone.keyboard.press("Tab")
    expect(phone.get_by_role("link", name="Skip to the content")).to_be_focused()
    phone.keyboard.press("Enter")
    expect(phone.locator("#main")).to_be_focused()
    link = phone.locator("#goods .goods a").first
    for _ in range(60):
        phone.keyboard.press("Tab")
        if link.evaluate("each => each === document.activeElement"):
            break
    expect(link).to_be_focused()
    phone.keyboard.press("Enter")
    expect(phone.get_by_role("button", name="Buy now")).to_be_visible()
