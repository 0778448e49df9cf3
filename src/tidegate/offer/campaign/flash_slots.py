"""Flash prices in slots: how `[[promotion]]` states them, what may contradict itself, and how they are written back."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tidegate.base.money import format_money
from tidegate.offer.campaign.contracts import (
    SHOP_ZONE,
    SLOTS_MAX,
    CampaignDefinition,
    Fault,
    FlashPrice,
    PhaseName,
    Promotion,
    Slot,
)
from tidegate.offer.campaign.reading import Table, duration, meant
from tidegate.offer.campaign.units import Units

DAYS_MAX = 92
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)

Said = Iterator[tuple[str, *tuple[str | int, ...]]]


def read_flash_price(table: Table) -> FlashPrice:
    """Return what the table says, every slot with its absolute times."""
    zone = _zone(table)
    units, per_account = table.count("units", default=0), table.count("per_account", default=0)
    slots = [_slot(each, zone, units, per_account) for each in table.tables("slots", most=SLOTS_MAX)]
    if "daily" in table:
        slots += _daily(table.table("daily"), zone, units, per_account)
    elif "slots" not in table:
        message = "is missing; write slots = [{ starts_at, ends_at }], or daily = { first, last, at, lasts }"
        table.fault("slots", message)
    return FlashPrice(
        sku=table.text("sku"),
        price=table.money("price"),
        slots=tuple(slot for slot in slots if slot is not None),
        carry_over=table.flag("carry_over", default=False),
        coupons=table.flag("coupons", default=False),
        zone=zone.key,
    )


def _zone(table: Table) -> ZoneInfo:
    name = table.text("zone", default=SHOP_ZONE)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        table.fault("zone", f'"{name}" is not a time zone; write it like "Asia/Shanghai"')
        return ZoneInfo(SHOP_ZONE)


def _slot(table: Table, zone: ZoneInfo, units: int, per_account: int) -> Slot | None:
    starts_at, ends_at = table.moment("starts_at"), table.moment("ends_at")
    name = table.text("name", default="")
    units, per_account = table.count("units", default=units), table.count("per_account", default=per_account)
    table.done()
    if starts_at is None or ends_at is None:
        return None
    name = name or _name(starts_at, zone)
    return Slot(name=name, starts_at=starts_at, ends_at=ends_at, units=units, per_account=per_account)


def _name(starts_at: datetime, zone: ZoneInfo) -> str:
    local = starts_at.astimezone(zone)
    return f"{local:%Y%m%d-%H%M%S}" if local.second else f"{local:%Y%m%d-%H%M}"


def _daily(table: Table, zone: ZoneInfo, units: int, per_account: int) -> list[Slot]:
    """The same times of every day from `first` to `last`, by the clock of the zone."""
    first = _day(table, "first", zone)
    last = _day(table, "last", zone) if "last" in table else first
    clocks = [clock for text in table.texts("at") if (clock := _clock(table, text)) is not None]
    if "at" not in table:
        table.fault("at", 'is missing; write the times of a day, ["10:00", "14:00"]')
    text = table.text("lasts")
    lasts = duration(text, 1_000, "seconds") if text else 0
    if isinstance(lasts, str):
        table.fault("lasts", lasts)
        lasts = 0
    elif text and not lasts:
        table.fault("lasts", "is nothing; write how long each slot lasts")
    table.done()
    if first is None or last is None or not lasts:
        return []
    days = (last - first).days + 1
    if not 1 <= days <= DAYS_MAX:
        table.fault("last", f"{last} makes {days} days; it may be 1 to {DAYS_MAX}")
        return []
    starts = [
        datetime.combine(first + timedelta(days=day), clock, zone).astimezone(UTC)
        for day in range(days)
        for clock in clocks
    ]
    span = timedelta(seconds=lasts)
    return [
        Slot(name=_name(at, zone), starts_at=at, ends_at=at + span, units=units, per_account=per_account)
        for at in starts
    ]


def _day(table: Table, key: str, zone: ZoneInfo) -> date | None:
    """A date, or the day in the zone in which a time lies, such as "start+1d"."""
    value = table.raw(key)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    moment = table.moment(key)
    return moment.astimezone(zone).date() if moment else None


def _clock(table: Table, text: str) -> time | None:
    found = _CLOCK.fullmatch(text)
    if not found:
        table.fault("at", f'"{text}" is not a time of the day; write it like "10:00"')
        return None
    return time(int(found[1]), int(found[2]))


def flash_price_faults(definition: CampaignDefinition) -> Iterator[Fault]:
    """Everything in the flash prices that is out of range or contradicts something else."""
    flash = [
        (place, each, each.benefit)
        for place, each in enumerate(definition.promotions)
        if isinstance(each.benefit, FlashPrice)
    ]
    for place, promotion, benefit in flash:
        for message, *path in (
            *_price_faults(benefit, definition),
            *_timetable_faults(promotion, benefit),
            *_window_faults(benefit, definition),
        ):
            yield Fault(path=("promotion", place, *path), message=message)
    yield from _overlap_faults(flash)
    yield from _quota_faults(flash, definition)


def _price_faults(benefit: FlashPrice, definition: CampaignDefinition) -> Said:
    offers = {offer.sku: offer.price for offer in definition.offers}
    goods = {entry.sku: entry for entry in definition.goods}.get(benefit.sku)
    if benefit.sku not in offers:
        yield f'"{benefit.sku}" is not on offer{meant(benefit.sku, offers)}', "sku"
        return
    price, ordinary, floor = (
        format_money(each, definition.currency, "en")
        for each in (benefit.price, offers[benefit.sku], goods.floor if goods else 0)
    )
    if benefit.price < 1:
        yield "a price is more than nothing", "price"
    elif benefit.price >= offers[benefit.sku]:
        yield f"{price} is not below the price for everyone, {ordinary}", "price"
    elif goods is not None and benefit.price < goods.floor:
        yield f"{price} is below the floor of {benefit.sku}, {floor}", "price"


def _timetable_faults(promotion: Promotion, benefit: FlashPrice) -> Said:
    if not benefit.slots:
        yield "there is no slot; write at least one", "slots"
    if len(benefit.slots) > SLOTS_MAX:
        yield f"there are {len(benefit.slots)} slots; the most is {SLOTS_MAX}", "slots"
    for key, moment in (("starts_at", promotion.starts_at), ("ends_at", promotion.ends_at)):
        if moment is not None:
            yield "the slots say when; leave it out", key
    names: set[str] = set()
    for place, slot in enumerate(benefit.slots):
        if not _NAME.fullmatch(slot.name):
            yield f'"{slot.name}" is not a name; write small letters, digits and dashes', "slots", place, "name"
        elif slot.name in names:
            yield f'slot "{slot.name}" stands here twice', "slots", place, "name"
        names.add(slot.name)
        if slot.units < 1:
            yield f'slot "{slot.name}" has no units; write units, at least 1', "slots", place, "units"
        elif slot.per_account > slot.units:
            message = f'{slot.per_account} for each account is more than the {slot.units} units of slot "{slot.name}"'
            yield message, "slots", place, "per_account"


def _window_faults(benefit: FlashPrice, definition: CampaignDefinition) -> Said:
    """Each slot has a length and lies within the sale."""
    burst = next((phase for phase in definition.phases if phase.name is PhaseName.BURST), None)
    for place, slot in enumerate(benefit.slots):
        if slot.starts_at.tzinfo is None or slot.ends_at.tzinfo is None:
            yield "a time has no zone", "slots", place, "starts_at"
        elif slot.starts_at >= slot.ends_at:
            message = (
                f'slot "{slot.name}" ends at {_shown(slot.ends_at)}, not after its start, {_shown(slot.starts_at)}'
            )
            yield message, "slots", place, "ends_at"
        elif burst and not (burst.starts_at <= slot.starts_at and slot.ends_at <= burst.ends_at):
            key = "starts_at" if slot.starts_at < burst.starts_at else "ends_at"
            sale = f"{_shown(burst.starts_at)} to {_shown(burst.ends_at)}"
            yield f'slot "{slot.name}", {_span(slot)}, is outside of the sale, {sale}', "slots", place, key


def _overlap_faults(flash: list[tuple[int, Promotion, FlashPrice]]) -> Iterator[Fault]:
    """One product has one slot at a time, whatever promotions state them."""
    by_sku: dict[str, list[tuple[Slot, str, tuple[str | int, ...]]]] = {}
    for place, promotion, benefit in flash:
        for index, slot in enumerate(benefit.slots):
            if slot.starts_at.tzinfo and slot.ends_at.tzinfo:
                path: tuple[str | int, ...] = ("promotion", place, "slots", index, "starts_at")
                by_sku.setdefault(benefit.sku, []).append((slot, promotion.id, path))
    for sku, slots in by_sku.items():
        for (before, of, _), (slot, _, at) in pairwise(sorted(slots, key=lambda each: each[0].starts_at)):
            if slot.starts_at < before.ends_at:
                yield Fault(
                    path=at,
                    message=f'slot "{slot.name}", {_span(slot)}, overlaps slot "{before.name}" of "{of}", '
                    f"{_span(before)}; {sku} has one slot at a time",
                )


def _quota_faults(flash: list[tuple[int, Promotion, FlashPrice]], definition: CampaignDefinition) -> Iterator[Fault]:
    """All slots of a product together sell no more than its offer has put up."""
    quotas = {offer.sku: offer.quota for offer in definition.offers}
    units: dict[str, int] = {}
    for place, _, benefit in flash:
        units[benefit.sku] = total = units.get(benefit.sku, 0) + sum(slot.units for slot in benefit.slots)
        if total > quotas.get(benefit.sku, total):
            message = f"the slots of {benefit.sku} have {total} units together, its offer only {quotas[benefit.sku]}"
            yield Fault(path=("promotion", place, "units"), message=message)


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _span(slot: Slot) -> str:
    return f"{_shown(slot.starts_at)} to {_shown(slot.ends_at)}"


def flash_price_table(benefit: FlashPrice, units: Units) -> dict[str, object]:
    """Return what a campaign file writes of a flash price; None stands for a key that is left out."""
    return {
        "sku": benefit.sku,
        "price": units.money(benefit.price),
        "carry_over": benefit.carry_over or None,
        "coupons": benefit.coupons or None,
        "zone": None if benefit.zone == SHOP_ZONE else benefit.zone,
        "slots": [
            {
                "name": slot.name,
                "starts_at": units.time(slot.starts_at),
                "ends_at": units.time(slot.ends_at),
                "units": slot.units,
                "per_account": slot.per_account or None,
            }
            for slot in benefit.slots
        ],
    }
