"""How long one cart takes to price, in microseconds: `python bench/pricing_speed.py [festival.toml]`.

Budget: 15 microseconds for one line, 60 for ten, on one core.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path
from timeit import repeat
from uuid import uuid4

from tidegate.offer.campaign.commands import load_definition
from tidegate.offer.campaign.contracts import CampaignVersion, OfferKind
from tidegate.offer.pricing.api import compile_rules, price_order
from tidegate.offer.pricing.contracts import Cart, CartLine, Facts

FESTIVAL = Path(__file__).parents[1] / "examples" / "double-eleven" / "festival.toml"
ROUNDS = 5_000


def microseconds_of(statement: object, rounds: int = ROUNDS) -> float:
    """The best of five series of rounds, per round."""
    assert callable(statement)
    return min(repeat(statement, number=rounds, repeat=5)) / rounds * 1e6


def main() -> None:
    """Print the table."""
    now = datetime.now(UTC)
    definition = load_definition(Path(sys.argv[1]) if len(sys.argv) > 1 else FESTIVAL, now=now)
    version = CampaignVersion(
        campaign_id=definition.id, version=1, definition=definition, published_at=now, published_by="bench", sha256=""
    )
    rules = compile_rules(version)
    flash = next(offer.sku for offer in definition.offers if offer.kind is OfferKind.FLASH)
    discount = [offer.sku for offer in definition.offers if offer.kind is OfferKind.DISCOUNT]
    facts = Facts(buyer=uuid4())
    carts = {
        "1 line, flash": Cart((CartLine(flash, 1),)),
        "1 line, coupon": Cart((CartLine(discount[0], 5),), "TIDE30"),
        "10 lines": Cart(tuple(CartLine(sku, 1) for sku in discount[:10])),
        "10 lines, coupon": Cart(tuple(CartLine(sku, 1) for sku in discount[:10]), "TIDE80"),
        "100 lines, coupon": Cart(tuple(CartLine(sku, 1) for sku in discount[:100]), "TIDE200"),
    }
    for name, cart in carts.items():
        print(f"{name:<20} {microseconds_of(lambda cart=cart: price_order(rules, cart, facts)):8.1f} us")
    compiled = microseconds_of(lambda: compile_rules(version), rounds=3) / 1000
    print(f"compile {len(rules.offers)} offers {compiled:8.1f} ms")


if __name__ == "__main__":
    main()
