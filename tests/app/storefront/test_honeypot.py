"""Honeypots: no person sees them, search engines are told, a touch is a mark and nothing is refused for it."""

import re
from html.parser import HTMLParser

import httpx
import pytest

from tests.app.api.test_hot import Doors, doors
from tests.sale.shop import Buyer
from tidegate.app.compose import App
from tidegate.app.storefront.honeypot import LINK
from tidegate.gate.bots.contracts import Evidence

__all__ = ["doors"]

ADDRESS = "127.0.0.1"


async def marks(app: App, token: str) -> list[Evidence]:
    """What a shopper's next visit is found to have touched."""
    session = app.identity.require_session(token)
    return [reason.evidence for reason in (await app.bots.weigh(session, ADDRESS)).score.reasons]


def decoy(app: App) -> str:
    return app.bots.decoy(app.pricing.rules.campaign_id)


class Hidden(HTMLParser):
    """Collects the links that stand within something hidden, and all others."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden: list[dict[str, str | None]] = []
        self.seen: list[dict[str, str | None]] = []
        self._within: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        hides = "hidden" in found and found.get("aria-hidden") == "true"
        if tag == "a":
            (self.hidden if any(hid for _, hid in self._within) else self.seen).append(found)
        if tag not in {"meta", "link", "input", "img", "br"}:
            self._within.append((tag, hides))

    def handle_endtag(self, tag: str) -> None:
        while self._within and self._within.pop()[0] != tag:
            pass


@pytest.mark.parametrize("path", ["/", "/search?q=goods", "/goods/A", "/rules", "/sign-in"])
async def test_no_person_and_no_search_engine_is_shown_a_honeypot(app: App, shop: httpx.AsyncClient, path: str) -> None:
    async with app.db.read() as tx:
        await app.catalogue.update_index(tx)
    page = Hidden()
    page.feed((await shop.get(path)).text)
    baits = {LINK, f"/goods/{decoy(app)}"}
    expected = baits if path in {"/", "/search?q=goods"} else {LINK}
    assert {link["href"] for link in page.hidden} == expected
    assert all((link["rel"], link["tabindex"]) == ("nofollow", "-1") for link in page.hidden)
    assert not baits & {link["href"] for link in page.seen}
    robots = (await shop.get("/robots.txt")).text.splitlines()
    assert robots[0] == "User-agent: *"
    assert {f"Disallow: {bait}" for bait in baits} <= set(robots)


async def test_the_api_shows_no_goods_that_do_not_exist(app: App, shop: httpx.AsyncClient) -> None:
    """What an honest program gets it shows to people: nothing is laid out there."""
    for path in ("/api/v1/search?q=goods", "/api/v1/campaign", f"/api/v1/search?q={decoy(app)}"):
        assert decoy(app) not in re.sub(r'"query":"[^"]*"', "", (await shop.get(path)).text)


async def test_following_the_hidden_link_is_a_mark_and_the_page_says_so(
    app: App, shop: httpx.AsyncClient, buyer: Buyer
) -> None:
    answer = await shop.get(LINK)
    assert (answer.status_code, answer.headers["cache-control"]) == (404, "private, no-store")
    assert 'content="noindex"' in answer.text
    assert "nothing is kept from you" in answer.text
    assert await marks(app, buyer.token) == [Evidence.HONEYPOT_LINK]
    assert (await shop.get("/goods/A")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "same-origin", "Sec-Purpose": "prefetch;prerender"},
        {"Sec-Fetch-Site": "same-origin", "Purpose": "prefetch"},
        {"Referer": "https://forum.example/thread"},
    ],
)
async def test_nobody_is_marked_by_what_others_made_the_browser_do(
    app: App, shop: httpx.AsyncClient, buyer: Buyer, headers: dict[str, str]
) -> None:
    for path in (LINK, f"/goods/{decoy(app)}"):
        assert (await shop.get(path, headers=headers)).status_code == 404
    assert await marks(app, buyer.token) == []


@pytest.mark.parametrize(
    "headers", [{}, {"Sec-Fetch-Site": "same-origin"}, {"Referer": "http://shop.test/search?q=goods"}]
)
async def test_asking_for_the_hidden_goods_is_a_mark(
    app: App, shop: httpx.AsyncClient, buyer: Buyer, headers: dict[str, str]
) -> None:
    answer = await shop.get(f"/goods/{decoy(app)}", headers=headers)
    assert answer.status_code == 404
    assert answer.text.count("noindex") == 1
    assert await marks(app, buyer.token) == [Evidence.HONEYPOT_LINK]


async def test_the_hidden_goods_are_refused_as_unknown_goods_are_and_marked(
    app: App, shop: httpx.AsyncClient, buyer: Buyer
) -> None:
    form = {"quantity": "1", "address_id": str(buyer.address_id), "expected_total": "100", "key": "a-key-00001"}
    refusals = [await shop.post("/checkout", data={**form, "sku": sku}) for sku in ("NOWHERE", decoy(app))]
    assert [each.status_code for each in refusals] == [404, 404]
    assert await marks(app, buyer.token) == [Evidence.HONEYPOT_GOODS]
    bought = await shop.post("/checkout", data={**form, "sku": "A", "expected_total": "8000", "key": "a-key-00002"})
    assert bought.status_code == 303  # marked, and served all the same


async def test_an_order_for_the_hidden_goods_is_marked_at_the_hot_door(app: App, doors: Doors) -> None:
    answers = [
        await doors.hot.post(
            "/api/v1/orders",
            content=doors.body(lines=[{"sku": sku, "quantity": 1}]),
            headers={**doors.headers, "Content-Type": "application/json", "Idempotency-Key": f"decoy-{sku}"},
        )
        for sku in ("NOWHERE", decoy(app))
    ]
    types = [(each.status_code, each.json()["type"]) for each in answers]
    assert types[0] == types[1]
    assert await marks(app, doors.buyer.token) == [Evidence.HONEYPOT_GOODS]


@pytest.mark.parametrize("path", ["/checkout", "/line"])
async def test_whoever_fills_the_hidden_field_is_marked(
    app: App, shop: httpx.AsyncClient, buyer: Buyer, path: str
) -> None:
    await shop.post(path, data={"website": "http://cheap.example", "sku": "A", "quantity": "1"})
    assert await marks(app, buyer.token) == [Evidence.HONEYPOT_FIELD]


async def test_the_field_is_hidden_in_every_form_that_has_it(shop: httpx.AsyncClient, buyer: Buyer) -> None:
    for path in ("/sign-in", "/checkout?sku=A"):
        text = (await shop.get(path)).text
        assert re.search(r'<div hidden aria-hidden="true"><label>[^<]+<input name="website"[^>]*tabindex="-1"', text)
    assert buyer.token


async def test_a_filled_field_at_sign_in_marks_the_account_that_comes_of_it(app: App, shop: httpx.AsyncClient) -> None:
    phone = "13800138000"
    asked = await shop.post("/sign-in/code", data={"phone": phone, "website": "x"})
    found = re.search(r'id="shown-code">(\d+)<', asked.text)
    assert found is not None
    answer = await shop.post("/sign-in", data={"phone": phone, "code": found[1], "website": "x"})
    assert answer.status_code == 303
    assert await marks(app, shop.cookies["tg_session"]) == [Evidence.HONEYPOT_FIELD]
