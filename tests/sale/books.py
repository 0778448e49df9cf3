"""Orders, ledger and the channels' own books side by side."""

from collections.abc import Sequence
from uuid import UUID

from tests.sale.payment.harness import SandboxProcess
from tests.sale.shop import broken
from tidegate.app.compose import App


class Books:
    """The channels' own books, from the moment at which a test begins."""

    def __init__(self, *channels: SandboxProcess) -> None:
        self._channels = channels
        self._before = self._sums()

    def _sums(self) -> tuple[int, int]:
        totals = [channel.totals() for channel in self._channels]
        return sum(each["charged"] for each in totals), sum(each["refunded"] for each in totals)

    async def require_equal(self, shop: App, ids: Sequence[UUID]) -> None:
        """Orders, ledger and the channels' books agree, and every invariant holds."""
        async with shop.db.read() as tx:
            ours, ledger = await shop.ordering.sums(tx, ids), await shop.payment.ledger_sums(tx, ids)
        theirs = tuple(now - before for now, before in zip(self._sums(), self._before, strict=True))
        assert (ours.paid, ours.refunded) == (ledger.captured, ledger.refunded) == theirs
        assert await broken(shop) == []
