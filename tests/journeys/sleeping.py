"""A phone that falls asleep: what its page does then and afterwards, in a real browser."""

import time

from playwright.sync_api import Page

from tidegate.gate.queue.contracts import PLACE_COOKIE
from tidegate.gate.queue.presence import LEASE


class Sleeper:
    """A second phone, whose page is frozen and without a network while it sleeps, as a phone's in a pocket is."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.number = ""
        self.away_at = 0.0
        """When its lease is over, in seconds since 1970."""
        self._devtools = page.context.new_cdp_session(page)

    def sleep(self) -> None:
        """Stop the page's timers and its network."""
        self.page.context.set_offline(True)
        self._devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
        half_seconds = LEASE.total_seconds() / 2  # a sign of life holds to the end of the half after its own
        self.away_at = (time.time() // half_seconds + 2) * half_seconds

    def wake(self) -> None:
        """Let the page go on; its network comes a moment later, as it does on a phone. Nothing is touched or loaded."""
        self._devtools.send("Page.setWebLifecycleState", {"state": "active"})
        self.page.bring_to_front()
        time.sleep(0.5)
        self.page.context.set_offline(False)

    def place(self) -> str | None:
        """The signed place that the browser keeps."""
        return next(
            (each.get("value") for each in self.page.context.cookies() if each.get("name") == PLACE_COOKIE), None
        )
