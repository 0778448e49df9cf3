"""Words of a presale: goods that are reserved with a deposit and paid for later."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from tidegate.offer.campaign.guarding import QUANTITY_MAX
from tidegate.offer.campaign.texts import Words

PRESALES_MAX = 1_000
DEPOSIT_BASIS_POINTS_MAX = 2_000
"""A deposit is at most 20 % of what the contract is worth; more is no deposit (Civil Code, article 586)."""

_AMOUNT_MAX = 100_000_000_000


class Presale(Struct, frozen=True, kw_only=True):
    """One SKU that is reserved for ``deposit`` and paid for in the balance window. Amounts in minor units, per unit.

    The deposit counts for ``counts_for`` at the balance (定金膨胀): the balance is ``price - counts_for``, and the unit
    costs ``price - counts_for + deposit`` in all. A window holds from its first moment on and before its last.
    """

    sku: str
    label: Words
    price: Annotated[int, Meta(ge=1, le=_AMOUNT_MAX)]
    deposit: Annotated[int, Meta(ge=1, le=_AMOUNT_MAX)]
    counts_for: Annotated[int, Meta(ge=1, le=_AMOUNT_MAX)]
    quota: Annotated[int, Meta(ge=1, le=QUANTITY_MAX)]
    per_buyer: Annotated[int, Meta(ge=0, le=QUANTITY_MAX)]
    deposit_from_at: datetime
    deposit_until_at: datetime
    balance_from_at: datetime
    balance_until_at: datetime
    ships_by_at: datetime

    @property
    def balance(self) -> int:
        """What is paid in the balance window for a unit."""
        return self.price - self.counts_for

    @property
    def in_all(self) -> int:
        """What a unit costs, deposit and balance together: what the contract is worth."""
        return self.price - self.counts_for + self.deposit
