"""The other ways to buy: presales, whose price is stated, and groups, priced by the rules that price their orders."""

from collections.abc import Iterator
from functools import partial

from tidegate.offer.campaign.api import ReachedPrice, Way
from tidegate.offer.campaign.contracts import CampaignDefinition, CampaignVersion, GroupBuy, Presale, Words
from tidegate.offer.pricing.api import compile_group_rules, compile_rules, price_order
from tidegate.offer.pricing.contracts import QUANTITY_MAX, Cart, CartLine, Facts, PricedOrder, RuleSet
from tidegate.offer.reach.rules import Situation, candidate, earning_steps, least_of, reached_price
from tidegate.offer.reach.worth import Worth

GROWN = "deposit"
"""What is shown as the rule by which a deposit counts for more: as in the steps of its order."""


def of_presales(definition: CampaignDefinition) -> Iterator[ReachedPrice]:
    """What a unit of each presale costs, deposit and balance together; nothing else meets it, and it earns nothing."""
    goods = {entry.sku: entry for entry in definition.goods}
    for presale in definition.presales:
        entry = goods[presale.sku]
        yield ReachedPrice(
            sku=presale.sku,
            price=presale.in_all,
            offer_price=presale.price,
            list_price=entry.list_price,
            floor=entry.floor,
            cost=entry.cost,
            lines=((presale.sku, 1),),
            promotions=(GROWN,) if presale.counts_for > presale.deposit else (),
            way=Way.PRESALE,
            buyer=_reserves(presale),
            at=presale.deposit_from_at,
        )


def _reserves(presale: Presale) -> Words:
    name = presale.label
    return Words(f"支付定金的任何人（{name.zh}）", f"anybody who pays the deposit ({name.en})")


def of_groups(version: CampaignVersion) -> Iterator[ReachedPrice]:
    """The least that a unit costs in a group of each product, by the rules by which orders of groups are priced."""
    definition = version.definition
    if not definition.group_buys:
        return
    rules, worth = compile_group_rules(version, compile_rules(version)), Worth(definition)
    goods = {entry.sku: entry for entry in definition.goods}
    for group_buy in definition.group_buys:
        situation = Situation(partial(_price, rules), partial(_grouped, group_buy.size))
        tried = [((group_buy.sku, quantity),) for quantity in _quantities(group_buy, definition)]
        found = [each for lines in tried if (each := candidate(worth, group_buy.sku, situation, lines))]
        entry = goods[group_buy.sku]
        yield from (reached_price(entry, group_buy.price, each, Way.GROUP) for each in least_of(found))


def _price(rules: RuleSet, lines: tuple[CartLine, ...]) -> PricedOrder:
    return price_order(rules, Cart(lines), Facts(now=rules.opens_at))


def _grouped(size: int, _: PricedOrder) -> tuple[Words, None]:
    return Words(f"{size} 人成团的任何人", f"anybody in a group of {size}"), None


def _quantities(group_buy: GroupBuy, definition: CampaignDefinition) -> list[int]:
    """How many units are tried: one, as many as there may be, and where the first and the last points are earned."""
    limits = [each.per_buyer for each in definition.limits if not each.skus or group_buy.sku in each.skus]
    caps = (group_buy.quota, group_buy.per_buyer, *limits)
    most = min([QUANTITY_MAX, *(cap for cap in caps if cap)])
    steps = earning_steps(definition.earning) if definition.earning and group_buy.price else ()
    wanted = {1, most, *(-(-step // group_buy.price) for step in steps)}
    return sorted(quantity for quantity in wanted if 1 <= quantity <= most)
