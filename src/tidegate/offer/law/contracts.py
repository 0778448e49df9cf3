"""Words of the law: articles as data, what a check sees, and what it finds. Money in minor units, times in UTC."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from tidegate.offer.campaign.api import ReachedPrice, Review, Severity, Waiver
from tidegate.offer.campaign.contracts import CampaignDefinition, Words
from tidegate.offer.history.contracts import Evidence


class Reading(StrEnum):
    """How the text of an article was read: what a finding is worth as evidence."""

    TEXT = "text"
    """The article's own text was read."""
    SECONDARY = "secondary"
    """Another publication that quotes it was read: have it confirmed."""


class Article(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One article of an act, and how it is checked. `effective_until` is its last day in force."""

    id: Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{2,39}$")]
    number: str
    check: str
    severity: Severity
    says: Words
    reading: Reading
    url: str = ""
    effective_from: date
    effective_until: date | None = None
    figures: dict[str, int] = {}

    def is_in_force(self, first: date, last: date) -> bool:
        """Whether it is in force on some day from `first` to `last`."""
        return self.effective_from <= last and (self.effective_until is None or first <= self.effective_until)


class Act(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One law with the articles of it that can be checked."""

    title: Words
    reference: str
    articles: tuple[Article, ...]


class Jurisdiction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose law it is, and the currencies by which a campaign is known to sell there. No currency: everywhere."""

    code: str
    title: Words
    currencies: tuple[str, ...]
    acts: tuple[Act, ...]


class Law(msgspec.Struct, frozen=True, kw_only=True):
    """An article with its act and jurisdiction: what a check is given and a finding names."""

    jurisdiction: str
    act: Words
    reference: str
    article: Article

    @property
    def name(self) -> Words:
        """Act and article, as people cite them."""
        number = self.article.number
        if not number:
            return self.act
        return Words(zh=f"《{self.act.zh}》第{number}条", en=f"{self.act.en}, article {number}")


class PresaleTerms(msgspec.Struct, frozen=True, kw_only=True):
    """A presale: the deposit asked for what a unit costs in all."""

    sku: str
    price: int
    deposit: int
    path: tuple[str | int, ...] = ()


class PrizeTerms(msgspec.Struct, frozen=True, kw_only=True):
    """A prize of a draw: what it is worth, at the market price where it is not money."""

    name: Words
    value: int
    path: tuple[str | int, ...] = ()


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a check may look at.

    `at` is when it would be published; `evidence` the price history by days and SKU before the sale starts; `earlier`
    the last version of the same campaign, `running` what is published now under another id: it would replace both.
    """

    definition: CampaignDefinition
    at: datetime
    evidence: Mapping[int, Mapping[str, Evidence]] = {}
    earlier: CampaignDefinition | None = None
    running: CampaignDefinition | None = None
    lowest: tuple[ReachedPrice, ...] = ()
    presales: tuple[PresaleTerms, ...] = ()
    prizes: tuple[PrizeTerms, ...] = ()


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found: where, what is wrong in figures, what to change. `severity` None: the article's own."""

    path: tuple[str | int, ...]
    what: Words
    mend: Words
    severity: Severity | None = None


class KeptReview(msgspec.Struct, frozen=True, kw_only=True):
    """The review of a content that was published, and what was waived for it."""

    review: Review
    waivers: tuple[Waiver, ...]
