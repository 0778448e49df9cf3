"""The tables `[[draw]]` of a campaign file: how they are read, what may contradict itself, and their words."""

import re
from collections.abc import Iterator
from datetime import datetime

from tidegate.offer.campaign.benefit_terms import Wording
from tidegate.offer.campaign.contracts import CampaignDefinition, Draw, Fault, NumberSource, PhaseName, Prize, Words
from tidegate.offer.campaign.draw_contracts import CLAIM_DAYS_MAX, PRIZE_COUNT_MAX, PRIZES_MAX, SEAL_AFTER
from tidegate.offer.campaign.reading import Table
from tidegate.offer.campaign.units import Units
from tidegate.offer.campaign.waiting_room import number_contradictions, read_public_number

_SLUG = re.compile(r"[a-z][a-z0-9-]{0,39}", re.ASCII)

Found = Iterator[Fault]


def read_draw(table: Table, burst: tuple[datetime, datetime]) -> Draw:
    """Return the draw that the table describes; without times it takes the orders of the `burst`."""
    opens_at, closes_at = (
        (table.moment(key) if key in table else None) or default
        for key, default in zip(("opens_at", "closes_at"), burst, strict=True)
    )
    draw = Draw(
        name=table.text("name"),
        label=table.words("label"),
        organiser=table.words("organiser"),
        redemption=table.words("redemption"),
        opens_at=opens_at,
        closes_at=closes_at,
        drawn_at=table.moment("drawn_at") or closes_at + 2 * SEAL_AFTER,
        prizes=tuple(_prize(entry) for entry in table.tables("prize", most=PRIZES_MAX)),
        threshold=table.amount("threshold", needed=False) or 0,
        claim_days=table.count("claim_days", default=0),
        public_number=read_public_number(table.table("public_number")) if "public_number" in table else None,
    )
    table.done()
    return draw


def _prize(table: Table) -> Prize:
    prize = Prize(
        name=table.words("name"),
        value=table.money("value"),
        count=table.count("count"),
        chance=table.share("chance") if "chance" in table else 0,
        sent=table.flag("sent", default=False),
    )
    table.done()
    return prize


def draw_faults(definition: CampaignDefinition) -> Found:
    """Everything in the draws that is out of range or contradicts something else."""
    seen: set[str] = set()
    for place, draw in enumerate(definition.draws):
        if not _SLUG.fullmatch(draw.name):
            yield _fault(f'"{draw.name}" is not a name; write small letters, digits and dashes', place, "name")
        if draw.name in seen:
            yield _fault(f'draw "{draw.name}" stands here twice', place, "name")
        seen.add(draw.name)
        if not 0 <= draw.claim_days <= CLAIM_DAYS_MAX:
            yield _fault(f"{draw.claim_days} is out of range; it may be 0 to {CLAIM_DAYS_MAX}", place, "claim_days")
        yield from _prize_faults(draw, place)
        yield from _time_faults(draw, definition, place)
        yield from _number_faults(draw, place)


def _prize_faults(draw: Draw, place: int) -> Found:
    if not draw.prizes:
        yield _fault("a draw has at least one [[draw.prize]]", place, "prize")
    for number, prize in enumerate(draw.prizes):
        if prize.value < 1:
            yield _fault("a prize is worth more than nothing; state its market price", place, "prize", number, "value")
        if not 1 <= prize.count <= PRIZE_COUNT_MAX:
            yield _fault(
                f"{prize.count} is out of range; it is 1 to {PRIZE_COUNT_MAX}", place, "prize", number, "count"
            )


def _number_faults(draw: Draw, place: int) -> Found:
    number = draw.public_number
    if number is None:
        return
    for message, key in number_contradictions(number):
        yield _fault(message, place, "public_number", key)
    if number.source is not NumberSource.DRAND:
        yield _fault('a draw takes its number from "drand"', place, "public_number", "source")
    if not draw.seals_at < number.drawn_at <= draw.drawn_at:
        message = f"{_shown(number.drawn_at)} is not between the sealing, {_shown(draw.seals_at)}, and the draw"
        yield _fault(f"{message}, {_shown(draw.drawn_at)}", place, "public_number", "drawn_at")


def _time_faults(draw: Draw, definition: CampaignDefinition, place: int) -> Found:
    times = (draw.opens_at, draw.closes_at, draw.drawn_at)
    if any(each.tzinfo is None for each in times):
        yield _fault("a time has no zone", place, "opens_at")
        return
    if draw.opens_at >= draw.closes_at:
        yield _fault(f"{_shown(draw.closes_at)} is not after the opening, {_shown(draw.opens_at)}", place, "closes_at")
    if draw.drawn_at < draw.seals_at:
        message = f"{_shown(draw.drawn_at)} is before the list of entries is sealed, {_shown(draw.seals_at)}"
        yield _fault(f"{message}: a minute after it closes", place, "drawn_at")
    if [phase.name for phase in definition.phases] == list(PhaseName):
        ends_at = definition.phase(PhaseName.WIND_DOWN).ends_at
        if draw.drawn_at > ends_at:
            yield _fault(f"{_shown(draw.drawn_at)} is after the end of the campaign", place, "drawn_at")


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _fault(message: str, place: int, *keys: str | int) -> Fault:
    return Fault(path=("draw", place, *keys), message=message)


DRAW_STATEMENT = Words(
    zh="抽奖：每笔符合条件的已付款订单自动获得一次机会，无需另外付费。抽奖前公布秘密种子的哈希和封存名单的根，"
    "开奖时公布种子，任何人都可重新计算全部结果。每个账号每次抽奖最多中一个奖。规则公布后不作不利于参与者的更改。",
    en="Prize draws: every paid order that meets the conditions is one entry; nothing is paid for it. The hash of a "
    "secret seed and the root of the sealed list of entries are public before the draw, the seed at it: anybody "
    "can compute all results again. One prize at most an account in each draw. What is published is not changed to "
    "anybody's disadvantage.",
)


def draw_words(draw: Draw, wording: Wording) -> tuple[Words, ...]:
    """Return the conditions of a draw: who takes part, the prizes with their numbers or chances, when, who, and how."""
    opens, closes, drawn = (wording.time(each) for each in (draw.opens_at, draw.closes_at, draw.drawn_at))
    least = wording.money(draw.threshold)
    from_zh = f"实付满 {least.zh} 的" if draw.threshold else ""
    from_en = f" that comes to {least.en} or more" if draw.threshold else ""
    return (
        Words(
            zh=f"{opens} 起、{closes} 前付款且封存名单时未退款的每笔{from_zh}订单有一次机会。",
            en=f"One entry for each order{from_en}, paid from {opens} on and before {closes}, and not given back when "
            "the list is sealed.",
        ),
        *(_prize_words(prize, wording) for prize in draw.prizes),
        *_number_words(draw, wording),
        Words(zh=f"{drawn} 开奖并公布中奖订单。", en=f"Drawn at {drawn}, when the winning orders are published."),
        *_claim_words(draw),
        Words(zh=f"兑奖：{draw.redemption.zh}", en=f"How prizes are given: {draw.redemption.en}"),
        Words(zh=f"主办方：{draw.organiser.zh}", en=f"Organiser: {draw.organiser.en}"),
    )


def _claim_words(draw: Draw) -> tuple[Words, ...]:
    """How long a prize is claimed, and when it is forfeited; nothing where it is given without being asked for."""
    found = []
    if draw.claim_days:
        found.append(
            Words(
                zh=f"中奖者须在开奖后 {draw.claim_days} 天内在抽奖页面领取奖品；逾期未领取的，视为放弃。",
                en=f"Winners claim their prize on the page of the draws within {draw.claim_days} days of the drawing; "
                "one that is not claimed by then can be forfeited.",
            )
        )
    elif any(prize.sent for prize in draw.prizes):
        found.append(
            Words(
                zh="需要寄送的奖品由中奖者在抽奖页面领取，没有领取期限。",
                en="A prize that is sent is claimed on the page of the draws, without a time limit.",
            )
        )
    if names := [prize.name for prize in draw.prizes if prize.sent]:
        found.append(
            Words(
                zh=f"寄往领取时填写的收货地址：{'、'.join(each.zh for each in names)}。",
                en=f"Sent to the address that is named when claiming: {', '.join(each.en for each in names)}.",
            )
        )
    return tuple(found)


def _number_words(draw: Draw, wording: Wording) -> tuple[Words, ...]:
    number = draw.public_number
    if number is None:
        return ()
    when, wait = wording.time(number.drawn_at), number.patience_seconds
    return (
        Words(
            zh=f"名次另由 {when} 起的第一个{number.label.zh}决定；开奖后 {wait} 秒仍取不到的，仅由种子决定，并予公布。",
            en=f"The ranks depend on the first {number.label.en} from {when} on as well; where it cannot be had {wait} "
            "seconds after the draw was due, the seed alone decides, and that is shown.",
        ),
    )


def _prize_words(prize: Prize, wording: Wording) -> Words:
    value = wording.money(prize.value)
    if prize.chance:
        chance = wording.units.share(prize.chance)
        return Words(
            zh=f"{prize.name.zh}：每次机会中奖概率 {chance}，最多 {prize.count} 份，每份价值 {value.zh}。",
            en=f"{prize.name.en}: each entry wins with a chance of {chance}, {prize.count} at most, {value.en} each.",
        )
    return Words(
        zh=f"{prize.name.zh}：共 {prize.count} 份，每份价值 {value.zh}，全部机会中奖可能相同。",
        en=f"{prize.name.en}: {prize.count} of them, {value.en} each; every entry has the same chance.",
    )


def draw_table(draw: Draw, units: Units) -> dict[str, object]:
    """Return what a campaign file writes of a draw, without its prizes."""
    words = {key: {"zh": text.zh, "en": text.en} for key, text in _texts(draw)}
    return {
        "name": draw.name,
        **words,
        "opens_at": units.time(draw.opens_at),
        "closes_at": units.time(draw.closes_at),
        "drawn_at": units.time(draw.drawn_at),
        "threshold": units.money(draw.threshold) if draw.threshold else None,
        "claim_days": draw.claim_days or None,
    }


def _texts(draw: Draw) -> tuple[tuple[str, Words], ...]:
    return (("label", draw.label), ("organiser", draw.organiser), ("redemption", draw.redemption))


def prize_table(prize: Prize, units: Units) -> dict[str, object]:
    """Return what a campaign file writes of one prize."""
    return {
        "name": {"zh": prize.name.zh, "en": prize.name.en},
        "value": units.money(prize.value),
        "count": prize.count,
        "chance": units.share(prize.chance) if prize.chance else None,
        "sent": prize.sent or None,
    }
