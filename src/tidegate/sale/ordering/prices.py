"""How prices are kept: each once, under the digest of its text; an order keeps the digest and what is its own.

In a flood most orders are one of a few carts on one version of the rules. Their price with all its steps is the largest
thing that an order has to keep, and it is the same.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256

import msgspec

from tidegate.offer.pricing.contracts import CounterUse, Facts, PricedOrder

_REMEMBERED_MAX = 100_000

_encode = msgspec.json.Encoder().encode
_decode_price = msgspec.json.Decoder(PricedOrder).decode


class Own(msgspec.Struct, frozen=True, omit_defaults=True):
    """What differs between orders of one price: the buyer's counters, and what was known of the buyer, and when."""

    counters: tuple[CounterUse, ...] = ()
    facts: Facts | None = None


_decode_own = msgspec.json.Decoder(Own).decode


def parted(priced: PricedOrder) -> tuple[bytes, bytes, Own]:
    """Return the SHA-256 under which this price is kept, its text, and what the order keeps itself."""
    text = _encode(msgspec.structs.replace(priced, counters=(), facts=None))
    return sha256(text).digest(), text, Own(priced.counters, priced.facts)


def joined(text: str, own: str) -> PricedOrder:
    """Return the price that an order was taken at, from the text that is kept once and what the order keeps itself."""
    kept = _decode_own(own)
    return msgspec.structs.replace(_decode_price(text), counters=kept.counters, facts=kept.facts)


class KnownPrices:
    """The digests of prices that this process has seen committed: what is known need not be sent again."""

    def __init__(self) -> None:
        self._known: set[bytes] = set()

    def unknown(self, prices: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
        """Return those that may not be there yet."""
        return {digest: text for digest, text in prices.items() if digest not in self._known}

    def learn(self, digests: Iterable[bytes]) -> None:
        """These are committed now."""
        if len(self._known) >= _REMEMBERED_MAX:
            self._known.clear()
        self._known.update(digests)

    def forget(self) -> None:
        """The database was lost: what it holds when it comes back is for it to say."""
        self._known.clear()
