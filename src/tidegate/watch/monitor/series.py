"""The last hour by the second, in Valkey: a stream that holds at most 3,600 points."""

from datetime import datetime

import msgspec

from tidegate.base.cache import Cache, CacheDown
from tidegate.watch.monitor.contracts import Point, Sample

POINTS_MAX = 3600
_KEY = "{monitor}:series"
_decoder = msgspec.json.Decoder(Point)


def point_of(sample: Sample) -> Point:
    """Return what the charts show of one sample."""
    return Point(
        at=int(sample.taken_at.timestamp()),
        orders=sample.order_rate,
        paid=sample.paid_rate,
        value=sample.placed_value_rate,
        success=sample.payment_success,
        p50_ms=sample.p50_ms,
        p99_ms=sample.p99_ms,
        requests=sample.request_rate,
        faults=sample.fault_rate,
        awaiting=sample.awaiting_payment,
    )


class Series:
    """Appends a point each second and reads those after a moment."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    async def append(self, point: Point) -> bool:
        """Add a point; return whether it was kept. A second that is there already is not written again."""
        entry = f"{point.at}-0"
        try:
            # Valkey down: False; the chart keeps a gap at this second, the newest sample stands in PostgreSQL.
            await self._cache.client.xadd(
                _KEY, {"p": msgspec.json.encode(point)}, id=entry, maxlen=POINTS_MAX, approximate=False
            )
        except CacheDown:
            return False
        return True

    async def after(self, since: datetime | None, most: int = POINTS_MAX) -> tuple[Point, ...] | None:
        """Return the newest points later than `since`, oldest first."""
        start = f"({int(since.timestamp())}-0" if since else "-"
        try:
            # Valkey down: None; the page then draws what PostgreSQL kept of trade, and says that the rest is missing.
            entries = await self._cache.client.xrevrange(_KEY, max="+", min=start, count=most)
        except CacheDown:
            return None
        return tuple(_decoder.decode(fields[b"p"]) for _, fields in reversed(entries))
