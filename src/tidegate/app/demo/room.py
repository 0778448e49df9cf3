"""The demo's waiting room, put in front of the example festival: who comes to click through the example needs none."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from tidegate.offer.campaign.contracts import (
    Audience,
    BeyondNetwork,
    CampaignDefinition,
    GuardedGoods,
    PhaseName,
    QueueLane,
    WaitingRoom,
    Words,
    WorkAsked,
)

_SEAL_SECONDS: Final = 2
_LANES: Final = (
    QueueLane(name="members", label=Words("会员", "Members"), share=30, audience=Audience.MEMBERS),
    QueueLane(name="everyone", label=Words("所有人", "Everyone"), share=70, audience=Audience.EVERYONE),
)
"""Early access: one shopper in five is a member, and three calls in ten are theirs while both lanes have somebody."""

PER_NETWORK: Final = 4
"""Places from one network: a household of two takes one each, and each once more when its pass is used up. More are
refused: goods may outlast the demo's draw, and a farm's places that stood behind it would have them then.
"""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """How the demo's line lets people in. Times in seconds."""

    cap: int
    per_minute: int
    ramp_seconds: int
    claim_seconds: int = 20
    pass_seconds: int = 60
    purchases: int = 2


def with_line(definition: CampaignDefinition, line: Line, now: datetime) -> CampaignDefinition:
    """Return the festival with a waiting room that is open from `now` on and drawn at the opening, one lane of it for
    members.
    """
    opens_at = definition.phase(PhaseName.BURST).starts_at
    room = WaitingRoom(
        opens_at=now,
        seals_at=opens_at - timedelta(seconds=_SEAL_SECONDS),
        cap=line.cap,
        per_minute=line.per_minute,
        ramp_seconds=line.ramp_seconds,
        claim_seconds=line.claim_seconds,
        pass_seconds=line.pass_seconds,
        purchases=line.purchases,
        per_network=PER_NETWORK,
        beyond_network=BeyondNetwork.REFUSED,
        goods=GuardedGoods.EVERYTHING,
        lanes=_LANES,
        # The farm's work would be done by the machine that the demo measures: minutes of it, which a farm does at home.
        work=WorkAsked.ATTACK,
    )
    return msgspec.structs.replace(definition, waiting_room=room)
