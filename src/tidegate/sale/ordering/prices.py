"""How prices are kept: each once, under the digest of its text; an order keeps the digest and what is its own.

In a flood most orders are one of a few carts on one version of the rules. Their price with all its steps is the largest
thing that an order has to keep, and it is the same.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from operator import attrgetter
from typing import NamedTuple

import msgspec

from tidegate.offer.pricing.api import for_all_and_for_one, is_for_one
from tidegate.offer.pricing.contracts import CounterUse, Facts, PricedOrder

_REMEMBERED_MAX = 100_000
_WRITTEN_MAX = 2_000

_encode = msgspec.json.Encoder().encode
_decode_price = msgspec.json.Decoder(PricedOrder).decode
_OWN_FIELDS = {"counters", "facts"}
"""What an order keeps itself, in part or all; the rest of its price is shared."""
_rest = attrgetter(*(name for name in PricedOrder.__struct_fields__ if name not in _OWN_FIELDS))


class Own(msgspec.Struct, frozen=True, omit_defaults=True):
    """What differs between orders of one price: the counters of its buyer, and what was known of the buyer, and when.

    Orders of before keep the counters for everybody here, too.
    """

    counters: tuple[CounterUse, ...] = ()
    facts: Facts | None = None


_decode_own = msgspec.json.Decoder(Own).decode


class Parted(NamedTuple):
    """A price's text and the SHA-256 under which it is kept, and what the order keeps itself."""

    digest: bytes
    text: bytes
    own: Own


def parted(priced: PricedOrder) -> Parted:
    """Part the price that all such orders share from what is the order's own."""
    shared, own = _halves(priced)
    text = _encode(shared)
    return Parted(sha256(text).digest(), text, own)


def joined(text: str, own: str) -> PricedOrder:
    """Return the price that an order was taken at, from the text that is kept once and what the order keeps itself."""
    price, kept = _decode_price(text), _decode_own(own)
    return msgspec.structs.replace(price, counters=price.counters + kept.counters, facts=kept.facts)


def _halves(priced: PricedOrder) -> tuple[PricedOrder, Own]:
    shared, own = for_all_and_for_one(priced.counters)
    return msgspec.structs.replace(priced, counters=shared, facts=None), Own(own, priced.facts)


class _Written(NamedTuple):
    """What all orders of one price share, as it was written."""

    rest: tuple[object, ...]
    """All but its counters: of a cart that is priced again for somebody else these are the very same objects."""
    for_all: tuple[CounterUse, ...]
    """Its counters for everybody: the very same, too, and the first of all."""
    digest: bytes
    text: bytes

    def told_apart(self, counters: tuple[CounterUse, ...]) -> tuple[tuple[CounterUse, ...], tuple[CounterUse, ...]]:
        """Do as `for_all_and_for_one` does; at once where the counters for everybody are the known ones."""
        many = len(self.for_all)
        if counters[:many] == self.for_all and (len(counters) == many or is_for_one(counters[many])):
            return self.for_all, counters[many:]
        return for_all_and_for_one(counters)


class KnownPrices:
    """The prices that this process has parted lately, and the digests of those that it has seen committed.

    What was parted is not written and hashed again; what is committed need not be sent again.
    """

    def __init__(self) -> None:
        self._known: set[bytes] = set()
        self._written: dict[str, _Written] = {}

    def parted(self, priced: PricedOrder) -> Parted:
        """Do as the function does."""
        written = self._written.get(priced.trace_hash)
        for_all, for_one = (
            for_all_and_for_one(priced.counters) if written is None else written.told_apart(priced.counters)
        )
        rest = _rest(priced)
        if written is None or written.rest != rest or written.for_all != for_all:
            text = _encode(msgspec.structs.replace(priced, counters=for_all, facts=None))
            written = _Written(rest, for_all, sha256(text).digest(), text)
            if len(self._written) >= _WRITTEN_MAX:
                self._written.clear()
            self._written[priced.trace_hash] = written
        return Parted(written.digest, written.text, Own(for_one, priced.facts))

    def unknown(self, prices: Iterable[Parted]) -> Mapping[bytes, bytes]:
        """Return the texts, by digest, of those that may not be there yet."""
        return {each.digest: each.text for each in prices if each.digest not in self._known}

    def learn(self, digests: Iterable[bytes]) -> None:
        """These are committed now."""
        if len(self._known) >= _REMEMBERED_MAX:
            self._known.clear()
        self._known.update(digests)

    def forget(self) -> None:
        """The database was lost: what it holds when it comes back is for it to say."""
        self._known.clear()
