"""What flash prices in slots cost the price engine: `python bench/slots.py [--json]`.

The festival of `bench/promotions.py` with 100 rules, without slots (the yardstick), with 250 products of 8 slots of
which a tenth have one on, and with the same 2,000 slots while none is on. Carts of 10 lines. Each figure is evaluations
a second on one core, in time of the processor, and its ratio to the yardstick; best of several runs in turn, so that a
slow moment of the machine touches all of them.
"""

import json
import sys
from datetime import timedelta

from msgspec import structs

from bench.promotions import START, WORDS, definition, measure
from tidegate.offer.campaign.contracts import CampaignDefinition, CampaignVersion, FlashPrice, Promotion, Slot
from tidegate.offer.pricing.api import compile_rules
from tidegate.offer.pricing.contracts import RuleSet

RULES, LINES = 100, 10
PRODUCTS, SLOTS = 250, 8
RUNS = 5
HOUR = timedelta(hours=1)


def flash(product: int, sku: str, price: int, *, on: bool) -> Promotion:
    """Eight slots of an hour, two hours apart; the first of them is on an hour after the start, or begins later."""
    first = START if on else START + 3 * HOUR
    slots = tuple(
        Slot(
            name=f"slot-{number}",
            starts_at=first + 3 * number * HOUR,
            ends_at=first + 3 * number * HOUR + 2 * HOUR,
            units=50,
            per_account=5,
        )
        for number in range(SLOTS)
    )
    return Promotion(id=f"flash-{product}", label=WORDS, benefit=FlashPrice(sku=sku, price=price, slots=slots))


def with_slots(of: CampaignDefinition, every: int) -> CampaignDefinition:
    """The festival with slots; of every so many products one has a slot that is on, with 0 none has."""
    made = [
        flash(place, each.sku, each.price * 8 // 10, on=bool(every) and place % every == 0)
        for place, each in enumerate(of.offers[:: len(of.offers) // PRODUCTS])
    ]
    return structs.replace(of, promotions=(*of.promotions, *made))


def compiled(of: CampaignDefinition) -> RuleSet:
    """The rule set of a definition."""
    return compile_rules(
        CampaignVersion(
            campaign_id=of.id, version=1, definition=of, published_at=START, published_by="bench", sha256=""
        )
    )


def main() -> None:
    """Print the table."""
    plain = definition(RULES)
    festivals = {
        "no slots": compiled(plain),
        "2,000 slots, 25 on": compiled(with_slots(plain, 10)),
        "2,000 slots, none on": compiled(with_slots(plain, 0)),
    }
    best: dict[str, dict[str, float]] = {}
    for _ in range(RUNS):
        for name, rules in festivals.items():
            found = measure(rules, LINES)
            kept = best.setdefault(name, {"per_second": 0, "again_per_second": 0})
            for figure in kept:
                kept[figure] = max(kept[figure], found[figure])
            if rules.book is not None:
                rules.book.memory.clear()
    base = best["no slots"]
    print(f"{'':>22} {'new/s':>10} {'ratio':>7} {'again/s':>10} {'ratio':>7}")
    for name, each in best.items():
        new, again = each["per_second"], each["again_per_second"]
        ratios = new / base["per_second"], again / base["again_per_second"]
        print(f"{name:>22} {new:>10,} {ratios[0]:>7.2f} {again:>10,} {ratios[1]:>7.2f}")
    if "--json" in sys.argv:
        print(json.dumps(best, indent=2))


if __name__ == "__main__":
    main()
