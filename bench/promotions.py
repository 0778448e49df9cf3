"""How fast carts are priced with promotions: `python bench/promotions.py [--json]`.

10, 100 and 1,000 rules of all kinds on 2,000 goods of 40 categories, 100 brands and 50 shops, up to three of them
across the whole festival; carts of 1, 10 and 100 lines. "New" carts were never priced before; "again" is the same carts
priced once more for another buyer, as quote, checkout and order do. Evaluations a second on one core and percentiles of
single evaluations, both in time of the processor, so that other work on the machine does not count.
Bars: 10 lines with 100 rules 20,000/s and 1 ms; 100 lines with 1,000 rules 10 ms.
"""

import gc
import json
import sys
from datetime import UTC, datetime, timedelta
from random import Random
from time import thread_time_ns
from uuid import UUID

from msgspec import structs

from tidegate.offer.campaign.contracts import (
    AmountOff,
    Audience,
    Benefit,
    CampaignDefinition,
    CampaignId,
    CampaignVersion,
    Gift,
    GoodsEntry,
    Layer,
    MemberPrice,
    NForM,
    NthPiece,
    Offer,
    OfferKind,
    PercentOff,
    Phase,
    PhaseName,
    Promotion,
    PromotionLimits,
    Returns,
    Selection,
    Shipping,
    Step,
    Theme,
    Words,
)
from tidegate.offer.pricing.api import compile_rules, price_order
from tidegate.offer.pricing.contracts import Cart, CartLine, Facts, RuleSet

GOODS = 2_000
CARTS = {1: 4_000, 10: 1_000, 100: 100}
RULES = (0, 10, 100, 1_000)
START = datetime(2026, 11, 11, tzinfo=UTC)
WORDS = Words("优惠", "Promotion")


def goods() -> list[GoodsEntry]:
    """Goods of many kinds and prices."""
    random = Random(1)
    return [
        GoodsEntry(
            sku=f"S-{number:05}",
            name=WORDS,
            description=WORDS,
            category=f"category-{number % 40}",
            brand=f"brand-{random.randrange(100)}",
            shop=f"shop-{random.randrange(50)}",
            list_price=random.randrange(2_000, 60_000),
            picture="",
        )
        for number in range(GOODS)
    ]


def promotion(number: int, random: Random) -> Promotion:
    """The kinds in turn, each with figures of its own; every third is in a group."""
    benefit, layer = _benefit(number, random)
    return Promotion(
        id=f"P-{number:04}",
        label=WORDS,
        benefit=benefit,
        layer=layer,
        goods=_selection(number, random),
        audience=(Audience.RETURNING,) if number % 11 == 5 else (),
        tiers=("gold",) if number % 13 == 7 else (),
        condition="orders_before >= 3 && tier != 'blocked'" if number % 17 == 3 else "",
        facts=("orders_before", "tier") if number % 17 == 3 else (),
        group=f"group-{number % 5}" if number % 3 == 0 else "",
        priority=100 + number % 7,
        limits=PromotionLimits(total=100_000, budget=10**10) if number % 4 == 0 else PromotionLimits(),
    )


def _benefit(number: int, random: Random) -> tuple[Benefit, Layer]:
    off = random.randrange(500, 5_000)
    if _is_across(number):
        return AmountOff(steps=(Step(30_000, 5_000),), every=True, cap=20_000), Layer.PLATFORM
    kinds: tuple[Benefit, ...] = (
        AmountOff(steps=(Step(20_000, off), Step(50_000, off * 3))),
        PercentOff(steps=(Step(2, 1_000), Step(3, 2_000)), cap=off * 2),
        NForM(take=3, pay=2),
        NthPiece(nth=2, off=5_000),
        MemberPrice(prices=tuple((f"S-{random.randrange(GOODS):05}", 1_500) for _ in range(5))),
        Gift(sku=f"S-{random.randrange(GOODS):05}", reach=80_000),
        PercentOff(steps=(Step(1, random.randrange(200, 1_500)),)),
    )
    return kinds[number % len(kinds)], Layer.SHOP


def _selection(number: int, random: Random) -> Selection:
    if _is_across(number):
        return Selection()
    match number % 10:
        case 0 | 1:
            return Selection(categories=(f"category-{random.randrange(40)}",))
        case 2:
            return Selection(brands=(f"brand-{random.randrange(100)}",))
        case 3:
            return Selection(shops=(f"shop-{random.randrange(50)}",))
        case _:
            return Selection(skus=tuple(f"S-{random.randrange(GOODS):05}" for _ in range(10)))


def _is_across(number: int) -> bool:
    """Whether a rule is about the whole festival: one of the first ten, and three of all."""
    return number in {9, 39, 69}


def definition(rules: int) -> CampaignDefinition:
    """A festival with so many promotions."""
    listed, random = goods(), Random(2)
    edges = [START + timedelta(days=day) for day in (-45, -14, 0, 3, 10)]
    return CampaignDefinition(
        id=CampaignId("bench"),
        title=WORDS,
        theme=Theme.SHOPPING_FESTIVAL,
        audience=(Audience.EVERYONE,),
        accent="#b3122f",
        currency="CNY",
        payment_minutes=15,
        phases=tuple(
            Phase(name=name, starts_at=edges[place], ends_at=edges[place + 1]) for place, name in enumerate(PhaseName)
        ),
        goals=(),
        owners=(),
        goods=tuple(listed),
        offers=tuple(
            Offer(
                sku=each.sku,
                kind=OfferKind.DISCOUNT,
                price=each.list_price * 9 // 10,
                quota=1_000,
                per_buyer=0,
                coupons=True,
            )
            for each in listed
        ),
        coupons=(),
        limits=(),
        shipping=Shipping(fee=800, free_from=9_900),
        returns=Returns(days=7, text=WORDS),
        rules=WORDS,
        promotions=tuple(promotion(number, random) for number in range(rules)),
    )


def compiled(rules: int) -> RuleSet:
    """That festival's rule set."""
    of = definition(rules)
    return compile_rules(
        CampaignVersion(
            campaign_id=of.id, version=1, definition=of, published_at=START, published_by="bench", sha256=""
        )
    )


def carts(lines: int, count: int, seed: int) -> list[Cart]:
    """So many different carts."""
    random = Random(seed)
    return [
        Cart(
            tuple(
                CartLine(f"S-{number:05}", random.choice((1, 1, 1, 2, 3)))
                for number in random.sample(range(GOODS), lines)
            )
        )
        for _ in range(count)
    ]


def measure(rules: RuleSet, lines: int) -> dict[str, float]:
    """Evaluations a second, 50th and 99th percentile in milliseconds, and what the evaluations were like."""
    facts = Facts(
        buyer=UUID(int=7),
        now=START + timedelta(hours=1),
        audience=frozenset({Audience.RETURNING}),
        tier="gold",
        segments=frozenset(),
        named=(("orders_before", 4),),
    )
    other = structs.replace(facts, buyer=UUID(int=8))
    for cart in carts(lines, CARTS[lines] // 4, seed=3):
        price_order(rules, cart, facts)
    spans, applied, regrets = [], 0, 0
    mine = carts(lines, CARTS[lines], seed=4)
    gc.collect()
    gc.disable()
    for cart in mine:
        start = thread_time_ns()
        order = price_order(rules, cart, facts)
        spans.append(thread_time_ns() - start)
        applied += len(order.reductions)
        regrets += order.regret > 0
    again = thread_time_ns()
    for cart in mine:
        price_order(rules, cart, other)
    again = thread_time_ns() - again
    gc.enable()
    spans.sort()
    return {
        "per_second": round(len(spans) / sum(spans) * 1e9),
        "again_per_second": round(len(spans) / again * 1e9),
        "p50_ms": round(spans[len(spans) // 2] / 1e6, 4),
        "p99_ms": round(spans[len(spans) * 99 // 100] / 1e6, 4),
        "applied": round(applied / len(spans), 2),
        "with_regret": regrets / len(spans),
    }


def main() -> None:
    """Print the table."""
    figures = {}
    print(
        f"{'rules':>6} {'lines':>6} {'new/s':>10} {'again/s':>10} "
        f"{'p50 ms':>8} {'p99 ms':>8} {'applied':>8} {'with regret':>12}"
    )
    for count in RULES:
        rules = compiled(count)
        for lines in CARTS:
            each = figures[f"{count} rules, {lines} lines"] = measure(rules, lines)
            print(
                f"{count:>6} {lines:>6} {each['per_second']:>10,} {each['again_per_second']:>10,} "
                f"{each['p50_ms']:>8.3f} {each['p99_ms']:>8.3f} "
                f"{each['applied']:>8.1f} {each['with_regret']:>11.1%}"
            )
    if "--json" in sys.argv:
        print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
