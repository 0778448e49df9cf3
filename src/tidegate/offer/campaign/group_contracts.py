"""What a campaign states of group buying."""

from typing import Annotated

from msgspec import Meta, Struct

from tidegate.offer.campaign.guarding import QUANTITY_MAX

GROUP_BUYS_MAX = 1_000


class GroupBuy(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A SKU that is sold to groups: ``size`` buyers who all pay ``price`` a unit within ``fill_seconds``.

    ``quota`` units in all, kept as the SKU's own stock, and ``per_buyer`` units each over all groups (0 = no limit).
    """

    sku: str
    price: Annotated[int, Meta(ge=0)]
    size: Annotated[int, Meta(ge=2, le=100)]
    fill_seconds: Annotated[int, Meta(ge=1, le=604_800)]
    quota: Annotated[int, Meta(ge=0, le=QUANTITY_MAX)]
    per_buyer: Annotated[int, Meta(ge=0, le=QUANTITY_MAX)] = 0
