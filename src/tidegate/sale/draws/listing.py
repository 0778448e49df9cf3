"""A file that says how many prizes were given at once: read with its lines, before anything is recorded. Pure."""

import csv
from collections.abc import Iterable, Sequence

from tidegate.sale.draws.contracts import GIVEN_AT_ONCE_MAX, GivenFault, GivenLine, GivenWrong
from tidegate.sale.draws.errors import GivenFaulty

FAULTS_SHOWN = 10
_SERIAL_DIGITS_MAX = 15
_SAID = {
    GivenWrong.NO_PRIZE: "no prize of this draw has this serial",
    GivenWrong.ENDED: "it was given or forfeited already",
    GivenWrong.TWICE: "this serial stands in the file twice",
    GivenWrong.NO_COLUMN: "the first line names no columns serial and note",
    GivenWrong.NOT_CSV: "it cannot be read as CSV in UTF-8",
    GivenWrong.NUMBER: f"a file has notes for 1 to {GIVEN_AT_ONCE_MAX:,} prizes",
}


def read_given(text: Iterable[str]) -> list[GivenLine]:
    """Return the serials with a note of a CSV text, with their lines; one without a note is left out.

    Raises GivenFaulty.
    """
    line = 0
    try:
        rows = csv.DictReader(text, strict=True)
        if not {"serial", "note"}.issubset(rows.fieldnames or ()):
            raise faulty([GivenFault(line=1, why=GivenWrong.NO_COLUMN)])
        found, line = [], rows.line_num
        for row in rows:
            line, note = rows.line_num, " ".join((row["note"] or "").split())
            if note:
                found.append(GivenLine(line, _serial(row["serial"] or ""), note))
    except (UnicodeDecodeError, csv.Error) as fault:
        raise faulty([GivenFault(line=line + 1, why=GivenWrong.NOT_CSV)]) from fault
    _require_distinct(found)
    return found


def _serial(text: str) -> int:
    """Return the serial that a field writes; -1, which no prize has, where it is none."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _SERIAL_DIGITS_MAX else -1


def _require_distinct(lines: Sequence[GivenLine]) -> None:
    if not 1 <= len(lines) <= GIVEN_AT_ONCE_MAX:
        raise faulty([GivenFault(line=len(lines), why=GivenWrong.NUMBER)])
    seen: set[int] = set()
    twice = []
    for each in lines:
        if each.serial in seen and each.serial >= 0:
            twice.append(GivenFault(line=each.line, why=GivenWrong.TWICE))
        seen.add(each.serial)
    if twice:
        raise faulty(twice)


def faulty(faults: Sequence[GivenFault]) -> GivenFaulty:
    """Return the refusal of a file with these faults; the first ten are told, each with its line."""
    shown = sorted(faults, key=lambda each: each.line)[:FAULTS_SHOWN]
    said = "; ".join(f"line {each.line}: {_SAID[each.why]}" for each in shown)
    return GivenFaulty(f"The file cannot be taken: {said}. Nothing was recorded.", faults=shown)
