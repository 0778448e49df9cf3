"""The tables `[[group_buy]]` of a campaign file: how they are read, what may contradict itself, and their words."""

from collections.abc import Iterator

from tidegate.base.money import format_money
from tidegate.offer.campaign.contracts import (
    CampaignDefinition,
    Fault,
    GoodsEntry,
    GroupBuy,
    Words,
)
from tidegate.offer.campaign.reading import Table, duration

FILL_SECONDS_MIN, FILL_SECONDS_MAX = 30, 168 * 3_600
SIZE_MIN, SIZE_MAX = 2, 100
_HOUR, _MINUTE = 3_600, 60

Found = Iterator[Fault]


def read_group_buy(table: Table) -> GroupBuy:
    """Return the group buy that the table describes, with faults noted where it says nothing sensible."""
    found = GroupBuy(
        sku=table.text("sku"),
        price=table.money("price"),
        size=table.count("size"),
        fill_seconds=_fill_seconds(table),
        quota=table.count("quota"),
        per_buyer=table.count("per_buyer", default=0),
    )
    table.done()
    return found


def _fill_seconds(table: Table) -> int:
    if "hours" in table:
        return _HOUR * table.count("hours")
    if "fills_within" not in table:
        table.fault("hours", 'is missing; write hours = 24, or fills_within = "30 min"')
        return _HOUR
    text = table.text("fills_within")
    found = duration(text, 1_000, "seconds")
    if isinstance(found, str):
        table.fault("fills_within", found)
        return _HOUR
    return found


def group_buy_faults(definition: CampaignDefinition) -> Found:
    """Everything in the group buys that is out of range or contradicts something else."""
    goods = {entry.sku: entry for entry in definition.goods}
    offered = {offer.sku for offer in definition.offers}
    reserved = {presale.sku for presale in definition.presales}
    seen: set[str] = set()
    for place, group_buy in enumerate(definition.group_buys):
        yield from _ranges(group_buy, place)
        yield from _price_faults(group_buy, goods.get(group_buy.sku), definition.currency, place)
        if group_buy.sku in offered:
            message = f'"{group_buy.sku}" is an [[offer]] already, and a SKU has one stock'
            yield _fault(f"{message}; give the goods for groups a SKU of their own", place, "sku")
        if group_buy.sku in reserved:
            message = f'"{group_buy.sku}" is a [[presale]] already, and a SKU has one stock'
            yield _fault(f"{message}; give the goods for groups a SKU of their own", place, "sku")
        if group_buy.sku in seen:
            yield _fault(f'SKU "{group_buy.sku}" stands here twice', place, "sku")
        seen.add(group_buy.sku)


def _ranges(group_buy: GroupBuy, place: int) -> Found:
    if not SIZE_MIN <= group_buy.size <= SIZE_MAX:
        yield _fault(f"{group_buy.size} is out of range; a group has {SIZE_MIN} to {SIZE_MAX}", place, "size")
    if not FILL_SECONDS_MIN <= group_buy.fill_seconds <= FILL_SECONDS_MAX:
        yield _fault("is out of range; it is 30 seconds to 168 hours", place, "hours")
    if group_buy.quota < group_buy.size:
        message = f"{group_buy.quota} units are fewer than one group of {group_buy.size} needs"
        yield _fault(message, place, "quota")
    elif group_buy.per_buyer > group_buy.quota:
        yield _fault(f"{group_buy.per_buyer} is more than the quota of {group_buy.quota}", place, "per_buyer")


def _price_faults(group_buy: GroupBuy, goods: GoodsEntry | None, currency: str, place: int) -> Found:
    if goods is None:
        yield _fault(f'there are no goods with the SKU "{group_buy.sku}"', place, "sku")
        return
    shown = format_money(group_buy.price, currency, "en")
    if group_buy.price < 1:
        yield _fault("a price is more than nothing", place, "price")
    elif group_buy.price > goods.list_price:
        most = format_money(goods.list_price, currency, "en")
        yield _fault(f"{shown} is above the list price of {group_buy.sku}, {most}", place, "price")
    elif group_buy.price < goods.floor:
        floor = format_money(goods.floor, currency, "en")
        yield _fault(f"{shown} is below the floor of {group_buy.sku}, {floor}", place, "price")


def _fault(message: str, place: int, key: str) -> Fault:
    return Fault(path=("group_buy", place, key), message=message)


GROUP_STATEMENT = Words(
    zh="拼团：开团或参团时各自下单并按拼团价付款，人数在限时内（不晚于售卖结束）付齐即成团，所有订单一起确认；到时未付齐，"
    "每位已付款的参团者全额原路退款，未付款的订单取消。每位买家在同一个团中只占一个名额。拼团价不与优惠券和其他优惠同享。"
    "成团前可随时退出。",
    en="Group buying: whoever opens or joins a group places an own order and pays the group price. When all places are "
    "paid within the time, which ends with the sale at the latest, all orders are confirmed together; when they are "
    "not, everyone who paid is refunded in full the way they paid, and unpaid orders end. One place a buyer in one "
    "group. The group price is not combined with coupons or other reductions. Until a group is full its members may "
    "leave it.",
)


def group_buy_words(group_buy: GroupBuy, currency: str) -> Words:
    """Return the conditions of one group buy as a sentence."""
    zh_money, en_money = (format_money(group_buy.price, currency, locale) for locale in ("zh", "en"))
    zh = [f"{group_buy.size} 人成团，每件 {zh_money}", f"限时{span_words(group_buy.fill_seconds).zh}内付齐"]
    en = [
        f"{en_money} each in a group of {group_buy.size}",
        f"all paid within {span_words(group_buy.fill_seconds).en}",
    ]
    zh.append(f"共 {group_buy.quota} 件")
    en.append(f"{group_buy.quota} units in all")
    if group_buy.per_buyer:
        zh.append(f"每人限购 {group_buy.per_buyer} 件")
        en.append(f"{group_buy.per_buyer} for each buyer")
    return Words(zh="；".join(zh) + "。", en="; ".join(en) + ".")


def span_words(seconds: int) -> Words:
    """Return a span in the largest unit that writes it exactly: 24 hours, 90 minutes, 45 seconds."""
    for unit, zh, en in ((_HOUR, "小时", "hour"), (_MINUTE, "分钟", "minute"), (1, "秒", "second")):
        count, rest = divmod(seconds, unit)
        if not rest:
            return Words(zh=f" {count} {zh}", en=f"{count} {en}{'' if count == 1 else 's'}")
    raise AssertionError("a second divides every whole number of seconds")


def group_buy_blocks(group_buy: GroupBuy) -> dict[str, object]:
    """Return what a campaign file writes of a group buy besides its price."""
    hours, rest = divmod(group_buy.fill_seconds, _HOUR)
    span: dict[str, object] = {"fills_within": f"{group_buy.fill_seconds} s"} if rest else {"hours": hours}
    return {"size": group_buy.size, **span, "quota": group_buy.quota, "per_buyer": group_buy.per_buyer or None}
