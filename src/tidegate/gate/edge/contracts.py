"""The words of edge: what is asked for ahead of time and what the edge said of it; purges, and what became of them."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from tidegate.base.outbox import Event

PAGES_TAG = "tidegate-pages"
"""What every page of everybody is tagged with, where the edge purges by tag."""


class Kind(StrEnum):
    """What is kept at the edge."""

    FILE = "file"
    PICTURE = "picture"
    PAGE = "page"


class Ask(msgspec.Struct, frozen=True):
    """One thing to ask the edge for; a page once in each language."""

    kind: Kind
    path: str
    language: str = ""


class Kept(StrEnum):
    """What the edge's own headers say of an answer."""

    HIT = "hit"
    MISS = "miss"
    """Fetched from the application just now, and kept if the edge obeys what the answer states."""
    PASSED = "passed"
    """Passed on without being kept: the edge is told to leave this alone."""
    UNKNOWN = "unknown"
    """No header says anything of a cache."""
    PRIVATE = "private"
    """The answer is not for everyone; no shared cache may keep it."""


class Warmed(msgspec.Struct, frozen=True, kw_only=True):
    """How one request of a prewarming ended. `kept` is None where it failed, for the reason in `fault`."""

    ask: Ask
    edge: str
    kept: Kept | None
    bytes_read: int = 0
    fault: str = ""


class Purge(msgspec.Struct, frozen=True, kw_only=True):
    """The purge that a publication asked for: waiting, done or given up. `fault` is what the last try met."""

    purge_id: int
    campaign_id: str
    version: int
    asked_at: datetime
    tries: int
    pages: int
    done_at: datetime | None
    gave_up_at: datetime | None
    fault: str


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How hard a prewarming asks: at most so many at once, and so many a second."""

    at_once: int = 8
    a_second: int = 100


class EdgePurged(Event, frozen=True, kw_only=True):
    """The edge forgot the pages that a publication changed."""

    campaign_id: str
    version: int
    pages: int
    tries: int


class EdgePurgeFailed(Event, frozen=True, kw_only=True):
    """The edge did not take a purge, for the first time, or for the last: then nobody tries again by itself."""

    campaign_id: str
    version: int
    fault: str
    gave_up: bool


def pages_in(paths: Sequence[str], languages: Sequence[str]) -> list[Ask]:
    """Return each page once in each language."""
    return [Ask(Kind.PAGE, path, language) for path in paths for language in languages]
