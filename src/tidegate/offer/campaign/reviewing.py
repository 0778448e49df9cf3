"""What others find in a definition before it is published: findings with their law, and the lowest reachable prices.

The campaign knows no law. It states what a review is (`Reviewer`), which findings stop a publication, and who may let
one pass; `offer/law` does the reviewing, and `app/compose.py` brings the two together.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from tidegate.base.db import Tx
from tidegate.offer.campaign.contracts import CampaignDefinition, CampaignId, Words

Path = tuple[str | int, ...]


class Severity(StrEnum):
    """What a finding does to a publication."""

    BLOCKING = "blocking"
    """It stops it, and nobody may let it pass."""
    WARNING = "warning"
    """It stops it until a named person lets it pass with a reason."""
    NOTICE = "notice"
    """It is told."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a rule of law says of a definition: what is wrong, in figures, and what to change.

    `law` is the rule's id, `path` the place in the definition; `file` and `line` are known where it came from a file.
    """

    law: str
    severity: Severity
    article: Words
    reference: str
    path: Path
    what: Words
    mend: Words
    file: str = ""
    line: int = 0


class Way(StrEnum):
    """How a SKU is bought."""

    OFFER = "offer"
    PRESALE = "presale"
    """Deposit and balance together; a deposit that counts for more is in the price."""
    GROUP = "group"


class ReachedPrice(msgspec.Struct, frozen=True, kw_only=True):
    """The lowest price to which one unit of a SKU can be brought, the cart and the buyer that reach it. Minor units.

    `price` is what is paid for the unit, in money; points that pay are off it. `worth` is the unit's part of what comes
    with it: gifts at the value that a refund reckons them with, and earned points at what they pay. `outlay` is what
    that costs the shop: gifts at their cost, points as before. `lines` are (SKU, quantity); `promotions` the rules that
    applied, coupon first; `buyer` says who gets it, `at` when, where not always. 0 of floor and cost: unknown.
    """

    sku: str
    price: int
    offer_price: int
    list_price: int
    floor: int
    cost: int
    lines: tuple[tuple[str, int], ...]
    promotions: tuple[str, ...]
    way: Way = Way.OFFER
    worth: int = 0
    outlay: int = 0
    buyer: Words = Words("", "")
    at: datetime | None = None

    @property
    def net(self) -> int:
        """What the unit costs its buyer, less the worth of what comes with it; below 0 where that is worth more."""
        return self.price - self.worth

    @property
    def brings(self) -> int:
        """What the unit brings the shop, less what it gives beside it."""
        return self.price - self.outlay

    @property
    def is_below_floor(self) -> bool:
        """Whether somebody may get a unit for less than anybody should."""
        return self.price < self.floor

    @property
    def is_worth_below_floor(self) -> bool:
        """Whether the floor is paid, but what comes with the unit is worth so much that it costs its buyer less."""
        return self.net < self.floor <= self.price

    @property
    def is_below_cost(self) -> bool:
        """Whether a unit may cost the shop more than it brings, where its cost is known."""
        return self.cost > 0 and self.brings < self.cost


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was found; `lowest` has the worst product first: the one furthest under its floor or cost."""

    findings: tuple[Finding, ...]
    lowest: tuple[ReachedPrice, ...]
    reviewed_at: datetime


class Waiver(msgspec.Struct, frozen=True, kw_only=True):
    """A named person lets the warnings of one law pass, for one content, and says why."""

    law: str
    by: str
    reason: str


class Reviewer(Protocol):
    """Who reviews a definition before it is published, and keeps what was found and waived."""

    async def review(self, tx: Tx, definition: CampaignDefinition) -> Review:
        """Return everything that is found. Reads only."""
        ...

    async def waived(self, tx: Tx, campaign_id: CampaignId, sha256: str) -> Sequence[Waiver]:
        """Return the waivers with which this very content was published before; none if it never was."""
        ...

    async def keep(
        self, tx: Tx, campaign_id: CampaignId, sha256: str, review: Review, waivers: Sequence[Waiver]
    ) -> None:
        """Keep the review of the content that is published, with the waivers that were given."""
        ...


def with_kept(findings: Iterable[Finding], given: Sequence[Waiver], kept: Sequence[Waiver]) -> list[Waiver]:
    """What is waived now: what is given, and of what was waived for the same content before whatever still warns."""
    warned = {finding.law for finding in findings if finding.severity is Severity.WARNING}
    open_laws = warned - {waiver.law for waiver in given}
    return [*given, *(waiver for waiver in kept if waiver.law in open_laws)]


def stopping(findings: Iterable[Finding], waivers: Sequence[Waiver]) -> list[Finding]:
    """The findings that stop a publication: all that block, and the warnings whose law nobody waives with a reason."""
    waived = {waiver.law for waiver in waivers if waiver.by.strip() and waiver.reason.strip()}
    return [
        finding
        for finding in findings
        if finding.severity is Severity.BLOCKING or (finding.severity is Severity.WARNING and finding.law not in waived)
    ]
