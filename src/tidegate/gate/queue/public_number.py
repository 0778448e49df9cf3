"""The public number of a draw, pure: what is announced of it before the sealing, and what it does to the seed."""

import hmac
from datetime import UTC, datetime
from hashlib import sha256

import msgspec

from tidegate.gate.queue.beacon import is_signed
from tidegate.gate.queue.contracts import AnnouncedNumber
from tidegate.offer.campaign.contracts import DRAND_KEYS, NumberSource, PublicNumber

_MARK = b"tidegate public number\n"


class PublishedNumber(msgspec.Struct, frozen=True):
    """A number as its source gives it; `proof` is drand's signature, of which the number is the SHA-256."""

    text: str
    proof: str = ""


def announced(number: PublicNumber) -> AnnouncedNumber:
    """Return what everybody is told before the sealing: of drand, which round, and when that is drawn."""
    if number.source is NumberSource.STATED:
        return AnnouncedNumber(
            source=number.source,
            label=number.label,
            drawn_at=number.drawn_at,
            patience_seconds=number.patience_seconds,
        )
    drand_round = round_from(number.genesis_at, number.period_seconds, number.drawn_at)
    return AnnouncedNumber(
        source=number.source,
        label=number.label,
        drawn_at=datetime.fromtimestamp(number.genesis_at + (drand_round - 1) * number.period_seconds, UTC),
        patience_seconds=number.patience_seconds,
        chain=number.chain,
        public_key=number.public_key,
        genesis_at=number.genesis_at,
        period_seconds=number.period_seconds,
        round=drand_round,
    )


def round_from(genesis_at: int, period_seconds: int, moment: datetime) -> int:
    """Return drand's first round at or after a moment; round 1 is drawn at the genesis (drand's specification)."""
    since = moment.timestamp() - genesis_at
    return max(1, -int(-since // period_seconds) + 1)


def draw_key(seed: bytes, number_text: str | None) -> bytes:
    """Return the key of the ranks: the seed itself, or HMAC-SHA256 under it of the public number as it was published.

    The seed's hash stands before the first place, the list's root before the number: so nobody who knew one of them
    could choose another to suit himself.
    """
    if number_text is None:
        return seed
    return hmac.digest(seed, _MARK + number_text.encode(), "sha256")


class NumberNotGenuine(Exception):
    """A source gave a number that the announced key did not sign: it is not used, and may be asked for again."""


def is_drand_number(told: AnnouncedNumber, number: PublishedNumber) -> bool:
    """Return whether a number is that of the announced round: the SHA-256 of its signature (drand's specification,
    "randomness"), which the announced key made, or of a chain that is known here the key that is known.
    """
    key = told.public_key or DRAND_KEYS.get(told.chain, "")
    try:
        signature, public_key = bytes.fromhex(number.proof), bytes.fromhex(key)
    except ValueError:
        return False
    return sha256(signature).hexdigest() == number.text and is_signed(told.round, signature, public_key)
