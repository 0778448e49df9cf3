"""What is published of a draw: facts with their times, the sealed list and the calls, each in parts."""

from tidegate.base.db import Tx
from tidegate.gate.queue import store, store_proof
from tidegate.gate.queue.contracts import (
    CallList,
    PublishedCall,
    PublishedDraw,
    SealedLane,
    SealedList,
    SealedPlace,
)
from tidegate.gate.queue.draw import rank_text
from tidegate.gate.queue.errors import NotSealed, NoWaitingRoom
from tidegate.gate.queue.rows import LaneRow, LineRow
from tidegate.offer.campaign.contracts import Words


async def line_of(tx: Tx, campaign_id: str) -> LineRow:
    """Return the line of a campaign, of one that is over too. Raises NoWaitingRoom."""
    line = await store.line(tx, campaign_id)
    if line is None:
        raise NoWaitingRoom(f"The campaign {campaign_id} has no line; nothing can be checked.")
    return line


def published(line: LineRow, lanes: list[LaneRow]) -> PublishedDraw:
    """Return a draw as far as it is public."""
    return PublishedDraw(
        campaign_id=line.campaign_id,
        seed_hash=line.seed_hash.hex(),
        opened_at=line.opened_at,
        lanes=tuple(
            SealedLane(
                name=each.name,
                label=Words(each.label_zh, each.label_en),
                share=each.share,
                drawn=each.drawn,
                slow=each.slow,
            )
            for each in lanes
        ),
        sealed_at=line.sealed_at,
        count=line.sealed_count,
        root=line.root.hex() if line.root else None,
        rooted_at=line.rooted_at,
        number=line.number,
        seed=line.seed.hex() if line.seed else None,
        revealed_at=line.revealed_at,
    )


async def published_draw(tx: Tx, campaign_id: str) -> PublishedDraw:
    """Return a draw as far as it is public. Raises NoWaitingRoom."""
    line = await line_of(tx, campaign_id)
    return published(line, await store.lanes(tx, line.line_id))


async def sealed_list_of(tx: Tx, campaign_id: str, start: int, limit: int) -> SealedList:
    """Return a part of the sealed list. Raises NotSealed, NoWaitingRoom."""
    line = await line_of(tx, campaign_id)
    draw = published(line, await store.lanes(tx, line.line_id))
    if draw.root is None or draw.count is None:
        raise NotSealed("The list is sealed shortly before the opening; look again then.")
    places = await store.sealed(tx, line.line_id, start, limit)
    following = places[-1][0] + 1 if places and places[-1][0] + 1 < draw.count else None
    return SealedList(
        campaign_id=draw.campaign_id,
        seed_hash=draw.seed_hash,
        opened_at=draw.opened_at,
        lanes=draw.lanes,
        sealed_at=draw.sealed_at,
        count=draw.count,
        root=draw.root,
        rooted_at=draw.rooted_at,
        number=draw.number,
        seed=draw.seed,
        revealed_at=draw.revealed_at,
        places=tuple(SealedPlace(serial=each[0], lane=each[1], commitment=each[2].hex()) for each in places),
        following=following,
    )


async def call_list_of(tx: Tx, campaign_id: str, start: int, limit: int) -> CallList:
    """Return a part of the calls, from the `start`th on. Raises NoWaitingRoom."""
    line = await line_of(tx, campaign_id)
    calls = await store_proof.calls(tx, line.line_id, start, limit)
    return CallList(
        campaign_id=campaign_id,
        calls=tuple(
            PublishedCall(
                lane=each.lane,
                threshold=rank_text(each.threshold),
                late_called=each.late_called,
                called_at=each.called_at,
            )
            for each in calls
        ),
        following=start + limit if len(calls) == limit else None,
    )
