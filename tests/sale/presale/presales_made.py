"""A festival with one product in presale, and the steps of a reservation's life."""

from datetime import timedelta
from uuid import UUID

import msgspec

from tests.offer.festivals import START, definition, goods, offer
from tests.sale.shop import Buyer
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.offer.campaign.contracts import CampaignDefinition, Presale, Words
from tidegate.sale.payment.contracts import IntentState
from tidegate.sale.presale.contracts import Reservation, Reserve

SKU = "BOAT-1"
DAY = timedelta(days=1)


def presale(
    *,
    price: int = 100_000,
    deposit: int = 10_000,
    counts_for: int = 20_000,
    quota: int = 10,
    per_buyer: int = 2,
    day: timedelta = DAY,
) -> Presale:
    """A presale of boats: reserved on the first day of the sale, paid for on the second; days may be short."""
    return Presale(
        sku=SKU,
        label=Words("预售", "Presale"),
        price=price,
        deposit=deposit,
        counts_for=counts_for,
        quota=quota,
        per_buyer=per_buyer,
        deposit_from_at=START,
        deposit_until_at=START + day,
        balance_from_at=START + day,
        balance_until_at=START + 2 * day,
        ships_by_at=START + 9 * day,
    )


def festival(*presales: Presale) -> CampaignDefinition:
    """A festival with these presales, or with one; and one ordinary offer."""
    made = definition([offer("KTL-1")])
    entries = (*made.goods, goods(SKU, list_price=120_000))
    return msgspec.structs.replace(made, goods=entries, presales=presales or (presale(),))


async def deliver(app: App) -> None:
    """Carry all events to their subscribers, as the worker does."""
    while not await app.outbox.drained(app.db):
        for name in app.outbox.subscribers:
            await app.outbox.deliver(app.db, name)


async def reserve(app: App, buyer: Buyer, quantity: int = 1, key: str = "presale-key-1") -> Reservation:
    """Reserve units at the price of `presale`."""
    command = Reserve(
        sku=SKU, quantity=quantity, expected_deposit=10_000 * quantity, expected_balance=80_000 * quantity
    )
    return await app.presales.reserve(buyer.account_id, key, command)


async def deposited(app: App, buyer: Buyer, quantity: int = 1, key: str = "presale-key-1") -> Reservation:
    """Reserve units and pay the deposit."""
    made = await reserve(app, buyer, quantity, key)
    paid = await app.presales.pay_deposit(made.reservation_id, buyer.account_id)
    assert paid.state is IntentState.CAPTURED
    await deliver(app)
    return await show(app, made.reservation_id)


async def completed(app: App, clock: ManualClock, buyer: Buyer, quantity: int = 1) -> Reservation:
    """Reserve units, pay the deposit, and a day later the balance."""
    made = await deposited(app, buyer, quantity)
    to_balance(clock)
    paid = await app.presales.pay_balance(made.reservation_id, buyer.account_id, buyer.address_id)
    assert paid.state is IntentState.CAPTURED
    await deliver(app)
    return await show(app, made.reservation_id)


def to_balance(clock: ManualClock, day: timedelta = DAY) -> None:
    """Move the clock to one minute into the balance window."""
    clock.advance(seconds=(START + day + timedelta(minutes=1) - clock.now()).total_seconds())


async def show(app: App, reservation_id: UUID) -> Reservation:
    """A reservation as it stands."""
    async with app.db.transaction() as tx:
        return await app.presales.reservation(tx, reservation_id)


async def accounts(app: App) -> dict[str, int]:
    """The balance of each of the ledger's accounts that says what money is for; credits are negative."""
    async with app.db.read() as tx:
        balances = await app.payment.balances(tx)
    return {each.account: each.balance for each in balances if not each.account.startswith("channel:")}


async def not_in_the_channels_books(app: App) -> list[str]:
    """References of our ledger that a channel does not have, or has with another amount, or twice; whenever booked."""
    found = []
    for name in app.payment.channel_names:
        report = await app.payment.reconcile(name, START - 3_650 * DAY, START + 3_650 * DAY)
        found += [each.reference for each in (*report.missing_there, *report.amount_differs, *report.duplicated)]
    return found
