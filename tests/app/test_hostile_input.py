"""Whatever is sent, wherever: no 5xx. A text that cannot be kept is refused with words, and nothing is changed."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from urllib.parse import unquote_to_bytes

import httpx
import msgspec
import pytest

from tests.app.api.serving import served
from tests.app.framework import framework_of
from tests.app.hostile import DEEP, ENCODED, TEXTS, Example, Way, fields_of, filled, operations, spoiled, ways
from tests.offer.festivals import coupon, goods, offer
from tests.offer.festivals import definition as festival
from tests.sale.shop import buyers, let_in, open_sale, order, publish
from tidegate.app.api.hot import Front
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.gate.admission.contracts import PASS_HEADER
from tidegate.trust.identity.api import SESSION_COOKIE, STAFF_COOKIE
from tidegate.trust.identity.contracts import Role

ORIGIN = "http://shop.test"
PASSWORD = "a long enough password"
ROLES = (Role.CAMPAIGN_MANAGER, Role.RISK, Role.PAYMENT)
"""Among them they may do whatever a door of the web offers."""

Asked = tuple[str, str, dict[str, object]]
"""A method, an address, and what goes with it."""


class House(msgspec.Struct, frozen=True):
    """An open shop, and browsers: nobody's, and those of a shopper with a pass who is staff beside it, in each role."""

    app: App
    stranger: httpx.AsyncClient
    insiders: tuple[httpx.AsyncClient, ...]
    ids: dict[str, str]
    """Of what there is, by the names that addresses have for it."""

    async def faults(self, asked: Sequence[Asked]) -> list[str]:
        """Return what was answered with a 5xx. Whoever may not is followed by the next, who may."""
        found = []
        for method, path, more in asked:
            for insider in self.insiders:
                answer = await insider.request(method, path, **more)  # type: ignore[arg-type]
                if answer.status_code >= 500:
                    found.append(f"{method} {path} {more!r:.200}: {answer.status_code} {answer.text[:80]}")
                if answer.status_code != 403:
                    break
        return found


@pytest.fixture
async def house(app: App, clock: ManualClock) -> AsyncIterator[House]:
    entries, offers = [goods("A"), goods("B")], [offer("A"), offer("B", 9_000)]
    plain = festival(entries=entries, offers=offers, coupons=[coupon("TIDE50")])
    definition = await publish(app, msgspec.structs.replace(plain, rate_limits=()))
    open_sale(clock)
    [buyer] = await buyers(app, 1)
    placed = await app.ordering.place(buyer.account_id, "hostile-0", order(buyer, {"A": 1}, 8_000))
    headers = {"Accept": "text/html", "Accept-Language": "en", "Origin": ORIGIN}
    key = {"Idempotency-Key": "hostile-1", PASS_HEADER: let_in(app, buyer, definition)[PASS_HEADER]}
    site = httpx.ASGITransport(app=framework_of(app))  # type: ignore[arg-type]
    async with AsyncExitStack() as stack:
        stranger = httpx.AsyncClient(transport=site, base_url=ORIGIN, headers=headers)
        insiders = [httpx.AsyncClient(transport=site, base_url=ORIGIN, headers={**headers, **key}) for _ in ROLES]
        for client, role in zip(insiders, ROLES, strict=True):
            client.cookies.set(SESSION_COOKIE, buyer.token)
            client.cookies.set(STAFF_COOKIE, await _staff(app, role))
        for client in (stranger, *insiders):
            await stack.enter_async_context(client)
        ids = {"order_id": str(placed.order_id), "account_id": str(buyer.account_id), "campaign_id": definition.id}
        yield House(app, stranger, tuple(insiders), ids)


async def _staff(app: App, role: Role) -> str:
    """Return the session of a new member of staff."""
    name = f"a.{role.value}"
    async with app.db.transaction() as tx:
        await app.identity.add_staff(tx, name, role, PASSWORD)
    return (await app.identity.staff_sign_in(name, PASSWORD, "127.0.0.1")).token


async def test_a_text_that_no_database_keeps_is_refused_with_words(house: House) -> None:
    client = house.stranger
    answers = [
        await client.get("/api/v1/stock?skus=%00"),
        await client.post("/api/v1/staff/sessions", json={"name": "\0", "password": PASSWORD}),
    ]
    assert [each.status_code for each in answers] == [422, 422]
    assert {each.json()["type"] for each in answers} == {"/problems/text-not-allowed"}
    assert "Nothing was changed" in answers[0].json()["detail"]


@pytest.mark.parametrize("path", ["/goods/%00", "/checkout?sku=%00", "/console/orders?q=%00"])
async def test_a_page_says_so_too(house: House, path: str) -> None:
    answer = await house.insiders[0].get(path)
    assert answer.status_code in {404, 422}
    assert answer.headers["content-type"].startswith("text/html")


async def test_the_console_s_door_says_so_too(house: House) -> None:
    answer = await house.stranger.post("/console/sign-in", data={"name": "\0", "password": "x", "to": "/console"})
    assert (answer.status_code, "cannot be kept" in answer.text) == (422, True)


async def test_what_was_asked_before_there_was_a_campaign_does_not_stop_the_board_afterwards(app: App) -> None:
    await app.board.answer(app.db, "A,\0")
    await publish(app)
    await app.board.renew(app.db)


async def test_the_hot_door_says_the_same_and_goes_on(house: House) -> None:
    front = Front(house.app, framework_of(house.app))
    async with served(front) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        answer = await client.get("/api/v1/stock?skus=A,%00")
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/text-not-allowed")
        await house.app.board.renew(house.app.db)
        assert (await client.get("/api/v1/stock?skus=A")).json() == {"stock": [{"sku": "A", "left": 999}]}


def _page_ways(house: House, method: str) -> list[Way]:
    """All handlers of pages and files; the JSON doors stand in the document."""
    site = framework_of(house.app)
    return [each for each in ways(site, method) if not each.path.startswith(("/api/", "/metrics", "/health"))]


async def test_no_page_breaks_on_its_address(house: House) -> None:
    asked: list[Asked] = []
    for way in _page_ways(house, "GET"):
        paths = [way.at(house.ids, **{name: bad}) for name in way.texts for bad in ENCODED]
        paths += [f"{way.at(house.ids)}?{name}={bad}" for name in way.queries for bad in ENCODED]
        asked += [("GET", path, {}) for path in [*paths, f"{way.at(house.ids)}?%00=%00"]]
    assert len(asked) > 150
    assert await house.faults(asked) == []


async def test_no_page_breaks_on_its_form(house: House) -> None:
    asked: list[Asked] = []
    for way in _page_ways(house, "POST"):
        if way.path.endswith("/sign-out"):
            continue
        fields = fields_of(way)
        forms = [dict.fromkeys(fields, bad) for bad in TEXTS]
        forms += [{**dict.fromkeys(fields, "1"), name: "A\0"} for name in fields]
        asked += [("POST", way.at(house.ids), {"data": form}) for form in forms]
        asked += [("POST", way.at(house.ids, **{name: bad}), {"data": {}}) for name in way.texts for bad in ENCODED]
    assert len(asked) > 150
    assert await house.faults(asked) == []


MULTIPART = (
    b'--x\r\nContent-Disposition: form-data; name="sku"\r\n%b\r\n%b\r\n--x--\r\n',
    b'--x\r\nContent-Disposition: form-data; name="\xff"\r\n%b\r\n%b\r\n--x--\r\n',
    b'--x\r\nContent-Disposition: form-data; name="sku"; filename="\xff"\r\n%b\r\n%b\r\n--x--\r\n',
)
PARTS = (
    (b"", b"\xff\xfe"),
    (b"Content-Type: text/plain; charset=bogus\r\n", b"A"),
    (b"Content-Type: text/plain; charset=utf-16\r\n", b"A"),
    (b"Content-Type: text/plain; charset=hex\r\n", b"A"),
    (b"Content-Type: text/plain; charset=unicode_escape\r\n", b"\\ud800"),
)


async def test_no_page_breaks_on_a_form_in_parts(house: House) -> None:
    kinds = ("multipart/form-data; boundary=x", "multipart/form-data; boundary=", "multipart/form-data")
    bodies = [MULTIPART[0] % part for part in PARTS] + [form % PARTS[0] for form in MULTIPART[1:]]
    asked: list[Asked] = [
        ("POST", way.at(house.ids), {"content": body, "headers": {"Content-Type": kind}})
        for way in _page_ways(house, "POST")
        if way.handler.parsed_data_field is None and not way.path.endswith("/sign-out")
        for kind in kinds
        for body in (bodies if kind == kinds[0] else bodies[:1])
    ]
    assert await house.faults(asked) == []


async def test_no_json_door_breaks_on_its_body(house: House) -> None:
    document = (await house.stranger.get("/openapi.json")).json()
    example = Example(document)
    asked: list[Asked] = []
    for path, method, operation in operations(document):
        headers = {"Content-Type": "application/json"}
        address = filled(path, {**house.ids, "channel": "harbour", "name": "static_only", "sku": "A"})
        schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        if schema is None:
            continue
        good = example.good(schema)
        bodies = [msgspec.json.encode(body) for bad in TEXTS for body in spoiled(good, bad)]
        marker = msgspec.json.encode("here")
        bodies += [msgspec.json.encode(body).replace(marker, raw) for raw in RAW for body in spoiled(good, "here")]
        asked += [(method.upper(), address, {"content": body, "headers": headers}) for body in bodies]
    assert len(asked) > 400
    assert await house.faults(asked) == []


RAW = (
    b'"\\ud800"',
    b'"\\udc00x"',
    b'"\xed\xa0\x80"',
    b'"\xff"',
    DEEP,
    DEEP + b"]" * len(DEEP),
    b"1e400",
    b"-0.0",
    b"9" * 5_000,
)
"""Parts of JSON that no encoder writes."""


async def test_no_json_door_breaks_on_its_address(house: House) -> None:
    document = (await house.stranger.get("/openapi.json")).json()
    asked: list[Asked] = []
    for path, method, operation in operations(document):
        for parameter in operation.get("parameters", []):
            name, place = parameter["name"], parameter["in"]
            for bad in ENCODED:
                address = filled(path, {**house.ids, name: bad} if place == "path" else house.ids)
                query = f"?{name}={bad}" if place == "query" else ""
                headers = {name: unquote_to_bytes(bad)} if place == "header" else {}
                asked.append((method.upper(), address + query, {"headers": headers}))
    assert len(asked) > 200
    assert await house.faults(asked) == []
