"""Connections of plain HTTP, byte by byte: what is answered in the loop's own thread is HTTP like everything else."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from time import perf_counter

import msgspec
import pytest

from tests.app.api.serving import served
from tests.app.framework import framework_of
from tests.offer.festivals import definition, offer
from tests.sale.shop import buyers, let_in, open_sale, publish
from tidegate.app.api.hot import Front
from tidegate.app.api.shedding import Kind
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock

pytestmark = pytest.mark.database

PATIENCE_SECONDS = 30.0


class Said(msgspec.Struct):
    """One answer as it came over the connection."""

    status: int
    headers: dict[str, str]
    body: bytes


class Line:
    """A client's connection, written to as bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self._writer.write(piece)
            await self._writer.drain()
            if len(pieces) > 1:
                await asyncio.sleep(0.001)

    async def answer(self, *, bodiless: bool = False) -> Said:
        async with asyncio.timeout(PATIENCE_SECONDS):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in head[1:-2])}
            length = 0 if bodiless else int(headers.get("content-length", 0))
            return Said(int(head[0].split()[1]), headers, await self._reader.readexactly(length))

    async def is_closed(self) -> bool:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self._reader.read() == b""

    async def leave(self) -> None:
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()


class Shop(msgspec.Struct):
    """A shop that listens, and what a buyer sends it."""

    app: App
    port: int
    headers: Sequence[str]
    body: bytes
    lines: list[Line] = []

    async def line(self) -> Line:
        self.lines.append(Line(*await asyncio.open_connection("127.0.0.1", self.port)))
        return self.lines[-1]

    def order(self, key: str, *more: str, body: bytes | None = None, path: str = "/api/v1/orders") -> bytes:
        body = self.body if body is None else body
        return request(
            f"POST {path}", *self.headers, f"Idempotency-Key: {key}", f"Content-Length: {len(body)}", *more, body=body
        )

    async def orders(self) -> int:
        async with self.app.db.read() as tx:
            row = await (await tx.execute("select count(*) from ordering.orders")).fetchone()
        return int(row[0]) if row else 0


def request(line: str, *headers: str, body: bytes = b"", version: str = "1.1") -> bytes:
    return "\r\n".join([f"{line} HTTP/{version}", "Host: localhost", *headers, "", ""]).encode() + body


@pytest.fixture
async def shop(app: App, clock: ManualClock) -> AsyncIterator[Shop]:
    festival = await publish(app, definition([offer("A", quota=50, per_buyer=50)]))
    open_sale(clock)
    [buyer] = await buyers(app, 1)
    order = {"lines": [{"sku": "A", "quantity": 1}], "address_id": str(buyer.address_id), "expected_total": 8_000}
    entitled = [f"{name}: {value}" for name, value in let_in(app, buyer, festival).items()]
    async with served(Front(app, framework_of(app))) as port:
        shop = Shop(app, port, ["Content-Type: application/json", *entitled], msgspec.json.encode(order))
        yield shop
        for line in shop.lines:
            await line.leave()


async def test_what_is_asked_at_once_is_answered_in_turn(shop: Shop) -> None:
    line = await shop.line()
    page = request("GET /api/v1/campaign")
    await line.send(shop.order("first-key") + page + shop.order("second-key") + request("HEAD /robots.txt") + page)
    first, campaign, second, robots, again = [await line.answer(bodiless=turn == 3) for turn in range(5)]
    assert [each.status for each in (first, campaign, second, robots, again)] == [201, 200, 201, 200, 200]
    assert msgspec.json.decode(first.body)["order_id"] < msgspec.json.decode(second.body)["order_id"]
    assert campaign.body == again.body
    assert int(robots.headers["content-length"]) > 0
    assert await shop.orders() == 2


async def test_one_connection_orders_again_and_again(shop: Shop) -> None:
    line = await shop.line()
    for number in range(20):
        await line.send(shop.order(f"number-{number:04d}"))
        assert (await line.answer()).status == 201
    assert await shop.orders() == 20


async def test_an_order_may_come_in_pieces(shop: Shop) -> None:
    line = await shop.line()
    whole = shop.order("in-pieces")
    await line.send(*[whole[at : at + 7] for at in range(0, len(whole), 7)])
    assert (await line.answer()).status == 201
    in_chunks = b"".join(b"%x\r\n%b\r\n" % (1, shop.body[at : at + 1]) for at in range(len(shop.body))) + b"0\r\n\r\n"
    head = request("POST /api/v1/orders", *shop.headers, "Idempotency-Key: in-chunks", "Transfer-Encoding: chunked")
    await line.send(head, in_chunks)
    assert (await line.answer()).status == 201


@pytest.mark.parametrize(
    "asked",
    [
        request("GET /api/v1/stock?skus=A"),
        request("GET /api/v1/%73tock?skus=A"),
        request("GET http://localhost/api/v1/stock?skus=A"),
        request("GET /api/v1/stock?skus=A", "Connection: close"),
        request("GET /api/v1/stock?skus=A", version="1.0"),
    ],
)
async def test_the_same_stock_however_it_is_asked_for(shop: Shop, asked: bytes) -> None:
    line = await shop.line()
    await line.send(asked)
    answer = await line.answer()
    assert (answer.status, msgspec.json.decode(answer.body)) == (200, {"stock": [{"sku": "A", "left": 50}]})
    assert "date" in answer.headers
    if b"close" in asked or b"HTTP/1.0" in asked:
        assert answer.headers["connection"] == "close"
        assert await line.is_closed()


async def test_a_client_may_ask_before_it_sends_its_body(shop: Shop) -> None:
    line = await shop.line()
    whole = shop.order("asked-first", "Expect: 100-continue")
    await line.send(whole[: -len(shop.body)])
    assert (await line.answer()).status == 100
    await line.send(shop.body)
    assert (await line.answer()).status == 201


async def test_a_stranger_is_refused_though_the_body_does_not_come(shop: Shop) -> None:
    line = await shop.line()
    await line.send(request("POST /api/v1/orders", "Content-Type: application/json", "Content-Length: 1000"))
    answer = await line.answer()
    assert (answer.status, answer.headers["connection"]) == (401, "close")
    assert await line.is_closed()


async def test_a_stranger_whose_body_comes_late_keeps_the_connection(shop: Shop) -> None:
    line = await shop.line()
    for _ in range(3):
        await line.send(request("POST /api/v1/orders", "Content-Type: application/json", "Content-Length: 2"))
        await asyncio.sleep(0.05)
        await line.send(b"{}")
        answer = await line.answer()
        assert (answer.status, answer.headers.get("connection")) == (401, None)


async def test_what_stands_behind_a_body_is_no_header(shop: Shop) -> None:
    line = await shop.line()
    late = request("POST /api/v1/orders", *shop.headers, "Transfer-Encoding: chunked", "Trailer: Idempotency-Key")
    await line.send(late + b"%x\r\n%b\r\n0\r\nIdempotency-Key: behind-it\r\n\r\n" % (len(shop.body), shop.body))
    assert (await line.answer()).status == 422
    await line.send(shop.order("in-the-head"))
    assert (await line.answer()).status == 201


async def test_a_body_that_is_too_large_is_refused_and_the_next_is_taken(shop: Shop) -> None:
    line = await shop.line()
    await line.send(shop.order("too-large", body=b" " * 70_000 + shop.body))
    answer = await line.answer()
    assert (answer.status, msgspec.json.decode(answer.body)["type"]) == (413, "/problems/request-too-large")
    await line.send(shop.order("too-large"))
    assert (await line.answer()).status == 201


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (request("GET /", "X-Long: " + "x" * 70_000), 431),
        (request("GET /", *(f"X-{number}: x" for number in range(101))), 431),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100), 400),
        (request("POST /api/v1/orders", "Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n", 400),
        (request("POST /api/v1/orders", "Content-Length: 5", "Content-Length: 6") + b"12345", 400),
    ],
)
async def test_what_is_no_http_ends_the_connection(shop: Shop, asked: bytes, status: int) -> None:
    line = await shop.line()
    await line.send(asked)
    answer = await line.answer()
    assert answer.status == status
    assert await line.is_closed()


async def test_an_order_stands_though_its_client_has_left(shop: Shop) -> None:
    line = await shop.line()
    await line.send(shop.order("has-left"))
    await line.leave()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await shop.orders():
            await asyncio.sleep(0.01)
    again = await shop.line()
    await again.send(shop.order("has-left"))
    assert (await again.answer()).status == 201
    assert await shop.orders() == 1


async def test_who_is_not_let_in_is_told_so_on_the_same_connection(shop: Shop) -> None:
    load = shop.app.load
    for _ in range(60):
        for _ in range(100):
            load.asks(Kind.BROWSE, perf_counter())
        load.waited("test", 100.0)
        load.close_window(perf_counter())
    assert not load.lets_in(Kind.BROWSE, 0)
    line = await shop.line()
    await line.send(request("GET /goods/A") + request("GET /health/live"))
    refused, health = await line.answer(), await line.answer()
    assert (refused.status, health.status) == (503, 200)
    assert refused.headers["retry-after"]


@pytest.mark.slow
async def test_a_body_that_does_not_come_is_given_up(shop: Shop) -> None:
    line = await shop.line()
    await line.send(shop.order("never-comes")[:-5])
    answer = await line.answer()
    assert (answer.status, msgspec.json.decode(answer.body)["type"]) == (408, "/problems/request-too-slow")
    assert await line.is_closed()
