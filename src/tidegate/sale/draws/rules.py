"""The draw of prizes, pure: what the sealed list says of an entry, who wins, and how far a draw is."""

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
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


def proves_nothing(row: DrawRow) -> str:
    """Return why the public number of a sealed draw is not used at all; empty where it is.

    A number that was drawn before the root was out proves nothing: the list could still have been made to suit it.
    """
    number, sealed_at = row.announced, row.sealed_at
    if number is None or sealed_at is None or sealed_at < number.drawn_at:
        return ""
    return f"the root of the list was published at {sealed_at:%H:%M:%S} UTC, after the number was drawn"


def given_up(row: DrawRow, now: datetime) -> str:
    """Return why a draw does without a number that cannot be had now; empty while it is asked for again."""
    patience_seconds = row.announced.patience_seconds if row.announced else 0
    if now < row.terms.drawn_at + timedelta(seconds=patience_seconds):
        return ""
    return f"the number could not be had {patience_seconds} s after the draw was due"


def winners(key: bytes, root: bytes, entries: Sequence[Entry], prizes: Sequence[Prize]) -> list[Winner]:
    """Return who wins, prize by prize in their order. `key` is the seed, or what the public number makes of it.

    A prize goes to the entries of lowest rank whose accounts have won none; one with a chance only to those of them
    whose own lot for this prize falls below it.
    """
    ranked = sorted(entries, key=lambda entry: (rank(key, root, entry[0]), entry[0]))
    won: set[UUID] = set()
    found: list[Winner] = []
    for place, prize in enumerate(prizes):
        left = prize.count
        for serial, order_id, account_id in ranked:
            if left == 0:
                break
            if account_id not in won and _lot_falls(key, root, serial, place, prize.chance):
                found.append(Winner(prize=place, serial=serial, order_id=order_id, account_id=account_id))
                won.add(account_id)
                left -= 1
    return found


def _lot_falls(key: bytes, root: bytes, serial: int, place: int, chance: int) -> bool:
    """Whether an entry's lot for a prize falls below its chance (basis points); always, where there is none."""
    if not chance:
        return True
    lot_key = hmac.digest(key, _LOT + place.to_bytes(4, "big"), "sha256")
    return rank(lot_key, root, serial) * _CHANCES < chance * RANKS


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
