"""What presales and group buys would cost on a log: the goods that are sold by a promise of their own. Pure.

A log says who bought what and when, and nothing of deposits or groups. Who bought the goods of a presale is taken to
reserve them and to pay the balance. Groups are formed of who bought theirs, by the file's own size and time, as the
buyers came: each joins the oldest open group in which they are not yet, or opens one. What a log has none of has only
its upper bound.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from tidegate.offer.campaign.contracts import CampaignDefinition, GroupBuy, PhaseName, Presale
from tidegate.watch.rehearsal.cost_contracts import Method, PromisedCost, Purchase


class Promised:
    """Counts the presales and group buys of one purchase after the other."""

    def __init__(self, definition: CampaignDefinition) -> None:
        lists = {entry.sku: entry.list_price for entry in definition.goods}
        ends_at = definition.phase(PhaseName.BURST).ends_at
        sold: list[_Reserved | _Grouped] = [_Reserved(each, lists[each.sku]) for each in definition.presales]
        sold += [_Grouped(each, lists[each.sku], ends_at) for each in definition.group_buys]
        self._sold = {each.cost.sku: each for each in sold}

    def take(self, purchase: Purchase, now: datetime) -> None:
        """Count what a purchase has of them, at a moment of the sale."""
        for sku, quantity in purchase.units.items():
            if quantity > 0 and sku in self._sold:
                self._sold[sku].take(purchase.account, quantity, now)

    def rows(self) -> list[PromisedCost]:
        """One for each presale and group buy, as the campaign names them."""
        return [each.cost for each in self._sold.values()]


class _Reserved:
    def __init__(self, presale: Presale, list_price: int) -> None:
        self._extra = presale.counts_for - presale.deposit
        self._below_list = max(0, list_price - presale.price)
        self._units = _Units(presale.quota, presale.per_buyer)
        self.cost = PromisedCost(method=Method.PRESALE, sku=presale.sku, at_most=presale.quota * self._extra)

    def take(self, account: str, quantity: int, now: datetime) -> None:  # noqa: ARG002  a deposit has its own window
        """Reserve units, and pay for them."""
        units = self._units.hold(account, quantity)
        self.cost.left_out += quantity - units
        if units:
            self.cost.asked += units
            self.cost.orders += 1
            self.cost.units += units
            self.cost.off += units * self._extra
            self.cost.below_list += units * self._below_list


class _Group(msgspec.Struct):
    """A group that forms: the units of each member, and when its time is over."""

    fills_by: datetime
    members: dict[str, int] = {}


class _Grouped:
    def __init__(self, group_buy: GroupBuy, list_price: int, ends_at: datetime) -> None:
        self._group_buy = group_buy
        self._ends_at = ends_at
        self._off = list_price - group_buy.price
        self._units = _Units(group_buy.quota, group_buy.per_buyer)
        self._forming: list[_Group] = []
        self.cost = PromisedCost(method=Method.GROUP_BUY, sku=group_buy.sku, at_most=group_buy.quota * self._off)

    def take(self, account: str, quantity: int, now: datetime) -> None:
        """Join a group, or open one."""
        self._let_fail(now)
        units = self._units.hold(account, quantity)
        self.cost.left_out += quantity - units
        if not units:
            return
        self.cost.asked += units
        group = next((each for each in self._forming if account not in each.members), None) or self._opened(now)
        group.members[account] = units
        if len(group.members) == self._group_buy.size:
            self._fill(group)

    def _opened(self, now: datetime) -> _Group:
        group = _Group(min(now + timedelta(seconds=self._group_buy.fill_seconds), self._ends_at))
        self._forming.append(group)
        self.cost.groups += 1
        return group

    def _fill(self, group: _Group) -> None:
        self._forming.remove(group)
        units = sum(group.members.values())
        self.cost.groups_filled += 1
        self.cost.orders += len(group.members)
        self.cost.units += units
        self.cost.off += units * self._off

    def _let_fail(self, now: datetime) -> None:
        """Groups whose time is over are refunded: their units are free again."""
        for group in [each for each in self._forming if each.fills_by <= now]:
            self._forming.remove(group)
            for account, units in group.members.items():
                self._units.give_back(account, units)


class _Units:
    """The units that are free, in all and for each buyer; a limit of 0 is none."""

    def __init__(self, quota: int, per_buyer: int) -> None:
        self._free, self._per_buyer = quota, per_buyer
        self._held: Counter[str] = Counter()

    def hold(self, account: str, quantity: int) -> int:
        """Hold as many of these as there are for this buyer; return how many."""
        most = min([self._free, *self._for_one(account)])
        units = min(quantity, most)
        self._free -= units
        self._held[account] += units
        return units

    def _for_one(self, account: str) -> Iterator[int]:
        if self._per_buyer:
            yield self._per_buyer - self._held[account]

    def give_back(self, account: str, units: int) -> None:
        """Free units again."""
        self._free += units
        self._held[account] -= units
