"""What a campaign states of its prize draws."""

from datetime import datetime, timedelta
from typing import Annotated

from msgspec import Meta, Struct

from tidegate.offer.campaign.public_numbers import PublicNumber
from tidegate.offer.campaign.texts import Words

DRAWS_MAX = 50
PRIZES_MAX = 50
PRIZE_COUNT_MAX = 100_000
CLAIM_DAYS_MAX = 366
SEAL_AFTER = timedelta(seconds=60)
"""A list of entries is sealed so long after the last order that counts, when every payment in time is on record."""


class Prize(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``count`` prizes of one kind, each worth ``value`` (minor units, at its market price).

    With ``chance`` (basis points) each entry wins one with that probability, and ``count`` of them are the most; 0:
    exactly ``count`` are drawn, where there are so many entries. One that is ``sent`` goes to an address that its
    winner names when claiming it.
    """

    name: Words
    value: Annotated[int, Meta(ge=0)]
    count: Annotated[int, Meta(ge=1, le=PRIZE_COUNT_MAX)]
    chance: Annotated[int, Meta(ge=0, le=10_000)] = 0
    sent: bool = False


class Draw(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A draw of prizes: one entry for each order paid from ``opens_at`` on and before ``closes_at`` that comes to at
    least ``threshold`` (minor units) and is not given back before the list is sealed. Drawn at ``drawn_at``.

    An account wins one prize at most; the prizes are given in their order, each to the lowest ranks that won none.
    With ``claim_days`` a prize that is not claimed within so many days of the drawing can be forfeited; 0: never.
    """

    name: str
    label: Words
    organiser: Words
    redemption: Words
    opens_at: datetime
    closes_at: datetime
    drawn_at: datetime
    prizes: tuple[Prize, ...]
    threshold: Annotated[int, Meta(ge=0)] = 0
    claim_days: Annotated[int, Meta(ge=0, le=CLAIM_DAYS_MAX)] = 0
    public_number: PublicNumber | None = None
    """A number of drand's, drawn between the sealing and the draw and mixed into the ranks; None: the seed alone."""

    @property
    def seals_at(self) -> datetime:
        """When the list of entries is sealed."""
        return self.closes_at + SEAL_AFTER

    def claim_until(self, drawn_at: datetime) -> datetime | None:
        """Return before when prizes of a drawing are claimed; None where there is no limit."""
        return drawn_at + timedelta(days=self.claim_days) if self.claim_days else None

    def must_claim(self, prize: int) -> bool:
        """Whether the winner of the prize at this place must ask for it; else it is given without."""
        return self.claim_days > 0 or self.prizes[prize].sent
