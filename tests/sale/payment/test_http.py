"""The doors: paying and looking over real HTTP, exact refusals, and nothing changed by bad input."""

from uuid import uuid4

import httpx
import pytest

from tests.sale.payment.harness import SandboxProcess, World


@pytest.fixture
async def client(shop: World) -> httpx.AsyncClient:
    """A client of the served doors, on whichever loop the test has."""
    return httpx.AsyncClient(base_url=shop.url, timeout=10)


async def test_an_order_is_paid_and_looked_at(shop: World, client: httpx.AsyncClient, harbour: SandboxProcess) -> None:
    intent = await shop.open(4_200)
    path = f"/api/v1/orders/{intent.order_id}/payments"
    async with client:
        paid = await client.post(path, json={"channel": "harbour"})
        assert (paid.status_code, paid.json()["state"]) == (200, "captured")
        assert paid.headers["cache-control"] == "no-store"
        again = await client.post(path)
        assert (again.status_code, again.json()["state"]) == (200, "captured")
        look = (await client.get(path)).json()
    assert (look["state"], look["amount"], look["channel"]) == ("captured", 4_200, "harbour")
    assert [(each["number"], each["state"]) for each in look["attempts"]] == [(1, "captured")]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"channel": "Not A Name"}', 400),
        (b'{"channel": 5}', 400),
        (b"[", 400),
        (b'{"channel": "' + b"x" * 20_000 + b'"}', 413),
    ],
)
async def test_a_malformed_request_begins_nothing(
    shop: World, client: httpx.AsyncClient, body: bytes, status: int
) -> None:
    intent = await shop.open()
    async with client:
        answer = await client.post(
            f"/api/v1/orders/{intent.order_id}/payments", content=body, headers={"Content-Type": "application/json"}
        )
    assert answer.status_code == status
    assert (await shop.look(intent)).attempts == ()


async def test_refusals_are_problem_documents(shop: World, client: httpx.AsyncClient) -> None:
    intent, closed = await shop.open_many(2)
    await shop.close(closed)
    async with client:
        for order_id, body, status, code in (
            (uuid4(), {}, 404, "payment-unknown"),
            (intent.order_id, {"channel": "nowhere"}, 404, "channel-unknown"),
            (closed.order_id, {}, 409, "payment-over"),
        ):
            answer = await client.post(f"/api/v1/orders/{order_id}/payments", json=body)
            assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{code}")
            assert answer.headers["content-type"] == "application/problem+json"
        assert (await client.get(f"/api/v1/orders/{uuid4()}/payments")).status_code == 404
        assert (await client.post("/api/v1/orders/not-an-id/payments")).status_code in {400, 404}
