"""The draw of prizes, pure: what the sealed list says of an entry, who wins, and how far a draw is."""

import hmac
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from tidegate.base.draw import RANKS, leaf_hash, merkle_root, rank
from tidegate.offer.campaign.contracts import Draw, Prize
from tidegate.sale.draws.contracts import DrawRow, DrawState, Winner

_SALT_BYTES = 16
_CHANCES = 10_000
_LOT = b"tidegate prize lot\n"

Entry = tuple[int, UUID, UUID]
"""Serial, order, account."""


def salt_of(key: bytes, draw_id: UUID, order_id: UUID) -> bytes:
    """Return the salt of an entry's commitment: made again from the installation's key, never stored."""
    return hmac.digest(key, draw_id.bytes + order_id.bytes, "sha256")[:_SALT_BYTES]


def commitment(salt: bytes, order_id: UUID) -> bytes:
    """Return what the sealed list says of an entry: SHA-256 of its salt and the order's id."""
    return sha256(salt + order_id.bytes).digest()


def leaf(serial: int, committed: bytes) -> bytes:
    """Return the hash of one line of the sealed list."""
    return leaf_hash(serial.to_bytes(8, "big") + committed)


def list_root(key: bytes, draw_id: UUID, entries: Sequence[Entry]) -> bytes:
    """Return the Merkle root of the sealed list."""
    return merkle_root(
        [leaf(serial, commitment(salt_of(key, draw_id, order_id), order_id)) for serial, order_id, _ in entries]
    )


def winners(seed: bytes, root: bytes, entries: Sequence[Entry], prizes: Sequence[Prize]) -> list[Winner]:
    """Return who wins, prize by prize in their order.

    A prize goes to the entries of lowest rank whose accounts have won none; one with a chance only to those of them
    whose own lot for this prize falls below it.
    """
    ranked = sorted(entries, key=lambda entry: (rank(seed, root, entry[0]), entry[0]))
    won: set[UUID] = set()
    found: list[Winner] = []
    for place, prize in enumerate(prizes):
        left = prize.count
        for serial, order_id, account_id in ranked:
            if left == 0:
                break
            if account_id not in won and _lot_falls(seed, root, serial, place, prize.chance):
                found.append(Winner(prize=place, serial=serial, order_id=order_id, account_id=account_id))
                won.add(account_id)
                left -= 1
    return found


def _lot_falls(seed: bytes, root: bytes, serial: int, place: int, chance: int) -> bool:
    """Whether an entry's lot for a prize falls below its chance (basis points); always, where there is none."""
    if not chance:
        return True
    key = hmac.digest(seed, _LOT + place.to_bytes(4, "big"), "sha256")
    return rank(key, root, serial) * _CHANCES < chance * RANKS


def state_of(row: DrawRow, now: datetime) -> DrawState:
    """Return how far a draw is."""
    if row.drawn_at is not None:
        return DrawState.DRAWN
    if row.sealed_at is not None:
        return DrawState.SEALED
    if now >= row.terms.closes_at:
        return DrawState.SEALING
    return DrawState.OPEN if now >= row.terms.opens_at else DrawState.ANNOUNCED


def counts(draw: Draw, total: int, paid_at: datetime | None) -> bool:
    """Whether an order that comes to `total` (minor units) and was paid then is an entry of a draw."""
    return paid_at is not None and draw.opens_at <= paid_at < draw.closes_at and total >= draw.threshold
