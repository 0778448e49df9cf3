"""The tables `[[coupon]]` of a campaign file: how they are read, what may contradict itself, and their claims in words.

A coupon with `codes = "unique"` is a template: shoppers claim it, and each claim has a code of its own.
"""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum

from tidegate.offer.campaign.contracts import (
    CODE_ALPHABET,
    CODES_MAX,
    Audience,
    CampaignDefinition,
    Coupon,
    Fault,
    PhaseName,
    UniqueCodes,
    Words,
)
from tidegate.offer.campaign.reading import Table

HEAD_LENGTH_MAX = 16
"""With a dash, 12 letters and the check letter it stays within the 32 characters of any code."""
LETTERS_MIN, LETTERS_MAX = 4, 12
_DAYS_MAX = 366

Found = Iterator[Fault]


class _Codes(StrEnum):
    SHARED = "shared"
    UNIQUE = "unique"


def read_coupon(table: Table) -> Coupon:
    """Return the coupon that the table describes, with faults noted where it says nothing sensible."""
    unique = table.choice("codes", _Codes, _Codes.SHARED) is _Codes.UNIQUE
    coupon = Coupon(
        code=table.text("code"),
        threshold=table.money("threshold"),
        off=table.money("off"),
        quota=table.count("quota", default=0),
        per_buyer=table.count("per_buyer", default=0),
        label=table.words("label"),
        unique=_unique(table) if unique else None,
    )
    table.done()
    return coupon


def _unique(table: Table) -> UniqueCodes:
    return UniqueCodes(
        count=table.count("count"),
        per_account=table.count("per_account", default=1),
        claims_open_at=_moment(table, "claims_open_at"),
        claims_close_at=_moment(table, "claims_close_at"),
        valid_until_at=_moment(table, "valid_until_at"),
        valid_days=table.count("valid_days", default=0),
        audience=table.choices("audience", Audience, Audience.EVERYONE) if "audience" in table else (),
        letters=table.count("letters", default=10),
        button=table.flag("button", default=True),
        back_on_refund=table.flag("back_on_refund", default=True),
    )


def _moment(table: Table, key: str) -> datetime | None:
    return table.moment(key) if key in table else None


def code_space(letters: int) -> int:
    """Return how many codes of so many letters there are."""
    return int(len(CODE_ALPHABET) ** letters)


def unique_faults(coupon: Coupon, place: int, definition: CampaignDefinition) -> Found:
    """Everything in a template that is out of range or contradicts something else."""
    unique = coupon.unique
    if unique is None:
        return
    for key, value, least, most in (
        ("count", unique.count, 1, CODES_MAX),
        ("letters", unique.letters, LETTERS_MIN, LETTERS_MAX),
        ("valid_days", unique.valid_days, 0, _DAYS_MAX),
    ):
        if not least <= value <= most:
            yield _fault(f"{value} is out of range; it may be {least} to {most}", place, key)
    if len(coupon.code) > HEAD_LENGTH_MAX:
        yield _fault(
            f"has {len(coupon.code)} characters; with unique codes, of which it is the head, the most is"
            f" {HEAD_LENGTH_MAX}",
            place,
            "code",
        )
    if LETTERS_MIN <= unique.letters <= LETTERS_MAX and 2 * unique.count > code_space(unique.letters):
        message = f"{unique.count} codes would use half of all codes of {unique.letters} letters; take more letters"
        yield _fault(message, place, "letters")
    for other in definition.coupons:
        if other.code.startswith(f"{coupon.code}-"):
            message = f'"{other.code}" begins like a code of "{coupon.code}"; give one of them another name'
            yield _fault(message, place, "code")
    yield from _time_faults(coupon, unique, place, definition)


def _time_faults(coupon: Coupon, unique: UniqueCodes, place: int, definition: CampaignDefinition) -> Found:
    times = (unique.claims_open_at, unique.claims_close_at, unique.valid_until_at)
    if any(each is not None and each.tzinfo is None for each in times):
        yield _fault("a time has no zone", place, "claims_open_at")
        return
    if [phase.name for phase in definition.phases] != list(PhaseName):
        return
    opens_at, closes_at = claim_window(definition, unique)
    if opens_at >= closes_at:
        yield _fault(
            f"{_shown(closes_at)} is not after the opening of claims, {_shown(opens_at)}", place, "claims_close_at"
        )
    sale = definition.phase(PhaseName.BURST)
    if valid_until(definition, unique) <= sale.starts_at:
        yield _fault(
            f"{_shown(valid_until(definition, unique))} is not after the start of the sale; {coupon.code} could "
            "never be used",
            place,
            "valid_until_at",
        )


def claim_window(definition: CampaignDefinition, unique: UniqueCodes) -> tuple[datetime, datetime]:
    """Return from when on, and before when, a coupon can be claimed."""
    opens_at = unique.claims_open_at or definition.phase(PhaseName.WARM_UP).starts_at
    return opens_at, unique.claims_close_at or definition.phase(PhaseName.BURST).ends_at


def valid_until(definition: CampaignDefinition, unique: UniqueCodes) -> datetime:
    """Return before when a claimed coupon can be used at the latest."""
    return unique.valid_until_at or definition.phase(PhaseName.BURST).ends_at


def claim_words(definition: CampaignDefinition, unique: UniqueCodes) -> Words:
    """Return how the coupon is claimed, as two half-sentences that follow its conditions."""
    opens_at, closes_at = claim_window(definition, unique)
    until = valid_until(definition, unique)
    days, who = unique.valid_days, [each for each in Audience if each in unique.audience]
    zh = [f"限量 {unique.count} 张", f"{_shown(opens_at)} 起、{_shown(closes_at)} 前领取"]
    en = [f"{unique.count} coupons in all", f"claimed from {_shown(opens_at)} on and before {_shown(closes_at)}"]
    if unique.per_account:
        zh.append(f"每个账号限领 {unique.per_account} 张")
        en.append(f"{unique.per_account} per account")
    if who and Audience.EVERYONE not in who:
        zh.append("仅限" + "、".join(_WHO_ZH[each] for each in who))
        en.append("for " + " and ".join(_WHO_EN[each] for each in who) + " only")
    zh.append(f"领取后 {days} 天内且 {_shown(until)} 前有效" if days else f"{_shown(until)} 前有效")
    en.append(f"valid for {days} days and before {_shown(until)}" if days else f"valid before {_shown(until)}")
    zh.append("订单未付款即退回" + ("，全额退款后也退回" if unique.back_on_refund else "，付款后退款不退回"))
    en.append(
        "it comes back when its order ends unpaid" + ("" if not unique.back_on_refund else " or is refunded in full")
    )
    return Words(zh="；".join(zh), en="; ".join(en))


_WHO_ZH = {Audience.EVERYONE: "所有人", Audience.NEW: "新客", Audience.RETURNING: "老客", Audience.MEMBERS: "会员"}
_WHO_EN = {
    Audience.EVERYONE: "everyone",
    Audience.NEW: "new customers",
    Audience.RETURNING: "returning customers",
    Audience.MEMBERS: "members",
}


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _fault(message: str, place: int, key: str) -> Fault:
    return Fault(path=("coupon", place, key), message=message)
