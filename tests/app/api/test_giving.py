"""What handlers ask for is given without a task for each thing."""

from litestar.routes import HTTPRoute

from tests.app.framework import framework_of
from tidegate.app.compose import App


async def test_no_handler_waits_for_tasks(app: App) -> None:
    models = [
        model
        for route in framework_of(app).routes
        if isinstance(route, HTTPRoute)
        for _, model in route.route_handler_map.values()
    ]
    assert max(len(model.dependency_batches) for model in models) > 5, "these are the batches that handlers are given"
    assert {len(batch) for model in models for batch in model.dependency_batches} == {1}
