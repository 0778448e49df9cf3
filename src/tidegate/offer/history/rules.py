"""Decisions about the price history: the chain's hashes, which entry holds when, what changed. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

import msgspec

from tidegate.offer.campaign.contracts import CampaignDefinition, CampaignVersion, FlashPrice, PhaseName, Slot
from tidegate.offer.history.contracts import Deal, Entry, EntryKind, Sealed

GENESIS = "0" * 64
"""What stands before the first entry."""
USUAL = timedelta(days=1)
"""A price that held so long was what the goods cost; a shorter one was a reduction for some hours."""


def content_of(entry: Entry) -> str:
    """The text that is hashed: every field, in the order of the table. The database makes the same text to verify."""
    price = "" if entry.price is None else str(entry.price)
    until = "" if entry.until is None else _moment(entry.until)
    return "\n".join(
        (
            *(entry.kind.value, entry.sku, entry.shop, entry.place, entry.currency),
            *(price, str(entry.units), _moment(entry.at), until, entry.source),
        )
    )


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")


def hash_of(previous: str, number: int, entry: Entry) -> str:
    """SHA-256 of the hash before, the number and the content."""
    return sha256(f"{previous}\n{number}\n{content_of(entry)}".encode()).hexdigest()


def seal(entries: Iterable[Entry], number: int, previous: str) -> Iterator[Sealed]:
    """The entries as the chain goes on after entry `number`, whose hash is `previous`."""
    for entry in entries:
        number += 1
        sealed = Sealed(number=number, entry=entry, previous=previous, hash=hash_of(previous, number, entry))
        yield sealed
        previous = sealed.hash


class Span(NamedTuple):
    """A price that was in force from `at` on and before `until` (None: still)."""

    price: int
    at: datetime
    until: datetime | None


def spans(entries: Sequence[Entry]) -> list[Span]:
    """When each price of one product and one kind was in force; `entries` in the order in which they were written.

    An entry holds from its moment on, until its end or until the moment of an entry that was written later: what is
    said later is what is true. One that was replaced before its moment came never held.
    """
    found: list[Span] = []
    replaced_at: datetime | None = None
    for entry in reversed(entries):
        ends = [end for end in (entry.until, replaced_at) if end is not None]
        until = min(ends) if ends else None
        if entry.price is not None and (until is None or entry.at < until):
            found.append(Span(entry.price, entry.at, until))
        replaced_at = entry.at if replaced_at is None else min(replaced_at, entry.at)
    return found[::-1]


def lowest_in_force(entries: Sequence[Entry], since: datetime, until: datetime) -> int | None:
    """The lowest price in force at some moment from `since` on and before `until`."""
    return min(
        (
            span.price
            for span in spans(entries)
            if span.at < until and (span.until is None or span.until > since) and since < until
        ),
        default=None,
    )


def lowest_usual(entries: Sequence[Entry], since: datetime, until: datetime) -> int | None:
    """The lowest price in force in that time that held for `USUAL` or longer, in it and beyond it together."""
    held = _joined(spans(entries))
    return min(
        (
            span.price
            for span in held
            if span.at < until
            and (span.until is None or span.until > since)
            and (span.until is None or span.until - span.at >= USUAL)
        ),
        default=None,
    )


def in_force(entries: Sequence[Entry], at: datetime) -> Entry | None:
    """The entry that says what holds at `at`; None without one, or when it has ended."""
    for entry in reversed(entries):
        if entry.at <= at:
            return entry if entry.until is None or at < entry.until else None
    return None


def stated_by(version: CampaignVersion, reachable: Mapping[str, int], place: str, at: datetime) -> list[Entry]:
    """What a version that becomes current at `at` says of its products' prices.

    List prices hold at once and until another is stated. Offers and prices for groups, and what can be reached by
    them, hold during the burst, those of presales while deposits are taken, which may be long before it; what is
    published in the middle of that time holds from then on, and what is over offers nothing. A flash price holds from
    the beginning of each of its slots to its end, and the offer's price again from there.
    """
    definition = version.definition
    burst = definition.phase(PhaseName.BURST)
    whole = dict.fromkeys(definition.quotas(), (burst.starts_at, burst.ends_at))
    whole |= {each.sku: (each.deposit_from_at, each.deposit_until_at) for each in definition.presales}
    on_sale = {sku: (max(at, starts_at), ends_at) for sku, (starts_at, ends_at) in whole.items() if at < ends_at}
    shops = {goods.sku: goods.shop for goods in definition.goods}
    source = f"campaign:{version.campaign_id}:{version.version}"

    def entry(kind: EntryKind, sku: str, price: int) -> Entry:
        starts_at, until = (at, None) if kind is EntryKind.LIST else on_sale[sku]
        return Entry(
            kind=kind,
            sku=sku,
            shop=shops[sku],
            place=place,
            currency=definition.currency,
            price=price,
            at=starts_at,
            until=until,
            source=source,
        )

    slots = _slots(definition, at)
    prices = [(each.sku, each.price) for each in definition.offers]
    prices += [(each.sku, each.in_all) for each in definition.presales]
    prices += [(each.sku, each.price) for each in definition.group_buys]
    found = [entry(EntryKind.LIST, goods.sku, goods.list_price) for goods in definition.goods]
    for sku, price in prices:
        if sku in on_sale:
            found += _with_slots(entry(EntryKind.OFFERED, sku, price), slots.get(sku, ()))
    return found + [entry(EntryKind.REACHABLE, sku, price) for sku, price in reachable.items() if sku in on_sale]


def _slots(definition: CampaignDefinition, at: datetime) -> dict[str, list[tuple[int, Slot]]]:
    """The slots of each SKU that are not over at `at`, with the flash price, in the order in which they begin."""
    found: dict[str, list[tuple[int, Slot]]] = {}
    for promotion in definition.promotions:
        if isinstance(promotion.benefit, FlashPrice):
            listed = found.setdefault(promotion.benefit.sku, [])
            listed += [(promotion.benefit.price, slot) for slot in promotion.benefit.slots if slot.ends_at > at]
    return {sku: sorted(listed, key=lambda each: each[1].starts_at) for sku, listed in found.items() if listed}


def _with_slots(whole: Entry, slots: Iterable[tuple[int, Slot]]) -> list[Entry]:
    """An offer's entry as one after the other: its own price, that of a slot, its own again. Times do not overlap."""
    found, reached = [], whole.at
    for price, slot in slots:
        if slot.starts_at > reached:
            found.append(msgspec.structs.replace(whole, at=reached, until=slot.starts_at))
        starts_at = max(slot.starts_at, reached)
        found.append(msgspec.structs.replace(whole, price=price, at=starts_at, until=slot.ends_at))
        reached = slot.ends_at
    if whole.until is None or reached < whole.until:
        found.append(msgspec.structs.replace(whole, at=reached))
    return found


def changes(
    stated: Sequence[Entry],
    last: Mapping[tuple[object, ...], Entry],
    at: datetime,
    said: Mapping[tuple[object, ...], Sequence[Entry]] | None = None,
) -> list[Entry]:
    """What of `stated` is news against the last entries; and the end, at `at`, of what is not stated any more.

    Where several entries are stated of one price, for slots, `said` holds all that was said of it before; they are
    stated anew when that comes to other prices from `at` on.
    """
    groups: dict[tuple[object, ...], list[Entry]] = {}
    for entry in stated:
        groups.setdefault(key_of(entry), []).append(entry)
    kept = groups.keys()
    news = []
    for key, entries in groups.items():
        earlier = (said or {}).get(key)
        if earlier is not None:
            news += entries if _from(earlier, at) != _from(entries, at) else []
        else:
            news += [entry for entry in entries if not _says_the_same(last.get(key), entry, at)]
    ended = [
        Entry(
            kind=entry.kind,
            sku=entry.sku,
            shop=entry.shop,
            place=entry.place,
            currency=entry.currency,
            price=None,
            at=at,
            source="withdrawn",
        )
        for key, entry in last.items()
        if entry.kind is not EntryKind.LIST
        and key not in kept
        and entry.price is not None
        and (entry.until is None or entry.until > at)
    ]
    return news + ended


def _from(entries: Sequence[Entry], at: datetime) -> list[Span]:
    """The prices that hold from `at` on, whenever they were said; equal neighbours are one."""
    later = (span for span in spans(entries) if span.until is None or span.until > at)
    return _joined(span._replace(at=max(span.at, at)) for span in later)


def _joined(held: Iterable[Span]) -> list[Span]:
    """The spans in the order of their times; equal neighbours are one."""
    found: list[Span] = []
    for span in sorted(held, key=_beginning):
        if found and found[-1].price == span.price and found[-1].until == span.at:
            found[-1] = found[-1]._replace(until=span.until)
        else:
            found.append(span)
    return found


def _beginning(span: Span) -> datetime:
    return span.at


def _says_the_same(before: Entry | None, now: Entry, at: datetime) -> bool:
    if before is None or (before.price, before.until) != (now.price, now.until):
        return False
    return before.at == now.at or (before.at <= at and now.at <= at)


def key_of(entry: Entry) -> tuple[object, ...]:
    """The kind and whose price it is."""
    return (entry.kind, *entry.subject)


def deals_as_entries(deals: Iterable[Deal], place_of: Callable[[str], str]) -> list[Entry]:
    """One entry for all units of one product that were paid with the same price at the same moment."""
    units: dict[tuple[object, ...], int] = {}
    first: dict[tuple[object, ...], Deal] = {}
    for deal in deals:
        key = (deal.sku, deal.shop, deal.currency, deal.price, deal.at, deal.source)
        units[key] = units.get(key, 0) + deal.units
        first.setdefault(key, deal)
    return [
        Entry(
            kind=EntryKind.DEAL,
            sku=deal.sku,
            shop=deal.shop,
            place=place_of(deal.currency),
            currency=deal.currency,
            price=deal.price,
            units=units[key],
            at=deal.at,
            source=deal.source,
        )
        for key, deal in first.items()
    ]
