"""Bodies are taken as they are: nothing in them is ignored, and none is so deep that reading it breaks."""

from collections.abc import Iterator

import msgspec
import pytest
from httpx import ASGITransport, AsyncClient
from msgspec import inspect

from tests.app.framework import framework_of
from tests.app.hostile import DEEP, SOME_ID, ways
from tests.sale.shop import buyers
from tidegate.app.compose import App


def _structs(kind: inspect.Type) -> Iterator[inspect.StructType]:
    """Yield a body's struct and those within it."""
    match kind:
        case inspect.StructType():
            yield kind
            for field in kind.fields:
                yield from _structs(field.type)
        case inspect.UnionType():
            for each in kind.types:
                yield from _structs(each)
        case inspect.VarTupleType() | inspect.ListType():
            yield from _structs(kind.item_type)


def test_no_json_body_has_room_for_a_name_that_nobody_knows(app: App) -> None:
    bodies = [
        (way.path, way.handler.parsed_data_field.annotation)
        for way in ways(framework_of(app), "POST")
        if way.path.startswith("/api/") and way.handler.parsed_data_field is not None
    ]
    lenient = [
        f"{path}: {each.cls.__name__}"
        for path, body in bodies
        for each in _structs(inspect.type_info(body))
        if not each.forbid_unknown_fields
    ]
    assert len(bodies) > 20
    assert lenient == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"/api/v1/orders/{SOME_ID}/payments", {"chanel": "harbour"}),
        ("/api/v1/addresses", {"name": "张三", "phone": "13800138000", "province": "浙江省", "city": "杭州市",
                               "district": "西湖区", "street": "文三路 90 号", "postcode": "310000"}),
    ],
)  # fmt: skip
async def test_a_name_with_a_letter_missing_is_refused_and_not_ignored(
    app: App, path: str, body: dict[str, str]
) -> None:
    [buyer] = await buyers(app, 1)
    headers = {"Authorization": f"Bearer {buyer.token}", "Content-Type": "application/json"}
    deep = b'{"surprise":' + DEEP
    async with AsyncClient(transport=ASGITransport(framework_of(app)), base_url="http://shop") as client:  # type: ignore[arg-type]
        mistyped = await client.post(path, content=msgspec.json.encode(body), headers=headers)
        too_deep = await client.post(path, content=deep, headers=headers)
    name = list(body)[-1]
    assert (mistyped.status_code, name in mistyped.text) == (422, True)
    assert too_deep.status_code in {400, 422}
