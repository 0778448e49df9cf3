"""The draw of a line by commit and reveal (`base.draw`), pure: what its sealed list says of a place."""

from hashlib import sha256
from uuid import UUID

from tidegate.base.crypto import keyed_digest
from tidegate.base.draw import (
    RANKS,
    SEED_BYTES,
    SUBTREE,
    leaf_hash,
    merkle_path,
    merkle_root,
    path_by_subtrees,
    rank,
    rank_text,
    root_from_path,
    seed_hash,
    subtree_roots,
)

__all__ = [
    "RANKS",
    "SEED_BYTES",
    "SUBTREE",
    "commitment",
    "leaf",
    "merkle_path",
    "merkle_root",
    "path_by_subtrees",
    "rank",
    "rank_text",
    "root_from_path",
    "salt_of",
    "seed_hash",
    "subtree_roots",
]

_SALT_BYTES = 16


def salt_of(key: bytes, campaign_id: str, account_id: UUID) -> bytes:
    """Return the salt of a place's commitment: it can be made again from the installation's key and is never stored."""
    return keyed_digest(key, campaign_id.encode() + account_id.bytes)[:_SALT_BYTES]


def commitment(salt: bytes, account_id: UUID, device: UUID) -> bytes:
    """Return what the sealed list says of a place: its owner can open it, and nobody else learns anything from it."""
    return sha256(salt + account_id.bytes + device.bytes).digest()


BEHIND = 0x80
"""Added to the lane, in the sealed list, of a place that stands behind all that are drawn."""


def leaf(serial: int, lane: int, committed: bytes) -> bytes:
    """Return the hash of one line of the sealed list; `lane` below 256, as the list has it."""
    return leaf_hash(serial.to_bytes(8, "big") + lane.to_bytes(1, "big") + committed)
