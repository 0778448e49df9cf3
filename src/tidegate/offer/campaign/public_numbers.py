"""Numbers that are drawn elsewhere and mixed into a draw of ours."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from tidegate.offer.campaign.texts import Words

QUICKNET = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
QUICKNET_GENESIS = datetime.fromtimestamp(1_692_803_367, UTC)
"""drand's main network: a round each 3 seconds since then."""

DRAND_KEYS = {
    QUICKNET: (
        "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c"
        "8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb"
        "5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a"
    )
}
"""Public keys by chain, from https://api.drand.sh/<chain>/info; the hash that names a chain is of its key too."""


class NumberSource(StrEnum):
    """Where a draw's public number comes from."""

    DRAND = "drand"  # a round of the drand network's public randomness
    STATED = "stated"  # published elsewhere, such as a lottery's number, and entered by staff


class PublicNumber(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A number drawn at ``drawn_at``, after the sealing, and mixed into the draw: of drand the first round of ``chain``
    from then on, rounds coming every ``period_seconds`` from ``genesis_at`` (seconds since 1970) on, signed with
    ``public_key`` (hexadecimal; empty where ``DRAND_KEYS`` has it). If it cannot be had ``patience_seconds`` after the
    opening, the draw does without it, and says so.
    """

    source: NumberSource
    label: Words
    drawn_at: datetime
    patience_seconds: Annotated[int, Meta(ge=0, le=3_600)]
    chain: str = ""
    genesis_at: Annotated[int, Meta(ge=0, le=2**40)] = 0
    period_seconds: Annotated[int, Meta(ge=0, le=3_600)] = 0
    public_key: str = ""
