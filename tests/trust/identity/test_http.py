"""The JSON doors: a shopper's whole way, cookies, who is refused and how, and limits on what is sent."""

from typing import Any

import msgspec
import pytest
from httpx import AsyncClient
from litestar import Litestar, get

from tests.trust.identity.conftest import PHONE, signed_in
from tidegate.base.db import Database
from tidegate.trust.identity.api import Identity
from tidegate.trust.identity.contracts import AccountId, Address, Permission, Role, Session, Staff
from tidegate.trust.identity.http import requires

PASSWORD = "three boats at the quay"


def bearer(session: Session) -> dict[str, str]:
    return {"Authorization": f"Bearer {session.token}"}


async def test_a_shoppers_whole_way(client: AsyncClient, identity: Identity, address: Address) -> None:
    asked = await client.post("/api/v1/codes", json={"phone": PHONE})
    assert asked.status_code == 202
    assert asked.json()["phone"] == "138****1234"
    code = await identity.sandbox_code(PHONE)

    opened = await client.post("/api/v1/sessions", json={"phone": PHONE, "code": code}, headers={"User-Agent": "Web/1"})
    assert opened.status_code == 201
    assert opened.headers["cache-control"] == "no-store"
    cookie = opened.headers["set-cookie"]
    assert cookie.startswith(f"tg_session={opened.json()['token']};")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Max-Age=2592000" in cookie
    assert "Secure" not in cookie

    me = await client.get("/api/v1/me")
    assert me.status_code == 200
    assert me.json()["account_id"] == opened.json()["account_id"]
    assert me.json()["phone"] == "138****1234"

    saved = await client.post("/api/v1/addresses", json=msgspec.to_builtins(address))
    assert saved.status_code == 201
    listed = await client.get("/api/v1/addresses")
    assert [each["address_id"] for each in listed.json()] == [saved.json()["address_id"]]
    assert listed.json()[0]["address"] == msgspec.to_builtins(address)
    forgotten = await client.delete(f"/api/v1/addresses/{saved.json()['address_id']}")
    assert forgotten.status_code == 204
    assert (await client.get("/api/v1/addresses")).json() == []

    sessions = (await client.get("/api/v1/sessions")).json()
    assert [each["device"] for each in sessions] == ["Web/1"]

    out = await client.delete("/api/v1/sessions/current")
    assert out.status_code == 204
    assert "Max-Age=0" in out.headers["set-cookie"]
    again = await client.get("/api/v1/me", headers={"Authorization": f"Bearer {opened.json()['token']}"})
    assert again.status_code == 401


async def test_over_tls_the_cookie_is_secure(client: AsyncClient, identity: Identity) -> None:
    identity.secure_cookies = True
    await client.post("/api/v1/codes", json={"phone": PHONE})
    code = await identity.sandbox_code(PHONE)
    opened = await client.post("/api/v1/sessions", json={"phone": PHONE, "code": code})
    assert "Secure" in opened.headers["set-cookie"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/me"),
        ("GET", "/api/v1/sessions"),
        ("DELETE", "/api/v1/sessions/current"),
        ("DELETE", "/api/v1/sessions/0190f5a0-0000-7000-8000-000000000000"),
        ("GET", "/api/v1/addresses"),
        ("DELETE", "/api/v1/addresses/0190f5a0-0000-7000-8000-000000000000"),
    ],
)
async def test_without_a_session_the_answer_is_401(client: AsyncClient, method: str, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer x"}, {"Cookie": "tg_session=" + "A" * 72}):
        answer = await client.request(method, path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert answer.json()["type"] == "/problems/not-signed-in"


async def test_one_shopper_cannot_end_or_forget_what_is_anothers(
    client: AsyncClient, identity: Identity, session: Session, address: Address, db: Database
) -> None:
    stranger = await signed_in(identity, "13900139000")
    async with db.transaction() as tx:
        address_id = await identity.remember_address(tx, session.account_id, address)
    for path in (f"/api/v1/sessions/{session.session_id}", f"/api/v1/addresses/{address_id}"):
        assert (await client.delete(path, headers=bearer(stranger))).status_code == 404
    assert len((await client.get("/api/v1/addresses", headers=bearer(session))).json()) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"phone": 13800131234},
        {"phone": None},
        {"phone": "1"},
        {"phone": "1" * 33},
        {"phone": PHONE, "more": 1},
        [],
        "text",
    ],
)
async def test_a_misshapen_request_is_400_and_records_nothing(client: AsyncClient, db: Database, body: Any) -> None:
    answer = await client.post("/api/v1/codes", json=body)
    assert answer.status_code == 400
    async with db.read() as tx:
        assert await (await tx.execute("select count(*) from identity.code")).fetchone() == (0,)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345a", "１２３４５６", 123456, None, "123456\n"])
async def test_a_misshapen_code_costs_no_try(client: AsyncClient, db: Database, code: Any) -> None:
    await client.post("/api/v1/codes", json={"phone": PHONE})
    answer = await client.post("/api/v1/sessions", json={"phone": PHONE, "code": code})
    assert answer.status_code == 400
    async with db.read() as tx:
        assert await (await tx.execute("select tries from identity.code")).fetchone() == (0,)


async def test_a_wrong_code_says_how_many_tries_are_left(client: AsyncClient, identity: Identity) -> None:
    await client.post("/api/v1/codes", json={"phone": PHONE})
    code = await identity.sandbox_code(PHONE)
    assert code is not None
    answer = await client.post("/api/v1/sessions", json={"phone": PHONE, "code": f"{(int(code) + 1) % 10**6:06d}"})
    assert answer.status_code == 403
    assert answer.json() == {
        "type": "/problems/code-not-valid",
        "title": "Code not valid",
        "status": 403,
        "detail": "The code is not right; 4 tries are left.",
        "tries_left": 4,
    }


async def test_a_body_that_is_too_large_is_refused(client: AsyncClient, session: Session) -> None:
    for path in ("/api/v1/codes", "/api/v1/sessions", "/api/v1/addresses"):
        answer = await client.post(path, content=b'{"phone": "' + b"1" * 10_000 + b'"}', headers=bearer(session))
        assert answer.status_code == 413


async def test_every_fault_of_an_address_is_answered(client: AsyncClient, session: Session, address: Address) -> None:
    body = {**msgspec.to_builtins(address), "phone": "1234567", "city": "。。"}
    answer = await client.post("/api/v1/addresses", json=body, headers=bearer(session))
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["faults"]] == ["city", "phone"]


# Staff


@get("/payments", dependencies={"staff": requires(Permission.PAYMENTS_REFUND)})
async def refunds(staff: Staff) -> str:
    """A door for those who may refund."""
    return staff.name


@get("/desk")
async def desk(staff: Staff) -> str:
    """A door for all staff."""
    return staff.role


@get("/shop")
async def shop(maybe_account: AccountId | None) -> str:
    """A door for everybody."""
    return str(maybe_account)


async def test_staff_sign_in_and_each_role_gets_what_it_may(
    client: AsyncClient, doors: Litestar, identity: Identity, db: Database
) -> None:
    for handler in (refunds, desk):
        doors.register(handler)
    async with db.transaction() as tx:
        await identity.add_staff(tx, "lin.wei", Role.PAYMENT, PASSWORD)
        await identity.add_staff(tx, "chen.yu", Role.ENGINEER, PASSWORD)
    assert (await client.get("/desk")).status_code == 401

    signed = await client.post("/api/v1/staff/sessions", json={"name": "lin.wei", "password": PASSWORD})
    assert signed.status_code == 201
    cookie = signed.headers["set-cookie"]
    assert cookie.startswith("tg_staff=")
    assert "HttpOnly" in cookie
    assert "Max-Age=28800" in cookie
    assert (await client.get("/desk")).text == "payment"
    assert (await client.get("/payments")).text == "lin.wei"

    assert (await client.delete("/api/v1/staff/sessions/current")).status_code == 204
    old = {"Authorization": f"Bearer {signed.json()['token']}"}
    assert (await client.get("/desk", headers=old)).status_code == 401
    assert (await client.delete("/api/v1/staff/sessions/current")).status_code == 204

    signed = await client.post("/api/v1/staff/sessions", json={"name": "chen.yu", "password": PASSWORD})
    refused = await client.get("/payments")
    assert refused.status_code == 403
    assert refused.json()["permission"] == "payments.refund"


async def test_a_door_for_everybody_knows_who_comes(client: AsyncClient, doors: Litestar, session: Session) -> None:
    doors.register(shop)
    assert (await client.get("/shop")).text == "None"
    assert (await client.get("/shop", headers=bearer(session))).text == str(session.account_id)


async def test_every_door_is_documented(client: AsyncClient) -> None:
    document = (await client.get("/schema/openapi.json")).json()
    operations = [each for path in document["paths"].values() for each in path.values()]
    assert len(operations) == 11
    for operation in operations:
        assert operation["summary"]
        assert operation["description"]
        assert operation["tags"]
