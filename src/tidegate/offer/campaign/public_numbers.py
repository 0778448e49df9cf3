"""Numbers that are drawn elsewhere and mixed into a draw of ours."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from tidegate.offer.campaign.texts import Words


class NumberSource(StrEnum):
    """Where a draw's public number comes from."""

    DRAND = "drand"  # a round of the drand network's public randomness
    STATED = "stated"  # published elsewhere, such as a lottery's number, and entered by staff


class PublicNumber(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A number drawn at ``drawn_at``, after the sealing, and mixed into the draw: of drand the first round of ``chain``
    from then on, rounds coming every ``period_seconds`` from ``genesis_at`` (seconds since 1970) on. If it cannot be
    had ``patience_seconds`` after the opening, the draw does without it, and says so.
    """

    source: NumberSource
    label: Words
    drawn_at: datetime
    patience_seconds: Annotated[int, Meta(ge=0, le=3_600)]
    chain: str = ""
    genesis_at: Annotated[int, Meta(ge=0, le=2**40)] = 0
    period_seconds: Annotated[int, Meta(ge=0, le=3_600)] = 0
