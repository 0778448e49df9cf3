"""What the monitor and the defences read of the money path each second, put together from stock and payment."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from tidegate.base.db import Tx
from tidegate.offer.campaign.api import Campaign
from tidegate.sale.payment.api import Payment
from tidegate.sale.stock.api import Stock
from tidegate.watch.monitor.contracts import Outcome
from tidegate.watch.monitor.ports import StockFigures


class MoneyPath:
    """Fulfils the monitor's `Books`."""

    def __init__(self, campaign: Campaign, stock: Stock, payment: Payment) -> None:
        self._campaign = campaign
        self._stock = stock
        self._payment = payment

    async def stock(self, tx: Tx, skus: Sequence[str]) -> Mapping[str, StockFigures]:
        """Return the current campaign's stock of these SKUs."""
        current = self._campaign.current()
        if current is None:
            return {}
        levels = await self._stock.levels(tx, current.campaign_id, skus)
        return {
            sku: StockFigures(loaded=level.loaded, free=level.free, held=level.held, sold=level.sold)
            for sku, level in levels.items()
        }

    async def attempts(self, tx: Tx, since: datetime, until: datetime) -> Mapping[str, Mapping[Outcome, int]]:
        """Return each channel's attempts begun in the span, by outcome."""
        counted = await self._payment.attempts_between(tx, since, until)
        return {
            channel: {Outcome(outcome): count for outcome, count in outcomes.items()}
            for channel, outcomes in counted.items()
        }


class PaymentOutcomes:
    """Fulfils the defences' `PaymentFailures`."""

    def __init__(self, payment: Payment) -> None:
        self._payment = payment

    async def failed_payments(self, tx: Tx, since: datetime, until: datetime) -> int:
        """Return how many attempts begun in the span were declined or failed, over all channels."""
        counted = await self._payment.attempts_between(tx, since, until)
        return sum(outcomes.get(each, 0) for outcomes in counted.values() for each in ("declined", "failed"))
