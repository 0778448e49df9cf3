"""Words of a change: two versions of a campaign, and what of it is worse for the buyer. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from tidegate.base.money import format_money
from tidegate.offer.campaign.contracts import CampaignDefinition, Phase, PhaseName, Words

Path = tuple[str | int, ...]


class Change(msgspec.Struct, frozen=True):
    """The version that is published and the one that would take its place at `at`."""

    old: CampaignDefinition
    new: CampaignDefinition
    at: datetime

    @property
    def sales(self) -> tuple[Phase, Phase]:
        """The burst as it was promised, and as it would be."""
        return self.old.phase(PhaseName.BURST), self.new.phase(PhaseName.BURST)

    @property
    def sells_at(self) -> datetime:
        """When the first of both sales begins: one that is put off was promised for its old time."""
        return min(sale.starts_at for sale in self.sales)

    @property
    def opens_at(self) -> datetime:
        """When anything can first be bought by either: the sale, or a presale whose deposits are taken before it."""
        presales = (*self.old.presales, *self.new.presales)
        return min([self.sells_at, *(presale.deposit_from_at for presale in presales)])

    @property
    def is_over(self) -> bool:
        """Whether the sale that was promised is over, so that nothing of it can be bought any more."""
        return self.at >= self.sales[0].ends_at

    def is_later(self, before: datetime, after: datetime) -> bool:
        """Whether something begins later than it was promised; when both are past, it has begun by both."""
        return after > max(before, self.at)


class Worse(msgspec.Struct, frozen=True):
    """One thing that is worse for the buyer, and the moment from which the changed term works."""

    path: Path
    what: Words
    works_at: datetime


def is_tighter(before: int, after: int) -> bool:
    """Whether a limit allows less than before; 0 is no limit."""
    return bool(after) and (not before or after < before)


def limited(name: Words, before: int, after: int) -> Iterator[Words]:
    """Says that a limit is tighter, if it is."""
    if is_tighter(before, after):
        yield _from_to(name, Words(str(before) if before else "不限", str(before) if before else "no limit"), after)


def fewer(name: Words, before: int, after: int) -> Iterator[Words]:
    """Says that there is less of something, if there is."""
    if after < before:
        yield _from_to(name, Words(str(before), str(before)), after)


def more(name: Words, before: int, after: int) -> Iterator[Words]:
    """Says that more of something is asked, if it is."""
    if after > before:
        yield _from_to(name, Words(str(before), str(before)), after)


def dearer(name: Words, before: int, after: int, currency: str) -> Iterator[Words]:
    """Says that an amount of money rises, if it does."""
    if after > before:
        yield _money(name, before, after, currency)


def cheaper(name: Words, before: int, after: int, currency: str) -> Iterator[Words]:
    """Says that an amount of money falls, if it does."""
    if after < before:
        yield _money(name, before, after, currency)


def moved(name: Words, before: datetime, after: datetime) -> Words:
    """Says that a time is another one."""
    first, then = (f"{each:%Y-%m-%d %H:%M} UTC" for each in (before, after))
    return Words(f"{name.zh}从 {first} 改为 {then}", f"{name.en} from {first} to {then}")


def told(of: Words, parts: Sequence[Words]) -> Words:
    """All that is worse in one thing, as one sentence."""
    return Words(
        f"{of.zh}的条件变差：" + "，".join(part.zh for part in parts),
        f"the terms of {of.en} become worse: " + ", ".join(part.en for part in parts),
    )


def _from_to(name: Words, before: Words, after: int) -> Words:
    return Words(f"{name.zh}从 {before.zh} 变为 {after}", f"{name.en} from {before.en} to {after}")


def _money(name: Words, before: int, after: int, currency: str) -> Words:
    zh, en = ([format_money(each, currency, locale) for each in (before, after)] for locale in ("zh", "en"))
    return Words(f"{name.zh}从 {zh[0]} 变为 {zh[1]}", f"{name.en} from {en[0]} to {en[1]}")
