"""A shopper goes through the waiting room: place, draw, turn, order, receipt; and anybody recomputes the draw.

Meanwhile another one's phone falls asleep in line, and wakes when its turn is over. The campaign manager holds the gate
and sees it held, and the risk officer undoes a decision. The festival is the drop of the examples.
"""

import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.journeys.axe import faults_of
from tests.journeys.conftest import CLAIM_SECONDS, Festival, inherited
from tests.journeys.shopping import fill_address, pay, sign_in
from tests.journeys.sleeping import Sleeper
from tests.journeys.staffing import at_a_desk, line_state, officer_password, steer
from tests.journeys.test_weight import BYTES_MAX, SECONDS_MAX, TRIES, load
from tests.live import until
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


def take_and_leave(browser: Browser, drop: Festival) -> None:
    """Somebody takes the first place, and gives it up by the button."""
    with browser.new_context(base_url=drop.url, locale="en-GB") as context:
        page = context.new_page()
        page.goto("/line")
        page.get_by_role("link", name="Sign in").last.click()
        sign_in(page)
        take_place(page)
        page.get_by_role("button", name="Leave the line").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Take a place in line")


def test_from_the_draw_to_the_turn(browser: Browser, phone: Page, drop: Festival) -> None:
    take_and_leave(browser, drop)
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


@pytest.fixture(scope="module")
def sleeper(browser: Browser, drop: Festival) -> Iterator[Sleeper]:
    """The second phone, kept through the file's journeys; a fault in its scripts fails them."""
    context = browser.new_context(base_url=drop.url, viewport={"width": 390, "height": 844}, locale="en-GB")
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    yield Sleeper(page)
    context.close()
    assert faults == []


def test_a_phone_falls_asleep_in_line_and_its_turn_comes(sleeper: Sleeper, drop: Festival) -> None:
    steer(drop, "hold")
    phone = sleeper.page
    phone.goto("/sign-in?next=/line")
    sign_in(phone)
    take_place(phone)
    expect(phone.get_by_role("heading", level=1)).to_have_text("You are in line")
    expect(phone.get_by_text("The line stands still for a moment.")).to_be_visible()
    sleeper.number = phone.locator("#line").get_attribute("data-number") or ""
    assert sleeper.number == "1"
    sleeper.sleep()
    steer(drop, "open")


def test_from_the_turn_to_a_paid_order(phone: Page, drop: Festival) -> None:
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


def test_the_manager_holds_the_gate_and_sees_it_held(browser: Browser, drop: Festival) -> None:
    context, page = at_a_desk(browser, drop, drop.staff, drop.password, "/console/gate")
    expect(page.get_by_role("heading", level=1)).to_have_text("Gate")
    state = page.locator('[data-gate="state"]')
    expect(state).to_have_text("Calling", timeout=180_000)
    page.get_by_role("button", name="Hold").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Gate")  # the browser asks for the reason first
    page.get_by_label("Why?").fill("payments are slow")
    page.get_by_role("button", name="Hold").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hold?")
    page.get_by_role("button", name="Yes, do it").click()
    expect(state).to_have_text("Held by staff", timeout=15_000)
    expect(page.locator('[data-gate="why"]')).to_contain_text("Staff hold the gate")
    expect(page.get_by_role("row").filter(has_text="payments are slow")).to_contain_text("Gate held")
    until(lambda: line_state(drop) == "held", seconds=10)  # it is made anew each second
    assert faults_of(page, ["/console/gate"]) == []
    page.get_by_label("Why?").fill("payments are well again")
    page.get_by_role("button", name="Open again").click()
    page.get_by_role("button", name="Yes, do it").click()
    expect(state).to_have_text("Calling", timeout=15_000)
    context.close()


def test_the_officer_undoes_a_decision(browser: Browser, drop: Festival) -> None:
    shop = browser.new_context(base_url=drop.url, locale="en-GB")
    phone = shop.new_page()
    phone.goto("/sign-in")
    sign_in(phone)
    phone.wait_for_url(lambda url: "sign-in" not in url)
    visit = {"fingerprint": "a shared reading room", "website": "filled by a screen reader", "shown_ms": 4_000}
    assert shop.request.post("/api/v1/challenges", data=visit).json()["lane"] == "slow"
    context, page = at_a_desk(browser, drop, "shen.bo", officer_password(drop), "/console/bots")
    row = page.get_by_role("table", name="Newest decisions").get_by_role("row").nth(1)
    for _ in range(20):
        if "Filled in a field" in (row.text_content() or ""):
            break
        page.reload()  # what a process noted is written within a second or two
    expect(row).to_contain_text("Filled in a field that nobody sees")
    row.get_by_role("link", name="Look at it").click()
    expect(page.get_by_text("Replay agrees")).to_be_visible()
    page.get_by_label("Why?").fill("a library's screen reader")
    page.get_by_role("button", name="Undo this decision").click()
    expect(page.get_by_text("Undone until")).to_be_visible()
    decision = page.url
    page.goto("/console/bots")
    expect(page.get_by_role("table", name="Undone by staff")).to_contain_text("a library's screen reader")
    assert faults_of(page, ["/console/bots", decision, "/console/defences"]) == []
    context.close()
    lane = ""
    for _ in range(30):  # each process follows within a second or two; asking faster runs into the limits
        lane = shop.request.post("/api/v1/challenges", data=visit).json().get("lane", "")
        if lane == "normal":
            break
        phone.wait_for_timeout(1_000)
    assert lane == "normal"
    shop.close()


def test_a_phone_that_slept_through_its_turn_has_its_number_and_goes_in(sleeper: Sleeper, drop: Festival) -> None:
    """Longer than its lease and than the window in which it was to come: it returns by grace."""
    place, phone = sleeper.place(), sleeper.page
    time.sleep(max(0.0, sleeper.away_at + CLAIM_SECONDS / 2 - time.time()))
    steer(drop, "hold")
    sleeper.wake()
    expect(phone.get_by_role("heading", level=1)).to_have_text("It is your turn", timeout=10_000)
    expect(phone.get_by_text("The line stands still for a moment.")).to_be_visible()
    assert phone.locator("#line").get_attribute("data-number") == sleeper.number
    assert sleeper.place() == place
    steer(drop, "open")
    expect(phone.get_by_role("heading", level=1)).to_have_text("You are in", timeout=10_000)
    with psycopg.connect(EmbeddedPostgres(Path(drop.data_dir)).url) as database:
        came = database.execute("select returned from queue.entry order by came_at").fetchall()
    assert came == [(False,), (True,)]  # the first phone in time, this one by grace
