"""The words of admission: passes, and the window in which they are given."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

PASS_HEADER = "Tidegate-Pass"  # noqa: S105  the name of a header, not a secret


class PassWindow(msgspec.Struct, frozen=True, kw_only=True):
    """When a campaign gives passes: from `opens_at` on, and before `closes_at`."""

    campaign_id: str
    opens_at: datetime
    closes_at: datetime


class Pass(msgspec.Struct, frozen=True, kw_only=True):
    """A pass just given. Ask for another before it expires; the old one stays good until then."""

    token: Annotated[str, Meta(description=f"Send it with an order as the header `{PASS_HEADER}`.")]
    campaign_id: Annotated[str, Meta(examples=["double-11"])]
    expires_at: datetime
    renew_at: Annotated[datetime, Meta(description="A good moment to ask for the next one.")]


class PassFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a good pass says, checked against who sent it."""

    account_id: UUID
    device: UUID
    campaign_id: str
    expires_at: datetime
