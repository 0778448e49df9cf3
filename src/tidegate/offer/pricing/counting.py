"""Counters of what is limited, decided in memory for a batch of orders, and the refusals when one is used up."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from tidegate.base.errors import Refusal
from tidegate.offer.pricing.contracts import CounterUse
from tidegate.offer.pricing.errors import BuyerLimitReached, CouponUsedUp, FlashPriceGone, PromotionUsedUp
from tidegate.offer.pricing.scoped import shared_limit_reached


def is_for_one(use: CounterUse) -> bool:
    """Whether a counter is for one buyer or device: its key ends with whose it is."""
    return use.key.count(":") > 1


def for_all_and_for_one(uses: tuple[CounterUse, ...]) -> tuple[tuple[CounterUse, ...], tuple[CounterUse, ...]]:
    """The uses of counters for everybody, and of those for one buyer or device."""
    for_one = tuple([use for use in uses if is_for_one(use)])
    return tuple([use for use in uses if not is_for_one(use)]) if for_one else uses, for_one


def refusal_of(use: CounterUse) -> Refusal:
    """The refusal to answer when `use` would exceed its counter's cap."""
    kind, _, rest = use.key.partition("/")[2].partition(":")
    name = rest.partition(":")[0]
    match kind:
        case "coupon":
            fault = "This coupon is used up" if rest == name else "You have used this coupon as often as one buyer may"
            return CouponUsedUp(f"{fault}. Nothing was ordered; order without the coupon.", coupon=name)
        case "promotion" | "period" | "budget":
            return _promotion_used_up(kind, name, whose_own=rest != name)
        case "slot":
            return _flash_price_gone(use, name, whose_own=rest != name)
        case "offer":
            return BuyerLimitReached(
                f"One buyer may have {use.cap} of {name}, all orders together. "
                "Nothing was ordered; lower the quantity.",
                sku=name,
                limit=use.cap,
            )
        case "device" | "address" | "instrument":
            return shared_limit_reached(use)
        case _:
            return BuyerLimitReached(
                f"One buyer may have {use.cap} of these goods together, all orders and reservations together. "
                "Nothing was ordered; lower the quantity.",
                rule=name,
                limit=use.cap,
            )


def _promotion_used_up(kind: str, name: str, *, whose_own: bool) -> PromotionUsedUp:
    """The refusal for a promotion: its uses in all, those of this account, or its budget."""
    if kind == "budget":
        fault = "What this promotion may take off in all is used up"
    elif whose_own:
        fault = "You have used this promotion as often as one account may"
    else:
        fault = "This promotion is used up"
    return PromotionUsedUp(f"{fault}. Nothing was ordered; look at the new price and order again.", promotion=name)


def _flash_price_gone(use: CounterUse, name: str, *, whose_own: bool) -> FlashPriceGone:
    """The refusal for a slot: its units in all, or those of this account."""
    if whose_own:
        fault = f"One account may have {use.cap} units at the flash price in this slot, all orders together"
    else:
        fault = "The slot has not so many units left at the flash price"
    advice = "Nothing was ordered; look at the new price, or ask for fewer."
    return FlashPriceGone(f"{fault}. {advice}", slot=name, limit=use.cap if whose_own else None)


class Left(dict[str, int]):
    """How much is known to be left of counters, by key; what was found to suffice does so until one is lowered."""

    __slots__ = ("lowered",)

    def __init__(self, left: Mapping[str, int] = MappingProxyType({})) -> None:
        super().__init__(left)
        self.lowered = 0

    def lower(self, key: str, left: int) -> None:
        """No more than this is left of a counter."""
        known = self.get(key)
        if known is None or left < known:
            self[key] = left
            self.lowered += 1


class Counters:
    """Counters read for one transaction: a batch of orders is decided on it, then what it used is written once."""

    def __init__(self, used: Mapping[str, int], missing: frozenset[str]) -> None:
        self._before = used
        self._used = dict(used)
        self._missing = missing
        self._caps: dict[str, int] = {}

    def try_use(self, uses: Sequence[CounterUse]) -> CounterUse | None:
        """Use all of them, or none: the first that would exceed its cap is returned, and nothing is counted."""
        used, caps = self._used, self._caps
        for place, use in enumerate(uses):
            key, cap = use.key, use.cap
            count = used[key] + use.amount
            if count > cap:
                self.give_back(uses[:place])
                return use
            used[key], caps[key] = count, cap
        return None

    def give_back(self, uses: Sequence[CounterUse]) -> None:
        """Undo a `try_use` of this transaction, for an order that was refused for another reason afterwards."""
        for use in uses:
            self._used[use.key] -= use.amount

    def changes(self) -> list[tuple[str, int, int, bool]]:
        """Key, what was added, cap and whether the row is new, for every counter that was used, in key order."""
        return [
            (key, added, self._caps[key], key in self._missing)
            for key in sorted(self._caps)
            if (added := self._used[key] - self._before[key])
        ]
