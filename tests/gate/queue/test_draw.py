"""The draw: the tree is that of RFC 6962, each path leads to the root, ranks are even and belong to one list."""

from hashlib import sha256
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from tidegate.gate.queue.draw import (
    RANKS,
    SUBTREE,
    commitment,
    leaf,
    merkle_path,
    merkle_root,
    path_by_subtrees,
    rank,
    rank_text,
    root_from_path,
    salt_of,
    subtree_roots,
)

SEED, ROOT = bytes(range(32)), sha256(b"a list").digest()


def leaves(count: int) -> list[bytes]:
    return [leaf(serial, serial % 2, sha256(b"%d" % serial).digest()) for serial in range(count)]


def recursive_root(of: list[bytes]) -> bytes:
    """The definition of RFC 6962, section 2.1, word for word: the left part is the largest power of two below."""
    if not of:
        return sha256(b"").digest()
    if len(of) == 1:
        return of[0]
    left = 1 << ((len(of) - 1).bit_length() - 1)
    return sha256(b"\x01" + recursive_root(of[:left]) + recursive_root(of[left:])).digest()


@given(st.integers(0, 300))
def test_the_root_is_that_of_the_standard(count: int) -> None:
    assert merkle_root(leaves(count)) == recursive_root(leaves(count))


@given(st.integers(1, 300), st.data())
def test_each_path_leads_to_the_root_and_no_other_leaf_has_it(count: int, data: st.DataObject) -> None:
    index, other = data.draw(st.integers(0, count - 1)), data.draw(st.integers(0, count - 1))
    of = leaves(count)
    path = merkle_path(of, index)
    assert root_from_path(index, count, of[index], path) == merkle_root(of)
    if other != index:
        assert root_from_path(index, count, of[other], path) != merkle_root(of)
    assert root_from_path(index, count, of[index], [*path, of[index]]) is None


def test_parts_of_a_long_list_give_the_same_root_and_paths() -> None:
    for count in (1, SUBTREE - 1, SUBTREE, SUBTREE + 1, 3 * SUBTREE + 7, 4 * SUBTREE):
        of = leaves(count)
        roots = subtree_roots(of)
        assert merkle_root(roots) == merkle_root(of)
        for index in {0, count // 2, count - 1, min(count - 1, SUBTREE)}:
            part = of[index // SUBTREE * SUBTREE :][:SUBTREE]
            assert path_by_subtrees(part, roots, index) == merkle_path(of, index)


@given(st.binary(min_size=32, max_size=32), st.integers(0, 2**32 - 1))
def test_a_rank_follows_from_seed_root_and_serial(seed: bytes, serial: int) -> None:
    assert 0 <= rank(seed, ROOT, serial) < RANKS
    assert rank(seed, ROOT, serial) == rank(seed, ROOT, serial)
    assert rank(seed, sha256(ROOT).digest(), serial) != rank(seed, ROOT, serial)
    assert len(rank_text(rank(seed, ROOT, serial))) == 16


def test_a_known_rank() -> None:
    """Made with `openssl dgst -sha256 -mac HMAC`: whoever checks a draw elsewhere can begin with this case."""
    assert rank_text(rank(bytes(32), bytes(32), 7)) == "941e4be25342120b"


def test_ranks_are_even_over_their_range() -> None:
    """Chi square over 16 parts with 32,000 ranks: below the 99.9th percentile for 15 degrees of freedom, 37.7."""
    counts = [0] * 16
    for serial in range(32_000):
        counts[rank(SEED, ROOT, serial) >> 60] += 1
    assert sum((count - 2_000) ** 2 / 2_000 for count in counts) < 37.7


@given(st.uuids(), st.uuids(), st.uuids())
def test_a_commitment_binds_account_and_device(account: UUID, device: UUID, other: UUID) -> None:
    salt = salt_of(b"key", "double-11", account)
    assert commitment(salt, account, device) == commitment(salt, account, device)
    if other != device:
        assert commitment(salt, account, other) != commitment(salt, account, device)
    if other != account:
        assert salt_of(b"key", "double-11", other) != salt
