"""Decisions of edge, pure: which goods changed between two versions, and what a header says that a cache did."""

from collections.abc import Mapping

import msgspec

from tidegate.gate.edge.contracts import Kept
from tidegate.offer.campaign.contracts import CampaignDefinition

_SAYS = ("cf-cache-status", "x-cache", "x-cache-status", "x-proxy-cache")
"""Where nginx, Varnish and most CDNs say what they did."""
_WORDS = (
    (Kept.HIT, ("hit", "stale", "updating", "revalidated")),
    (Kept.MISS, ("miss", "expired")),
    (Kept.PASSED, ("bypass", "dynamic", "pass", "none")),
)


def changed_goods(before: CampaignDefinition | None, after: CampaignDefinition) -> list[str]:
    """Return the SKUs whose own page says something else than before, in order.

    All of them where anything but single goods and offers changed, because a promotion or a date can stand on every
    page; those of the version before, too, whose pages are gone. What a page shows of other goods beside its own is not
    looked at: pages are renewed every two seconds by what they state themselves.
    """
    if before is None:
        return sorted(each.sku for each in after.goods)
    if before.id != after.id or _frame(before) != _frame(after):
        return sorted({each.sku for each in (*before.goods, *after.goods)})
    were, are = _by_sku(before), _by_sku(after)
    return sorted(sku for sku in {*were, *are} if were.get(sku) != are.get(sku))


def _frame(definition: CampaignDefinition) -> CampaignDefinition:
    return msgspec.structs.replace(definition, goods=(), offers=())


def _by_sku(definition: CampaignDefinition) -> dict[str, list[object]]:
    found: dict[str, list[object]] = {each.sku: [each] for each in definition.goods}
    for offer in definition.offers:
        found.setdefault(offer.sku, []).append(offer)
    return found


def kept_by(headers: Mapping[str, str]) -> Kept:
    """Return what an answer's headers, with names in small letters, say that the edge did with it.

    `Cache-Status` (RFC 9211) lists every cache on the way; a hit in any of them is one. Elsewhere a word says it.
    """
    if "public" not in headers.get("cache-control", ""):
        return Kept.PRIVATE
    if status := headers.get("cache-status", "").lower():
        parts = {part.strip() for member in status.split(",") for part in member.split(";")}
        return Kept.HIT if "hit" in parts else Kept.PASSED if "fwd=bypass" in parts else Kept.MISS
    said = " ".join(headers.get(name, "") for name in _SAYS).lower()
    return next((kept for kept, words in _WORDS if any(word in said for word in words)), Kept.UNKNOWN)
