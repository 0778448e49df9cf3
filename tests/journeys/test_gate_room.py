"""Staff in a browser: the campaign manager holds the gate and sees it held; the risk officer undoes a decision."""

import subprocess
import sys

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.journeys.axe import faults_of
from tests.journeys.conftest import Festival
from tests.journeys.shopping import sign_in
from tests.live import until

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("gate-room")]


def officer_password(drop: Festival) -> str:
    """Add a risk officer with the command that a person types, and return the password that it prints."""
    command = [sys.executable, "-m", "tidegate", "staff", "add", "shen.bo", "--role", "risk", "--generate"]
    said = subprocess.run(
        command, env=drop.environment(), check=True, capture_output=True, text=True, timeout=60
    ).stdout
    return said.rsplit(": ", 1)[1].strip()


def signed_in(browser: Browser, drop: Festival, name: str, password: str, to: str) -> tuple[BrowserContext, Page]:
    """Return a desk at which a member of staff has signed in, on the page that was asked for."""
    context = browser.new_context(
        base_url=drop.url, viewport={"width": 1366, "height": 900}, locale="en-GB", bypass_csp=True
    )
    page = context.new_page()
    page.goto(to)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    return context, page


def snapshot_state(drop: Festival) -> str:
    """The line's state as everybody is told."""
    return str(httpx.get(f"{drop.url}/api/v1/queue").json()["state"])


def test_the_manager_holds_the_gate_and_sees_it_held(browser: Browser, drop: Festival) -> None:
    context, page = signed_in(browser, drop, drop.staff, drop.password, "/console/gate")
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
    until(lambda: snapshot_state(drop) == "held", seconds=10)  # it is made anew each second
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
    context, page = signed_in(browser, drop, "shen.bo", officer_password(drop), "/console/bots")
    row = page.get_by_role("table", name="Newest decisions").get_by_role("row").nth(1)
    for _ in range(20):
        if row.count():
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
