"""How a campaign file writes money, shares and times."""

from datetime import datetime, tzinfo

import msgspec


class Units(msgspec.Struct, frozen=True):
    """The decimals of a currency, and the zone that times are written in."""

    decimals: int
    zone: tzinfo

    def money(self, amount: int) -> str:
        """Minor units as a decimal: 1250 fen is "12.50"."""
        whole, part = divmod(amount, 10**self.decimals)
        return f"{whole}.{part:0{self.decimals}}" if self.decimals else str(whole)

    def share(self, basis_points: int) -> str:
        """Basis points as a percentage: 9950 is "99.5 %"."""
        whole, part = divmod(basis_points, 100)
        return f"{whole}.{part:02}".rstrip("0").rstrip(".") + " %" if part else f"{whole} %"

    def time(self, moment: datetime) -> datetime:
        """The same moment by the clock of the zone."""
        return moment.astimezone(self.zone)
