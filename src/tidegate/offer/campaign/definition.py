"""A campaign file (TOML, with CSV beside it) becomes a definition, or a list of everything that is wrong with it.

The reference of the file is docs/campaign-file.md.
"""

import csv
import re
import tomllib
from collections.abc import Callable, Iterator
from datetime import datetime
from io import StringIO
from typing import Final

from tidegate.offer.campaign import rules
from tidegate.offer.campaign.contracts import (
    COUPONS_MAX,
    DEFENCES_MAX,
    DRAWS_MAX,
    GOODS_MAX,
    GROUP_BUYS_MAX,
    LIMITS_MAX,
    PROMOTIONS_MAX,
    RATE_LIMITS_MAX,
    REPLAYS,
    Audience,
    CampaignDefinition,
    CampaignId,
    Earning,
    Fault,
    GiftPolicy,
    Goal,
    GoalKind,
    GoalUnit,
    GoodsEntry,
    Limit,
    Offer,
    OfferKind,
    Owner,
    Phase,
    PhaseName,
    PriceProtection,
    Returns,
    Shipping,
    Theme,
)
from tidegate.offer.campaign.coupons import read_coupon
from tidegate.offer.campaign.defences import read_defence
from tidegate.offer.campaign.errors import DefinitionFaulty
from tidegate.offer.campaign.group_buying import read_group_buy
from tidegate.offer.campaign.positions import Path, line_of, lines_of
from tidegate.offer.campaign.presales import read_presales
from tidegate.offer.campaign.prize_draws import read_draw
from tidegate.offer.campaign.promotions import read_promotion, read_selection
from tidegate.offer.campaign.rate_limits import read_rate_limit
from tidegate.offer.campaign.reading import (
    LONG_TEXT_MAX,
    SOME_START,
    Notes,
    Table,
    basis_points,
    currencies,
    duration,
    minor_units,
)
from tidegate.offer.campaign.waiting_room import read_waiting_room

GOODS_COLUMNS: Final = (
    "sku", "name_zh", "name_en", "category", "brand", "description_zh", "description_en", "list_price", "picture",
    "shop", "floor", "cost",
)  # fmt: skip
OFFER_COLUMNS: Final = ("sku", "kind", "price", "quota", "per_buyer", "coupons")
OPTIONAL_COLUMNS: Final = frozenset({"picture", "shop", "floor", "cost", "kind", "per_buyer", "coupons"})

GOALS: Final = {
    GoalKind.GMV: (GoalUnit.MONEY, True),
    GoalKind.ORDERS: (GoalUnit.COUNT, True),
    GoalKind.CONVERSION: (GoalUnit.BASIS_POINTS, True),
    GoalKind.REPURCHASE_GROWTH: (GoalUnit.BASIS_POINTS, True),
    GoalKind.GMV_GROWTH: (GoalUnit.BASIS_POINTS, True),
    GoalKind.PAGE_LOAD: (GoalUnit.MILLISECONDS, False),
    GoalKind.SEARCH: (GoalUnit.MILLISECONDS, False),
    GoalKind.PAYMENT_SUCCESS: (GoalUnit.BASIS_POINTS, True),
    GoalKind.SHIPPED_IN_24_HOURS: (GoalUnit.BASIS_POINTS, True),
    GoalKind.DISPUTES: (GoalUnit.BASIS_POINTS, False),
    GoalKind.DATA_BREACHES: (GoalUnit.COUNT, False),
    GoalKind.SAFETY_INCIDENTS: (GoalUnit.BASIS_POINTS, False),
    GoalKind.INCIDENT_RESPONSE: (GoalUnit.MINUTES, False),
}
"""The unit of each goal, and whether more is better."""

_SYNTAX = re.compile(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)", re.DOTALL)

OpenFile = Callable[[str], str]
"""Gives the text of a file beside the campaign file, by its name. Raises OSError or UnicodeDecodeError."""


def read_definition(
    text: str, *, file: str, open_file: OpenFile, now: datetime, start: str | None = None
) -> CampaignDefinition:
    """The definition that a campaign file describes, with every time absolute.

    `start` overrides `campaign.start`; both may be "now", "now+10m" or an absolute time. Raises DefinitionFaulty with
    every fault that was found, in the order of the file, each with file and line.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise DefinitionFaulty([_syntax_fault(fault, text, file)]) from None
    except RecursionError:
        raise DefinitionFaulty([Fault(path=(), message="is nested too deeply to be read", file=file)]) from None
    except ValueError:  # Python reads no whole number of more than 4,300 digits
        raise DefinitionFaulty([Fault(path=(), message="holds a number too long to be read", file=file)]) from None
    source = _Source(file, text, open_file)
    notes = Notes()
    top = Table(notes, (), raw)
    _set_currency(top.table("campaign"), notes)
    _set_start(top.table("campaign"), notes, now, start)
    definition = _definition(top, notes, source, raw)
    if start is not None and not notes.start_used and len(definition.phases) == len(PhaseName):
        notes.add(("campaign",), "--start moves nothing: no phase counts from the start, all times are absolute")
    top.done()
    # Without all goods and offers, most of what would be found missing is not, as long as it is said why they are not.
    partial = source.is_partial and notes.faults
    faults = notes.faults + ([] if partial else _consistency_faults(definition, notes.faults))
    if faults:
        raise DefinitionFaulty(source.located(faults))
    return definition


def _syntax_fault(fault: tomllib.TOMLDecodeError, text: str, file: str) -> Fault:
    found = _SYNTAX.fullmatch(str(fault))
    message, line = (found[1], found[2]) if found else (str(fault), None)
    return Fault(
        path=(),
        message=f"this is not TOML: {message[:1].lower()}{message[1:]}",
        file=file,
        line=int(line) if line else text.rstrip("\n").count("\n") + 1,
    )


def _consistency_faults(definition: CampaignDefinition, found: list[Fault]) -> list[Fault]:
    """What contradicts itself, except where a value could not be read and a stand-in would be judged."""
    unread = {fault.path[:2] for fault in found} | {fault.path for fault in found if len(fault.path) == 1}
    touched = {fault.path[:1] for fault in found}
    return [
        fault
        for fault in rules.find_faults(definition)
        if not unread & {fault.path[:1], fault.path[:2]} and not (len(fault.path) == 1 and fault.path in touched)
    ]


class _Source:
    """Where things stand: lines of the campaign file, and rows that came from a CSV file."""

    def __init__(self, file: str, text: str, open_file: OpenFile) -> None:
        self._file = file
        self._text = text
        self._open_file = open_file
        self._rows: dict[Path, tuple[str, int]] = {}
        self._inline: dict[str, int] = {}
        self.is_partial = False

    def csv_from(self, key: str) -> int | None:
        """The place from which on the list at `key` came from a CSV file; None if all stands in the campaign file."""
        return self._inline.get(key)

    def located(self, faults: list[Fault]) -> list[Fault]:
        """The faults with their files and lines, sorted by them."""
        lines = lines_of(self._text)
        placed = []
        for fault in faults:
            path = fault.path
            if path[:1] == ("promotion",) and path[2:4] == ("steps", 0) and path[:3] not in lines:
                path = (*path[:2], *path[4:])  # the only step stands in the table itself
            file, line = self._rows.get(path[:2]) or (self._file, line_of(lines, path))
            file, line = fault.file or file, fault.line or line
            placed.append(Fault(path=path, message=fault.message, file=file, line=line))
        return sorted(placed, key=lambda fault: (fault.file != self._file, fault.file, fault.line))

    def add_rows(self, notes: Notes, raw: dict[str, object], key: str, name: str, columns: tuple[str, ...]) -> None:
        """Append the rows of a CSV file to the list at `key`, as if they stood in the campaign file."""
        entries = raw.setdefault(key, [])
        if not isinstance(entries, list):
            return
        self._inline[key] = len(entries)
        file_key = ("campaign", "goods_file" if key == "goods" else "offers_file")
        try:
            text = self._open_file(name).removeprefix("\ufeff")
        except OSError as fault:
            notes.add(file_key, f'"{name}" cannot be read: {(fault.strerror or str(fault)).lower()}')
            text = ""
        except UnicodeDecodeError:
            notes.add(file_key, f'"{name}" is not UTF-8 text')
            text = ""
        for line, row in _csv_rows(notes, name, text, columns) if text else ():
            self._rows[(key, len(entries))] = (name, line)
            entries.append(row)
        self.is_partial |= len(entries) == self._inline[key]


def _csv_rows(notes: Notes, name: str, text: str, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, object]]]:
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        header = [column.strip() for column in next(reader, [])]
        if not _header_is_right(notes, name, header, columns):
            return
        line = reader.line_num + 1
        for cells in reader:
            if len(cells) == len(header):
                yield line, _nested(dict(zip(header, cells, strict=True)))
            elif cells:
                message = f"this row has {len(cells)} columns; the heading has {len(header)}"
                notes.faults.append(Fault(path=(), message=message, file=name, line=line))
            line = reader.line_num + 1
    except csv.Error as fault:
        notes.faults.append(Fault(path=(), message=f"this is not CSV: {fault}", file=name, line=reader.line_num))


def _header_is_right(notes: Notes, name: str, header: list[str], columns: tuple[str, ...]) -> bool:
    missing = [column for column in columns if column not in header and column not in OPTIONAL_COLUMNS]
    unknown = [column for column in header if column not in columns]
    twice = sorted({column for column in header if header.count(column) > 1})
    for what, found in (("is missing", missing), ("is not known", unknown), ("stands twice", twice)):
        for column in found:
            message = f'column "{column}" {what}; the columns are {", ".join(columns)}'
            notes.faults.append(Fault(path=(), message=message, file=name, line=1))
    return not (missing or unknown or twice)


def _nested(row: dict[str, str]) -> dict[str, object]:
    """`name_zh` and `name_en` of a CSV row as { name = { zh, en } }."""
    nested: dict[str, object] = {}
    for column, cell in row.items():
        head, _, language = column.rpartition("_")
        if language in {"zh", "en"}:
            words = nested.setdefault(head, {})
            assert isinstance(words, dict)
            words[language] = cell
        else:
            nested[column] = cell
    return nested


def _definition(top: Table, notes: Notes, source: _Source, raw: dict[str, object]) -> CampaignDefinition:
    head = top.table("campaign")
    head.know("currency", "start")
    for key, columns in (("goods", GOODS_COLUMNS), ("offer", OFFER_COLUMNS)):
        file_key = "goods_file" if key == "goods" else "offers_file"
        if file_key in head and (name := head.text(file_key)):
            source.add_rows(notes, raw, key, name, columns)
    phases = tuple(_phases(top.table("phases")))
    campaign_id = head.text("id")
    if re.match(REPLAYS, campaign_id):
        head.fault("id", f'"{campaign_id}" is kept for replays of order logs; choose another id')
    definition = CampaignDefinition(
        id=CampaignId(campaign_id),
        title=head.words("title"),
        theme=head.choice("theme", Theme, Theme.SHOPPING_FESTIVAL),
        audience=head.choices("audience", Audience, Audience.EVERYONE),
        accent=head.text("accent", default="#c8102e"),
        currency=notes.currency,
        payment_minutes=head.count("payment_minutes", default=15),
        phases=phases,
        goals=tuple(_goals(top.table("goals"), notes)) if "goals" in top else (),
        owners=tuple(_owner(entry) for entry in top.tables("owner", most=100)),
        goods=tuple(_goods(entry) for entry in top.tables("goods", most=GOODS_MAX, csv_from=source.csv_from("goods"))),
        offers=tuple(_offer(entry) for entry in top.tables("offer", most=GOODS_MAX, csv_from=source.csv_from("offer"))),
        coupons=tuple(read_coupon(entry) for entry in top.tables("coupon", most=COUPONS_MAX)),
        limits=tuple(_limit(entry) for entry in top.tables("limit", most=LIMITS_MAX)),
        shipping=_shipping(top.table("shipping")),
        returns=_returns(top.table("returns")),
        rules=top.words("rules", most=LONG_TEXT_MAX),
        defences=tuple(read_defence(entry) for entry in top.tables("defence", most=DEFENCES_MAX))
        if "defence" in top
        else None,
        rate_limits=tuple(read_rate_limit(entry) for entry in top.tables("rate_limit", most=RATE_LIMITS_MAX))
        if "rate_limit" in top
        else None,
        waiting_room=read_waiting_room(top.table("waiting_room")) if "waiting_room" in top else None,
        earning=_earning(top.table("points")) if "points" in top else None,
        promotions=tuple(read_promotion(entry) for entry in top.tables("promotion", most=PROMOTIONS_MAX)),
        presales=tuple(read_presales(top)),
        list_price_basis=head.words("list_price_basis") if "list_price_basis" in head else None,
        draws=tuple(read_draw(entry, _burst(phases)) for entry in top.tables("draw", most=DRAWS_MAX)),
        group_buys=tuple(read_group_buy(entry) for entry in top.tables("group_buy", most=GROUP_BUYS_MAX)),
        price_protection=_price_protection(top.table("price_protection")) if "price_protection" in top else None,
    )
    head.done()
    return definition


def _burst(phases: tuple[Phase, ...]) -> tuple[datetime, datetime]:
    """From when to when the sale is open; some time, where that is faulty."""
    burst = next((phase for phase in phases if phase.name is PhaseName.BURST), None)
    return (burst.starts_at, burst.ends_at) if burst else (SOME_START, SOME_START)


def _set_currency(head: Table, notes: Notes) -> None:
    currency = head.text("currency", default="CNY")
    if currency in currencies():
        notes.currency = currency
    else:
        head.fault("currency", f'"{currency}" is not a currency; write its three letters (ISO 4217), like "CNY"')


def _set_start(head: Table, notes: Notes, now: datetime, option: str | None) -> None:
    if option is not None:
        head.know("start")
        notes.start = rules.start_of(option, now)
        if notes.start is None:
            head.fault("start", f'"{option}" (--start) is not a time; give now, now+10m or 2026-11-11T00:00:00+08:00')
    elif "start" in head:
        raw = head.raw("start")
        notes.start = rules.start_of(raw, now) if isinstance(raw, str) else head.moment("start")
        if notes.start is None and isinstance(raw, str):
            head.fault("start", f'"{raw}" is not a time; write 2026-11-11T00:00:00+08:00, "now" or "now+10m"')


def _phases(table: Table) -> Iterator[Phase]:
    for name in PhaseName:
        phase = table.table(name.value)
        starts_at, ends_at = phase.moment("starts_at"), phase.moment("ends_at")
        phase.done()
        if starts_at is not None and ends_at is not None:
            yield Phase(name=name, starts_at=starts_at, ends_at=ends_at)
    table.done()


def _goals(table: Table, notes: Notes) -> Iterator[Goal]:
    for kind, (unit, at_least) in GOALS.items():
        if kind.value in table and (target := _target(table, kind.value, unit, notes)) is not None:
            yield Goal(kind=kind, target=target, unit=unit, at_least=at_least)
    table.done()


def _target(table: Table, key: str, unit: GoalUnit, notes: Notes) -> int | None:
    if unit is GoalUnit.COUNT:
        return table.count(key)
    text = table.text(key)
    target: int | str
    match unit:
        case GoalUnit.MONEY:
            target = minor_units(text, notes.currency)
        case GoalUnit.BASIS_POINTS:
            target = basis_points(text)
        case GoalUnit.MILLISECONDS:
            target = duration(text, 1, "ms")
        case GoalUnit.MINUTES:
            target = duration(text, 60_000, "minutes")
    if isinstance(target, int):
        return target
    if text:
        table.fault(key, target)
    return None


def _owner(table: Table) -> Owner:
    owner = Owner(role=table.text("role"), name=table.text("name"), contact=table.text("contact"))
    table.done()
    return owner


def _goods(table: Table) -> GoodsEntry:
    entry = GoodsEntry(
        sku=table.text("sku"),
        name=table.words("name"),
        description=table.words("description"),
        category=table.text("category"),
        brand=table.text("brand"),
        list_price=table.money("list_price"),
        picture=table.text("picture", default=""),
        shop=table.text("shop", default=""),
        floor=table.amount("floor", needed=False) or 0,
        cost=table.amount("cost", needed=False) or 0,
    )
    table.done()
    return entry


def _offer(table: Table) -> Offer:
    kind = table.choice("kind", OfferKind, OfferKind.DISCOUNT)
    offer = Offer(
        sku=table.text("sku"),
        kind=kind,
        price=table.money("price"),
        quota=table.count("quota"),
        per_buyer=table.count("per_buyer", default=0),
        coupons=table.flag("coupons", default=kind is not OfferKind.FLASH),
    )
    table.done()
    return offer


def _limit(table: Table) -> Limit:
    limit = Limit(
        name=table.text("name"),
        skus=table.texts("skus"),
        per_buyer=table.count("per_buyer", default=0),
        per_device=table.count("per_device", default=0),
        per_address=table.count("per_address", default=0),
        per_instrument=table.count("per_instrument", default=0),
        label=table.words("label"),
    )
    for_all = table.flag("all", default=False)
    if bool(limit.skus) == for_all:
        table.fault("skus", "write either skus = [...] or all = true")
    table.done()
    return limit


def _shipping(table: Table) -> Shipping:
    shipping = Shipping(fee=table.money("fee"), free_from=table.amount("free_from", needed=False))
    table.done()
    return shipping


def _earning(table: Table) -> Earning:
    earning = Earning(
        paid=table.money("paid"), points=table.count("earns"), per_order=table.count("most_per_order", default=0)
    )
    table.done()
    return earning


def _returns(table: Table) -> Returns:
    gifts = table.choice("gifts", GiftPolicy, GiftPolicy.KEEP)
    returns = Returns(days=table.count("days"), text=table.words("text"), gifts=gifts)
    table.done()
    return returns


def _price_protection(table: Table) -> PriceProtection:
    protection = PriceProtection(days=table.count("days"), goods=read_selection(table))
    table.done()
    return protection
