"""What staff do in the journeys of the line."""

import subprocess
import sys

import httpx
from playwright.sync_api import Browser, BrowserContext, Page

from tests.journeys.conftest import Festival
from tests.live import until


def officer_password(drop: Festival) -> str:
    """Add a risk officer with the command that a person types, and return the password that it prints."""
    command = [sys.executable, "-m", "tidegate", "staff", "add", "shen.bo", "--role", "risk", "--generate"]
    said = subprocess.run(
        command, env=drop.environment(), check=True, capture_output=True, text=True, timeout=60
    ).stdout
    return said.rsplit(": ", 1)[1].strip()


def at_a_desk(browser: Browser, drop: Festival, name: str, password: str, to: str) -> tuple[BrowserContext, Page]:
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


def line_state(drop: Festival) -> str:
    """The line's state as everybody is told."""
    return str(httpx.get(f"{drop.url}/api/v1/queue").json()["state"])


def steer(drop: Festival, act: str) -> None:
    """Have the manager hold or open the gate by its door, and wait until everybody is told."""
    staff = {"name": drop.staff, "password": drop.password}
    signed_in = httpx.post(f"{drop.url}/api/v1/staff/sessions", json=staff).raise_for_status()
    headers = {"Authorization": f"Bearer {signed_in.json()['token']}"}
    done = httpx.post(f"{drop.url}/api/v1/queue/acts", json={"act": act, "reason": "a journey"}, headers=headers)
    done.raise_for_status()
    until(lambda: (line_state(drop) == "held") == (act == "hold"), seconds=15)
