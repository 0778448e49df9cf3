"""The use cases of the price history: record what is stated and sold, import the past, answer the law's questions."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from tidegate.base.clock import Clock
from tidegate.base.crypto import digest
from tidegate.base.db import Tx
from tidegate.base.invariant import Check
from tidegate.base.outbox import Outbox
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.campaign.contracts import CampaignId, CampaignPublished, CampaignVersion
from tidegate.offer.history import rules, store
from tidegate.offer.history.contracts import Deal, Entry, EntryKind, Evidence, Imported, Sealed, Subject
from tidegate.offer.history.errors import PricesImported
from tidegate.offer.history.importing import read_prices

CHECKED_MAX = 20_000
"""How many of the newest entries the live check looks at; `verify` looks at all."""

ENTRIES_MAX = 1_000

Reachable = Callable[[CampaignVersion], Mapping[str, int]]
"""The lowest price to which a version's promotions can bring one unit of each SKU on offer, in minor units."""


class PriceHistory:
    """Appends to the chain, and reads it. `place_of` names the jurisdiction whose buyers pay in a currency."""

    def __init__(
        self, clock: Clock, campaign: Campaign, *, place_of: Callable[[str], str], reachable: Reachable
    ) -> None:
        self._clock = clock
        self._campaign = campaign
        self._place_of = place_of
        self._reachable = reachable

    async def take_published(self, tx: Tx, published: list[CampaignPublished]) -> None:
        """Record what each published version changed of list, offered and reachable prices."""
        for event in published:
            version = await self._campaign.version(tx, CampaignId(event.campaign_id), event.version)
            reachable = await asyncio.to_thread(self._reachable, version)
            at, place = event.published_at, self._place_of(version.definition.currency)
            stated = rules.stated_by(version, reachable, place, at)
            last = {rules.key_of(entry): entry for entry in await store.last_said(tx)}
            said = await self._said_in_slots(tx, stated, place, version.definition.currency)
            await self._append(tx, rules.changes(stated, last, at, said))

    async def _said_in_slots(
        self, tx: Tx, stated: Sequence[Entry], place: str, currency: str
    ) -> dict[tuple[object, ...], list[Entry]]:
        """All that was said of prices of which several are stated, for slots: one last entry does not tell them."""
        count = Counter(map(rules.key_of, stated))
        several = [entry for entry in stated if count[rules.key_of(entry)] > 1]
        if not several:
            return {}
        until = max(entry.until or entry.at for entry in several) + timedelta(days=366)
        said: dict[tuple[object, ...], list[Entry]] = {rules.key_of(entry): [] for entry in several}
        for entry in await store.said(tx, sorted({entry.sku for entry in several}), place, currency, until):
            if rules.key_of(entry) in said:
                said[rules.key_of(entry)].append(entry)
        return said

    async def record_deals(self, tx: Tx, deals: Sequence[Deal]) -> None:
        """Record units that were paid for; the caller hands each down exactly once."""
        await self._append(tx, rules.deals_as_entries(deals, self._place_of))

    async def import_prices(self, tx: Tx, text: str, *, file: str, by: str) -> Imported:
        """Append the earlier prices of a CSV text, all or nothing. Raises PricesFaulty, PricesImported."""
        sha256, now = digest(text.encode()), self._clock.now()
        entries = read_prices(text, f"import:{sha256[:16]}", now=now, place_of=self._place_of)
        if not await store.add_import(tx, sha256=sha256, file=file, entries=len(entries), at=now, by=by):
            raise PricesImported(f"{file} was imported before, with this very content. Nothing was added.")
        await self._append(tx, entries)
        return Imported(entries=len(entries), products=len({entry.subject for entry in entries}), sha256=sha256)

    async def _append(self, tx: Tx, entries: Sequence[Entry]) -> None:
        if entries:
            number, previous = await store.lock_end(tx) or (0, rules.GENESIS)
            await store.append(tx, list(rules.seal(entries, number, previous)))

    async def evidence(
        self, tx: Tx, products: Sequence[tuple[str, str]], currency: str, *, days: int, until: datetime
    ) -> dict[str, Evidence]:
        """What is known of products (SKU, shop) in the `days` before `until`, by SKU; nothing known: left out.

        A day is 24 hours. The span holds its first moment and not its last: the deal at `until` itself is not before.
        """
        place, since = self._place_of(currency), until - timedelta(days=days)
        skus = [sku for sku, _ in products]
        lowest = await store.lowest_deals(tx, skus, place, currency, since, until)
        last = await store.last_deals(tx, products, place, currency, until)
        said: dict[tuple[EntryKind, Subject], list[Entry]] = defaultdict(list)
        for entry in await store.said(tx, skus, place, currency, until):
            said[entry.kind, entry.subject].append(entry)
        found = {}
        for sku, shop in products:
            subject = Subject(sku, shop, place, currency)
            last_deal, last_deal_at = last.get(subject, (None, None))
            known = Evidence(
                lowest_deal=lowest.get(subject),
                last_deal=last_deal,
                last_deal_at=last_deal_at,
                lowest_offered=rules.lowest_in_force(said[EntryKind.OFFERED, subject], since, until),
                lowest_usual=rules.lowest_usual(said[EntryKind.OFFERED, subject], since, until),
                lowest_list=rules.lowest_in_force(said[EntryKind.LIST, subject], since, until),
            )
            if known != Evidence():
                found[sku] = known
        return found

    async def entries(self, tx: Tx, sku: str, limit: int = 100) -> list[Sealed]:
        """The newest entries of a SKU, newest first."""
        return await store.entries(tx, sku, min(limit, ENTRIES_MAX))

    async def verify(self, tx: Tx, last: int | None = None) -> Check:
        """Whether the chain holds: all of it, or its `last` entries."""
        examined, broken = await store.broken(tx, last or 2**62, rules.GENESIS)
        return Check(
            name="price history: each entry carries the hash of the one before",
            holds=not broken,
            examined=examined,
            detail=", ".join(f"entry {number}" for number in broken),
        )

    async def check(self, tx: Tx) -> list[Check]:
        """The invariants, on the newest entries: numbered without gaps, sealed, and unchanged since."""
        return [await self.verify(tx, CHECKED_MAX)]

    def subscribe(self, outbox: Outbox) -> None:
        """Hear of publications."""
        outbox.subscribe("history", {CampaignPublished: self.take_published})
