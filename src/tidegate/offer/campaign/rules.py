"""Decisions about a campaign: is a definition free of contradictions, which phase is it, what is its content's hash."""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from hashlib import sha256

import msgspec
from babel.numbers import list_currencies

from tidegate.base.money import format_money
from tidegate.offer.campaign import rate_limits
from tidegate.offer.campaign.aftersale import PROTECTION_DAYS_MAX
from tidegate.offer.campaign.benefit_faults import Shelf
from tidegate.offer.campaign.contracts import (
    COUPONS_MAX,
    DEFENCES_MAX,
    GOODS_MAX,
    LIMITS_MAX,
    POINTS_EARNED_MAX,
    RATE_LIMITS_MAX,
    CampaignDefinition,
    Coupon,
    Fault,
    GoodsEntry,
    Limit,
    Offer,
    Phase,
    PhaseName,
    Words,
)
from tidegate.offer.campaign.coupons import unique_faults
from tidegate.offer.campaign.defences import contradictions
from tidegate.offer.campaign.flash_slots import flash_price_faults
from tidegate.offer.campaign.group_buying import group_buy_faults
from tidegate.offer.campaign.moments import absolute, moment
from tidegate.offer.campaign.presales import presale_faults
from tidegate.offer.campaign.prize_draws import draw_faults
from tidegate.offer.campaign.promotion_faults import promotion_faults
from tidegate.offer.campaign.waiting_room import waiting_room_faults

_SLUG = re.compile(r"[a-z][a-z0-9-]{0,39}", re.ASCII)
_SKU = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{2,31}", re.ASCII)
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}", re.ASCII)

_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder(CampaignDefinition).decode

Found = Iterator[Fault]


def canonical(definition: CampaignDefinition) -> bytes:
    """The definition's one and only JSON text: keys sorted, no blanks."""
    return _encode(definition)


def content_hash(content: bytes) -> str:
    """SHA-256 of the canonical JSON, in hexadecimal: the identity of a version's content."""
    return sha256(content).hexdigest()


def phase_at(definition: CampaignDefinition, now: datetime) -> Phase | None:
    """The phase that `now` lies in; None before, after and between phases."""
    return next((phase for phase in definition.phases if phase.starts_at <= now < phase.ends_at), None)


def start_of(text: str, now: datetime) -> datetime | None:
    """What "now", "now+10m" or an absolute time with its zone means at `now`; None if it is none of them."""
    now = now.replace(microsecond=0)
    if text.strip().startswith("now"):
        return moment(text.strip().replace("now", "start", 1), now)
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return absolute(found) if found.tzinfo is not None else None


def find_faults(definition: CampaignDefinition) -> list[Fault]:
    """Everything in a definition that is out of range or contradicts something else in it."""
    searches: tuple[Callable[[CampaignDefinition], Found], ...] = (
        _head_faults,
        _phase_faults,
        _goods_faults,
        _offer_faults,
        _coupon_faults,
        _limit_faults,
        _shipping_faults,
        _price_protection_faults,
        _earning_faults,
        _defence_faults,
        _rate_limit_faults,
        waiting_room_faults,
        promotion_faults,
        flash_price_faults,
        presale_faults,
        group_buy_faults,
        draw_faults,
    )
    found = [fault for search in searches for fault in search(definition)]
    return found or list(_range_faults(definition))


def _range_faults(definition: CampaignDefinition) -> Found:
    """The limits that the contracts themselves state."""
    try:
        _decode(_encode(definition))
    except msgspec.ValidationError as fault:
        yield Fault(path=(), message=str(fault))


def _fault(message: str, *path: str | int) -> Fault:
    return Fault(path=path, message=message)


def _head_faults(definition: CampaignDefinition) -> Found:
    if not _SLUG.fullmatch(definition.id):
        yield _fault(f'"{definition.id}" is not an id; write small letters, digits and dashes', "campaign", "id")
    if not _COLOUR.fullmatch(definition.accent):
        yield _fault(f'"{definition.accent}" is not a colour; write it like "#c8102e"', "campaign", "accent")
    if definition.currency not in list_currencies():
        yield _fault(f'"{definition.currency}" is not a currency (ISO 4217)', "campaign", "currency")
    if not 1 <= definition.payment_minutes <= 1440:
        yield _fault(
            f"{definition.payment_minutes} is out of range; it may be 1 to 1440", "campaign", "payment_minutes"
        )
    yield from _words_faults(definition.title, "campaign", "title")
    yield from _words_faults(definition.rules, "rules")
    yield from _words_faults(definition.returns.text, "returns", "text")
    yield from _twice("goals", "goal", (goal.kind for goal in definition.goals))


def _words_faults(words: Words, *path: str | int) -> Found:
    if not words.zh.strip():
        yield _fault("has no Chinese text; every text stands in Chinese and English", *path, "zh")
    if not words.en.strip():
        yield _fault("has no English text; every text stands in Chinese and English", *path, "en")


def _twice(table: str, what: str, names: Iterable[str], key: str | None = None) -> Found:
    first: dict[str, int] = {}
    for place, name in enumerate(names):
        if name in first:
            path = (table, place, key) if key else (table, place)
            yield _fault(f'{what} "{name}" stands here twice; it is entry {first[name] + 1} already', *path)
        first.setdefault(name, place)


def _phase_faults(definition: CampaignDefinition) -> Found:
    if [phase.name for phase in definition.phases] != list(PhaseName):
        yield _fault("the phases are prepare, warm_up, burst and wind_down, once each, in this order", "phases")
    before: Phase | None = None
    for phase in definition.phases:
        if phase.starts_at.tzinfo is None or phase.ends_at.tzinfo is None:
            yield _fault("a time has no zone", "phases", phase.name.value)
            return
        if phase.starts_at >= phase.ends_at:
            yield _fault(
                f"{_shown(phase.ends_at)} is not after the start, {_shown(phase.starts_at)}",
                *("phases", phase.name.value, "ends_at"),
            )
        if before and phase.starts_at < before.ends_at:
            yield _fault(
                f"{_shown(phase.starts_at)} is before the end of {before.name.value}, {_shown(before.ends_at)}; "
                "phases follow each other and do not overlap",
                *("phases", phase.name.value, "starts_at"),
            )
        before = phase


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _goods_faults(definition: CampaignDefinition) -> Found:
    if len(definition.goods) > GOODS_MAX:
        yield _fault(f"there are {len(definition.goods)} goods; the most is {GOODS_MAX}", "goods")
    for place, entry in enumerate(definition.goods):
        yield from _one_goods_faults(entry, place)
    yield from _twice("goods", "SKU", (entry.sku for entry in definition.goods), "sku")


def _one_goods_faults(entry: GoodsEntry, place: int) -> Found:
    if not _SKU.fullmatch(entry.sku):
        yield _fault(f'"{entry.sku}" is not a SKU; write letters, digits, dots and dashes', "goods", place, "sku")
    if not _SLUG.fullmatch(entry.category):
        yield _fault(
            f'"{entry.category}" is not a category; write small letters, digits and dashes', "goods", place, "category"
        )
    if entry.list_price < 1:
        yield _fault("a list price is more than nothing", "goods", place, "list_price")
    if entry.shop and not _SLUG.fullmatch(entry.shop):
        yield _fault(f'"{entry.shop}" is not a shop; write small letters, digits and dashes', "goods", place, "shop")
    yield from _words_faults(entry.name, "goods", place, "name")
    yield from _words_faults(entry.description, "goods", place, "description")


def _offer_faults(definition: CampaignDefinition) -> Found:
    if not definition.quotas():
        message = "nothing is on offer; write at least one [[offer]], [[presale]], [[group_buy]] or an offers_file"
        yield _fault(message, "offer")
    goods = {entry.sku: entry for entry in definition.goods}
    for place, offer in enumerate(definition.offers):
        yield from _one_offer_faults(offer, goods.get(offer.sku), definition.currency, place)
    yield from _twice("offer", "SKU", (offer.sku for offer in definition.offers), "sku")


def _one_offer_faults(offer: Offer, goods: GoodsEntry | None, currency: str, place: int) -> Found:
    if goods is None:
        yield _fault(f'there are no goods with the SKU "{offer.sku}"', "offer", place, "sku")
    elif 0 < goods.list_price < offer.price:
        price, list_price = (format_money(each, currency, "en") for each in (offer.price, goods.list_price))
        yield _fault(f"{price} is above the list price of {offer.sku}, {list_price}", "offer", place, "price")
    if goods is not None and 0 < offer.price < goods.floor:
        price, floor = (format_money(each, currency, "en") for each in (offer.price, goods.floor))
        yield _fault(f"{price} is below the floor of {offer.sku}, {floor}", "offer", place, "price")
    if offer.price < 1:
        yield _fault("a price is more than nothing", "offer", place, "price")
    if offer.quota < 1:
        yield _fault("a quota is at least 1; leave the offer out to sell none", "offer", place, "quota")
    elif offer.per_buyer > offer.quota:
        yield _fault(f"{offer.per_buyer} is more than the quota of {offer.quota}", "offer", place, "per_buyer")


def _coupon_faults(definition: CampaignDefinition) -> Found:
    if len(definition.coupons) > COUPONS_MAX:
        yield _fault(f"there are {len(definition.coupons)} coupons; the most is {COUPONS_MAX}", "coupon")
    for place, coupon in enumerate(definition.coupons):
        yield from _one_coupon_faults(coupon, place)
        yield from unique_faults(coupon, place, definition)
    yield from _twice("coupon", "code", (coupon.code for coupon in definition.coupons), "code")


def _one_coupon_faults(coupon: Coupon, place: int) -> Found:
    if not _CODE.fullmatch(coupon.code):
        yield _fault(
            f'"{coupon.code}" is not a code; write 3 to 32 capital letters, digits and dashes', "coupon", place, "code"
        )
    if coupon.off < 1:
        yield _fault("a coupon takes off more than nothing", "coupon", place, "off")
    elif coupon.off >= coupon.threshold:
        yield _fault("takes off as much as its threshold or more; it must be less", "coupon", place, "off")
    if coupon.quota and coupon.per_buyer > coupon.quota:
        yield _fault(f"{coupon.per_buyer} is more than the quota of {coupon.quota}", "coupon", place, "per_buyer")
    yield from _words_faults(coupon.label, "coupon", place, "label")


def _limit_faults(definition: CampaignDefinition) -> Found:
    if len(definition.limits) > LIMITS_MAX:
        yield _fault(f"there are {len(definition.limits)} limits; the most is {LIMITS_MAX}", "limit")
    reserved = {presale.sku for presale in definition.presales}
    ordered = {offer.sku for offer in definition.offers} | {each.sku for each in definition.group_buys}
    for place, limit in enumerate(definition.limits):
        yield from _one_limit_faults(limit, ordered, reserved - ordered, place)
    yield from _twice("limit", "name", (limit.name for limit in definition.limits), "name")


def _one_limit_faults(limit: Limit, ordered: set[str], reserved: set[str], place: int) -> Found:
    if not _SLUG.fullmatch(limit.name):
        yield _fault(f'"{limit.name}" is not a name; write small letters, digits and dashes', "limit", place, "name")
    if limit.per_buyer + limit.per_device + limit.per_address + limit.per_instrument < 1:
        message = "a limit lets at least 1 through: per_buyer, per_device, per_address or per_instrument"
        yield _fault(message, "limit", place, "per_buyer")
    counts_late = limit.per_address or limit.per_instrument
    for index, sku in enumerate(limit.skus):
        if sku in reserved and counts_late:
            message = (
                f'"{sku}" is in presale, and a reservation has no address and no payment account yet; '
                "limit it per_buyer or per_device"
            )
            yield _fault(message, "limit", place, "skus", index)
        elif sku in reserved:
            continue
        elif sku not in ordered:
            yield _fault(f'"{sku}" is not on offer', "limit", place, "skus", index)
    yield from _words_faults(limit.label, "limit", place, "label")


def _earning_faults(definition: CampaignDefinition) -> Found:
    earning = definition.earning
    if earning and earning.paid < 1:
        yield _fault("is nothing; write how much has to be paid for the points", "points", "paid")
    if earning and not 1 <= earning.points <= POINTS_EARNED_MAX:
        yield _fault(f"{earning.points} is out of range; it may be 1 to {POINTS_EARNED_MAX}", "points", "earns")


def _shipping_faults(definition: CampaignDefinition) -> Found:
    free_from = definition.shipping.free_from
    if free_from is not None and free_from < 1:
        message = 'is nothing; write fee = "0.00" where shipping is always free'
        yield _fault(message, "shipping", "free_from")


def _price_protection_faults(definition: CampaignDefinition) -> Found:
    promise = definition.price_protection
    if promise is None:
        return
    if not 1 <= promise.days <= PROTECTION_DAYS_MAX:
        message = f"{promise.days} is out of range; it may be 1 to {PROTECTION_DAYS_MAX}"
        yield _fault(message, "price_protection", "days")
    if not Shelf(definition).any_of(promise.goods):
        yield _fault("none of these goods is on offer", "price_protection", "goods")


def _defence_faults(definition: CampaignDefinition) -> Found:
    defences = definition.defences or ()
    if len(defences) > DEFENCES_MAX:
        yield _fault(f"there are {len(defences)} defences; the most is {DEFENCES_MAX}", "defence")
    for place, rule in enumerate(defences):
        if not _SLUG.fullmatch(rule.name):
            yield _fault(
                f'"{rule.name}" is not a name; write small letters, digits and dashes', "defence", place, "name"
            )
        for message, *path in contradictions(rule):
            yield _fault(message, "defence", place, *path)
    yield from _twice("defence", "name", (rule.name for rule in defences), "name")


def _rate_limit_faults(definition: CampaignDefinition) -> Found:
    limits = definition.rate_limits or ()
    if len(limits) > RATE_LIMITS_MAX:
        yield _fault(f"there are {len(limits)} rate limits; the most is {RATE_LIMITS_MAX}", "rate_limit")
    for place, limit in enumerate(limits):
        if not _SLUG.fullmatch(limit.name):
            yield _fault(
                f'"{limit.name}" is not a name; write small letters, digits and dashes', "rate_limit", place, "name"
            )
        for message, *path in rate_limits.contradictions(limit):
            yield _fault(message, "rate_limit", place, *path)
    yield from _twice("rate_limit", "name", (limit.name for limit in limits), "name")
