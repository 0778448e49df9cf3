"""Earlier prices from a CSV file: from a shop's former system, so that the law's questions have answers on day one."""

import csv
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from babel.numbers import get_currency_precision, list_currencies

from tidegate.offer.history.contracts import PRICE_MAX, UNITS_MAX, Entry, EntryKind
from tidegate.offer.history.errors import PricesFaulty

COLUMNS = ("kind", "sku", "shop", "currency", "price", "units", "at", "until")
OPTIONAL = frozenset({"shop", "units", "until"})
ROWS_MAX = 2_000_000
FAULTS_MAX = 100


def read_prices(text: str, source: str, *, now: datetime, place_of: Callable[[str], str]) -> list[Entry]:
    """The entries of a CSV text with the columns `kind,sku,shop,currency,price,units,at,until`.

    Prices are in the currency's major unit, times are ISO 8601 with their zone and lie in the past. `units` is for
    deals, `until` for the others. Raises PricesFaulty with every fault, up to a hundred.
    """
    rows = csv.DictReader(text.removeprefix("\ufeff").splitlines())
    header = [name.strip() for name in rows.fieldnames or ()]
    faults = [f"row 1: column {name} is missing" for name in COLUMNS if name not in header and name not in OPTIONAL]
    faults += [f"row 1: column {name} is not known" for name in header if name not in COLUMNS]
    if faults:
        raise PricesFaulty(faults)
    entries: list[Entry] = []
    for number, row in _numbered(rows):
        if number > ROWS_MAX:
            faults.append(f"row {number}: a file has at most {ROWS_MAX:,} rows; split it")
            break
        try:
            entries.append(_entry(row, source, now, place_of))
        except ValueError as fault:
            faults.append(f"row {number}: {fault}")
        if len(faults) == FAULTS_MAX:
            break
    if faults:
        raise PricesFaulty(faults)
    return sorted(entries, key=lambda entry: entry.at)


def _numbered(rows: "csv.DictReader[str]") -> Iterator[tuple[int, dict[str, str]]]:
    for row in rows:
        yield rows.line_num, {name.strip(): (cell or "").strip() for name, cell in row.items() if isinstance(name, str)}


def _entry(row: dict[str, str], source: str, now: datetime, place_of: Callable[[str], str]) -> Entry:
    kind, currency = _kind(row["kind"]), row["currency"]
    if not row["sku"]:
        raise ValueError("sku is empty")
    if currency not in list_currencies():
        raise ValueError(f'currency "{currency}" is not one of ISO 4217')
    at, until = _moment("at", row["at"]), _moment("until", row["until"]) if row.get("until") else None
    if at > now:
        raise ValueError(f"at {row['at']} lies in the future; only what happened is history")
    if until is not None and (kind is EntryKind.DEAL or until <= at):
        raise ValueError("until is for prices that were in force, and after at")
    return Entry(
        kind=kind,
        sku=row["sku"],
        shop=row.get("shop", ""),
        place=place_of(currency),
        currency=currency,
        price=_price(row["price"], currency),
        units=_units(row.get("units", "")) if kind is EntryKind.DEAL else 0,
        at=at,
        until=until,
        source=source,
    )


def _kind(text: str) -> EntryKind:
    try:
        return EntryKind(text)
    except ValueError:
        raise ValueError(f'kind "{text}" is none of {", ".join(EntryKind)}') from None


def _price(text: str, currency: str) -> int:
    try:
        minor = Decimal(text).scaleb(get_currency_precision(currency))
    except InvalidOperation:
        raise ValueError(f'price "{text}" is not a number') from None
    if not minor.is_finite() or minor != minor.to_integral_value() or not 0 <= minor <= PRICE_MAX:
        raise ValueError(f'price "{text}" is not an amount of {currency}')
    return int(minor)


def _units(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:12]) <= UNITS_MAX:
        raise ValueError(f'units "{text}" is not a number of units sold')
    return int(text)


def _moment(name: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f'{name} "{text}" is not a time; write 2026-10-01T12:00:00+08:00') from None
    if moment.tzinfo is None:
        raise ValueError(f'{name} "{text}" has no zone; write 2026-10-01T12:00:00+08:00')
    return moment.astimezone(UTC)
