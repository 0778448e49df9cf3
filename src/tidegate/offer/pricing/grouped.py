"""What groups pay: the rule set of a version's group buys, in which each SKU stands alone, at the group's price.

No promotion, coupon or other offer meets the group price; limits and shipping do, as for any order.
"""

import msgspec

from tidegate.offer.campaign.contracts import CampaignVersion, OfferKind, Words
from tidegate.offer.pricing.contracts import OfferRule, RuleSet
from tidegate.offer.pricing.limits import buyer_limits, counters_of_sku
from tidegate.offer.pricing.words import GROUP_PRICE


def compile_group_rules(version: CampaignVersion, rules: RuleSet) -> RuleSet:
    """Return the rule set by which orders of groups are priced, beside the version's own rule set `rules`."""
    definition = version.definition
    head, goods = definition.id, {entry.sku: entry for entry in definition.goods}
    limits = buyer_limits(definition)
    offers = {}
    for group_buy in definition.group_buys:
        sku, name = group_buy.sku, goods[group_buy.sku].name
        counters = counters_of_sku(limits, sku)
        if group_buy.per_buyer:
            counters.append((f"{head}/offer:{sku}:", group_buy.per_buyer))
        offers[sku] = OfferRule(
            sku=sku,
            kind=OfferKind.DISCOUNT,
            list_price=goods[sku].list_price,
            unit_price=group_buy.price,
            coupons=False,
            label=Words(zh=f"{GROUP_PRICE.zh}：{name.zh}", en=f"{GROUP_PRICE.en}: {name.en}"),
            counters=tuple(counters),
        )
    unsold = frozenset(goods.keys() - offers.keys())
    return msgspec.structs.replace(rules, offers=offers, not_on_offer=unsold, coupons={}, book=None, memory={})
