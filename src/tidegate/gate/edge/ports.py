"""What edge takes from others: the shop's addresses, and the edge itself."""

from collections.abc import Callable, Sequence
from typing import Protocol

from tidegate.gate.edge.contracts import Ask, Pace, Warmed
from tidegate.offer.campaign.contracts import CampaignVersion

Heard = Callable[[Warmed], None]
"""Is told each answer as it comes."""


class Shopfront(Protocol):
    """The addresses of what is the same for everyone; the processes that serve it know them."""

    def files(self) -> Sequence[str]:
        """Return the built files: scripts, styles and what else pages load."""
        ...

    def pages(self, version: CampaignVersion) -> Sequence[str]:
        """Return the pages and snapshots of a version, without those of one goods each."""
        ...

    def goods_page(self, sku: str) -> str:
        """Return the page of one goods."""
        ...


class Purger(Protocol):
    """A way to have the edge forget pages."""

    async def purge(self, paths: Sequence[str]) -> None:
        """Have every edge forget these pages, in all languages and encodings. Raises PurgeRefused; may be repeated."""
        ...


class Warmer(Protocol):
    """A way to have the edge keep what it is asked for."""

    @property
    def edges(self) -> int:
        """How many edges there are: each is asked for everything."""
        ...

    async def warm(self, asks: Sequence[Ask], pace: Pace, heard: Heard) -> None:
        """Ask every edge for all of these, without cookie and token; each answer or failure is heard once."""
        ...
