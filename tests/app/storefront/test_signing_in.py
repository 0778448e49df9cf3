"""Signing in by forms."""

import re

import httpx
import pytest

from tests.sale.shop import Buyer

PHONE = "13800138000"


async def ask(shop: httpx.AsyncClient, after: str = "/orders") -> str:
    """Ask for a code and return the one that the page shows."""
    answer = await shop.post("/sign-in/code", data={"phone": PHONE, "next": after})
    assert answer.status_code == 200
    assert "Example festival: no SMS is sent" in answer.text
    found = re.search(r'id="shown-code">(\d{6})<', answer.text)
    assert found is not None
    return found[1]


async def test_phone_and_code_open_a_session_and_lead_back(shop: httpx.AsyncClient) -> None:
    code = await ask(shop)
    answer = await shop.post("/sign-in", data={"phone": PHONE, "code": code, "next": "/checkout?sku=A"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/checkout?sku=A")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    orders = await shop.get("/orders")
    assert "No orders yet" in orders.text
    assert "138****8000" in orders.text


async def test_a_wrong_code_opens_nothing(shop: httpx.AsyncClient) -> None:
    code = await ask(shop)
    wrong = "000000" if code != "000000" else "111111"
    answer = await shop.post("/sign-in", data={"phone": PHONE, "code": wrong, "next": "/"})
    assert answer.status_code == 403
    assert "This code is not right" in answer.text
    assert "set-cookie" not in answer.headers
    assert (await shop.get("/orders")).status_code == 303


@pytest.mark.parametrize("phone", ["", "12345", "not a phone", "1" * 400])
async def test_what_is_no_number_is_said_at_once(shop: httpx.AsyncClient, phone: str) -> None:
    answer = await shop.post("/sign-in/code", data={"phone": phone, "next": "/"})
    assert answer.status_code == 422
    assert "This is not a mobile number" in answer.text


async def test_a_second_code_has_to_wait(shop: httpx.AsyncClient) -> None:
    await ask(shop)
    answer = await shop.post("/sign-in/code", data={"phone": PHONE, "next": "/"})
    assert answer.status_code == 429
    assert "A code is on its way" in answer.text
    assert 'name="code"' in answer.text


async def test_nobody_is_led_elsewhere(shop: httpx.AsyncClient) -> None:
    code = await ask(shop, "https://evil.example/")
    answer = await shop.post("/sign-in", data={"phone": PHONE, "code": code, "next": "//evil.example"})
    assert answer.headers["location"] == "/"


async def test_signing_out_ends_the_session(shop: httpx.AsyncClient, buyer: Buyer) -> None:
    assert (await shop.get("/orders")).status_code == 200
    answer = await shop.post("/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    shop.cookies.set("tg_session", buyer.token)
    assert (await shop.get("/orders")).status_code == 303
