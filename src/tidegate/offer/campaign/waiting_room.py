"""The table `[waiting_room]` of a campaign file: how it is read, and what may contradict itself in it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from tidegate.offer.campaign.contracts import (
    LANES_MAX,
    Audience,
    CampaignDefinition,
    Fault,
    GuardedGoods,
    OfferKind,
    PhaseName,
    QueueLane,
    WaitingRoom,
    Words,
)
from tidegate.offer.campaign.reading import Table

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}", re.ASCII)
_DURATION = re.compile(r"(\d{1,6})\s*(s|min|h)", re.ASCII)
_SECONDS = {"s": 1, "min": 60, "h": 3_600}
_SHARE = re.compile(r"(\d{1,3})\s*%", re.ASCII)
SLOW_LANE = "slow"
SLOW_SHARE, SLOW_SHARE_MAX = 5, 20
_SOME_TIME = datetime(2026, 1, 1, tzinfo=UTC)

Found = Iterator[Fault]


def read_waiting_room(table: Table) -> WaitingRoom:
    """Return what the table says, with faults noted where it says nothing sensible."""
    room = WaitingRoom(
        opens_at=table.moment("opens_at") or _SOME_TIME,
        seals_at=table.moment("seals_at") or _SOME_TIME,
        cap=table.count("cap"),
        per_minute=table.count("per_minute"),
        ramp_seconds=_seconds(table, "ramp", 0),
        claim_seconds=_seconds(table, "claim_window", 90),
        pass_seconds=_seconds(table, "pass_life", 600),
        purchases=table.count("purchases", default=1),
        per_network=table.count("per_network", default=0),
        goods=table.choice("goods", GuardedGoods, GuardedGoods.EVERYTHING),
        lanes=tuple(_lane(each) for each in table.tables("lane", most=LANES_MAX)) or (_one_lane(),),
        slow_share=_percent(table, "slow_share") if "slow_share" in table else SLOW_SHARE,
    )
    table.done()
    return room


def _one_lane() -> QueueLane:
    return QueueLane(name="everyone", label=Words("所有人", "Everyone"), share=100, audience=Audience.EVERYONE)


def _lane(table: Table) -> QueueLane:
    lane = QueueLane(
        name=table.text("name"),
        label=table.words("label"),
        share=_percent(table, "share"),
        audience=table.choice("audience", Audience, Audience.EVERYONE),
    )
    table.done()
    return lane


def _percent(table: Table, key: str) -> int:
    text = table.text(key)
    found = _SHARE.fullmatch(text)
    if text and not found:
        table.fault(key, f'"{text}" is not a whole percentage; write it like "30 %"')
    return int(found[1]) if found else 0


def _seconds(table: Table, key: str, default: int) -> int:
    if key not in table:
        return default
    text = table.text(key)
    found = _DURATION.fullmatch(text)
    if text and not found:
        table.fault(key, f'"{text}" is not a duration; write it like "90 s", "10 min" or "1 h"')
    return int(found[1]) * _SECONDS[found[2]] if found else default


def waiting_room_faults(definition: CampaignDefinition) -> Found:
    """Everything in the waiting room that is out of range or contradicts something else."""
    room = definition.waiting_room
    if room is None:
        return
    yield from _time_faults(room, definition)
    for key, value, least, most in (
        ("cap", room.cap, 1, 1_000_000),
        ("per_minute", room.per_minute, 1, 1_000_000),
        ("purchases", room.purchases, 1, 100),
        ("slow_share", room.slow_share, 0, SLOW_SHARE_MAX),
    ):
        if not least <= value <= most:
            yield _fault(f"{value} is out of range; it may be {least} to {most}", key)
    for key, value, least, most in (
        ("ramp", room.ramp_seconds, 0, 86_400),
        ("claim_window", room.claim_seconds, 10, 3_600),
        ("pass_life", room.pass_seconds, 30, 3_600),
    ):
        if not least <= value <= most:
            yield _fault(f"{value} s is out of range; it may be {least} s to {most} s", key)
    if room.goods is GuardedGoods.FLASH and not any(offer.kind is OfferKind.FLASH for offer in definition.offers):
        yield _fault('nothing is on offer at a flash price; write goods = "everything"', "goods")
    yield from _lane_faults(room)


def _time_faults(room: WaitingRoom, definition: CampaignDefinition) -> Found:
    burst = next((phase for phase in definition.phases if phase.name is PhaseName.BURST), None)
    if room.opens_at.tzinfo is None or room.seals_at.tzinfo is None:
        yield _fault("a time has no zone", "opens_at")
        return
    if room.opens_at >= room.seals_at:
        yield _fault(
            f"{_shown(room.seals_at)} is not after the opening of the line, {_shown(room.opens_at)}", "seals_at"
        )
    if burst is not None and burst.starts_at.tzinfo is not None and room.seals_at >= burst.starts_at:
        yield _fault(
            f"{_shown(room.seals_at)} is not before the start of the sale, {_shown(burst.starts_at)}; "
            "the sealed list is published before the draw is revealed",
            "seals_at",
        )


def _lane_faults(room: WaitingRoom) -> Found:
    names = [lane.name for lane in room.lanes]
    for place, lane in enumerate(room.lanes):
        if not _NAME.fullmatch(lane.name):
            yield _fault(f'"{lane.name}" is not a name; write small letters, digits and dashes', "lane", place, "name")
        elif lane.name == SLOW_LANE:
            yield _fault(f'"{SLOW_LANE}" is the lane of places that look like a program\'s', "lane", place, "name")
        elif lane.name in names[:place]:
            yield _fault(f'lane "{lane.name}" stands here twice', "lane", place, "name")
        if not 1 <= lane.share <= 100:
            yield _fault(f"{lane.share} % is out of range; it may be 1 % to 100 %", "lane", place, "share")
    total = sum(lane.share for lane in room.lanes)
    if total != 100:
        yield _fault(f"the shares of the lanes come to {total} %; together they are 100 %", "lane")
    if not any(lane.audience is Audience.EVERYONE for lane in room.lanes):
        yield _fault('no lane is for everyone; one needs audience = "everyone"', "lane")


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _fault(message: str, *path: str | int) -> Fault:
    return Fault(path=("waiting_room", *path), message=message)
