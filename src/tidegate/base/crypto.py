"""Signed tokens, sealed values, password hashes and blind indexes, on the `cryptography` and `argon2` libraries."""

import hmac
import os
from base64 import urlsafe_b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from functools import lru_cache
from hashlib import blake2s, sha256

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

_TAG_BYTES = 16
_NONCE_BYTES = 12
# The other alphabet's two signs, and padding, which our tokens have none of, become one that no base64 knows.
_FROM_URL_SAFE = bytes.maketrans(b"-_+/=", b"+/!!!")
PASSWORDS = PasswordHasher()
"""Argon2id in the low-memory profile of RFC 9106: a password costs a quarter second of a processor and 64 MiB."""


def derive_key(secret: bytes, purpose: str) -> bytes:
    """Return 32 bytes for one purpose, derived from the installation's secret (HKDF, RFC 5869)."""
    return HKDFExpand(algorithm=SHA256(), length=32, info=purpose.encode()).derive(secret)


class Signer:
    """Signs short payloads with keyed BLAKE2s of 128 bits (RFC 7693), under a key of at most 32 bytes.

    A quarter of the time of HMAC-SHA256, which hashes twice: each first order of a shopper brings two tokens.
    """

    def __init__(self, key: bytes) -> None:
        self._begun = blake2s(digest_size=_TAG_BYTES, key=key)

    def sign(self, payload: bytes) -> str:
        """Return `payload` and its tag as one URL-safe string."""
        return urlsafe_b64encode(payload + self._tag(payload)).rstrip(b"=").decode()

    def verify(self, token: str) -> bytes | None:
        """Return the payload of a token that this key signed, or None for any other string."""
        # Python's decoder skips what is no base64; a token has only the spelling that we gave it.
        spelled = token.encode("ascii", "replace").translate(_FROM_URL_SAFE) + b"=" * (-len(token) % 4)
        try:
            signed = a2b_base64(spelled)
        except Base64Error:
            return None
        if b2a_base64(signed, newline=False) != spelled:
            return None
        payload = signed[:-_TAG_BYTES]
        return payload if hmac.compare_digest(signed[-_TAG_BYTES:], self._tag(payload)) else None

    def _tag(self, payload: bytes) -> bytes:
        tag = self._begun.copy()
        tag.update(payload)
        return tag.digest()


class Vault:
    """Seals values with AES-256-GCM, bound to the place where they are kept."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, plain: bytes, context: str) -> bytes:
        """Return `plain` sealed; it opens only with the same `context` (table, column, row)."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        """Return what was sealed. Raises ValueError where key, context or bytes differ."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context.encode())
        except InvalidTag as fault:
            raise ValueError(f"the sealed value does not belong to {context}") from fault


def blind_index(key: bytes, text: str) -> bytes:
    """Return a keyed digest by which equal texts can be found without being readable."""
    return keyed_digest(key, text.encode())


def keyed_digest(key: bytes, payload: bytes) -> bytes:
    """Return HMAC-SHA256 of `payload`, under one of the few keys of the installation.

    Half the work of `hmac.digest`, which also gives the interpreter's lock away each time and has to win it back.
    """
    tag = _keyed(key).copy()
    tag.update(payload)
    return tag.digest()


@lru_cache(maxsize=64)
def _keyed(key: bytes) -> hmac.HMAC:
    return hmac.new(key, digestmod="sha256")


def digest(payload: bytes) -> str:
    """Return SHA-256 of `payload` in hexadecimal."""
    return sha256(payload).hexdigest()


def hash_password(password: str) -> str:
    """Return an argon2id hash (RFC 9106, low-memory profile)."""
    return PASSWORDS.hash(password)


def verify_password(hashed: str, password: str) -> bool:
    """Return whether `password` gave `hashed`."""
    try:
        return PASSWORDS.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False
