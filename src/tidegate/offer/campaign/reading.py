"""Reads typed values out of a raw definition and notes every fault, so that a person sees all of them at once."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from typing import TypeVar

from babel.numbers import get_currency_precision, list_currencies

from tidegate.offer.campaign.contracts import AMOUNT_MAX, QUANTITY_MAX, Fault, Words
from tidegate.offer.campaign.moments import moment
from tidegate.offer.campaign.positions import Path

TEXT_MAX = 2_000
LONG_TEXT_MAX = 20_000
SOME_START = datetime(2026, 1, 1, tzinfo=UTC)

_AMOUNT = re.compile(r"(\d{1,12})(?:\.(\d+))?", re.ASCII)
_PERCENT = re.compile(r"(\d{1,6})(?:\.(\d{1,2}))?\s*%", re.ASCII)
_DURATION = re.compile(r"(\d{1,9})(?:\.(\d{1,3}))?\s*(ms|s|min|h)", re.ASCII)
_MILLISECONDS = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000}
_COUNT = re.compile(r"\d{1,12}", re.ASCII)
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

E = TypeVar("E", bound=StrEnum)


def _number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


@cache
def currencies() -> frozenset[str]:
    """ISO 4217 codes that are known."""
    return frozenset(list_currencies())


def minor_units(text: str, currency: str) -> int | str:
    """A decimal such as "12.00" in minor units of the currency, or what is wrong with it."""
    digits = get_currency_precision(currency)
    found = _AMOUNT.fullmatch(text)
    if not found:
        return f'"{text}" is not an amount of money; write digits and a point, like "12.00"'
    whole, decimals = found[1], found[2] or ""
    if len(decimals) > digits:
        plural = "decimal" if len(decimals) == 1 else "decimals"
        return f'"{text}" has {_number(len(decimals))} {plural}; {currency} has {_number(digits)}'
    amount = int(whole + decimals.ljust(digits, "0"))
    return amount if amount <= AMOUNT_MAX else f'"{text}" is too much; the most is {AMOUNT_MAX // 10**digits}'


def basis_points(text: str) -> int | str:
    """A share such as "99.5 %" in basis points, or what is wrong with it."""
    found = _PERCENT.fullmatch(text)
    if not found:
        return f'"{text}" is not a percentage with at most two decimals; write it like "99.5 %"'
    return int(found[1] + (found[2] or "").ljust(2, "0"))


def duration(text: str, milliseconds: int, unit: str) -> int | str:
    """A duration such as "2 s" in whole units of so many milliseconds, or what is wrong with it."""
    found = _DURATION.fullmatch(text)
    if not found:
        return f'"{text}" is not a duration; write it like "2 s", "50 ms" or "10 min"'
    thousandths = int(found[1] + (found[2] or "").ljust(3, "0"))
    exact, rest = divmod(thousandths * _MILLISECONDS[found[3]], 1000 * milliseconds)
    return f'"{text}" is too fine; whole {unit} are counted here' if rest else exact


class Notes:
    """Faults as they are found, and what every value is read against."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.currency = "CNY"
        self.start: datetime | None = None
        self.start_used = False

    def add(self, path: Path, message: str) -> None:
        """Note a fault."""
        self.faults.append(Fault(path=path, message=message))


class Table:
    """One table of the raw definition. Each method reads one key: its value, or a fault noted and a stand-in."""

    def __init__(self, notes: Notes, path: Path, raw: object, *, from_csv: bool = False) -> None:
        self._notes = notes
        self._path = path
        self._from_csv = from_csv
        self._known: set[str] = set()
        self._is_table = isinstance(raw, Mapping)
        if not self._is_table:
            notes.add(path, f"is {_kind(raw)}; a table is needed here")
        self._raw: Mapping[str, object] = raw if isinstance(raw, Mapping) else {}

    def __contains__(self, key: str) -> bool:
        self._known.add(key)
        return key in self._raw

    def fault(self, key: str, message: str) -> None:
        """Note a fault at a key."""
        self._notes.add((*self._path, key), message)

    def _get(self, key: str, wanted: type, words: str, *, needed: bool = True) -> object:
        self._known.add(key)
        value = self._raw.get(key)
        if value is None:
            if needed:
                self.fault(key, f"is missing; {words} is needed here")
            return None
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            self.fault(key, f"is {_kind(value)}; {words} is needed here")
            return None
        return value

    def text(self, key: str, *, default: str | None = None, most: int = TEXT_MAX) -> str:
        """A text that is not empty."""
        value = self._get(key, str, "a text in quotes", needed=default is None)
        if not isinstance(value, str):
            return default or ""
        if not value.strip() and default is None:
            self.fault(key, "is empty; a text is needed here")
        if len(value) > most:
            self.fault(key, f"has {len(value)} characters; the most is {most}")
        return value.strip()

    def words(self, key: str, *, most: int = TEXT_MAX) -> Words:
        """A text in both languages: { zh = "...", en = "..." }."""
        if key not in self:
            self.fault(key, 'is missing; write both languages, { zh = "...", en = "..." }')
            return Words("", "")
        if isinstance(self._raw[key], str):
            self.fault(key, 'is one text; write both languages, { zh = "...", en = "..." }')
            return Words("", "")
        table = Table(self._notes, (*self._path, key), self._raw[key])
        words = Words(table.language("zh", "Chinese", most), table.language("en", "English", most))
        table.done()
        return words

    def language(self, key: str, name: str, most: int) -> str:
        """One of the two languages of a text."""
        if key not in self or self._raw[key] == "":
            if self._is_table:
                self.fault(key, f"has no {name} text; every text stands in Chinese and English")
            return ""
        return self.text(key, most=most)

    def amount(self, key: str, *, needed: bool = True) -> int | None:
        """Money, a decimal in quotes; in minor units. None if it is not there or faulty."""
        self._known.add(key)
        value = self._raw.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            self.fault(key, f'is a bare number; write money in quotes, like "{value:.2f}", so that no digit is lost')
            return None
        text = self._get(key, str, 'money in quotes, like "12.00",', needed=needed)
        if not isinstance(text, str) or (not needed and not text.strip()):
            return None
        amount = minor_units(text.strip(), self._notes.currency)
        if isinstance(amount, str):
            self.fault(key, amount)
            return None
        return amount

    def money(self, key: str) -> int:
        """Money that must be there; 0 stands in for a faulty one."""
        return self.amount(key) or 0

    def share(self, key: str) -> int:
        """A percentage in quotes that must be there, in basis points; 0 stands in for a faulty one."""
        text = self.text(key)
        found = basis_points(text) if text else 0
        if isinstance(found, str):
            self.fault(key, found)
            return 0
        return found

    def count(self, key: str, *, default: int | None = None) -> int:
        """A whole number from 0 on."""
        raw = self._raw.get(key)
        if self._from_csv and isinstance(raw, str):
            return self._count_in_csv(key, raw.strip(), default)
        value = self._get(key, int, "a whole number", needed=default is None)
        if not isinstance(value, int):
            return default or 0
        if not 0 <= value <= QUANTITY_MAX:
            self.fault(key, f"{value} is out of range; it may be 0 to {QUANTITY_MAX}")
            return 0
        return value

    def _count_in_csv(self, key: str, text: str, default: int | None) -> int:
        self._known.add(key)
        if not text and default is not None:
            return default
        if not _COUNT.fullmatch(text) or int(text) > QUANTITY_MAX:
            self.fault(key, f'"{text}" is not a whole number from 0 to {QUANTITY_MAX}')
            return 0
        return int(text)

    def flag(self, key: str, *, default: bool) -> bool:
        """true or false."""
        raw = self._raw.get(key)
        if self._from_csv and isinstance(raw, str):
            self._known.add(key)
            if raw.strip() not in {"", "true", "false"}:
                self.fault(key, f'"{raw}" is neither true nor false')
            return default if not raw.strip() else raw.strip() == "true"
        value = self._get(key, bool, "true or false", needed=False)
        return value if isinstance(value, bool) else default

    def choice(self, key: str, choices: type[E], default: E) -> E:
        """One of several words; `default` also where the key is missing."""
        if key not in self or self._raw[key] == "":
            return default
        return self.one_of((*self._path, key), self._raw[key], choices) or default

    def choices(self, key: str, choices: type[E], default: E) -> tuple[E, ...]:
        """A list of such words."""
        if key not in self:
            return (default,)
        entries = self._get(key, list, "a list")
        if not isinstance(entries, list):
            return (default,)
        found = [self.one_of((*self._path, key, place), entry, choices) for place, entry in enumerate(entries)]
        return tuple(entry for entry in found if entry is not None) or (default,)

    def one_of(self, path: Path, value: object, choices: type[E]) -> E | None:
        """The choice that `value` names."""
        known = [choice.value for choice in choices]
        if isinstance(value, str) and value in known:
            return choices(value)
        near = meant(value, known) if isinstance(value, str) else ""
        self._notes.add(path, f"{_shown(value)} is not known{near or f'; it may be {_or(known)}'}")
        return None

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; empty where the key is missing."""
        entries = self._get(key, list, "a list of texts in quotes", needed=False)
        if not isinstance(entries, list):
            return ()
        for place, entry in enumerate(entries):
            if not isinstance(entry, str):
                self._notes.add((*self._path, key, place), f"is {_kind(entry)}; a text in quotes is needed here")
        return tuple(entry for entry in entries if isinstance(entry, str))

    def moment(self, key: str) -> datetime | None:
        """A time: absolute with its zone, or relative to the festival's start. None if it is not there or faulty."""
        self._known.add(key)
        value = self._raw.get(key)
        if isinstance(value, datetime) and value.tzinfo is not None:
            return value.astimezone(UTC)
        example = "2026-11-11T00:00:00+08:00"
        match value:
            case None:
                self.fault(key, f'is missing; a time is needed here, like {example} or "start+7d"')
            case datetime() | date() | time():
                self.fault(key, f"{value} names no full time with its zone; write {example}")
            case str():
                return self._relative(key, value)
            case _:
                self.fault(key, f'is {_kind(value)}; a time is needed here, like {example} or "start+7d"')
        return None

    def _relative(self, key: str, text: str) -> datetime | None:
        found = moment(text, self._notes.start or SOME_START)
        if found is None:
            self.fault(key, f'"{text}" is not a time; write 2026-11-11T00:00:00+08:00, "start", "start+7d12h"')
            return None
        self._notes.start_used = True
        if self._notes.start is None:
            self.fault(key, f'"{text}" counts from the start; set campaign.start, or publish with --start')
            return None
        return found

    def table(self, key: str) -> "Table":
        """A table within; a fault if it is missing."""
        if key not in self:
            self._notes.add((*self._path, key), "is missing; this table is needed")
            return Table(self._notes, (*self._path, key), {})
        return Table(self._notes, (*self._path, key), self._raw[key])

    def tables(self, key: str, *, most: int, csv_from: int | None = None) -> Iterator["Table"]:
        """A list of tables within; those from place `csv_from` on came from a CSV file."""
        self._known.add(key)
        entries = self._raw.get(key, [])
        if not isinstance(entries, list):
            self.fault(key, f"is {_kind(entries)}; write [[{key}]], once for each")
            return
        if len(entries) > most:
            self.fault(key, f"stands here {len(entries)} times; the most is {most}")
            return
        for place, entry in enumerate(entries):
            from_csv = csv_from is not None and place >= csv_from
            yield Table(self._notes, (*self._path, key, place), entry, from_csv=from_csv)

    def raw(self, key: str) -> object:
        """What stands at a key, as it is."""
        self._known.add(key)
        return self._raw.get(key)

    def know(self, *keys: str) -> None:
        """These keys are read elsewhere."""
        self._known.update(keys)

    def know_all(self) -> None:
        """Whatever stands here is taken as known."""
        self._known.update(self._raw)

    def done(self) -> None:
        """Everything that this table may hold was read: what is left is not known."""
        for key in self._raw.keys() - self._known:
            near = meant(key, self._known)
            self.fault(key, f"is not known here{near or f'; what may stand here: {_or(sorted(self._known))}'}")


def meant(word: str, known: Iterable[str]) -> str:
    """What `word` may have been meant to be, as the end of a sentence; empty if nothing is near."""
    close = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f'; did you mean "{close[0]}"?' if close else ""


def _or(words: list[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0] if words else "nothing"


def _shown(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


def _kind(value: object) -> str:
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "true or false"),
        (str, "a text"),
        ((int, float), "a number"),
        ((datetime, date, time), "a time"),
        (list, "a list"),
        (Mapping, "a table"),
    )
    return next((words for kind, words in kinds if isinstance(value, kind)), "nothing that is known")
