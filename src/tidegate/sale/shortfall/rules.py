"""Decisions on a shortfall, pure: how many units are missing, and whose they are."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from hashlib import blake2b
from uuid import UUID

import msgspec

from tidegate.base.errors import Refusal
from tidegate.sale.shortfall.contracts import Forecast, Line, Outcome, Remedy, StateShortfall
from tidegate.sale.shortfall.errors import MoreThanThere, NothingMissing, ShortfallMalformed
from tidegate.sale.stock.contracts import HoldState, Level, Promise, Units

_encode = msgspec.msgpack.Encoder(order="deterministic").encode


def request_hash(campaign_id: str, command: StateShortfall) -> bytes:
    """Return 16 bytes that differ for statements that differ: the same key must come with the same one."""
    return blake2b(_encode((campaign_id, command)), digest_size=16).digest()


def command_refusal(command: StateShortfall, today: date) -> Refusal | None:
    """Return what is wrong with a statement in itself, or None."""
    if (command.there is None) == (command.missing is None):
        return ShortfallMalformed("Say either how many units there are, or how many are missing. Nothing was changed.")
    if (command.remedy is Remedy.LATER) != (command.deliver_by is not None):
        return ShortfallMalformed(
            "A later delivery needs its day, and only a later delivery has one. Nothing was changed.",
        )
    if command.deliver_by is not None and command.deliver_by <= today:
        return ShortfallMalformed("The day of the later delivery is not to come any more. Nothing was changed.")
    if not command.reason.strip():
        return ShortfallMalformed("Say why, in words: shoppers read it. Nothing was changed.")
    return None


def missing_of(command: StateShortfall, level: Level) -> int | Refusal:
    """Return how many units fewer there are than the books say until now, at least 1, or why that cannot be."""
    if command.there is not None:
        found = level.there - command.there
        if found <= 0:
            return NothingMissing(
                f"The books have {level.there} units of {command.sku}, and {command.there} were counted. "
                "Nothing was changed. To sell more, raise the quota in the campaign file.",
                there=level.there,
            )
        return found
    if command.missing is None or command.missing > level.there:
        return MoreThanThere(
            f"Only {level.there} units of {command.sku} are there. Nothing was changed. Count again.",
            there=level.there,
        )
    return command.missing


def newest_unpaid(queue: Iterable[Promise], short: int) -> list[UUID]:
    """Return the newest unpaid orders that together hold what is short, or all of them; reservations are left alone."""
    found: list[UUID] = []
    for promise in queue:
        if short <= 0:
            break
        if promise.state is HoldState.HELD and not promise.reserved:
            found.append(promise.order_id)
            short -= promise.units
    return found


def latest_paid(queue: Sequence[Promise], sku: str, short: int, left_out: Collection[UUID]) -> list[Units]:
    """Return whose units are not there, of paid orders, the latest paid first, of the last one perhaps a part.

    Units that unpaid orders still hold are waited for: their payment is under way. `left_out` are orders that staff
    decide about.
    """
    open_units = short - _waited_for(queue)
    found: list[Units] = []
    for promise in queue:
        if open_units <= 0:
            break
        if promise.state is HoldState.SOLD and promise.order_id not in left_out:
            taken = min(promise.units, open_units)
            found.append(Units(promise.order_id, sku, taken))
            open_units -= taken
    return found


def _waited_for(queue: Iterable[Promise]) -> int:
    return sum(each.units for each in queue if each.state is HoldState.HELD and not each.reserved)


def forecast(level: Level, missing: int, queue: Sequence[Promise], left_out: Collection[UUID]) -> Forecast:
    """Return what stating so many units as missing would do, were nothing to change meanwhile."""
    free = min(level.free, missing)
    short = level.short + missing - free
    unpaid = set(newest_unpaid(queue, short))
    unpaid_units = sum(each.units for each in queue if each.order_id in unpaid)
    rest = [each for each in queue if each.state is HoldState.SOLD]
    paid = latest_paid(rest, level.sku, short - unpaid_units, left_out)
    paid_units = sum(each.quantity for each in paid)
    return Forecast(
        there=level.there - missing,
        missing=missing,
        free_units=free,
        unpaid_orders=len(unpaid),
        unpaid_units=unpaid_units,
        paid_orders=len(paid),
        paid_units=paid_units,
        unmet_units=max(short - unpaid_units - paid_units, 0),
    )


def unsettled(short: int, queue: Iterable[Promise], before: datetime) -> int:
    """Return how many units stay short, but for payments that are under way or ended only since `before`."""
    waited = sum(
        each.units
        for each in queue
        if not each.reserved and (each.state is HoldState.HELD or (each.sold_at is not None and each.sold_at > before))
    )
    return max(short - waited, 0)


def with_waiting(lines: Sequence[Line], later: Mapping[str, int]) -> list[Line]:
    """Return an order's lines with how many of their units still come later, by what stock has of each SKU.

    What was given back meanwhile was that of the latest line.
    """
    left = dict(later)
    told = []
    for line in lines:
        waiting = 0
        if line.outcome is Outcome.LATER and line.declined_at is None:
            waiting = min(line.units, left.get(line.sku, 0))
            left[line.sku] = left.get(line.sku, 0) - waiting
        told.append(msgspec.structs.replace(line, waiting=waiting))
    return told
