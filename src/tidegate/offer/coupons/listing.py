"""Codes that come in a file: read with their lines, and judged as a whole before any of them is taken. Pure."""

import csv
from collections.abc import Collection, Iterable, Sequence

from tidegate.offer.campaign.contracts import CODES_MAX
from tidegate.offer.coupons.codes import coupon_name, tidy
from tidegate.offer.coupons.contracts import CodeFault, CodeLine, CodeWrong
from tidegate.offer.coupons.errors import CodesFaulty

FAULTS_SHOWN = 10
_CODE_SHOWN = 40

_SAID = {
    CodeWrong.TWICE: "stands here twice",
    CodeWrong.FOREIGN: "is no code of {name}",
    CodeWrong.MISTYPED: "is mistyped: its letters do not fit each other",
    CodeWrong.KNOWN: "exists already",
    CodeWrong.NO_COLUMN: 'the file has no column "code"',
    CodeWrong.NOT_CSV: "the file is not CSV in UTF-8",
    CodeWrong.NUMBER: f"a file has 1 to {CODES_MAX:,} codes",
}


def read_codes(text: Iterable[str]) -> list[CodeLine]:
    """Return the column "code" of a CSV text, each code with its line. Raises CodesFaulty."""
    line = 0
    try:
        rows = csv.DictReader(text, strict=True)
        if "code" not in (rows.fieldnames or ()):
            raise faulty([CodeFault(line=1, why=CodeWrong.NO_COLUMN)])
        found, line = [], rows.line_num
        for row in rows:
            line = rows.line_num
            found.append(CodeLine(line, row["code"] or ""))
    except (UnicodeDecodeError, csv.Error) as fault:
        raise faulty([CodeFault(line=line + 1, why=CodeWrong.NOT_CSV)]) from fault
    return found


def not_utf8(line: int) -> CodesFaulty:
    """Return the refusal of a file that is no text from this line on."""
    return faulty([CodeFault(line=line, why=CodeWrong.NOT_CSV)])


def require_sound(lines: Sequence[CodeLine], name: str, most: int = CODES_MAX) -> list[str]:
    """Return the codes of a file for this coupon, tidied. Raises CodesFaulty with the first ten faults."""
    if not 1 <= len(lines) <= most:
        raise faulty([CodeFault(line=len(lines), why=CodeWrong.NUMBER)], name)
    faults: list[CodeFault] = []
    seen: dict[str, None] = {}
    for line, text in lines:
        code = tidy(text)
        why = _wrong(code, name, seen)
        if why is not None:
            faults.append(CodeFault(line=line, code=code[:_CODE_SHOWN], why=why))
            if len(faults) == FAULTS_SHOWN:
                break
        seen[code] = None
    if faults:
        raise faulty(faults, name)
    return list(seen)


def _wrong(code: str, name: str, seen: Collection[str]) -> CodeWrong | None:
    if code in seen:
        return CodeWrong.TWICE
    if code != name and coupon_name(code) == name:
        return None
    return CodeWrong.MISTYPED if code.rpartition("-")[0] == name else CodeWrong.FOREIGN


def known_already(lines: Sequence[CodeLine], known: Collection[str], name: str) -> CodesFaulty:
    """Return the refusal of a file that names codes which exist already, each with its line."""
    places = {tidy(text): line for line, text in lines}
    found = sorted((places[code], code) for code in known)
    return faulty([CodeFault(line=line, code=code, why=CodeWrong.KNOWN) for line, code in found], name)


def faulty(faults: Sequence[CodeFault], name: str = "") -> CodesFaulty:
    """Return the refusal of a file with these faults, each said with its line."""
    said = "; ".join(_said(each, name) for each in faults)
    return CodesFaulty(f"The file cannot be taken: {said}. Nothing was taken.", faults=list(faults))


def _said(fault: CodeFault, name: str) -> str:
    words = _SAID[fault.why].format(name=name)
    if fault.why is CodeWrong.NUMBER:
        return f"{words}, this one {fault.line:,}"
    if fault.why in {CodeWrong.NO_COLUMN, CodeWrong.NOT_CSV}:
        return f"line {fault.line}: {words}"
    return f"line {fault.line}: {fault.code or 'nothing'} {words}"
