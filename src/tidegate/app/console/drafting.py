"""What the editor shows of a draft: its faults, what it would change, and what example carts would cost; pure."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from tidegate.base.errors import Refusal
from tidegate.offer.campaign.api import CampaignFiles, Difference, differences, read_draft
from tidegate.offer.campaign.contracts import CampaignDefinition, CampaignId, CampaignVersion, Fault, PhaseName
from tidegate.offer.campaign.errors import DefinitionFaulty
from tidegate.offer.pricing.api import compile_rules, price_order
from tidegate.offer.pricing.contracts import LINES_MAX, Cart, CartLine, Facts, PricedOrder

QUANTITY_MAX = 9_999
FAULTS_SHOWN_MAX = 100
CART_LINES = 4


class ExampleCart(msgspec.Struct, frozen=True):
    """A cart as somebody typed it: pairs of SKU and quantity, and a coupon; empty lines are left out."""

    lines: tuple[tuple[str, str], ...] = ()
    coupon: str = ""

    def read(self) -> Cart:
        """The cart that is meant; a quantity that is no number counts as one."""
        lines = [
            CartLine(sku.strip(), min(int(quantity), QUANTITY_MAX) if quantity.strip().isdecimal() else 1)
            for sku, quantity in self.lines[:LINES_MAX]
            if sku.strip()
        ]
        return Cart(lines=tuple(line for line in lines if line.quantity), coupon=self.coupon.strip() or None)


class Priced(msgspec.Struct, frozen=True):
    """The example cart by one set of rules: its price, or why it has none."""

    order: PricedOrder | None
    refusal: Refusal | None


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be said of a draft without publishing it."""

    definition: CampaignDefinition | None
    faults: Sequence[Fault]
    changes: Sequence[Difference]
    by_draft: Priced | None
    by_current: Priced | None


def examine(
    campaign_id: CampaignId,
    files: CampaignFiles,
    current: CampaignVersion | None,
    example: ExampleCart,
    now: datetime,
) -> Examined:
    """Examine a draft against the version that is published now. Takes tens of milliseconds a thousand goods."""
    cart = example.read()
    by_current = _priced(current, cart) if current else None
    try:
        definition = read_draft(campaign_id, files, now)
    except DefinitionFaulty as refusal:
        return Examined(definition=None, faults=refusal.faults, changes=(), by_draft=None, by_current=by_current)
    number = current.version + 1 if current else 1
    drafted = CampaignVersion(
        campaign_id=campaign_id, version=number, definition=definition, published_at=now, published_by="", sha256=""
    )
    return Examined(
        definition=definition,
        faults=(),
        changes=differences(current.definition, definition) if current else (),
        by_draft=_priced(drafted, cart),
        by_current=by_current,
    )


def first_cart(definition: CampaignDefinition | None) -> ExampleCart:
    """The cart to begin with: one of each of the first two products on offer."""
    skus = [offer.sku for offer in definition.offers[:2]] if definition else []
    return ExampleCart(tuple((sku, "1") for sku in skus))


def _priced(version: CampaignVersion, cart: Cart) -> Priced | None:
    if not cart.lines:
        return None
    try:
        opening = version.definition.phase(PhaseName.BURST).starts_at
        return Priced(price_order(compile_rules(version), cart, Facts(now=opening)), None)
    except Refusal as refusal:
        return Priced(None, refusal)
