"""The OpenAPI document is complete, and no request made from it can break the server."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import status_code_conformance

from tests.live import Live, installation
from tidegate.app.compose import opened
from tidegate.gate.admission.contracts import PASS_HEADER

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("openapi")]


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    with installation() as running:
        yield running


@pytest.fixture(scope="module")
def document(live: Live) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{live.url}/openapi.json").raise_for_status().json()
    return found


def _operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    methods = {"get", "post", "put", "patch", "delete"}
    return [
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in methods
    ]


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    bare = [
        f"{method} {path}"
        for path, method, operation in _operations(document)
        if not operation.get("summary") or not operation.get("description") or not operation.get("tags")
    ]
    assert bare == []


def test_every_body_names_its_fields_with_examples(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    bodies = {
        operation["requestBody"]["content"]["application/json"]["schema"].get("$ref", "").rsplit("/", 1)[-1]
        for _, _, operation in _operations(document)
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    }
    without = [name for name in bodies if name and "example" not in str(schemas[name])]
    assert without == []


def test_every_operation_says_how_it_refuses(document: dict[str, Any]) -> None:
    silent = [
        f"{method} {path}"
        for path, method, operation in _operations(document)
        if path.startswith("/api/")
        if "application/problem+json" not in operation["responses"].get("503", {}).get("content", {})
    ]
    assert silent == []
    placing = document["paths"]["/api/v1/orders"]["post"]["responses"]
    assert "`sold-out`" in placing["409"]["description"]
    assert "`not-signed-in`" in placing["401"]["description"]


def test_operations_of_the_money_path_are_there(document: dict[str, Any]) -> None:
    paths = set(document["paths"])
    assert {"/api/v1/orders", "/api/v1/stock", "/api/v1/passes", "/api/v1/search", "/api/v1/quotes"} <= paths
    assert {"/health/live", "/health/ready", "/metrics"} <= paths


@pytest.fixture(scope="module")
def headers(live: Live) -> dict[str, str]:
    """A signed-in shopper with a pass, so that requests get past the door."""

    async def sign_in() -> dict[str, str]:
        async with opened(live.supervisor.config) as app, app.db.transaction() as tx:
            [shopper] = await app.identity.open_rehearsal_accounts(tx, 1)
        return {"Authorization": f"Bearer {shopper.session.token}"}

    signed_in = asyncio.run(sign_in())
    token = httpx.post(f"{live.url}/api/v1/passes", headers=signed_in).raise_for_status().json()["token"]
    return {**signed_in, PASS_HEADER: token}


@pytest.fixture(scope="module")
def staff_headers(live: Live) -> dict[str, str]:
    """The staff login of the example."""
    answer = httpx.post(f"{live.url}/api/v1/staff/sessions", json={"name": "manager", "password": live.password})
    return {"Authorization": f"Bearer {answer.raise_for_status().json()['token']}"}


def _probe(operation: Any, headers: dict[str, str]) -> None:
    """Send sixteen requests to one operation, always the same. Hostile ones stand in `tests/app`."""

    @settings(
        max_examples=12,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        case.call_and_validate(checks=[not_a_server_error, status_code_conformance], headers=headers, timeout=20)

    send()


def test_requests_made_from_the_document_break_nothing(
    live: Live, headers: dict[str, str], staff_headers: dict[str, str]
) -> None:
    schema = schemathesis.openapi.from_url(f"{live.url}/openapi.json")
    operations = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    assert len(operations) > 20
    for operation in operations:
        own = {"DELETE /api/v1/sessions/current"}  # would sign the shopper of all other requests out
        if operation.label not in own:
            _probe(operation, staff_headers if "/monitor" in operation.path else headers)
