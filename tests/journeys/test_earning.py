"""What a place costs, on the shop's own page: a suspect's browser works; others too, or wait, even without scripts."""

import time
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.journeys.conftest import DROP, Festival, running_campaign
from tests.journeys.shopping import sign_in
from tests.journeys.staffing import officer_password
from tests.journeys.test_groups import shot

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("earning")]

PERSON = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36"
"""What a person's browser says of itself; nothing steers it, as far as it tells."""
NOT_STEERED = """
Object.defineProperty(Navigator.prototype, "webdriver", { get: () => false });
Object.defineProperty(PluginArray.prototype, "length", { get: () => 5 });
Object.defineProperty(Notification, "permission", { get: () => "default" });
"""
"""And what it has with a window, where the tests' own may have none."""
_WAIT_MS = 75_000


@pytest.fixture(scope="module")
def gathering() -> Iterator[Festival]:
    """The drop, whose line is open and whose sale is not yet."""
    with running_campaign("drop", DROP.read_text().replace('start = "now+3m"', 'start = "now+20m"')) as running:
        yield running


def phone_of(browser: Browser, festival: Festival, *, scripts: bool = True, person: bool = True) -> BrowserContext:
    context = browser.new_context(
        base_url=festival.url,
        viewport={"width": 390, "height": 844},
        locale="en-GB",
        java_script_enabled=scripts,
        user_agent=PERSON if person else None,
    )
    if person and scripts:
        context.add_init_script(NOT_STEERED)
    return context


def at_the_line(context: BrowserContext) -> Page:
    page = context.new_page()
    page.goto("/sign-in?next=/line")
    sign_in(page)
    page.wait_for_url("**/line")
    return page


def test_a_suspect_s_browser_does_the_work_and_a_person_s_need_not(browser: Browser, gathering: Festival) -> None:
    suspect, person = (phone_of(browser, gathering, person=each) for each in (False, True))
    page = at_the_line(person)
    page.wait_for_timeout(1_000)  # as long as it takes to read the page: sooner is what a program does
    page.get_by_role("button", name="Take my place").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your place is in the draw")
    expect(page.get_by_text("Your place stands in the slow lane")).to_have_count(0)

    page = at_the_line(suspect)
    page.get_by_role("button", name="Take my place").click()
    expect(page.get_by_text("It looks as if a program asked for this place")).to_be_visible()
    expect(page.locator("form [role=status]")).to_have_text("Ready. Take your place.", timeout=60_000)
    shot(page, "earning-suspect")
    page.get_by_role("button", name="Take my place").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your place is in the draw")
    expect(page.get_by_text("Your place stands in the slow lane")).to_be_visible()
    suspect.close()
    person.close()


def test_while_an_attack_is_on_everybody_works_or_waits(browser: Browser, gathering: Festival) -> None:
    work_for_all(gathering)
    working, waiting, plain = (phone_of(browser, gathering, scripts=each) for each in (True, True, False))
    patient, old = at_the_line(waiting), at_the_line(plain)

    expect(patient.get_by_text("Many programs ask for places just now")).to_be_visible()
    with patient.expect_response("**/api/v1/challenges"):
        patient.reload()
    patient.get_by_role("button", name="Wait about a minute instead").click()
    expect(patient.locator("form [role=status]")).to_have_text(
        "You chose to wait instead. You can take your place in about a minute."
    )
    expect(patient.get_by_role("button", name="Take my place")).to_be_disabled()

    assert "this browser runs none" in old.content()  # in a browser that is told to run none Chromium hides `noscript`
    expect(old.get_by_role("button", name="Take my place")).to_be_disabled()
    old.get_by_role("button", name="Wait about a minute instead").click()
    expect(old.get_by_text("This page loads itself again then")).to_be_visible()

    shot(old, "earning-without-scripts")
    shot(patient, "earning-waiting")
    page = at_the_line(working)
    expect(page.locator("form [role=status]")).to_have_text("Ready. Take your place.", timeout=60_000)
    page.get_by_role("button", name="Take my place").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your place is in the draw")

    for each in (patient, old):
        expect(each.get_by_role("button", name="Take my place")).to_be_enabled(timeout=_WAIT_MS)
        with each.expect_request(lambda request: request.method == "POST") as sent:
            each.get_by_role("button", name="Take my place").click()
        assert "wait_ticket=" in (sent.value.post_data or "")
        expect(each.get_by_role("heading", level=1)).to_have_text("Your place is in the draw")
    for context in (working, waiting, plain):
        context.close()


def work_for_all(festival: Festival) -> None:
    """Start the defence that asks everybody for work, as the security officer does."""
    password = officer_password(festival)
    with httpx.Client(base_url=festival.url) as staff:
        signed_in = staff.post("/api/v1/staff/sessions", json={"name": "shen.bo", "password": password})
        staff.headers["Authorization"] = f"Bearer {signed_in.raise_for_status().json()['token']}"
        staff.post("/api/v1/defences/flood/start", json={"reason": "a test", "minutes": 10}).raise_for_status()
    time.sleep(2)  # within which every process follows
