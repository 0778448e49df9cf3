"""Asks channels what became of attempts, and sends refunds; at most so many calls at a time."""

import asyncio
from collections.abc import Mapping

from tidegate.base.clock import Clock
from tidegate.sale.payment import rules
from tidegate.sale.payment.contracts import RefundCause
from tidegate.sale.payment.ports import (
    Channel,
    ChargeAnswer,
    NotFound,
    Pending,
    RefundAnswer,
    RefundRequest,
    Unknown,
)
from tidegate.sale.payment.rules import AttemptFacts, RefundFacts

_UNDER_WAY_MAX = 64
_NOT_CONFIGURED = Unknown(reason="channel-not-configured")


class Enquiry:
    """What the worker asks of channels, outside any transaction."""

    def __init__(self, channels: Mapping[str, Channel], clock: Clock) -> None:
        self._channels = channels
        self._clock = clock
        self._places = asyncio.Semaphore(_UNDER_WAY_MAX)

    async def about(self, attempt: AttemptFacts) -> ChargeAnswer:
        """Query an attempt; what the channel does not find, or leaves pending too long, is closed there."""
        channel = self._channels.get(attempt.channel)
        if channel is None:
            return _NOT_CONFIGURED
        async with self._places:
            answer = await channel.query(attempt.attempt_id)
            match answer:
                case NotFound():
                    return await channel.close(attempt.attempt_id)
                case Pending() if rules.must_close(attempt, self._clock.now()):
                    return await channel.close(attempt.attempt_id)
                case _:
                    return answer

    async def send_refund(self, refund: RefundFacts, name: str) -> RefundAnswer:
        """Send a refund under its own reference; repeated, it gives back once."""
        channel = self._channels.get(name)
        if channel is None:
            return _NOT_CONFIGURED
        request = RefundRequest(
            refund_id=refund.refund_id, attempt_id=refund.attempt_id, amount=refund.amount, currency=refund.currency
        )
        async with self._places:
            if refund.cause is RefundCause.COMPENSATION:
                return await channel.pay_out(request)
            return await channel.refund(request)
