"""What defence takes from others: failed payments, and the operator's hook."""

from datetime import datetime
from typing import Protocol

from tidegate.base.db import Tx
from tidegate.gate.defence.contracts import HookCall


class PaymentFailures(Protocol):
    """The payments, as far as defence reads them: one indexed count a second."""

    async def failed_payments(self, tx: Tx, since: datetime, until: datetime) -> int:
        """Return how many attempts begun in the span were declined or failed."""
        ...


class Hook(Protocol):
    """The operator's scrubbing service or CDN."""

    async def call(self, call: HookCall) -> None:
        """Tell it that a defence started or ended. Raises HookRefused where it did not take the call."""
        ...
