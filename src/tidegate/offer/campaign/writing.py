"""A definition written back as the files that describe it: what `read_definition` reads from them is the same again.

A definition keeps no comments and no times that count from the start: every time is written absolute.
"""

import csv
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from io import StringIO

import msgspec
from babel.numbers import get_currency_precision

from tidegate.offer.campaign.contracts import (
    CampaignDefinition,
    DefenceRule,
    Earning,
    GiftPolicy,
    Goal,
    GoalUnit,
    GoodsEntry,
    Limit,
    NumberSource,
    Offer,
    Presale,
    PublicNumber,
    QueueLane,
    RateLimit,
    Returns,
    Signal,
    Threshold,
    UniqueCodes,
    WaitingRoom,
    Words,
)
from tidegate.offer.campaign.definition import GOODS_COLUMNS, OFFER_COLUMNS, OPTIONAL_COLUMNS
from tidegate.offer.campaign.draft_contracts import GOODS_FILE, OFFERS_FILE, CampaignFiles
from tidegate.offer.campaign.group_buying import group_buy_blocks
from tidegate.offer.campaign.presales import PRESALE_MOMENTS
from tidegate.offer.campaign.prize_draws import draw_table, prize_table
from tidegate.offer.campaign.promotion_writing import promotion_table, selection_table
from tidegate.offer.campaign.units import Units

Raw = Mapping[str, object]


def write_definition(definition: CampaignDefinition, *, zone: tzinfo = UTC) -> CampaignFiles:
    """The files that describe a definition, with their times as a clock in `zone` shows them."""
    units = Units(get_currency_precision(definition.currency), zone)
    blocks = [_block("[campaign]", _head(definition))]
    blocks += [
        _block(
            f"[phases.{phase.name}]", {"starts_at": units.time(phase.starts_at), "ends_at": units.time(phase.ends_at)}
        )
        for phase in definition.phases
    ]
    if definition.goals:
        blocks.append(_block("[goals]", {goal.kind.value: _target(goal, units) for goal in definition.goals}))
    blocks += [_block("[[owner]]", msgspec.to_builtins(owner)) for owner in definition.owners]
    blocks += _rules_blocks(definition, units)
    blocks += [
        _block("[shipping]", _shipping(definition, units)),
        _block("[returns]", _returns(definition.returns)),
        _block("[rules]", _words(definition.rules)),
    ]
    if promise := definition.price_protection:
        table = {"days": promise.days, "goods": selection_table(promise.goods)}
        blocks.append(_block("[price_protection]", table))
    if definition.earning:
        blocks.append(_block("[points]", _earning(definition.earning, units)))
    if definition.waiting_room:
        blocks.append(_block("[waiting_room]", _waiting_room(definition.waiting_room, units)))
        if definition.waiting_room.public_number:
            number = _public_number(definition.waiting_room.public_number, units)
            blocks.append(_block("[waiting_room.public_number]", number))
        blocks += [_block("[[waiting_room.lane]]", _lane(lane)) for lane in definition.waiting_room.lanes]
    none = [f"{key} = []\n" for key in ("defence", "rate_limit") if _states_none(definition, key)]
    return CampaignFiles(
        campaign="\n".join([*none, *blocks]),
        goods=_csv(GOODS_COLUMNS, (_goods_row(entry, units) for entry in definition.goods)),
        offers=_csv(OFFER_COLUMNS, (_offer_row(offer, units) for offer in definition.offers)),
    )


def _rules_blocks(definition: CampaignDefinition, units: Units) -> list[str]:
    """Coupons, limits, promotions, group buys, draws, defences and rate limits."""
    blocks = [
        _block("[[coupon]]", {
            "code": coupon.code,
            "threshold": units.money(coupon.threshold),
            "off": units.money(coupon.off),
            "quota": coupon.quota or None,
            "per_buyer": coupon.per_buyer or None,
            "label": _words(coupon.label),
            **(_unique(coupon.unique, units) if coupon.unique else {}),
        })
        for coupon in definition.coupons
    ]  # fmt: skip
    blocks += [_block("[[limit]]", _limit(limit)) for limit in definition.limits]
    blocks += [_block("[[promotion]]", promotion_table(promotion, units)) for promotion in definition.promotions]
    blocks += [_block("[[presale]]", _presale(presale, units)) for presale in definition.presales]
    blocks += [
        _block("[[group_buy]]", {"sku": each.sku, "price": units.money(each.price), **group_buy_blocks(each)})
        for each in definition.group_buys
    ]
    for draw in definition.draws:
        blocks.append(_block("[[draw]]", draw_table(draw, units)))
        if draw.public_number:
            blocks.append(_block("[draw.public_number]", _public_number(draw.public_number, units)))
        blocks += [_block("[[draw.prize]]", prize_table(prize, units)) for prize in draw.prizes]
    blocks += [_block("[[defence]]", _defence(rule, units)) for rule in definition.defences or ()]
    blocks += [_block("[[rate_limit]]", _rate_limit(limit)) for limit in definition.rate_limits or ()]
    return blocks


def _states_none(definition: CampaignDefinition, key: str) -> bool:
    return (definition.defences if key == "defence" else definition.rate_limits) == ()


def _block(heading: str, table: Raw) -> str:
    lines = [f"{key} = {_value(value)}" for key, value in table.items() if value is not None]
    return "\n".join([heading, *lines]) + "\n"


def _value(value: object) -> str:
    """A value as TOML writes it; what stands within is written in one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return _text(value)
        case datetime():
            return value.isoformat()
        case Mapping():
            pairs = ", ".join(f"{key} = {_value(each)}" for key, each in value.items() if each is not None)
            return f"{{ {pairs} }}"
        case list() | tuple():
            return f"[{', '.join(map(_value, value))}]"
        case _:
            raise TypeError(f"{type(value).__name__} has no form in a campaign file")


def _text(text: str) -> str:
    """A basic string of TOML: its escapes are those of JSON, and DEL too is escaped. Several lines stay several."""
    if "\n" not in text:
        return _quoted(text)
    lines = [_quoted(line)[1:-1] for line in text.split("\n")]
    return '"""\n' + "\n".join(lines) + '\n"""'


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode().replace("\x7f", "\\u007f")


def _words(words: Words) -> Raw:
    return {"zh": words.zh, "en": words.en}


def _head(definition: CampaignDefinition) -> Raw:
    return {
        "id": definition.id,
        "title": _words(definition.title),
        "list_price_basis": _words(definition.list_price_basis) if definition.list_price_basis else None,
        "theme": definition.theme.value,
        "audience": [each.value for each in definition.audience],
        "accent": definition.accent,
        "currency": definition.currency,
        "payment_minutes": definition.payment_minutes,
        "goods_file": GOODS_FILE if definition.goods else None,
        "offers_file": OFFERS_FILE if definition.offers else None,
    }


def _target(goal: Goal, units: Units) -> object:
    match goal.unit:
        case GoalUnit.MONEY:
            return units.money(goal.target)
        case GoalUnit.BASIS_POINTS:
            return units.share(goal.target)
        case GoalUnit.MILLISECONDS:
            return f"{goal.target} ms"
        case GoalUnit.MINUTES:
            return f"{goal.target} min"
        case GoalUnit.COUNT:
            return goal.target


def _unique(unique: UniqueCodes, units: Units) -> Raw:
    moments = {key: moment for key in _CLAIM_MOMENTS if (moment := getattr(unique, key)) is not None}
    return {
        "codes": "unique",
        "count": unique.count,
        "per_account": unique.per_account,
        **{key: units.time(moment) for key, moment in moments.items()},
        "valid_days": unique.valid_days or None,
        "audience": [each.value for each in unique.audience] or None,
        "letters": unique.letters,
        "button": unique.button,
        "back_on_refund": unique.back_on_refund,
    }


_CLAIM_MOMENTS = ("claims_open_at", "claims_close_at", "valid_until_at")
_LIMITED = ("per_buyer", "per_device", "per_address", "per_instrument")


def _presale(presale: Presale, units: Units) -> Raw:
    return {
        "sku": presale.sku,
        "label": _words(presale.label),
        "price": units.money(presale.price),
        "deposit": units.money(presale.deposit),
        "counts_for": units.money(presale.counts_for),
        "quota": presale.quota,
        "per_buyer": presale.per_buyer or None,
        **{key: units.time(getattr(presale, key)) for key in PRESALE_MOMENTS},
    }


def _limit(limit: Limit) -> Raw:
    return {
        "name": limit.name,
        "skus": limit.skus or None,
        "all": None if limit.skus else True,
        **{key: count for key in _LIMITED if (count := getattr(limit, key))},
        "label": _words(limit.label),
    }


def _shipping(definition: CampaignDefinition, units: Units) -> Raw:
    free_from = definition.shipping.free_from
    return {
        "fee": units.money(definition.shipping.fee),
        "free_from": None if free_from is None else units.money(free_from),
    }


def _returns(returns: Returns) -> Raw:
    gifts = None if returns.gifts is GiftPolicy.KEEP else returns.gifts.value
    return {"days": returns.days, "text": _words(returns.text), "gifts": gifts}


def _earning(earning: Earning, units: Units) -> Raw:
    return {
        "paid": units.money(earning.paid),
        "earns": earning.points,
        "most_per_order": earning.per_order or None,
    }


def _defence(rule: DefenceRule, units: Units) -> Raw:
    return {
        "name": rule.name,
        "starts": rule.starts.value,
        "trigger": _threshold(rule.trigger, units),
        "second": _threshold(rule.second, units),
        "window": f"{rule.window_seconds} s",
        "minimum_stay": f"{rule.stay_seconds} s",
        "expires": f"{rule.expiry_seconds} s",
        "factor": units.share(rule.factor) if rule.factor < 10_000 else None,
    }


def _threshold(threshold: Threshold, units: Units) -> Raw:
    shown = units.share if threshold.signal is Signal.FAILURES else int
    return {
        "signal": threshold.signal.value,
        "start_at": shown(threshold.start_at),
        "stop_below": shown(threshold.stop_below),
    }


def _rate_limit(limit: RateLimit) -> Raw:
    return {
        "name": limit.name,
        "act": limit.act.value,
        "scope": limit.scope.value,
        "quota": limit.quota,
        "window": f"{limit.window_seconds} s",
        "burst": limit.burst,
        "when_down": limit.when_down.value,
    }


def _waiting_room(room: WaitingRoom, units: Units) -> Raw:
    return {
        "opens_at": units.time(room.opens_at),
        "seals_at": units.time(room.seals_at),
        "cap": room.cap,
        "per_minute": room.per_minute,
        "ramp": f"{room.ramp_seconds} s",
        "claim_window": f"{room.claim_seconds} s",
        "pass_life": f"{room.pass_seconds} s",
        "purchases": room.purchases,
        "per_network": room.per_network,
        "goods": room.goods.value,
        "slow_share": f"{room.slow_share} %",
        "beyond_network": room.beyond_network.value,
        "work": room.work.value,
    }


def _public_number(number: PublicNumber, units: Units) -> Raw:
    table = {
        "source": number.source.value,
        "label": _words(number.label),
        "drawn_at": units.time(number.drawn_at),
        "patience": f"{number.patience_seconds} s",
    }
    if number.source is NumberSource.DRAND:
        table["chain"] = number.chain
        table["genesis"] = units.time(datetime.fromtimestamp(number.genesis_at, UTC))
        table["period"] = f"{number.period_seconds} s"
        if number.public_key:
            table["public_key"] = number.public_key
    return table


def _lane(lane: QueueLane) -> Raw:
    return {
        "name": lane.name,
        "label": _words(lane.label),
        "share": f"{lane.share} %",
        "audience": lane.audience.value,
    }


def _goods_row(entry: GoodsEntry, units: Units) -> dict[str, str]:
    return {
        "sku": entry.sku,
        "name_zh": entry.name.zh,
        "name_en": entry.name.en,
        "category": entry.category,
        "brand": entry.brand,
        "description_zh": entry.description.zh,
        "description_en": entry.description.en,
        "list_price": units.money(entry.list_price),
        "picture": entry.picture,
        "shop": entry.shop,
        "floor": units.money(entry.floor) if entry.floor else "",
        "cost": units.money(entry.cost) if entry.cost else "",
    }


def _offer_row(offer: Offer, units: Units) -> dict[str, str]:
    return {
        "sku": offer.sku,
        "kind": offer.kind.value,
        "price": units.money(offer.price),
        "quota": str(offer.quota),
        "per_buyer": str(offer.per_buyer or ""),
        "coupons": "true" if offer.coupons else "false",
    }


def _csv(columns: tuple[str, ...], found: Iterable[dict[str, str]]) -> str:
    """Rows under their heading; a column that may be left out and says nothing is left out."""
    rows = list(found)
    said = [column for column in columns if column not in OPTIONAL_COLUMNS or any(row[column] for row in rows)]
    text = StringIO()
    writer = csv.DictWriter(text, said, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
