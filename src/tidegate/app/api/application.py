"""The web process: Litestar with the doors of every module, and the hot shortcut before it."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from os import getpid
from socket import gethostname
from time import perf_counter

from litestar import Litestar
from litestar.di import Provide
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Tag

from tidegate.app.api.doors import doors, exception_handlers
from tidegate.app.api.giving import one_after_another
from tidegate.app.api.hot import Front
from tidegate.app.api.limiting import limited
from tidegate.app.api.strictness import BODY_BYTES_MAX, strict_body
from tidegate.app.compose import App, compose
from tidegate.app.publication import PublicationDesk
from tidegate.base.config import Config
from tidegate.base.load import LoadControl, publish
from tidegate.base.log import begin_logging
from tidegate.base.metrics import faults, http_seconds
from tidegate.gate.admission.http import provide_admission_pass
from tidegate.trust.identity.http import provide_account, provide_maybe_account, provide_session, provide_staff

log = logging.getLogger(__name__)

_REFRESH_SECONDS = 1.0
_BOARD_SECONDS = 0.5
_LATENESS_SECONDS = 0.02
_COUNTS_SECONDS = 1.0
_METRICS_SECONDS = 0.1
_TAGS = [
    Tag("campaign", "What is on, until when, by which rules"),
    Tag("catalogue", "Goods, and finding them"),
    Tag("pricing", "What a cart costs, step by step"),
    Tag("coupons", "Claiming coupons, and one's own"),
    Tag("points", "One's own points"),
    Tag("stock", "What is left"),
    Tag("identity", "Signing in, addresses"),
    Tag("queue", "The line: places, passes, the draw, and the gate for staff"),
    Tag("defence", "Attack mode, for staff"),
    Tag("bots", "Work for a queue number; what programs were decided to be"),
    Tag("orders", "Placing, watching, cancelling"),
    Tag("groups", "Group buying: opening, joining by link, and how far a group is"),
    Tag("draws", "Prize draws: conditions, entries, winners, and what proves them"),
    Tag("payments", "Paying, and what channels report"),
    Tag("monitor", "What staff watch"),
    Tag("health", "For balancers and monitoring"),
]


def application() -> Front:
    """Return the ASGI application for the settings in the environment; the server calls this in each worker."""
    begin_logging()
    config = Config.from_env()
    return build(compose(config), config.trusted_proxies)


def build(app: App, proxies: Sequence[str] = ()) -> Front:
    """Return the ASGI application of a composed App: it connects at start and disconnects at the end.

    Proxies (addresses and networks) are believed who the client is.
    """
    return Front(app, framework(app), proxies)


def framework(app: App) -> Litestar:
    """Return Litestar with every ordinary door."""
    site = Litestar(
        route_handlers=doors(),
        dependencies=_dependencies(app),
        exception_handlers=exception_handlers(),
        guards=[limited(app), strict_body],
        lifespan=[_lifespan(app)],
        openapi_config=_openapi(),
        logging_config=None,
        request_max_body_size=BODY_BYTES_MAX,
        pdb_on_exception=False,
        debug=False,
    )
    return one_after_another(site)


def _dependencies(app: App) -> Mapping[str, Provide]:
    """Return what handlers may ask for by name: the parts of the App, who is asking, and what pages need."""
    parts = ("config", "clock", "ids", "db", "cache", "outbox", "jobs", "board")
    modules = (
        "identity",
        "campaign",
        "catalogue",
        "coupons",
        "pricing",
        "history",
        "law",
        "admission",
        "queue",
        "defences",
        "bots",
        "points",
        "stock",
        "payment",
        "ordering",
        "presales",
        "groups",
        "draws",
        "protection",
        "repricing",
        "shortfalls",
        "monitor",
    )
    return {
        **{name: _part(app, name) for name in (*parts, *modules)},
        "publication": Provide(lambda: PublicationDesk(app), sync_to_thread=False),
        "admission_pass": Provide(provide_admission_pass, sync_to_thread=False),
        "session": Provide(provide_session),
        "account": Provide(provide_account),
        "maybe_account": Provide(provide_maybe_account),
        "staff": Provide(provide_staff),
    }


def _part(app: App, name: str) -> Provide:
    def give() -> object:
        return getattr(app, name)

    return Provide(give, sync_to_thread=False)


def _lifespan(app: App) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def connected(_: Litestar) -> AsyncIterator[None]:
        await app.open()
        await app.queue.renew()  # before the first request: a line that is there must not be denied for a second
        _calm_collector()
        loops = [
            asyncio.create_task(_repeat("refresh", _REFRESH_SECONDS, app.refresh)),
            asyncio.create_task(_repeat("defence counts", _COUNTS_SECONDS, app.defences.publish)),
            asyncio.create_task(_repeat("stock board", _BOARD_SECONDS, lambda: app.board.renew(app.db))),
            asyncio.create_task(_repeat("queue", _REFRESH_SECONDS, app.queue.renew)),
            asyncio.create_task(_repeat("signs of life", _REFRESH_SECONDS, app.queue.write_signs)),
            asyncio.create_task(_repeat("load", _REFRESH_SECONDS, lambda: _publish_load(app))),
            asyncio.create_task(_repeat("metrics", _METRICS_SECONDS, _write_metrics)),
            asyncio.create_task(_watch_lateness(app.load)),
        ]
        try:
            yield
        finally:
            for loop in loops:
                loop.cancel()
            await _write_metrics()
            await app.queue.write_signs()
            await app.close()

    return connected


def _calm_collector() -> None:
    """Take what lives as long as the process out of the garbage collector's sight, and let it look less often.

    Requests make few cycles, yet each full collection walks every goods, template and class: it cost a tenth of the
    hot lane's time. The price is a few megabytes of garbage that waits a little longer.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


async def _repeat(name: str, seconds: float, step: Callable[[], Awaitable[None]]) -> None:
    """Repeat `step`; while a component is away, what is in memory keeps serving."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await step()
        except Exception:
            log.exception("%s failed and is tried again", name)
            faults.labels(f"web:{name}").inc()


async def _write_metrics() -> None:
    http_seconds.write()


async def _watch_lateness(load: LoadControl) -> None:
    """Tell the load control how late this event loop is: that is how long each request waits for its turn."""
    while True:
        load.looks_again(perf_counter() + _LATENESS_SECONDS)
        await asyncio.sleep(_LATENESS_SECONDS)
        load.looked(perf_counter())


async def _publish_load(app: App) -> None:
    await publish(app.cache, f"{gethostname()}:{getpid()}", app.load.admitting)


def _openapi() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Tidegate",
        version="1",
        description=(
            "The shopping festival's API. Amounts are whole numbers of the currency's minor unit; times are UTC. "
            "Every refusal is an application/problem+json document (RFC 9457) whose `detail` says what was wrong, "
            "what was left untouched and what to do."
        ),
        tags=_TAGS,
        use_handler_docstrings=True,
        path="/api/schema",
        render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        components=Components(
            security_schemes={
                "session": SecurityScheme(
                    type="http", scheme="bearer", description="The token of POST /api/v1/sessions."
                )
            }
        ),
    )
