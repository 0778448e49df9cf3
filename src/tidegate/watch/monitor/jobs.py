"""What the worker does for the monitor: counts events as they come, samples each second, examines each minute."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tidegate.base.db import Database, Tx
from tidegate.base.jobs import Jobs
from tidegate.base.outbox import Event, Outbox
from tidegate.gate.defence.contracts import DefenceEnded, DefenceStarted
from tidegate.gate.edge.contracts import EdgePurged, EdgePurgeFailed
from tidegate.offer.campaign.contracts import CampaignPublished
from tidegate.sale.ordering.contracts import OrderCancelled, OrderExpired, OrderPaid, OrderPlaced, OrderRefunded
from tidegate.watch.monitor.api import Monitor
from tidegate.watch.monitor.contracts import Json, Level, NewAnnouncement
from tidegate.watch.monitor.tally import Tally

SUBSCRIBER = "monitor"
EXAMINE_SECONDS = 60.0
_EXAMINE_DUTY = 0.02
"""It reads every order: with millions of them a minute would not be enough, and shoppers come first."""

E = TypeVar("E", bound=Event)


def _placed(tally: Tally, event: OrderPlaced) -> None:
    tally.add(event.placed_at, placed=1, placed_value=event.total)
    tally.add_units(event.placed_at, event.lines)


def _paid(tally: Tally, event: OrderPaid) -> None:
    tally.add(event.paid_at, paid=1, paid_value=event.total)


def _expired(tally: Tally, event: OrderExpired) -> None:
    tally.add(event.expired_at, expired=1)


def _cancelled(tally: Tally, event: OrderCancelled) -> None:
    tally.add(event.cancelled_at, cancelled=1)


def _refunded(tally: Tally, event: OrderRefunded) -> None:
    tally.add(event.refunded_at, refunded=int(event.complete), refunded_value=event.amount)


def _published(event: CampaignPublished) -> NewAnnouncement:
    facts: dict[str, Json] = {"version": event.version, "by": event.published_by}
    return NewAnnouncement(level=Level.INFO, kind="campaign-published", subject=event.campaign_id, facts=facts)


def _defended(event: DefenceStarted) -> NewAnnouncement:
    facts: dict[str, Json] = {"defence": event.defence, "until": f"{event.expires_at:%H:%M} UTC"}
    return NewAnnouncement(level=Level.WATCH, kind="defence-started", subject=event.name, facts=facts)


def _calmed(event: DefenceEnded) -> NewAnnouncement:
    facts: dict[str, Json] = {"defence": event.defence, "why": event.why}
    return NewAnnouncement(level=Level.GOOD, kind="defence-ended", subject=event.name, facts=facts)


def _purged(event: EdgePurged) -> NewAnnouncement:
    level = Level.INFO if event.tries == 1 else Level.GOOD
    facts: dict[str, Json] = {"version": event.version, "pages": event.pages, "tries": event.tries}
    return NewAnnouncement(level=level, kind="edge-purged", subject=event.campaign_id, facts=facts)


def _not_purged(event: EdgePurgeFailed) -> NewAnnouncement:
    level, kind = (Level.ACT, "edge-purge-given-up") if event.gave_up else (Level.WATCH, "edge-not-purged")
    facts: dict[str, Json] = {"version": event.version, "fault": event.fault}
    return NewAnnouncement(level=level, kind=kind, subject=event.campaign_id, facts=facts)


def subscribe(outbox: Outbox, monitor: Monitor) -> None:
    """Register the monitor's subscriber: each batch of one type of event is counted in one statement, or told."""

    def counted(fold: Callable[[Tally, E], None]) -> Callable[[Tx, list[E]], Awaitable[None]]:
        async def count(tx: Tx, events: list[E]) -> None:
            tally = Tally()
            for event in events:
                fold(tally, event)
            await monitor.count(tx, tally)

        return count

    def told(news: Callable[[E], NewAnnouncement]) -> Callable[[Tx, list[E]], Awaitable[None]]:
        async def tell(tx: Tx, events: list[E]) -> None:
            for event in events:
                await monitor.announce(tx, news(event))

        return tell

    outbox.subscribe(
        SUBSCRIBER,
        {
            OrderPlaced: counted(_placed),
            OrderPaid: counted(_paid),
            OrderExpired: counted(_expired),
            OrderCancelled: counted(_cancelled),
            OrderRefunded: counted(_refunded),
            CampaignPublished: told(_published),
            DefenceStarted: told(_defended),
            DefenceEnded: told(_calmed),
            EdgePurged: told(_purged),
            EdgePurgeFailed: told(_not_purged),
        },
    )


def schedule(jobs: Jobs, db: Database, monitor: Monitor) -> None:
    """Register what the worker repeats: a sample each second; the doctor each minute, if it is quick."""

    async def sample() -> None:
        await monitor.sample(db)

    async def examine() -> None:
        examination = await monitor.examine(db)
        async with db.transaction() as tx:
            await monitor.keep_examination(tx, examination)

    # A sample takes some 30 ms; with this pause one falls into nearly every second, and no second gets two.
    jobs.every(0.96, "monitor.sample", sample)
    jobs.every(EXAMINE_SECONDS, "monitor.examine", examine, duty=_EXAMINE_DUTY)
