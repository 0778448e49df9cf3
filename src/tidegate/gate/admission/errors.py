"""The refusals of admission.

Refusal
├── PassRefused     403  no pass, not ours, expired, or somebody else's
├── PhaseNotOpen    409  the campaign gives no passes yet
├── CampaignOver    409  it gives none any more
└── NoCampaign      404  nothing is on
"""

from tidegate.base.errors import Refusal


class PassRefused(Refusal):
    """The pass does not admit this order. Field: `reason`, one of missing, forged, expired, other-account,
    other-device and other-campaign.
    """

    code, status, title = "pass-refused", 403, "Pass refused"


class PhaseNotOpen(Refusal):
    """The campaign gives no passes yet. Fields: `opens_at`, `retry_after`."""

    code, status, title = "phase-not-open", 409, "Not open yet"


class CampaignOver(Refusal):
    """The campaign gives no passes any more. Field: `closed_at`."""

    code, status, title = "campaign-over", 409, "Campaign over"


class NoCampaign(Refusal):
    """No campaign is published."""

    code, status, title = "no-campaign", 404, "No campaign"
