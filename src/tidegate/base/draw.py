"""Draws by commit and reveal, pure: seed and its hash, a sealed list's Merkle root, ranks.

Two hashes are public before a draw: that of a secret seed, and the root over the list of all that are drawn. Afterwards
the seed is. Then every rank can be recomputed, and neither seed nor list can have been changed in between.
The tree is that of RFC 6962, section 2.1, with SHA-256.
"""

import hmac
from collections.abc import Sequence
from hashlib import sha256

RANKS = 1 << 64
SEED_BYTES = 32
# A power of two, so that the parts are subtrees: a receipt then reads a thousand places, not a million.
SUBTREE = 1024
_LEAF, _NODE = b"\x00", b"\x01"


def seed_hash(seed: bytes) -> bytes:
    """Return what is published of the seed before anything is listed."""
    return sha256(seed).digest()


def leaf_hash(content: bytes) -> bytes:
    """Return the hash of one line of a sealed list."""
    return sha256(_LEAF + content).digest()


def rank(seed: bytes, root: bytes, serial: int) -> int:
    """Return the rank of a place in the list, 0 to 2**64-1: the lower, the sooner.

    HMAC-SHA256 under the seed of root and serial: the root stands in it so that the draw belongs to one list only.
    """
    return int.from_bytes(hmac.digest(seed, root + serial.to_bytes(8, "big"), "sha256")[:8], "big")


def rank_text(value: int) -> str:
    """Return a rank or threshold in 16 hexadecimal digits (17 for 2**64)."""
    return f"{value:016x}"


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(_NODE + left + right).digest()


def _level_above(level: Sequence[bytes]) -> list[bytes]:
    """Return the hashes of pairs; an odd one at the end goes up as it is, which makes the tree of RFC 6962."""
    above = [_node(level[place], level[place + 1]) for place in range(0, len(level) - 1, 2)]
    if len(level) % 2:
        above.append(level[-1])
    return above


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over the leaves; that of an empty list is the hash of nothing (RFC 6962)."""
    level = list(leaves)
    if not level:
        return sha256(b"").digest()
    while len(level) > 1:
        level = _level_above(level)
    return level[0]


def merkle_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the hashes that lead from one leaf to the root, from the bottom up."""
    path: list[bytes] = []
    level = list(leaves)
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        level = _level_above(level)
        index //= 2
    return path


def subtree_roots(leaves: Sequence[bytes]) -> list[bytes]:
    """Return the roots over each 1,024 leaves: their Merkle root is that of the whole list."""
    return [merkle_root(leaves[start : start + SUBTREE]) for start in range(0, len(leaves), SUBTREE)]


def path_by_subtrees(part: Sequence[bytes], roots: Sequence[bytes], index: int) -> list[bytes]:
    """Return the path of the leaf at `index` of the whole list, from the leaves of its part and the parts' roots."""
    return [*merkle_path(part, index % SUBTREE), *merkle_path(roots, index // SUBTREE)]


def root_from_path(index: int, count: int, leaf_hash: bytes, path: Sequence[bytes]) -> bytes | None:
    """Return the root that a path leads to, or None for a path that does not fit a list of `count` leaves."""
    found, hashes = leaf_hash, list(path)
    while count > 1:
        if index ^ 1 < count:
            if not hashes:
                return None
            sibling = hashes.pop(0)
            found = _node(sibling, found) if index % 2 else _node(found, sibling)
        index, count = index // 2, (count + 1) // 2
    return None if hashes else found
