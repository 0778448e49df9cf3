"""The stock board: what is left of each SKU that somebody looks at, read again twice a second.

A million polls cost one small query each half second; an answer is at most that old, and says only what is left to
sell, never what somebody may count on.
"""

import time
from collections.abc import Sequence

import msgspec

from tidegate.base.db import Database
from tidegate.offer.campaign.api import Campaign
from tidegate.sale.stock.api import Stock

RENEW_SECONDS = 0.5
_FORGET_SECONDS = 10.0
_SKUS_MAX = 2_000
_ANSWERS_MAX = 1_000


class Left(msgspec.Struct, frozen=True):
    """Units of one SKU that can still be bought."""

    sku: str
    left: int


class StockAnswer(msgspec.Struct, frozen=True):
    """What is left of each SKU that was asked for and is on sale, in the order of asking."""

    stock: tuple[Left, ...]


class StockBoard:
    """Answers stock polls from memory."""

    def __init__(self, campaign: Campaign, stock: Stock) -> None:
        self._campaign = campaign
        self._stock = stock
        self._free: dict[str, int] = {}
        self._asked: dict[str, float] = {}
        self._answers: dict[str, bytes] = {}

    async def answer(self, db: Database, skus: str) -> bytes:
        """Return the JSON answer to a poll for comma-separated SKUs."""
        known = self._answers.get(skus)
        if known is not None:
            return known
        wanted = [sku for sku in skus.split(",") if sku]
        await self._read(db, [sku for sku in wanted if sku not in self._free])
        if self._campaign.current() is not None:
            # `renew` asks for all that is noted in one go: only what the database has taken as a text just now is.
            now = time.monotonic()
            self._asked.update((sku, now) for sku in wanted)
        stock = tuple(Left(sku, self._free[sku]) for sku in wanted if sku in self._free)
        made = msgspec.json.encode(StockAnswer(stock))
        if len(self._answers) < _ANSWERS_MAX:
            self._answers[skus] = made
        return made

    async def renew(self, db: Database) -> None:
        """Read again what was asked for in the last seconds, and forget the rest."""
        oldest = time.monotonic() - _FORGET_SECONDS
        recent = sorted(self._asked.items(), key=lambda item: -item[1])[:_SKUS_MAX]
        self._asked = {sku: at for sku, at in recent if at > oldest}
        current = self._campaign.current()
        free: dict[str, int] = {}
        if self._asked and current is not None:
            async with db.read() as tx:
                levels = await self._stock.levels(tx, current.campaign_id, list(self._asked))
            free = {sku: level.free for sku, level in levels.items()}
        # Answers are made anew from here on, and each making notes again that its SKUs are looked at.
        self._free, self._answers = free, {}

    async def _read(self, db: Database, skus: Sequence[str]) -> None:
        current = self._campaign.current()
        if not skus or current is None:
            return
        async with db.read() as tx:
            levels = await self._stock.levels(tx, current.campaign_id, skus)
        self._free.update((sku, level.free) for sku, level in levels.items())
