"""The tables `[[presale]]` of a campaign file: how they are read, and what may contradict itself."""

from collections.abc import Iterator
from datetime import UTC, datetime

from tidegate.base.money import format_money
from tidegate.offer.campaign.contracts import (
    CampaignDefinition,
    Fault,
    GoodsEntry,
    Presale,
)
from tidegate.offer.campaign.presale_contracts import DEPOSIT_BASIS_POINTS_MAX, PRESALES_MAX
from tidegate.offer.campaign.reading import Table

PRESALE_MOMENTS = ("deposit_from_at", "deposit_until_at", "balance_from_at", "balance_until_at", "ships_by_at")
"""The times of a presale, in the only order in which they can come."""

_UNREAD = datetime(1970, 1, 1, tzinfo=UTC)

Found = Iterator[Fault]


def read_presales(top: Table) -> Iterator[Presale]:
    """The presales of a file, with faults noted where they say nothing sensible."""
    for table in top.tables("presale", most=PRESALES_MAX):
        yield _read_presale(table)


def _read_presale(table: Table) -> Presale:
    moments = {key: table.moment(key) or _UNREAD for key in PRESALE_MOMENTS}
    presale = Presale(
        sku=table.text("sku"),
        label=table.words("label"),
        price=table.money("price"),
        deposit=table.money("deposit"),
        counts_for=table.money("counts_for"),
        quota=table.count("quota"),
        per_buyer=table.count("per_buyer", default=0),
        **moments,
    )
    table.done()
    return presale


def presale_faults(definition: CampaignDefinition) -> Found:
    """Everything in the presales of a definition that is out of range or contradicts something else."""
    if len(definition.presales) > PRESALES_MAX:
        message = f"there are {len(definition.presales)} presales; the most is {PRESALES_MAX}"
        yield Fault(path=("presale",), message=message)
    goods = {entry.sku: entry for entry in definition.goods}
    offered = {offer.sku for offer in definition.offers}
    first: dict[str, int] = {}
    for place, presale in enumerate(definition.presales):
        if presale.sku in first:
            yield _fault(
                f'SKU "{presale.sku}" stands here twice; it is entry {first[presale.sku] + 1} already', place, "sku"
            )
        first.setdefault(presale.sku, place)
        if presale.sku in offered:
            message = f'"{presale.sku}" is on offer too; its units would be promised twice: take one of them out'
            yield _fault(message, place, "sku")
        yield from _price_faults(presale, goods.get(presale.sku), place, definition.currency)
        yield from _deposit_faults(presale, place, definition.currency)
        yield from _quota_faults(presale, place)
        yield from _moment_faults(presale, place)
        yield from _label_faults(presale, place)


def _price_faults(presale: Presale, goods: GoodsEntry | None, place: int, currency: str) -> Found:
    if goods is None:
        yield _fault(f'there are no goods with the SKU "{presale.sku}"', place, "sku")
        return
    if presale.price < 1:
        yield _fault("a price is more than nothing", place, "price")
    elif 0 < goods.list_price < presale.price:
        price, list_price = (format_money(each, currency, "en") for each in (presale.price, goods.list_price))
        yield _fault(f"{price} is above the list price of {presale.sku}, {list_price}", place, "price")
    elif presale.counts_for < presale.price and presale.in_all < goods.floor:
        in_all, floor = (format_money(each, currency, "en") for each in (presale.in_all, goods.floor))
        message = f"deposit and balance come to {in_all}, below the floor of {presale.sku}, {floor}"
        yield _fault(message, place, "counts_for")


def _deposit_faults(presale: Presale, place: int, currency: str) -> Found:
    if presale.deposit < 1:
        yield _fault("a deposit is more than nothing", place, "deposit")
        return
    if presale.counts_for < presale.deposit:
        yield _fault("counts for less than the deposit that is paid; it is the deposit or more", place, "counts_for")
        return
    if presale.counts_for >= presale.price:
        yield _fault("counts for the whole price; something must be left to pay", place, "counts_for")
        return
    most = presale.in_all * DEPOSIT_BASIS_POINTS_MAX // 10_000
    if presale.deposit > most:
        deposit, lawful, worth = (
            format_money(each, currency, "en") for each in (presale.deposit, most, presale.in_all)
        )
        message = (
            f"{deposit} is more than 20 % of what a unit costs in all, {worth}: what is beyond is no deposit in law "
            f"(Civil Code, article 586); write {lawful} or less"
        )
        yield _fault(message, place, "deposit")


def _quota_faults(presale: Presale, place: int) -> Found:
    if presale.quota < 1:
        yield _fault("a quota is at least 1; leave the presale out to sell none", place, "quota")
    elif presale.per_buyer > presale.quota:
        yield _fault(f"{presale.per_buyer} is more than the quota of {presale.quota}", place, "per_buyer")


def _moment_faults(presale: Presale, place: int) -> Found:
    moments = [getattr(presale, key) for key in PRESALE_MOMENTS]
    for key, moment in zip(PRESALE_MOMENTS, moments, strict=True):
        if moment.tzinfo is None:
            yield _fault("a time has no zone", place, key)
            return
    pairs = zip(PRESALE_MOMENTS, moments, PRESALE_MOMENTS[1:], moments[1:], strict=False)
    for key, moment, after_key, after in pairs:
        may_meet = (key, after_key) != ("deposit_from_at", "deposit_until_at")
        may_meet = may_meet and (key, after_key) != ("balance_from_at", "balance_until_at")
        if after < moment or (after == moment and not may_meet):
            message = f"{after:%Y-%m-%d %H:%M:%S} UTC is not after {key}, {moment:%Y-%m-%d %H:%M:%S} UTC"
            yield _fault(message, place, after_key)


def _label_faults(presale: Presale, place: int) -> Found:
    for key, name, text in (("zh", "Chinese", presale.label.zh), ("en", "English", presale.label.en)):
        if not text.strip():
            message = f"has no {name} text; every text stands in Chinese and English"
            yield Fault(path=("presale", place, "label", key), message=message)


def _fault(message: str, place: int, key: str) -> Fault:
    return Fault(path=("presale", place, key), message=message)
