"""Decisions about the price history: the chain's hashes, which entry holds when, what changed. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple

import msgspec

from tidegate.offer.campaign.contracts import CampaignDefinition, CampaignVersion, FlashPrice, PhaseName, Slot
from tidegate.offer.history.contracts import Deal, Entry, EntryKind, Sealed

GENESIS = "0" * 64
"""What stands before the first entry."""


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


def in_force(entries: Sequence[Entry], at: datetime) -> Entry | None:
    """The entry that says what holds at `at`; None without one, or when it has ended."""
    for entry in reversed(entries):
        if entry.at <= at:
            return entry if entry.until is None or at < entry.until else None
    return None


def stated_by(version: CampaignVersion, reachable: Mapping[str, int], place: str, at: datetime) -> list[Entry]:
    """What a version that becomes current at `at` says of its products' prices.

    List prices hold at once and until another is stated. Offers, and what can be reached by them, hold during the
    burst; one that is published in the middle of it holds from then on. A burst that is over offers nothing. A flash
    price holds from the beginning of each of its slots to its end, and the offer's price again from there.
    """
    burst = version.definition.phase(PhaseName.BURST)
    shops = {goods.sku: goods.shop for goods in version.definition.goods}
    source = f"campaign:{version.campaign_id}:{version.version}"

    def entry(kind: EntryKind, sku: str, price: int) -> Entry:
        starts_at, until = (at, None) if kind is EntryKind.LIST else (max(at, burst.starts_at), burst.ends_at)
        return Entry(
            kind=kind,
            sku=sku,
            shop=shops[sku],
            place=place,
            currency=version.definition.currency,
            price=price,
            at=starts_at,
            until=until,
            source=source,
        )

    found = [entry(EntryKind.LIST, goods.sku, goods.list_price) for goods in version.definition.goods]
    if at < burst.ends_at:
        slots = _slots(version.definition, at)
        for offer in version.definition.offers:
            whole = entry(EntryKind.OFFERED, offer.sku, offer.price)
            found += _with_slots(whole, slots.get(offer.sku, ())) if offer.sku in slots else [whole]
        found += [entry(EntryKind.OFFERED, each.sku, each.in_all) for each in version.definition.presales]
        found += [entry(EntryKind.OFFERED, each.sku, each.price) for each in version.definition.group_buys]
        found += [entry(EntryKind.REACHABLE, sku, price) for sku, price in reachable.items()]
    return found


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
    found: list[Span] = []
    for span in sorted(spans(entries), key=_beginning):
        if span.until is not None and span.until <= at:
            continue
        start = max(span.at, at)
        if found and found[-1].price == span.price and found[-1].until == start:
            found[-1] = found[-1]._replace(until=span.until)
        else:
            found.append(Span(span.price, start, span.until))
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
