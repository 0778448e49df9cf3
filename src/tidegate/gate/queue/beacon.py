"""The drand network's signature on a round, pure: BLS over BLS12-381, signatures in G1 and keys in G2.

The scheme is `bls-unchained-g1-rfc9380` of drand's quicknet (https://docs.drand.love/docs/cryptography): what is signed
is the SHA-256 of the round's number as eight bytes, the highest first, hashed to the curve as RFC 9380 says. Nobody
makes such a signature without a threshold of the network's members, and there is one for each round.
"""

from hashlib import sha256

from py_arkworks_bls12381 import GT, G1Point, G2Point

_DOMAIN = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"
_ROUND_BYTES = 8


def is_signed(round_number: int, signature: bytes, public_key: bytes) -> bool:
    """Return whether the holder of this key (96 bytes) made this signature (48 bytes) of a round. Some 4 ms.

    Neither the neutral element nor a point outside the groups is a key or a signature (RFC 9380's curve, draft
    irtf-cfrg-bls-signature section 2.5).
    """
    try:
        signed, key = G1Point.from_compressed_bytes(signature), G2Point.from_compressed_bytes(public_key)
        message = sha256(round_number.to_bytes(_ROUND_BYTES, "big")).digest()
    except (ValueError, OverflowError):
        return False
    if signed == G1Point.identity() or key == G2Point.identity():
        return False
    return GT.pairing_check([signed, -G1Point.hash_to_curve(message, _DOMAIN)], [G2Point(), key])
