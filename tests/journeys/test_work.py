"""A shopper's browser earns a queue number: real work in real Web Workers, under the shop's own security policy."""

import base64
import json
from typing import Any

import altcha
import pytest
from playwright.sync_api import Page, Route, expect

from tests.journeys.shopping import sign_in
from tidegate.app.pages.answer import policy

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FORM = """
<form data-challenge="/api/v1/challenges" data-word-working="One moment" data-word-waiting="Please wait"
      data-word-ready="Ready" data-word-failed="Failed">
  <input name="website" hidden><input type="hidden" name="work"><input type="hidden" name="wait_ticket">
  <input type="hidden" name="page" value="a stamp of ours stands here">
  <button type="button" data-wait>Wait instead</button><p role="status"></p>
</form>
"""


def test_the_browser_does_the_work_or_waits(phone: Page) -> None:
    phone.goto("/sign-in")
    sign_in(phone)
    phone.wait_for_url(lambda url: "sign-in" not in url)
    script = phone.locator("script[type=module]").first.get_attribute("src")
    page = f'<!doctype html><html lang="en"><title>Queue</title>{FORM}<script type="module" src="{script}"></script>'

    def serve(route: Route) -> None:
        route.fulfill(body=page, content_type="text/html", headers={"Content-Security-Policy": policy()})

    phone.route("**/queue-form", serve)
    with phone.expect_response("**/api/v1/challenges") as asked:
        phone.goto("/queue-form")
    said = json.loads(asked.value.request.post_data or "{}")
    assert len(said["fingerprint"]) >= 16
    assert said["page"] == "a stamp of ours stands here"
    assert (said["automation"], said["website"]) == (True, "")  # Playwright steers this browser, and it says so

    expect(phone.locator("[role=status]")).to_have_text("Ready", timeout=60_000)
    work: dict[str, Any] = json.loads(base64.b64decode(phone.locator("[name=work]").input_value()))
    given, solution = altcha.Challenge.from_dict(work["challenge"]), altcha.Solution.from_dict(work["solution"])
    parameters = given.parameters
    # Derived again from the counter by another implementation than the browser's.
    password = bytes.fromhex(parameters.nonce) + solution.counter.to_bytes(4, "big")
    derived = altcha.derive_key_argon2id(parameters, bytes.fromhex(parameters.salt), password).hex()
    assert derived == solution.derived_key
    assert derived.startswith(parameters.key_prefix)
    assert len(parameters.key_prefix) == 32

    phone.get_by_role("button", name="Wait instead").click()
    expect(phone.locator("[role=status]")).to_have_text("Please wait")
    assert phone.locator("[name=wait_ticket]").input_value()
    assert not phone.locator("[name=work]").input_value()
