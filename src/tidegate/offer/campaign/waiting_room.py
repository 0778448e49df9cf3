"""The table `[waiting_room]` of a campaign file: how it is read, and what may contradict itself in it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from tidegate.offer.campaign.contracts import (
    LANES_MAX,
    Audience,
    BeyondNetwork,
    CampaignDefinition,
    Fault,
    GuardedGoods,
    NumberSource,
    OfferKind,
    PhaseName,
    PublicNumber,
    QueueLane,
    WaitingRoom,
    Words,
    WorkAsked,
)
from tidegate.offer.campaign.public_numbers import DRAND_KEYS, QUICKNET, QUICKNET_GENESIS
from tidegate.offer.campaign.reading import Table

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}", re.ASCII)
_DURATION = re.compile(r"(\d{1,6})\s*(s|min|h)", re.ASCII)
_SECONDS = {"s": 1, "min": 60, "h": 3_600}
_SHARE = re.compile(r"(\d{1,3})\s*%", re.ASCII)
_CHAIN = re.compile(r"[0-9a-f]{64}", re.ASCII)
_PUBLIC_KEY = re.compile(r"[0-9a-f]{192}", re.ASCII)
SLOW_LANE = "slow"
SLOW_SHARE, SLOW_SHARE_MAX = 5, 20
PER_NETWORK = 20
"""Places of one /24 or /48 that stand where all do, unless the file says otherwise: a farm in twenty networks has 400
of them, not ten thousand. A /24 is 254 lines, a /48 as much as one site is commonly given (RFC 6177). Behind addresses
that a carrier shares (RFC 6888), or in a mall, may be more persons: docs/campaign-file.md says for whom to raise it.
"""
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
        per_network=table.count("per_network", default=PER_NETWORK),
        goods=table.choice("goods", GuardedGoods, GuardedGoods.EVERYTHING),
        lanes=tuple(_lane(each) for each in table.tables("lane", most=LANES_MAX)) or (_one_lane(),),
        public_number=read_public_number(table.table("public_number")) if "public_number" in table else None,
        slow_share=_percent(table, "slow_share") if "slow_share" in table else SLOW_SHARE,
        beyond_network=table.choice("beyond_network", BeyondNetwork, BeyondNetwork.BEHIND),
        work=table.choice("work", WorkAsked, WorkAsked.SUSPECTS),
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


def read_public_number(table: Table) -> PublicNumber:
    """Return the public number that a table describes, of a line or of a draw."""
    source = table.choice("source", NumberSource, NumberSource.DRAND)
    is_drand = source is NumberSource.DRAND
    genesis = (table.moment("genesis") or _SOME_TIME) if "genesis" in table else QUICKNET_GENESIS
    chain, period = table.text("chain", default=QUICKNET), _seconds(table, "period", 3)
    named = not is_drand or "label" in table
    number = PublicNumber(
        source=source,
        label=table.words("label") if named else Words("drand 公共随机数", "drand public randomness"),
        drawn_at=table.moment("drawn_at") or _SOME_TIME,
        patience_seconds=_seconds(table, "patience", 30),
        chain=chain if is_drand else "",
        genesis_at=int(genesis.timestamp()) if is_drand else 0,
        period_seconds=period if is_drand else 0,
        public_key=table.text("public_key", default="") if is_drand else "",
    )
    if not is_drand:
        for key in ("chain", "genesis", "period", "public_key"):
            if key in table:
                table.fault(key, 'belongs to source = "drand"')
    table.done()
    return number


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
    if room.public_number is not None:
        yield from _number_faults(room.public_number, room, definition)


def _number_faults(number: PublicNumber, room: WaitingRoom, definition: CampaignDefinition) -> Found:
    burst = next((phase for phase in definition.phases if phase.name is PhaseName.BURST), None)
    here = "public_number"
    if number.drawn_at <= room.seals_at:
        yield _fault(
            f"{_shown(number.drawn_at)} is not after the sealing, {_shown(room.seals_at)}; nobody may know the number "
            "while places can still be added",
            here,
            "drawn_at",
        )
    if burst is not None and burst.starts_at.tzinfo is not None and number.drawn_at >= burst.starts_at:
        yield _fault(
            f"{_shown(number.drawn_at)} is not before the start of the sale, {_shown(burst.starts_at)}",
            here,
            "drawn_at",
        )
    for message, key in number_contradictions(number):
        yield _fault(message, here, key)


def number_contradictions(number: PublicNumber) -> Iterator[tuple[str, str]]:
    """What is out of range in a public number, wherever it stands: a message and its key."""
    if not 0 <= number.patience_seconds <= 3_600:
        yield f"{number.patience_seconds} s is out of range; it may be 0 s to 3600 s", "patience"
    if number.source is NumberSource.STATED:
        return
    if not _CHAIN.fullmatch(number.chain):
        yield f'"{number.chain}" is not the hash of a chain; write its 64 hexadecimal digits', "chain"
    yield from _key_faults(number)
    if not 1 <= number.period_seconds <= 3_600:
        yield f"{number.period_seconds} s is out of range; it may be 1 s to 3600 s", "period"
    if number.genesis_at >= number.drawn_at.timestamp():
        yield "is not before drawn_at: the chain has no round by then", "genesis"


def _key_faults(number: PublicNumber) -> Iterator[tuple[str, str]]:
    known, key = DRAND_KEYS.get(number.chain), number.public_key
    if key and not _PUBLIC_KEY.fullmatch(key):
        yield f'"{key}" is not the public key of a chain; write its 192 hexadecimal digits', "public_key"
    elif key and known not in (None, key):
        yield "is not the key of this chain; leave it out, it is known", "public_key"
    elif not key and known is None:
        yield "this chain's public key is needed: nobody could tell its numbers from invented ones", "public_key"


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
