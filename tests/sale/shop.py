"""A small shop for the money path's tests: a published festival, its burst open, and shoppers with addresses."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from tests.offer.festivals import START
from tests.offer.festivals import definition as festival
from tidegate.app.compose import App
from tidegate.app.publication import PublicationDesk
from tidegate.base.clock import ManualClock
from tidegate.gate.admission.contracts import PASS_HEADER, PassWindow
from tidegate.offer.campaign.api import Severity, Waiver
from tidegate.offer.campaign.contracts import CampaignDefinition, CampaignId, PhaseName
from tidegate.offer.campaign.errors import PublicationStopped
from tidegate.sale.ordering.contracts import OrderLine, PlaceOrder
from tidegate.sale.stock.contracts import Level


class Buyer(msgspec.Struct, frozen=True):
    """A shopper with an address."""

    account_id: UUID
    address_id: UUID
    token: str


def open_sale(clock: ManualClock) -> None:
    """Move the clock to one minute into the burst phase."""
    clock.advance(seconds=(START - clock.now()).total_seconds() + 60)


async def publish(app: App, definition: CampaignDefinition | None = None) -> CampaignDefinition:
    """Publish a festival and take it into memory; what the law warns of is let pass, as a test has its own purpose."""
    definition = definition or festival()
    desk = PublicationDesk(app)
    try:
        await desk.publish(definition, "test")
    except PublicationStopped as stopped:
        warned = {each.law for each in stopped.findings if each.severity is Severity.WARNING}
        waivers = [Waiver(law=law, by="test", reason="this test is about something else") for law in sorted(warned)]
        await desk.publish(definition, "test", waivers)
    await app.refresh()
    return definition


async def buyers(app: App, count: int) -> list[Buyer]:
    """Open so many shoppers."""
    async with app.db.transaction() as tx:
        opened = await app.identity.open_rehearsal_accounts(tx, count)
    return [Buyer(each.session.account_id, each.address_id, each.session.token) for each in opened]


def order(buyer: Buyer, lines: Mapping[str, int], total: int, coupon: str | None = None) -> PlaceOrder:
    """A command to place an order."""
    return PlaceOrder(
        lines=tuple(OrderLine(sku, quantity) for sku, quantity in lines.items()),
        address_id=buyer.address_id,
        expected_total=total,
        coupon=coupon,
    )


def let_in(app: App, buyer: Buyer, festival: CampaignDefinition) -> dict[str, str]:
    """Return the headers of a buyer who is signed in and has a pass from the warm-up to the wind-down."""
    session = app.identity.require_session(buyer.token)
    window = PassWindow(
        campaign_id=festival.id,
        opens_at=festival.phase(PhaseName.WARM_UP).starts_at,
        closes_at=festival.phase(PhaseName.WIND_DOWN).ends_at,
    )
    token = app.admission.issue_pass(session.account_id, session.session_id, window).token
    return {"Authorization": f"Bearer {buyer.token}", PASS_HEADER: token}


async def levels(app: App, campaign_id: CampaignId, skus: Sequence[str]) -> dict[str, Level]:
    """The stock of these SKUs."""
    async with app.db.read() as tx:
        return await app.stock.levels(tx, campaign_id, skus)


async def broken(app: App) -> list[str]:
    """The names of all invariants that do not hold."""
    async with app.db.snapshot() as tx:
        examination = await app.monitor.doctor(tx)
    return [f"{check.name}: {check.detail}" for check in examination.broken]
