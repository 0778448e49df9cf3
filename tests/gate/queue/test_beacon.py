"""drand's signature on real rounds of its main network, as others published them, and on altered ones."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from py_arkworks_bls12381 import G1Point, G2Point, Scalar

from tidegate.gate.queue.beacon import is_signed
from tidegate.offer.campaign.public_numbers import DRAND_KEYS, QUICKNET, QUICKNET_GENESIS

KEY = bytes.fromhex(DRAND_KEYS[QUICKNET])
ROUNDS = {
    # https://api.drand.sh/<chain>/public/1000, as others quote it
    1_000: "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39",
    # https://pypi.org/project/drand-verify/
    657_413: "b713718a38ae728dfd477991af2822e08d2f305e47718cef9f7848ce4050e7be41076862b98fad56e91a6b85b89cd97b",
}
GROUP_HASH = "f477d5c89f21a17c863a7f937c6a6d15859414d2be09cd448d4279af331c5d3e"
NEUTRAL_IN_G1, NEUTRAL_IN_G2 = b"\xc0" + bytes(47), b"\xc0" + bytes(95)


@pytest.mark.parametrize("number", ROUNDS)
def test_published_rounds_are_the_networks_own(number: int) -> None:
    assert is_signed(number, bytes.fromhex(ROUNDS[number]), KEY)


def test_a_published_round_gives_the_published_number() -> None:
    published = "fc1873a13f3545aeade8401532ef5519920652eee6b0d2b19ca12643b87b3587"
    assert sha256(bytes.fromhex(ROUNDS[657_413])).hexdigest() == published


def test_the_pinned_key_is_the_one_that_names_the_chain() -> None:
    """A chain's name is the SHA-256 of its period, genesis, key, group and beacon's name (drand's `chain.Info`)."""
    period, genesis = (3).to_bytes(4, "big"), int(QUICKNET_GENESIS.timestamp()).to_bytes(8, "big")
    assert sha256(period + genesis + KEY + bytes.fromhex(GROUP_HASH) + b"quicknet").hexdigest() == QUICKNET


@pytest.mark.parametrize("number", [0, 999, 1_001, 657_413, 2**64 - 1, 2**64, -1])
def test_a_signature_is_of_one_round_only(number: int) -> None:
    assert not is_signed(number, bytes.fromhex(ROUNDS[1_000]), KEY)


@given(place=st.integers(0, 47), change=st.integers(1, 255))
def test_no_altered_signature_is_the_networks(place: int, change: int) -> None:
    signature = bytearray.fromhex(ROUNDS[1_000])
    signature[place] ^= change
    assert not is_signed(1_000, bytes(signature), KEY)


@given(place=st.integers(0, 95), change=st.integers(1, 255))
def test_no_altered_key_is_the_networks(place: int, change: int) -> None:
    key = bytearray(KEY)
    key[place] ^= change
    assert not is_signed(1_000, bytes.fromhex(ROUNDS[1_000]), bytes(key))


@given(st.binary(max_size=100), st.binary(max_size=100))
def test_any_bytes_are_refused_without_a_fault(signature: bytes, key: bytes) -> None:
    assert not is_signed(1_000, signature, KEY)
    assert not is_signed(1_000, bytes.fromhex(ROUNDS[1_000]), key)


def test_neutral_elements_are_neither_keys_nor_signatures() -> None:
    assert G1Point.from_compressed_bytes(NEUTRAL_IN_G1) == G1Point.identity()
    assert G2Point.from_compressed_bytes(NEUTRAL_IN_G2) == G2Point.identity()
    assert not is_signed(1_000, NEUTRAL_IN_G1, NEUTRAL_IN_G2)
    assert not is_signed(1_000, NEUTRAL_IN_G1, KEY)


@given(st.integers(1, 2**64 - 1), st.integers(2, 2**200))
def test_who_holds_the_key_signs_any_round(number: int, secret: int) -> None:
    key = Scalar(secret % 2**60 + 2)
    point = G1Point.hash_to_curve(
        sha256(number.to_bytes(8, "big")).digest(), b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"
    )
    signature = (point * key).to_compressed_bytes()
    assert is_signed(number, signature, (G2Point() * key).to_compressed_bytes())
    assert not is_signed(number, signature, KEY)
