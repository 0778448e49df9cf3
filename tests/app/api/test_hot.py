"""The hot shortcut answers exactly as the ordinary doors do, and neither ever answers with a fault."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import msgspec
import pytest
from httpx import ASGITransport, AsyncClient, Response

from tests.app.api.serving import served
from tests.app.framework import framework_of
from tests.offer.festivals import definition, for_new_shoppers, offer
from tests.sale.shop import Buyer, buyers, let_in, open_sale, publish
from tidegate.app.api.hot import Front
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.gate.admission.contracts import PASS_HEADER
from tidegate.offer.campaign.contracts import CampaignDefinition, Words
from tidegate.offer.catalogue.contracts import Goods, Picture, Sku


class Doors:
    """Both ways in, and a signed-in shopper with a pass."""

    def __init__(self, hot: AsyncClient, ordinary: AsyncClient, buyer: Buyer, headers: dict[str, str]) -> None:
        self.hot, self.ordinary, self.buyer, self.headers = hot, ordinary, buyer, headers

    def body(self, **changes: object) -> bytes:
        """A good order, changed."""
        good = {
            "lines": [{"sku": "A", "quantity": 1}],
            "address_id": str(self.buyer.address_id),
            "expected_total": 8_000,
        }
        return msgspec.json.encode({**good, **changes})

    async def both(self, body: bytes, **changes: str) -> tuple[Response, Response]:
        """Send the same order through both."""
        headers = {**self.headers, "Content-Type": "application/json", **changes}
        wanted = {name: value for name, value in headers.items() if value}
        return (
            await self.hot.post("/api/v1/orders", content=body, headers=wanted),
            await self.ordinary.post("/api/v1/orders", content=body, headers=wanted),
        )


def festival_at(price: int) -> CampaignDefinition:
    """A festival whose goods A cost so much."""
    plain = definition([offer("A", price, quota=50, per_buyer=5), offer("FIRST"), offer("LAST", quota=1)])
    return msgspec.structs.replace(plain, promotions=(for_new_shoppers("FIRST"),))


OWN_PROTOCOL, ANY_SERVER = "its own protocol", "any ASGI server"
both_ways_hot = pytest.mark.parametrize("doors", [OWN_PROTOCOL, ANY_SERVER], indirect=True)


@pytest.fixture
async def doors(app: App, clock: ManualClock, request: pytest.FixtureRequest) -> AsyncIterator[Doors]:
    festival = await publish(app, festival_at(8_000))
    open_sale(clock)
    [buyer] = await buyers(app, 1)
    headers = {**let_in(app, buyer, festival), "Idempotency-Key": "both-doors-1"}
    site = framework_of(app)
    async with AsyncExitStack() as stack:
        if getattr(request, "param", OWN_PROTOCOL) == ANY_SERVER:
            hot = AsyncClient(transport=ASGITransport(Front(app, site)), base_url="http://shop")  # type: ignore[arg-type]
        else:
            hot = AsyncClient(base_url=f"http://127.0.0.1:{await stack.enter_async_context(served(Front(app, site)))}")
        ordinary = AsyncClient(transport=ASGITransport(site), base_url="http://shop")  # type: ignore[arg-type]
        await stack.enter_async_context(hot)
        await stack.enter_async_context(ordinary)
        yield Doors(hot, ordinary, buyer, headers)


@both_ways_hot
async def test_both_doors_give_the_same_answer_to_the_same_order(doors: Doors) -> None:
    hot, ordinary = await doors.both(doors.body())
    assert (hot.status_code, ordinary.status_code) == (201, 201)
    assert hot.json() == ordinary.json()
    assert hot.json()["total"] == 8_000


@both_ways_hot
async def test_what_an_order_costs_its_shopper_is_the_same_through_both_doors(doors: Doors) -> None:
    body = doors.body(lines=[{"sku": "FIRST", "quantity": 1}], expected_total=6_766)
    hot, ordinary = await doors.both(body)
    assert (hot.status_code, ordinary.status_code) == (201, 201)
    assert hot.json() == ordinary.json()


@both_ways_hot
async def test_an_order_is_its_key_s_answer_though_its_price_has_changed(doors: Doors, app: App) -> None:
    before, _ = await doors.both(doors.body())
    await publish(app, festival_at(7_900))
    hot, ordinary = await doors.both(doors.body())
    assert (hot.status_code, hot.json()) == (ordinary.status_code, ordinary.json()) == (201, before.json())


@both_ways_hot
async def test_goods_that_are_sold_out_are_refused_by_both(doors: Doors) -> None:
    last = doors.body(lines=[{"sku": "LAST", "quantity": 1}])
    before, _ = await doors.both(last, **{"Idempotency-Key": "the-last-unit"})
    hot, ordinary = await doors.both(last)
    assert (before.status_code, hot.status_code, ordinary.status_code) == (201, 409, 409)
    assert hot.json()["type"] == ordinary.json()["type"] == "/problems/sold-out"


@pytest.mark.parametrize(
    ("changes", "headers", "status", "code"),
    [
        ({"expected_total": 7_999}, {}, 409, "price-changed"),
        ({"lines": [{"sku": "A", "quantity": 6}], "expected_total": 48_000}, {}, 409, "buyer-limit-reached"),
        ({"lines": [{"sku": "NONE", "quantity": 1}]}, {}, 404, "unknown-goods"),
        ({"lines": []}, {}, 422, "request-not-valid"),
        ({"lines": [{"sku": "A", "quantity": 0}]}, {}, 422, "request-not-valid"),
        ({"lines": [{"sku": "A", "quantity": -1}]}, {}, 422, "request-not-valid"),
        ({"lines": [{"sku": "A", "quantity": 10**30}]}, {}, 422, "request-not-valid"),
        ({"lines": [{"sku": "A", "quantity": 1.5}]}, {}, 422, "request-not-valid"),
        ({"lines": [{"sku": "A", "quantity": "1"}]}, {}, 422, "request-not-valid"),
        ({"lines": [{"sku": "A" * 65, "quantity": 1}]}, {}, 422, "request-not-valid"),
        ({"expected_total": -1}, {}, 422, "request-not-valid"),
        ({"surprise": True}, {}, 422, "request-not-valid"),
        ({"coupon": "NOPE"}, {}, 422, "coupon-not-valid"),
        ({"address_id": "01900000-0000-7000-8000-000000000009"}, {}, 422, "address-unknown"),
        ({"address_id": "not-an-id"}, {}, 422, "request-not-valid"),
        ({}, {"Idempotency-Key": "short"}, 422, None),
        ({}, {"Idempotency-Key": ""}, 422, None),
        ({}, {"Authorization": ""}, 401, "not-signed-in"),
        ({}, {"Authorization": "Bearer forged"}, 401, "not-signed-in"),
        ({}, {PASS_HEADER: ""}, 403, "pass-refused"),
        ({}, {PASS_HEADER: "forged"}, 403, "pass-refused"),
    ],
)
async def test_both_doors_refuse_the_same(
    doors: Doors, app: App, changes: dict[str, object], headers: dict[str, str], status: int, code: str | None
) -> None:
    hot, ordinary = await doors.both(doors.body(**changes), **headers)
    assert (hot.status_code, ordinary.status_code) == (status, status)
    assert hot.headers["content-type"] == ordinary.headers["content-type"] == "application/problem+json"
    if code is not None:
        assert hot.json()["type"] == ordinary.json()["type"] == f"/problems/{code}"
    assert hot.json()["detail"]
    async with app.db.read() as tx:
        assert await (await tx.execute("select count(*) from ordering.orders")).fetchone() == (0,)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"null", b"[]", b'"text"', b"[" * 5000])
async def test_bodies_that_are_no_order_are_refused_by_both(doors: Doors, body: bytes) -> None:
    hot, ordinary = await doors.both(body)
    assert hot.status_code in {400, 422}
    assert ordinary.status_code in {400, 422}


@both_ways_hot
@pytest.mark.parametrize("path", ["/api/v1/orders/", "/api/v1//orders", "//api/v1/orders", "/api/v1/%6Frders"])
async def test_another_spelling_is_no_way_around_the_hot_door(doors: Doors, path: str) -> None:
    headers = {**doors.headers, PASS_HEADER: "forged", "Content-Type": "application/json"}
    judged = await doors.hot.post(f"{doors.hot.base_url}{path}", content=b"{", headers=headers)
    assert (judged.status_code, judged.json()["type"]) == (403, "/problems/pass-refused"), "before the body is read"
    assert (await doors.hot.post(f"{doors.hot.base_url}{path}", content=doors.body(), headers=doors.headers)).is_success


@both_ways_hot
async def test_an_oversized_body_is_refused(doors: Doors) -> None:
    hot, _ = await doors.both(doors.body(surprise="x" * 70_000))
    assert (hot.status_code, hot.json()["type"]) == (413, "/problems/request-too-large")


async def test_stock_is_the_same_through_both_doors(doors: Doors) -> None:
    for query in ("skus=A", "skus=A,NONE", "skus=NONE"):
        hot = await doors.hot.get(f"/api/v1/stock?{query}")
        ordinary = await doors.ordinary.get(f"/api/v1/stock?{query}")
        assert (hot.status_code, hot.json()) == (ordinary.status_code, ordinary.json())
    assert (await doors.hot.get("/api/v1/stock?skus=A")).json() == {"stock": [{"sku": "A", "left": 50}]}


@pytest.mark.parametrize(
    "path",
    ["/", "/search?q=A", "/goods/A", "/goods/NONE", "/robots.txt", "/api/v1/stock?skus=A", "/api/v1/campaign",
     "/health/live", "/orders", "/nothing/here"],
)  # fmt: skip
async def test_the_head_of_a_page_is_that_of_the_page(doors: Doors, path: str) -> None:
    page, head = await doors.hot.get(path), await doors.hot.head(path)
    assert (head.status_code, head.content) == (page.status_code, b"")
    assert dict(head.headers) == dict(page.headers)


async def test_what_is_only_sent_has_no_head(doors: Doors) -> None:
    assert (await doors.hot.head("/api/v1/passes")).status_code == 405


def named(sku: str) -> Goods:
    return Goods(
        sku=Sku(sku),
        name=Words(f"壶 {sku}", f"Kettle {sku}"),
        description=Words("好壶", "A good one"),
        category="kitchen",
        brand="Murmur",
        list_price=10_000,
        picture=Picture("kettle"),
    )


async def test_a_search_is_the_same_through_both_doors(doors: Doors, app: App) -> None:
    async with app.db.transaction() as tx:
        await app.catalogue.put_goods(tx, [named(f"KTL-{number}") for number in range(40)])
    async with app.db.read() as tx:
        await app.catalogue.update_index(tx)
    for query in ("q=KTL-7", "q=KTL-7&limit=3", "limit=100&q=KTL-7", "q=%E5%A3%B6", "q=no+such+thing", "q=+"):
        for _ in range(2):
            hot = await doors.hot.get(f"/api/v1/search?{query}")
            ordinary = await doors.ordinary.get(f"/api/v1/search?{query}")
            assert (hot.status_code, hot.content, hot.headers["etag"]) == (
                200,
                ordinary.content,
                ordinary.headers["etag"],
            )
            assert hot.headers["cache-control"] == ordinary.headers["cache-control"]
        held = await doors.hot.get(f"/api/v1/search?{query}", headers={"If-None-Match": hot.headers["etag"]})
        assert (held.status_code, held.content) == (304, b"")


async def test_a_search_sees_what_was_written_since_it_was_asked_before(doors: Doors, app: App) -> None:
    for count in (1, 2):
        async with app.db.transaction() as tx:
            await app.catalogue.put_goods(tx, [named(f"NEW-{count}")])
        async with app.db.read() as tx:
            await app.catalogue.update_index(tx)
        found = (await doors.hot.get("/api/v1/search?q=NEW")).json()
        assert sorted(each["sku"] for each in found["goods"]) == ["NEW-1", "NEW-2"][:count]


UNUSUAL_SEARCHES = (
    " q= q q=a&limit=0 q=a&limit=101 q=a&limit=x q=a&limit=%2B5 q=a&limit=05 q=a&limit=2&limit=3 q=a&limit= q=a;limit=2"
    f" q=a&q=b q=a&offset=2 q=a&offset=-1 q=a&surprise=1 q=%FF q={'x' * 201}"
)


@pytest.mark.parametrize("query", UNUSUAL_SEARCHES.split(" "))
async def test_any_other_search_is_left_to_the_framework(doors: Doors, query: str) -> None:
    hot = await doors.hot.get(f"/api/v1/search?{query}")
    ordinary = await doors.ordinary.get(f"/api/v1/search?{query}")
    assert (hot.status_code, hot.json()) == (ordinary.status_code, ordinary.json())


@pytest.mark.parametrize("query", ["", "skus=", "skus=" + "x" * 5_000, "other=1"])
async def test_a_poll_for_nothing_or_too_much_is_refused_by_both(doors: Doors, query: str) -> None:
    hot = await doors.hot.get(f"/api/v1/stock?{query}")
    ordinary = await doors.ordinary.get(f"/api/v1/stock?{query}")
    assert (hot.status_code, ordinary.status_code) == (422, 422)
