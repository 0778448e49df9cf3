"""What happens with draws, step by step, and what everybody may see of them."""

import asyncio
import hmac
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from tidegate.base.clock import Clock
from tidegate.base.config import Config
from tidegate.base.crypto import Vault, derive_key
from tidegate.base.db import Database, Tx
from tidegate.base.draw import SEED_BYTES, rank, rank_text, seed_hash
from tidegate.base.ids import Ids
from tidegate.base.invariant import Check
from tidegate.base.outbox import Outbox
from tidegate.gate.queue.api import Drand, NumberNotGenuine, announced, draw_key
from tidegate.gate.queue.contracts import NOT_GENUINE, NumberView
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.campaign.contracts import CampaignId, Draw
from tidegate.sale.draws import rules, store
from tidegate.sale.draws.contracts import (
    DrawDrawn,
    DrawRow,
    DrawView,
    OwnEntry,
    SealedEntry,
    Winner,
    WinnerView,
)
from tidegate.sale.draws.errors import DrawUnknown
from tidegate.sale.draws.listing import faulty, read_given
from tidegate.sale.draws.ports import PublicNumbers
from tidegate.sale.draws.prizes import NOTE_LENGTH_MAX, Prizes
from tidegate.sale.draws.rules import Entry
from tidegate.sale.ordering.api import Ordering
from tidegate.trust.identity.api import Identity

__all__ = ["NOTE_LENGTH_MAX", "Draws", "Prizes", "faulty", "read_given"]

LISTED_MAX = 1_000
"""Lines of a sealed list in one answer."""
_ASK_AGAIN = timedelta(seconds=3)
_OWN_ORDERS_MAX = 200
_EXAMINED_DRAWS = 5
_EXAMINED_ENTRIES_MAX = 50_000


class Draws:
    """Draws from the announced hash to the published winners. What becomes of the prizes is `Draws.prizes`."""

    def __init__(
        self,
        config: Config,
        db: Database,
        clock: Clock,
        ids: Ids,
        outbox: Outbox,
        campaign: Campaign,
        ordering: Ordering,
        identity: Identity,
        numbers: PublicNumbers | None = None,
    ) -> None:
        self.prizes = Prizes(clock, identity)
        self._db = db
        self._clock = clock
        self._ids = ids
        self._outbox = outbox
        self._campaign = campaign
        self._ordering = ordering
        self._numbers = numbers or Drand(config.drand_url)
        self._asked_at: dict[UUID, datetime] = {}
        self._vault = Vault(derive_key(config.secret, "draws.seed"))
        self._salt_key = derive_key(config.secret, "draws.salt")
        self._opened: set[tuple[CampaignId, str]] = set()

    # What the worker repeats

    async def step(self) -> int:
        """Open what was published, seal and draw what is due, each in a transaction of its own; return how many.

        A step that was done is found done: whoever dies in between leaves nothing behind that is not taken up again.
        """
        opened = await self._open_new()
        async with self._db.transaction() as tx:
            waiting = await store.undrawn(tx)
        moved = [await self._move(row) for row in waiting]
        return opened + sum(moved)

    async def _open_new(self) -> int:
        current = self._campaign.current()
        if current is None:
            return 0
        names = {(current.campaign_id, each.name): each for each in current.definition.draws}
        new = names.keys() - self._opened
        if not new:
            return 0
        async with self._db.transaction() as tx:
            for campaign_id, name in sorted(new):
                await store.open_draw(tx, self._opening(campaign_id, names[campaign_id, name]))
        self._opened |= new
        return len(new)

    def _opening(self, campaign_id: str, draw: Draw) -> DrawRow:
        seed, draw_id = secrets.token_bytes(SEED_BYTES), self._ids.new()
        return DrawRow(
            draw_id=draw_id,
            campaign_id=campaign_id,
            name=draw.name,
            terms=draw,
            seed_hash=seed_hash(seed),
            seed_sealed=self._vault.seal(seed, str(draw_id)),
            opened_at=self._clock.now(),
            entries=0,
            root=None,
            sealed_at=None,
            seed=None,
            drawn_at=None,
            announced=announced(draw.public_number) if draw.public_number else None,
        )

    async def _move(self, row: DrawRow) -> int:
        now = self._clock.now()
        moved = 0
        if row.sealed_at is None and now >= row.terms.seals_at:
            async with self._db.transaction() as tx:
                moved += await self._seal(tx, row.draw_id)
        await self._get_number(row.draw_id, now)
        # A transaction of its own: the root is public before the seed can be.
        if now >= max(row.terms.drawn_at, row.terms.seals_at):
            async with self._db.transaction() as tx:
                moved += await self._draw(tx, row.draw_id)
        return moved

    async def _get_number(self, draw_id: UUID, now: datetime) -> None:
        """Ask for the announced number once it is drawn, outside of any transaction; or note why it is missed."""
        async with self._db.transaction() as tx:
            row = await store.draw(tx, draw_id)
        if row is None or row.announced is None or row.sealed_at is None or not row.lacks_number:
            return
        why = rules.proves_nothing(row)
        if not why and (now < row.announced.drawn_at or not self._may_ask(draw_id, now)):
            return
        number, refused = None, False
        if not why:
            try:
                number = await self._numbers.number(row.announced)
            except NumberNotGenuine:
                refused = True
        if number is None and not why and rules.given_up(row, now):
            why = NOT_GENUINE if refused else rules.given_up(row, now)
        async with self._db.transaction() as tx:
            locked = await store.lock_undrawn(tx, draw_id)
            if locked is None or not locked.lacks_number:
                return
            if number is not None:
                await store.put_number(tx, draw_id, number)
            elif why:
                await store.miss_number(tx, draw_id, why)

    def _may_ask(self, draw_id: UUID, now: datetime) -> bool:
        asked_at = self._asked_at.get(draw_id)
        if asked_at is not None and timedelta(0) <= now - asked_at < _ASK_AGAIN:
            return False
        self._asked_at[draw_id] = now
        return True

    async def _seal(self, tx: Tx, draw_id: UUID) -> int:
        row = await store.lock_undrawn(tx, draw_id)
        if row is None or row.sealed_at is not None:
            return 0
        terms = row.terms
        paid = await self._ordering.paid_between(
            tx, row.campaign_id, terms.opens_at, terms.closes_at, least=terms.threshold
        )
        entries = [(serial, order_id, buyer_id) for serial, (order_id, buyer_id) in enumerate(paid)]
        root = await asyncio.to_thread(rules.list_root, self._salt_key, draw_id, entries)
        await store.seal(tx, draw_id, entries, root, self._clock.now())
        return 1

    async def _draw(self, tx: Tx, draw_id: UUID) -> int:
        row = await store.lock_undrawn(tx, draw_id)
        if row is None or row.root is None or row.lacks_number:
            return 0
        seed, now = self._vault.open(row.seed_sealed, str(draw_id)), self._clock.now()
        entries = await store.entries(tx, draw_id)
        key = draw_key(seed, row.number_text)
        won = await asyncio.to_thread(rules.winners, key, row.root, entries, row.terms.prizes)
        await store.put_winners(tx, draw_id, won, seed, now)
        event = DrawDrawn(
            draw_id=draw_id,
            campaign_id=row.campaign_id,
            name=row.name,
            winners=tuple((each.order_id, each.prize) for each in won),
            drawn_at=now,
        )
        await self._outbox.append(tx, event)
        return 1

    # Looking

    async def views(self, tx: Tx, campaign_id: str, reader: UUID | None = None) -> list[DrawView]:
        """Return a campaign's draws as everybody may see them, in the order of their closing."""
        return [await self._view(tx, row, reader) for row in await store.draws(tx, campaign_id)]

    async def view(self, tx: Tx, draw_id: UUID, reader: UUID | None = None) -> DrawView:
        """Return one draw as everybody may see it. Raises DrawUnknown."""
        return await self._view(tx, await self._row(tx, draw_id), reader)

    async def sealed(self, tx: Tx, draw_id: UUID, offset: int = 0) -> list[SealedEntry]:
        """Return up to 1,000 lines of the sealed list from a serial on; none before the sealing. Raises DrawUnknown."""
        await self._row(tx, draw_id)
        found = await store.entries(tx, draw_id, offset, LISTED_MAX)
        return [SealedEntry(serial, self._commitment(draw_id, order_id).hex()) for serial, order_id, _ in found]

    async def entries_of(self, tx: Tx, draw_id: UUID, account_id: UUID) -> list[OwnEntry]:
        """Return an account's entries: of the sealed list with what opens them; before, its last 200 orders that count.

        Raises DrawUnknown.
        """
        row = await self._row(tx, draw_id)
        if row.root is None:
            orders = await self._ordering.orders_of(tx, account_id, _OWN_ORDERS_MAX)
            counted = [each for each in orders if each.campaign_id == row.campaign_id and each.state == "paid"]
            return [
                OwnEntry(order_id=each.order_id, serial=None, salt=None)
                for each in counted
                if rules.counts(row.terms, each.total, each.paid_at)
            ]
        prizes = {each.serial: each.prize for each in await store.winners(tx, draw_id)}
        return [
            self._own(row, row.root, entry, prizes.get(entry[0]))
            for entry in await store.entries_of(tx, draw_id, account_id)
        ]

    async def winners(self, tx: Tx, draw_id: UUID) -> list[Winner]:
        """Return a draw's winners with their orders and accounts, for staff. Raises DrawUnknown."""
        await self._row(tx, draw_id)
        return await store.winners(tx, draw_id)

    async def check(self, tx: Tx) -> list[Check]:
        """Draw the last draws again from what is public of them, and compare."""
        examined, broken = 0, []
        for row in await store.drawn_last(tx, _EXAMINED_DRAWS):
            if row.entries <= _EXAMINED_ENTRIES_MAX:
                examined += 1
                if not await self._holds(tx, row):
                    broken.append(f"{row.campaign_id}/{row.name}")
        return [
            Check(
                name="draws: seed, root and winners are those that anybody computes again",
                holds=not broken,
                examined=examined,
                detail=", ".join(broken),
            ),
            await self.prizes.check(tx),
        ]

    async def _holds(self, tx: Tx, row: DrawRow) -> bool:
        if row.seed is None or row.root is None or not hmac.compare_digest(sha256(row.seed).digest(), row.seed_hash):
            return False
        entries = await store.entries(tx, row.draw_id)
        root = await asyncio.to_thread(rules.list_root, self._salt_key, row.draw_id, entries)
        key = draw_key(row.seed, row.number_text)
        won = await asyncio.to_thread(rules.winners, key, root, entries, row.terms.prizes)
        written = await store.winners(tx, row.draw_id)
        return root == row.root and sorted(won, key=_place) == sorted(written, key=_place)

    async def _row(self, tx: Tx, draw_id: UUID) -> DrawRow:
        row = await store.draw(tx, draw_id)
        if row is None:
            raise DrawUnknown("There is no such draw. Nothing was changed. Check the link.", draw_id=draw_id)
        return row

    async def _view(self, tx: Tx, row: DrawRow, reader: UUID | None) -> DrawView:
        won = await store.winners(tx, row.draw_id) if row.drawn_at else []
        return DrawView(
            draw_id=row.draw_id,
            terms=row.terms,
            state=rules.state_of(row, self._clock.now()),
            seed_hash=row.seed_hash.hex(),
            root=row.root.hex() if row.root else None,
            seed=row.seed.hex() if row.seed else None,
            entries=row.entries if row.sealed_at else None,
            number=_number(row),
            winners=tuple(_shown(each, reader) for each in won),
        )

    def _own(self, row: DrawRow, root: bytes, entry: Entry, prize: int | None) -> OwnEntry:
        serial, order_id, _ = entry
        return OwnEntry(
            order_id=order_id,
            serial=serial,
            salt=rules.salt_of(self._salt_key, row.draw_id, order_id).hex(),
            rank=rank_text(rank(draw_key(row.seed, row.number_text), root, serial)) if row.seed else None,
            prize=prize,
        )

    def _commitment(self, draw_id: UUID, order_id: UUID) -> bytes:
        return rules.commitment(rules.salt_of(self._salt_key, draw_id, order_id), order_id)


def _number(row: DrawRow) -> NumberView | None:
    if row.announced is None:
        return None
    return NumberView(announced=row.announced, text=row.number_text, proof=row.number_proof, missed=row.number_missed)


def _place(winner: Winner) -> tuple[int, int]:
    return winner.prize, winner.serial


def _shown(winner: Winner, reader: UUID | None) -> WinnerView:
    return WinnerView(
        prize=winner.prize,
        serial=winner.serial,
        order=str(winner.order_id)[-8:],
        mine=reader is not None and winner.account_id == reader,
    )
