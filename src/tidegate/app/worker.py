"""The worker process: carries events to their subscribers, expires orders, does jobs and repeated steps."""

import asyncio
import logging
import signal

import uvloop

from tidegate.app.compose import App, compose
from tidegate.app.publication import PublicationDesk
from tidegate.base.config import Config
from tidegate.base.db import DatabaseUnavailable
from tidegate.base.log import begin_logging
from tidegate.gate.bots import jobs as bots_jobs
from tidegate.gate.defence import jobs as defence_jobs
from tidegate.gate.edge import jobs as edge_jobs
from tidegate.offer.coupons import jobs as coupon_jobs
from tidegate.sale.draws import jobs as draw_jobs
from tidegate.sale.groups import jobs as group_jobs
from tidegate.sale.payment import jobs as payment_jobs
from tidegate.sale.presale import jobs as presale_jobs
from tidegate.sale.protection import jobs as protection_jobs
from tidegate.sale.shortfall import jobs as shortfall_jobs
from tidegate.watch.monitor import jobs as monitor_jobs
from tidegate.watch.rehearsal import jobs as rehearsal_jobs

log = logging.getLogger(__name__)

_EXPIRE_SECONDS = 1.0
_PRUNE_SECONDS = 60.0
_INDEX_SECONDS = 2.0


def run() -> None:
    """Work until a signal ends the process; whatever was under way is taken up again by the next worker."""
    begin_logging()
    uvloop.run(_run())


async def _run() -> None:
    app = compose(Config.from_env())
    await _connected(app)
    work = asyncio.create_task(work_for_ever(app))
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, work.cancel)
    try:
        await work
    except asyncio.CancelledError:
        log.info("the worker ends")
    finally:
        await app.close()


async def _connected(app: App) -> None:
    """Connect, waiting for a database that is still starting."""
    while True:
        try:
            await app.open()
        except DatabaseUnavailable:
            await asyncio.sleep(0.5)
        else:
            return


async def work_for_ever(app: App) -> None:
    """Run everything that happens by itself."""
    coupon_jobs.schedule(app.jobs, app.coupons)
    bots_jobs.schedule(app.jobs, app.db, app.bots)
    defence_jobs.schedule(app.jobs, app.db, app.defences)
    edge_jobs.schedule(app.jobs, app.db, app.edge)
    payment_jobs.schedule(app.jobs, app.payment)
    presale_jobs.schedule(app.jobs, app.presales)
    group_jobs.schedule(app.jobs, app.groups)
    draw_jobs.schedule(app.jobs, app.draws)
    protection_jobs.schedule(app.jobs, app.protection)
    shortfall_jobs.schedule(app.jobs, app.shortfalls)
    monitor_jobs.schedule(app.jobs, app.db, app.monitor)
    rehearsal_jobs.schedule(app.jobs, app.db, app.campaign, PublicationDesk(app).publish)
    app.jobs.every(1.0, "refresh", app.refresh)
    app.jobs.every(1.0, "load", app.outlook.refresh)
    app.jobs.every(1.0, "queue.step", app.queue.step)
    app.jobs.every(_EXPIRE_SECONDS, "ordering.expire", app.ordering.expire_due)
    app.jobs.every(_PRUNE_SECONDS, "outbox.prune", lambda: _prune(app))
    app.jobs.every(_INDEX_SECONDS, "catalogue.index", lambda: _index(app))
    async with asyncio.TaskGroup() as group:
        group.create_task(app.outbox.run(app.db))
        group.create_task(app.jobs.run())


async def _prune(app: App) -> None:
    async with app.db.transaction() as tx:
        await app.outbox.prune(tx)
        await app.identity.tidy(tx)


async def _index(app: App) -> None:
    async with app.db.read() as tx:
        await app.catalogue.update_index(tx)
