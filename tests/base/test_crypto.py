"""Tokens that cannot be forged, values that open only in their place, passwords, keys."""

from base64 import urlsafe_b64encode
from hashlib import blake2s

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.base.crypto import (
    Signer,
    Vault,
    blind_index,
    derive_key,
    digest,
    hash_password,
    verify_password,
)

KEY = bytes(range(32))
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@given(st.binary(max_size=200))
def test_what_was_signed_is_read_again(payload: bytes) -> None:
    assert Signer(KEY).verify(Signer(KEY).sign(payload)) == payload


@given(st.binary(max_size=60), st.data())
def test_a_token_with_any_one_character_changed_is_refused(payload: bytes, data: st.DataObject) -> None:
    token = Signer(KEY).sign(payload)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from(ALPHABET.replace(token[place], "")))
    assert Signer(KEY).verify(token[:place] + other + token[place + 1 :]) is None


@given(st.binary(max_size=60), st.data())
def test_a_token_cut_short_or_made_longer_is_refused(payload: bytes, data: st.DataObject) -> None:
    token = Signer(KEY).sign(payload)
    assert Signer(KEY).verify(token[: data.draw(st.integers(0, len(token) - 1))]) is None
    assert Signer(KEY).verify(token + data.draw(st.text(ALPHABET + "=.\n ", min_size=1, max_size=5))) is None


@given(st.text(max_size=100))
def test_no_text_is_a_token_by_chance(text: str) -> None:
    assert Signer(KEY).verify(text) is None


def test_another_key_and_another_alphabet_are_refused() -> None:
    token = Signer(KEY).sign(b"\xfb\xff\xfe")
    assert Signer(KEY[::-1]).verify(token) is None
    assert "-" in token or "_" in token
    assert Signer(KEY).verify(token.replace("-", "+").replace("_", "/")) is None


def test_the_tag_is_keyed_blake2s_of_128_bits() -> None:
    tag = blake2s(b"pass", digest_size=16, key=KEY).digest()
    assert Signer(KEY).sign(b"pass") == urlsafe_b64encode(b"pass" + tag).rstrip(b"=").decode()


@given(st.binary(max_size=200), st.text(max_size=30))
def test_a_sealed_value_opens_in_its_place_only(plain: bytes, context: str) -> None:
    vault = Vault(KEY)
    sealed = vault.seal(plain, context)
    assert vault.open(sealed, context) == plain
    assert len(sealed) == len(plain) + 12 + 16
    with pytest.raises(ValueError, match="does not belong to"):
        vault.open(sealed, context + "x")
    with pytest.raises(ValueError, match="does not belong to"):
        Vault(KEY[::-1]).open(sealed, context)


@given(st.binary(max_size=40), st.data())
def test_an_altered_or_truncated_sealed_value_is_refused(plain: bytes, data: st.DataObject) -> None:
    vault = Vault(KEY)
    sealed = bytearray(vault.seal(plain, "identity.address"))
    cut = data.draw(st.integers(0, len(sealed) - 1))
    with pytest.raises(ValueError, match=r"does not belong|Nonce must be"):
        vault.open(bytes(sealed[:cut]), "identity.address")
    sealed[cut] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ValueError, match="does not belong"):
        vault.open(bytes(sealed), "identity.address")


def test_the_same_value_is_sealed_differently_each_time() -> None:
    assert len({Vault(KEY).seal(b"13800000000", "phone") for _ in range(100)}) == 100


def test_a_blind_index_finds_equal_texts_and_depends_on_the_key() -> None:
    assert blind_index(KEY, "+8613800000000") == blind_index(KEY, "+8613800000000")
    assert blind_index(KEY, "+8613800000000") != blind_index(KEY, "+8613800000001")
    assert blind_index(KEY, "+8613800000000") != blind_index(KEY[::-1], "+8613800000000")


def test_keys_of_different_purposes_have_nothing_in_common() -> None:
    made = {
        purpose: derive_key(b"the installation's secret, long", purpose) for purpose in ("session", "pass", "vault")
    }
    assert {len(key) for key in made.values()} == {32}
    assert len(set(made.values())) == 3
    assert derive_key(b"the installation's secret, long", "session") == made["session"]
    assert derive_key(b"another installation's secret!!", "session") != made["session"]


@pytest.mark.usefixtures("passwords_at_full_strength")
def test_a_password_is_known_again_and_its_hash_is_argon2id() -> None:
    hashed = hash_password("correct horse")
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")  # RFC 9106, the second of its choices
    assert verify_password(hashed, "correct horse")
    assert not verify_password(hashed, "correct horsf")
    assert not verify_password("not a hash", "correct horse")
    assert not verify_password("", "")
    assert hash_password("correct horse") != hashed


def test_digest_is_sha256() -> None:
    assert digest(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
