"""What differs between two versions of a campaign; pure.

For staff in the words of the file that defines it, for shoppers in the words of the published rules.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum

import msgspec

from tidegate.offer.campaign.contracts import CampaignDefinition, Words
from tidegate.offer.campaign.rule_items import RuleItem, RuleKind

CHANGES_MAX = 500

_KEYS = ("id", "sku", "code", "name", "kind", "role")
"""By which field an entry of a list is told from another: promotions by id, goods and offers by SKU, coupons by code,
phases by name."""


class Change(StrEnum):
    """What became of one value."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Difference(msgspec.Struct, frozen=True):
    """One value that differs: its place (``offers › TG-0001 › price``), and how it read before and reads now."""

    change: Change
    place: tuple[str, ...]
    before: str
    after: str


class RuleDifference(msgspec.Struct, frozen=True):
    """One published rule that differs: its kind and name, and its words before and now; None where there was none."""

    change: Change
    kind: RuleKind
    name: Words
    before: Words | None
    after: Words | None


def rule_differences(before: Sequence[RuleItem], after: Sequence[RuleItem]) -> list[RuleDifference]:
    """Return at most 500 rules that differ, in the order of the rules page; those that ended stand last."""
    old = {(item.kind, item.key): item for item in before}
    new = {(item.kind, item.key): item for item in after}
    found = []
    for key in {**new, **old}:
        was, now = old.get(key), new.get(key)
        if was is not None and now is not None and was.words == now.words and was.name == now.name:
            continue
        change = Change.ADDED if was is None else Change.REMOVED if now is None else Change.CHANGED
        item = now or was
        assert item is not None
        found.append(
            RuleDifference(change, item.kind, item.name, was.words if was else None, now.words if now else None)
        )
    return found[:CHANGES_MAX]


def differences(before: CampaignDefinition, after: CampaignDefinition) -> list[Difference]:
    """Return at most 500 values that differ, in the order of the file."""
    found = _compare((), msgspec.to_builtins(before), msgspec.to_builtins(after))
    return [each for each, _ in zip(found, range(CHANGES_MAX), strict=False)]


def _compare(place: tuple[str, ...], before: object, after: object) -> Iterator[Difference]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _compare_named(place, before, after)
    elif isinstance(before, list | tuple) and isinstance(after, list | tuple) and (_named(before) or _named(after)):
        yield from _compare_named(place, _by_name(before), _by_name(after))
    else:
        yield Difference(Change.CHANGED, place, _written(before), _written(after))


def _compare_named(place: tuple[str, ...], before: dict[str, object], after: dict[str, object]) -> Iterator[Difference]:
    for name in {**before, **after}:
        if name not in after:
            yield Difference(Change.REMOVED, (*place, name), _written(before[name]), "")
        elif name not in before:
            yield Difference(Change.ADDED, (*place, name), "", _written(after[name]))
        else:
            yield from _compare((*place, name), before[name], after[name])


def _name_of(entry: object) -> str | None:
    if not isinstance(entry, dict):
        return None
    return next((str(entry[key]) for key in _KEYS if isinstance(entry.get(key), str)), None)


def _named(entries: Sequence[object]) -> bool:
    return bool(entries) and all(_name_of(entry) is not None for entry in entries)


def _by_name(entries: Sequence[object]) -> dict[str, object]:
    return {_name_of(entry) or str(number): entry for number, entry in enumerate(entries)}


def _written(value: object) -> str:
    """Return a value as people read it, long ones cut."""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= 300 else f"{text[:299]}…"
