"""Reads a shop's order log, line by line and invoice by invoice, never all of it at once."""

import csv
import gzip
import hashlib
import io
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import IO
from zlib import error as PackingError  # noqa: N812  the module names it in small letters, as a function

import msgspec

from tidegate.watch.rehearsal.contracts import Dialect, Invoice, Kind, LogLine
from tidegate.watch.rehearsal.errors import LogNotReadable

_DATE_FORMATS = ("%m/%d/%Y %H:%M", "%m/%d/%y %H:%M", "%d.%m.%Y %H:%M", "%Y/%m/%d %H:%M")
_ROW_CHARACTERS_MAX = 100_000
_PRICE_BELOW = 10**9
_PRICE_DECIMALS_MAX = 8
_QUANTITY_MAX = 10**9
"""Within these, quantity times price is exact in 28 digits, and fits the catalogue and the stock of a campaign."""
Progress = Callable[[int], None]


def parse_map(text: str, dialect: Dialect | None = None) -> Dialect:
    """Return the dialect of a mapping such as `invoice=InvoiceNo,code=StockCode`; unknown names are refused."""
    changes = {}
    for pair in filter(None, text.split(",")):
        name, separator, column = (part.strip() for part in pair.partition("="))
        if not separator or not column or name not in Dialect.__struct_fields__:
            known = ", ".join(Dialect.__struct_fields__)
            raise LogNotReadable(f"The mapping “{pair}” is not of the form name=column with a name of: {known}.")
        changes[name] = column
    return msgspec.structs.replace(dialect or Dialect(), **changes)


def read_lines(path: Path, dialect: Dialect, progress: Progress = lambda _: None) -> Iterator[LogLine]:
    """Yield the lines of the log at `path` (plain or gzip). `progress` is told the bytes of the file read so far.

    Empty rows, as spreadsheets leave them at the end, are none; characters that no database keeps are left out.

    Raises LogNotReadable with the row and the column that are wrong.
    """
    csv.field_size_limit(_ROW_CHARACTERS_MAX)
    try:
        with path.open("rb") as raw, _unpacked(raw, path) as unpacked:
            rows = csv.reader(_decoded(unpacked, dialect.encoding))
            places = _places(next(rows, []), dialect)
            for number, row in enumerate(rows, start=2):
                if number % 2048 == 0:
                    progress(raw.tell())
                if any(cell.strip() for cell in row):
                    yield _line(_kept(row), number, places)
            progress(raw.tell())
    except UnicodeError as fault:
        raise LogNotReadable(
            f"{path.name} is not written in {dialect.encoding}. Name its encoding, for example --encoding latin-1."
        ) from fault
    except (OSError, EOFError, PackingError, csv.Error) as fault:
        raise LogNotReadable(f"{path} cannot be read: {fault}.") from fault


def invoices(lines: Iterator[LogLine], dialect: Dialect, limit: int | None = None) -> Iterator[Invoice]:
    """Yield adjacent lines of one number as an invoice, the first `limit` of them. Holds one invoice at a time."""
    parts: Counter[str] = Counter()
    for place, (number, group) in enumerate(groupby(lines, key=lambda line: line.invoice)):
        if limit is not None and place >= limit:
            return
        parts[number] += 1
        members = tuple(group)
        yield Invoice(
            number=number,
            part=parts[number],
            kind=kind_of(number, dialect),
            customer=members[0].customer,
            at=members[0].at,
            lines=members,
        )


def kind_of(number: str, dialect: Dialect) -> Kind:
    """Tell a sale, a cancellation and a bookkeeping entry apart by the prefix of the invoice number."""
    if dialect.cancellation_prefix and number.startswith(dialect.cancellation_prefix):
        return Kind.CANCELLATION
    if dialect.adjustment_prefix and number.startswith(dialect.adjustment_prefix):
        return Kind.ADJUSTMENT
    return Kind.SALE


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of the file, in hexadecimal."""
    try:
        with path.open("rb") as raw:
            return hashlib.file_digest(raw, "sha256").hexdigest()
    except OSError as fault:
        raise LogNotReadable(f"{path} cannot be read: {fault.strerror}.") from fault


def _unpacked(raw: IO[bytes], path: Path) -> gzip.GzipFile | IO[bytes]:
    return gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw


def _decoded(raw: gzip.GzipFile | IO[bytes], encoding: str) -> io.TextIOWrapper:
    try:
        return io.TextIOWrapper(raw, encoding=encoding, newline="")
    except LookupError as fault:
        raise LogNotReadable(
            f"There is no encoding {encoding!r}. Try --encoding utf-8 or --encoding latin-1."
        ) from fault


def _kept(row: list[str]) -> list[str]:
    """Return a row without NUL and without halves of surrogate pairs, which some encodings bring along."""
    text = "".join(row)
    if text.isascii() and "\0" not in text:
        return row
    return [cell.replace("\0", "").encode(errors="ignore").decode() for cell in row]


def _places(header: list[str], dialect: Dialect) -> tuple[int, ...]:
    names = (dialect.invoice, dialect.code, dialect.description, dialect.quantity, dialect.at, dialect.price)
    missing = [name for name in (*names, dialect.customer) if name not in header]
    if missing:
        raise LogNotReadable(
            f"The log has no column {', '.join(missing)}; it has {', '.join(header) or 'none'}. "
            "Name its columns with --map, for example --map invoice=Order,price=Amount."
        )
    return tuple(header.index(name) for name in (*names, dialect.customer))


def _line(row: list[str], number: int, places: tuple[int, ...]) -> LogLine:
    try:
        invoice, code, description, quantity, at, price, customer = (row[place].strip() for place in places)
        return LogLine(
            row=number,
            invoice=invoice,
            code=code,
            description=description,
            quantity=_quantity(quantity),
            price=_price(price),
            at=_moment(at),
            customer=customer.removesuffix(".0"),
        )
    except (ValueError, ArithmeticError, IndexError) as fault:
        raise LogNotReadable(f"Row {number} of the log is not an order line ({fault}): {row!r:.200}.") from fault


@lru_cache(maxsize=4096)
def _price(text: str) -> Decimal:
    price = Decimal(text)
    if not price.is_finite():
        raise ValueError(f"price {text!r}")
    if abs(price) >= _PRICE_BELOW or price != round(price, _PRICE_DECIMALS_MAX):
        raise ValueError(f"price {text!r} has more than 9 digits before the point or {_PRICE_DECIMALS_MAX} behind it")
    return price


def _quantity(text: str) -> int:
    quantity = int(text)
    if abs(quantity) > _QUANTITY_MAX:
        raise ValueError(f"quantity beyond {_QUANTITY_MAX:,}")
    return quantity


@lru_cache(maxsize=1024)
def _moment(text: str) -> datetime:
    try:
        return _utc(datetime.fromisoformat(text))
    except ValueError:
        for form in _DATE_FORMATS:
            try:
                return _utc(datetime.strptime(text, form))  # noqa: DTZ007  a log's times have no zone: taken as UTC
            except ValueError:
                continue
        raise


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
