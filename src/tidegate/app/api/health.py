"""Whether this process lives and can serve, what it counts, and what its API is."""

from typing import Annotated

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State

from tidegate.base.db import Database
from tidegate.base.metrics import exposition
from tidegate.watch.monitor.api import Monitor
from tidegate.watch.monitor.contracts import HealthFact


class Alive(msgspec.Struct, frozen=True):
    """The process answers."""

    status: Annotated[str, msgspec.Meta(examples=["alive"])] = "alive"


class Ready(msgspec.Struct, frozen=True):
    """Whether the process can serve, and what that rests on."""

    ready: bool
    facts: tuple[HealthFact, ...]


@get("/health/live", summary="Is the process alive?", tags=["health"], operation_id="Live", sync_to_thread=False)
def live() -> Alive:
    """Answer without touching anything else: a balancer may restart a process that does not answer this."""
    return Alive()


@get("/health/ready", summary="Can the process serve?", tags=["health"], operation_id="Ready")
async def ready(monitor: Monitor, db: Database) -> Response[Ready]:
    """Answer 200 when every part that is needed works, 503 otherwise: a balancer sends no traffic then."""
    facts = tuple(await monitor.health(db))
    able = all(fact.ok for fact in facts if fact.required)
    return Response(Ready(able, facts), status_code=200 if able else 503, headers={"Cache-Control": "no-store"})


@get("/metrics", summary="Metrics for Prometheus", tags=["health"], operation_id="Metrics", sync_to_thread=True)
def metrics() -> Response[bytes]:
    """Return the counts and timings of all processes in Prometheus' text format."""
    return Response(exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")


@get("/openapi.json", include_in_schema=False, sync_to_thread=False)
def openapi(request: Request[object, object, State]) -> Response[bytes]:
    """Return the API's description (OpenAPI 3.1)."""
    document = msgspec.json.encode(request.app.openapi_schema.to_schema())
    return Response(document, media_type="application/json", headers={"Cache-Control": "public, max-age=60"})


routes = [live, ready, metrics, openapi]
