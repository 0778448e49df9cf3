"""A shopper goes through the waiting room: place, draw, turn, order, receipt; and anybody recomputes the draw.

The festival is the drop of the examples.
"""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.journeys.axe import faults_of
from tests.journeys.conftest import Festival, inherited
from tests.journeys.shopping import fill_address, pay, sign_in
from tests.journeys.test_weight import BYTES_MAX, SECONDS_MAX, TRIES, load
from tidegate.base.embedded.postgres import EmbeddedPostgres

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("line")]

ROOT_OF_LIST = "The list gives the root that was published at the sealing"


@pytest.fixture(scope="module")
def context(browser: Browser, drop: Festival) -> Iterator[BrowserContext]:
    """A phone's browser in front of the drop, kept through the file's journeys; axe can be put into its pages."""
    opened = browser.new_context(
        base_url=drop.url, viewport={"width": 390, "height": 844}, locale="en-GB", bypass_csp=True
    )
    yield opened
    opened.close()


CHANGES = 6
"""What a waiter's page says anew: sealed, root, seed, open, called, in."""


@pytest.fixture
def phone(context: BrowserContext) -> Iterator[Page]:
    """A page of that phone; a fault in its scripts fails the test."""
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    yield page
    page.close()
    assert faults == []


def verify(*arguments: str) -> tuple[int, str]:
    """Run `tidegate admission verify` as somebody who has nothing of the shop; return its exit code and its words."""
    told = subprocess.run(
        [sys.executable, "-m", "tidegate", "admission", "verify", *arguments],
        env={**inherited(), "COLUMNS": "200"},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return told.returncode, told.stdout + told.stderr


def take_place(phone: Page) -> None:
    """This browser has no window and says that a program steers it: it is asked for work, and served all the same."""
    phone.get_by_role("button", name="Take my place").click()
    worked = phone.locator("form [role=status]").get_by_text("Ready. Take your place.")
    expect(worked.or_(phone.get_by_text("Your place is in the draw"))).to_be_visible(timeout=30_000)
    if worked.is_visible():
        phone.get_by_role("button", name="Take my place").click()


def test_from_the_draw_to_a_paid_order(phone: Page, drop: Festival) -> None:
    phone.goto("/")
    assert phone.locator("a[href='/early-offers']").count() == 1
    assert phone.get_by_text("here to find programs").locator("visible=true").count() == 0
    assert phone.get_by_role("link", name="here to find programs").count() == 0
    phone.get_by_role("link", name="To the line").click()
    phone.get_by_role("link", name="Sign in").last.click()
    sign_in(phone)
    heading = phone.get_by_role("heading", level=1)
    take_place(phone)
    expect(heading).to_have_text("Your place is in the draw")
    phone.get_by_role("button", name="Leave the line").click()
    expect(heading).to_have_text("Take a place in line")
    take_place(phone)
    expect(heading).to_have_text("Your place is in the draw")
    expect(phone.get_by_text("Your place stands in the slow lane")).to_be_visible()
    phone.goto("/checkout?sku=PHN-1010")
    assert phone.url.endswith("/line"), "nobody orders before his turn"
    fetched: Counter[str] = Counter()
    phone.on("request", lambda sent: fetched.update([f"{sent.method} {urlsplit(sent.url).path}"]))
    expect(heading).to_have_text("You are in", timeout=90_000)
    assert fetched["POST /api/v1/places/current/signs"] >= 1
    assert fetched["GET /line"] <= CHANGES, (
        "the page is made anew when something changed, and not to say that it is there"
    )
    phone.get_by_text("How you can check that the draw is fair").click()
    expect(phone.get_by_text("The secret number", exact=True)).to_be_visible()
    phone.goto("/checkout?sku=PHN-1010")
    fill_address(phone)
    phone.get_by_role("button", name="Place the order").click()
    pay(phone)
    phone.get_by_role("link", name="Your receipt for your place in line").click()
    expect(phone.locator("[data-said]")).to_have_text("Your receipt holds")
    expect(phone.locator("[data-check] .tag")).to_have_text(["agrees"] * 4)
    expect(phone.locator(".story li")).to_have_count(6)  # from the hash that was published to going in
    phone.wait_for_timeout(4_000)  # within two seconds the pass is known to be used up
    phone.goto("/line")
    expect(phone.get_by_text("This place was used")).to_be_visible(timeout=10_000)
    sealed = httpx.get(f"{drop.url}/api/v1/queue/sealed?campaign_id=drop").raise_for_status().json()
    assert (sealed["count"], len(sealed["places"])) == (2, 2)  # a place that was given up stays in the list
    assert sealed["seed"] is not None


def test_the_line_is_light_and_there_within_two_seconds(browser: Browser, drop: Festival) -> None:
    loads = [load(browser, f"{drop.url}/line") for _ in range(TRIES)]
    assert max(each.bytes for each in loads) <= BYTES_MAX
    assert min(each.seconds for each in loads) < SECONDS_MAX


def test_the_pages_of_the_line_have_no_serious_fault(phone: Page) -> None:
    phone.goto("/line")
    assert faults_of(phone, ["/line", "/line/receipt", "/line/draws/drop"]) == []
    phone.context.clear_cookies(name="tg_language")


def recomputed(phone: Page) -> str:
    """Let the browser recompute the draw; return its verdict."""
    phone.goto("/line/draws/drop#place-1")
    phone.reload()
    phone.get_by_role("button", name="Compute everything again").click()
    verdict = phone.locator("[data-verdict]")
    expect(verdict).to_have_attribute("data-verdict", re.compile("good|act|watch|failed|insecure"), timeout=20_000)
    return verdict.get_attribute("data-verdict") or ""


def test_anybody_recomputes_the_draw_and_finds_it_altered(phone: Page, drop: Festival) -> None:
    assert recomputed(phone) == "good"
    expect(phone.get_by_role("heading", name="The draw holds")).to_be_visible()
    expect(phone.locator("[data-check] .tag")).to_have_text(["agrees"] * 6)
    receipt = phone.request.get("/line/receipt").text()
    [rank] = re.findall(r'<p class="rank-text figures"><code>([0-9a-f]{16})</code>', receipt)
    expect(phone.locator("[data-told]")).to_contain_text(f"Rank {rank}: number")
    assert verify("--url", drop.url)[0] == 0
    with psycopg.connect(EmbeddedPostgres(Path(drop.data_dir)).url) as database:
        altered = database.execute("update queue.place set commitment = sha256('another') where serial = 0")
        assert altered.rowcount == 1
    assert recomputed(phone) == "act"
    expect(phone.get_by_role("heading", name="The draw does not hold")).to_be_visible()
    expect(phone.locator("[data-detail]")).to_have_text(f"This is not so: {ROOT_OF_LIST}")
    expect(phone.locator("[data-check=root] .tag")).to_have_text("DIFFERS")
    expect(phone.locator("[data-check] .tag", has_text="agrees")).to_have_count(5)
    phone.goto("/line/receipt")  # its path goes by the place that was altered
    expect(phone.locator("[data-said]")).to_have_text("Your receipt does not hold")
    expect(phone.locator("[data-check=path] .tag")).to_have_text("DIFFERS")
    code, words = verify("drop", "--url", drop.url)
    assert code == 1
    assert "BROKEN  the published root is the root of the list (2 examined)" in words
    assert words.count("BROKEN") == 1
    assert "The draw of drop does not hold." in words
