"""Keeps pages that are the same for everyone for two seconds, and parts of pages while what they show is equal.

A flood reads one rendering, not ten thousand.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from markupsafe import Markup

Page = TypeVar("Page")

LIFE_SECONDS = 2.0
PAGES_MAX = 500
PARTS_MAX = 2_000


class PageCache(Generic[Page]):
    """At most `PAGES_MAX` pages, the least recently made go first. Who asks while a page is being made waits for it."""

    def __init__(self, life_seconds: float = LIFE_SECONDS, pages_max: int = PAGES_MAX) -> None:
        self._life_seconds = life_seconds
        self._pages_max = pages_max
        self._pages: OrderedDict[Hashable, tuple[float, Page]] = OrderedDict()
        self._making: dict[Hashable, asyncio.Task[Page]] = {}

    async def get(self, key: Hashable, make: Callable[[], Awaitable[Page]]) -> Page:
        """Return the page kept under `key`, or make it. What `make` raises is raised to all who wait for it."""
        found = self._pages.get(key)
        # The machine's own monotonic time, not the clock: how long a copy may serve is no event of the festival.
        if found is not None and time.monotonic() < found[0]:
            return found[1]
        making = self._making.get(key)
        if making is None:
            making = self._making[key] = asyncio.ensure_future(self._make(key, make))
        return await asyncio.shield(making)

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[Page]]) -> Page:
        try:
            page = await make()
        finally:
            del self._making[key]
        self._pages[key] = (time.monotonic() + self._life_seconds, page)
        self._pages.move_to_end(key)
        while len(self._pages) > self._pages_max:
            self._pages.popitem(last=False)
        return page


class PartCache:
    """At most `PARTS_MAX` parts of pages, the first written go first.

    In a template: `{% call kept(every value that stands in it) %}part{% endcall %}`.
    """

    def __init__(self) -> None:
        self._parts: OrderedDict[Hashable, Markup] = OrderedDict()

    def __call__(self, *values: Hashable, caller: Callable[[], Markup]) -> Markup:
        """Return the part that is kept for these values, or write it."""
        part = self._parts.get(values)
        if part is None:
            part = caller()
            if len(self._parts) >= PARTS_MAX:
                self._parts.popitem(last=False)
            self._parts[values] = part
        return part
