"""Times that count from the festival's start: "start", "start+30m", "start-14d", "start+1d12h"."""

import re
from datetime import UTC, datetime, timedelta

_RELATIVE = re.compile(r"start(?:\s*([+-])\s*((?:\d{1,6}\s*[dhms]\s*)+))?", re.ASCII)
_SPAN = re.compile(r"(\d+)\s*([dhms])", re.ASCII)
_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


_YEARS = range(1970, 9_000)
"""Times beyond cannot be told in every zone, and no festival is there."""


def absolute(found: datetime) -> datetime | None:
    """A time with its zone, in UTC; None if it is out of reach."""
    return found.astimezone(UTC) if found.year in _YEARS else None


def moment(text: str, start: datetime) -> datetime | None:
    """The instant that `text` means when the festival starts at `start`; None if it is not such a time."""
    found = _RELATIVE.fullmatch(text.strip())
    if not found:
        return None
    seconds = sum(int(count) * _SECONDS[unit] for count, unit in _SPAN.findall(found[2] or ""))
    try:
        return absolute(start + timedelta(seconds=-seconds if found[1] == "-" else seconds))
    except OverflowError:
        return None
