"""The JSON door of admission: a signed-in shopper asks for a pass."""

from litestar import post
from litestar.datastructures import CacheControlHeader

from tidegate.gate.admission.api import Admission
from tidegate.gate.admission.contracts import Pass, PassWindow
from tidegate.gate.admission.errors import NoCampaign
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.campaign.contracts import PhaseName
from tidegate.trust.identity.contracts import SessionFacts


@post(
    "/api/v1/passes",
    tags=["admission"],
    operation_id="AskForPass",
    summary="Ask for a pass",
    description="An order needs a pass, sent as the header `Tidegate-Pass`. Passes are given from the beginning of the "
    "warm-up to the end of the wind-down, for ten minutes each, to one account on one device; ask again to renew. "
    "Before that the answer is 409 with `opens_at`.",
    request_max_body_size=1_024,
    cache_control=CacheControlHeader(no_store=True),
)
async def ask_for_pass(session: SessionFacts, admission: Admission, campaign: Campaign) -> Pass:
    """Give a pass to the signed-in shopper."""
    return admission.issue_pass(session.account_id, session.session_id, _window(campaign))


def _window(campaign: Campaign) -> PassWindow:
    version = campaign.current()
    if version is None:
        raise NoCampaign("No campaign is published; no pass was given.")
    return PassWindow(
        campaign_id=version.campaign_id,
        opens_at=version.definition.phase(PhaseName.WARM_UP).starts_at,
        closes_at=version.definition.phase(PhaseName.WIND_DOWN).ends_at,
    )


routes = [ask_for_pass]
