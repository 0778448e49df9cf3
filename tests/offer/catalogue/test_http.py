"""The catalogue's JSON doors and pictures."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from litestar import Litestar
from litestar.di import Provide
from litestar.testing import AsyncTestClient

from tidegate.app.api.problems import refused
from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.offer.catalogue import http
from tidegate.offer.catalogue.api import Catalogue
from tidegate.offer.catalogue.contracts import Goods

Client = AsyncTestClient[Litestar]


@pytest.fixture
async def client(db: Database, catalogue: Catalogue, festival: list[Goods]) -> AsyncIterator[Client]:
    """A client of the catalogue's doors, with the festival's goods behind them."""
    async with db.transaction() as tx:
        await catalogue.put_goods(tx, festival)
    async with db.read() as tx:
        await catalogue.update_index(tx)
        await catalogue.refresh(tx)
    app = Litestar(
        http.routes,
        dependencies={
            "db": Provide(lambda: db, sync_to_thread=False),
            "catalogue": Provide(lambda: catalogue, sync_to_thread=False),
        },
        exception_handlers={Refusal: lambda _, refusal: refused(refusal)},
    )
    async with AsyncTestClient(app) as client:
        yield client


async def test_one_product(client: Client, festival: list[Goods]) -> None:
    one = festival[0]
    answer = await client.get(f"/api/v1/goods/{one.sku}")
    assert answer.status_code == 200
    assert answer.json() == {
        "sku": one.sku,
        "name": {"zh": one.name.zh, "en": one.name.en},
        "description": {"zh": one.description.zh, "en": one.description.en},
        "category": one.category,
        "brand": one.brand,
        "list_price": one.list_price,
        "picture": {
            "urls": {str(width): one.picture.url(width) for width in (160, 320, 640)},
            "placeholder": one.picture.placeholder,
        },
    }


@pytest.mark.parametrize(
    "path", ["/api/v1/goods/KTL-1001", "/api/v1/goods?category=toys", "/api/v1/categories", "/api/v1/search?q=kettle"]
)
async def test_what_a_client_holds_is_not_sent_again(client: Client, path: str) -> None:
    first = await client.get(path)
    assert first.headers["cache-control"] == "public, max-age=5"
    again = await client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = await client.get(path, headers={"If-None-Match": '"another"'})
    assert (other.status_code, other.json()) == (200, first.json())


async def test_a_page_of_a_category(client: Client) -> None:
    page = (await client.get("/api/v1/goods", params={"category": "toys", "page": 2, "limit": 20})).json()
    assert (page["page"], page["limit"], page["total"], len(page["goods"])) == (2, 20, 48, 20)
    assert {goods["category"] for goods in page["goods"]} == {"toys"}


async def test_categories_with_names_and_counts(client: Client) -> None:
    categories = (await client.get("/api/v1/categories")).json()
    assert len(categories) == 12
    assert categories[0] == {"slug": "digital", "name": {"zh": "数码", "en": "Digital"}, "goods_count": 144}


async def test_search(client: Client) -> None:
    found = (await client.get("/api/v1/search", params={"q": "保温杯", "limit": 3})).json()
    assert (found["query"], found["match"], found["limit"], found["offset"]) == ("保温杯", "exact", 3, 0)
    assert all("保温杯" in goods["name"]["zh"] for goods in found["goods"])
    assert (await client.get("/api/v1/search")).json()["match"] == "none"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/goods/NOPE-1", 404, "goods-not-found"),
        ("/api/v1/goods?category=nope", 404, "category-not-found"),
        ("/media/kettle-teal-1-0000000000-320.webp", 404, "picture-not-found"),
    ],
)
async def test_what_there_is_not(client: Client, path: str, status: int, code: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{code}")


@pytest.mark.parametrize(
    "query",
    [
        "goods?page=0",
        "goods?page=x",
        "goods?limit=101",
        "goods?limit=-1",
        "goods?category=A%20B",
        "goods/%2Fetc",
        "goods/a%20b",
        "search?q=" + "a" * 101,
        "search?q=a&limit=0",
        "search?q=a&offset=99999999999999999999",
    ],
)
async def test_bad_parameters_are_refused(client: Client, query: str) -> None:
    assert 400 <= (await client.get(f"/api/v1/{query}")).status_code < 500


async def test_a_picture_is_sent_to_be_kept_for_ever(client: Client, festival: list[Goods]) -> None:
    answer = await client.get(festival[0].picture.url(160))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.content[8:12] == b"WEBP"


async def test_every_door_is_described(client: Client) -> None:
    document: dict[str, Any] = client.app.openapi_schema.to_schema()
    for path in ("/api/v1/goods", "/api/v1/goods/{sku}", "/api/v1/categories", "/api/v1/search"):
        operation = document["paths"][path]["get"]
        assert operation["summary"]
        assert operation["description"]
    assert not any(path.startswith("/media") for path in document["paths"])
