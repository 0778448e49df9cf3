"""Words of a draft: the texts of a campaign as somebody is writing them."""

from datetime import datetime

from msgspec import Struct

from tidegate.offer.campaign.contracts import CampaignId

CAMPAIGN_FILE = "festival.toml"
GOODS_FILE = "goods.csv"
OFFERS_FILE = "offers.csv"
DRAFT_BYTES_MAX = 2_000_000
"""The three texts of a draft together, in UTF-8; a larger campaign is kept as files."""


class CampaignFiles(Struct, frozen=True, kw_only=True):
    """The texts of a campaign file and of the two CSV files beside it."""

    campaign: str
    goods: str
    offers: str

    @property
    def bytes(self) -> int:
        """Their size in UTF-8."""
        return sum(len(text.encode()) for text in (self.campaign, self.goods, self.offers))


class Draft(Struct, frozen=True, kw_only=True):
    """A campaign as somebody is writing it: one revision, never changed. ``based_on`` is the version it began from
    (0 = none).
    """

    campaign_id: CampaignId
    revision: int
    files: CampaignFiles
    based_on: int
    saved_at: datetime
    saved_by: str


class RevisionSummary(Struct, frozen=True, kw_only=True):
    """One line of a draft's history."""

    revision: int
    based_on: int
    saved_at: datetime
    saved_by: str
