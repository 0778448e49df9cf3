"""Reads the processes' own counters (Prometheus) and tells what happened between two readings."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample as Line

from tidegate.watch.monitor.contracts import LaneFigures, RouteFigures
from tidegate.watch.monitor.rules import quantile_s

Buckets = dict[float, float]
"""Upper bound in seconds (or items) to how many fell into that bucket alone."""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """All counters at one moment."""

    http: Mapping[tuple[str, str], Buckets] = {}
    batch_wait: Mapping[str, Buckets] = {}
    batch_items: Mapping[str, float] = {}
    refusals: Mapping[str, float] = {}
    faults: Mapping[str, float] = {}
    accept_queue: int | None = None
    """Connections that nobody has accepted yet; None where it is not measured."""


def read(registry: CollectorRegistry) -> Reading:
    """Read every process's counters."""
    families = {family.name: family for family in registry.collect()}
    waits = _histograms(families.get("tidegate_batch_wait_seconds"), "lane")
    return Reading(
        http=_histograms(families.get("tidegate_http_seconds"), "route", "status_class"),
        batch_wait={lane: buckets for (lane, _), buckets in waits.items()},
        batch_items=_values(families.get("tidegate_batch_size"), "lane", "_sum"),
        refusals=_values(families.get("tidegate_refusals"), "code", "_total"),
        faults=_values(families.get("tidegate_faults"), "where", "_total"),
        accept_queue=_sum(families.get("tidegate_accept_queue")),
    )


def _lines(family: Metric | None, suffix: str) -> Iterable[Line]:
    return (line for line in (family.samples if family else ()) if line.name.endswith(suffix))


def _sum(family: Metric | None) -> int | None:
    values = [line.value for line in _lines(family, "")]
    return round(sum(values)) if values else None


def _values(family: Metric | None, label: str, suffix: str) -> dict[str, float]:
    values: dict[str, float] = defaultdict(float)
    for line in _lines(family, suffix):
        values[line.labels[label]] += line.value
    return dict(values)


def _histograms(family: Metric | None, first: str, second: str = "") -> dict[tuple[str, str], Buckets]:
    """Return each histogram with its buckets made disjoint: Prometheus writes them cumulative."""
    found: dict[tuple[str, str], Buckets] = defaultdict(dict)
    for line in _lines(family, "_bucket"):
        labels = (line.labels[first], line.labels.get(second, ""))
        found[labels][float(line.labels["le"])] = line.value
    return {labels: _disjoint(buckets) for labels, buckets in found.items()}


def _disjoint(cumulative: Buckets) -> Buckets:
    alone, below = {}, 0.0
    for bound in sorted(cumulative):
        alone[bound] = max(cumulative[bound] - below, 0.0)
        below = cumulative[bound]
    return alone


def between(before: Buckets | None, after: Buckets) -> Buckets:
    """Return what fell into each bucket between two readings; a counter that fell began anew with its process."""
    if not before or any(after.get(bound, 0.0) < count for bound, count in before.items()):
        return {} if before is None else dict(after)
    return {bound: count - before.get(bound, 0.0) for bound, count in after.items()}


class HttpSpan(msgspec.Struct, frozen=True, kw_only=True):
    """What all web processes answered between two readings, by class of routes."""

    routes: Mapping[str, Buckets]
    faults: Mapping[str, float]

    def total(self, without: frozenset[str]) -> Buckets:
        """Return all classes of routes together, but for those named."""
        together: Buckets = defaultdict(float)
        for buckets in (each for route, each in self.routes.items() if route not in without):
            for bound, count in buckets.items():
                together[bound] += count
        return dict(together)


def http_between(before: Reading, after: Reading) -> HttpSpan:
    """Return the answers between two readings."""
    routes: dict[str, Buckets] = defaultdict(lambda: defaultdict(float))
    faults: dict[str, float] = defaultdict(float)
    for (route, status_class), buckets in after.http.items():
        # A class of routes that was never seen before is counted from its first answer on.
        grown = between(before.http.get((route, status_class), dict.fromkeys(buckets, 0.0)), buckets)
        for bound, count in grown.items():
            routes[route][bound] += count
        if status_class.startswith("5"):
            faults[route] += sum(grown.values())
    return HttpSpan(routes={route: dict(buckets) for route, buckets in routes.items()}, faults=dict(faults))


def route_figures(span: HttpSpan, seconds: float) -> tuple[RouteFigures, ...]:
    """Return the figures of each class of routes that was asked, busiest first."""
    figures = [
        RouteFigures(
            route=route,
            rate=round(sum(buckets.values()) / seconds, 2),
            fault_rate=round(span.faults.get(route, 0.0) / seconds, 2),
            p50_ms=ms(quantile_s(buckets, 0.5)),
            p99_ms=ms(quantile_s(buckets, 0.99)),
        )
        for route, buckets in span.routes.items()
        if sum(buckets.values()) > 0
    ]
    return tuple(sorted(figures, key=lambda each: (-each.rate, each.route)))


def lane_figures(before: Reading, after: Reading, seconds: float) -> tuple[LaneFigures, ...]:
    """Return how each hot lane batched between two readings."""
    figures = []
    for lane, buckets in sorted(after.batch_wait.items()):
        grown = between(before.batch_wait.get(lane), buckets)
        batches = sum(grown.values())
        items = max(after.batch_items.get(lane, 0.0) - before.batch_items.get(lane, 0.0), 0.0)
        if batches:
            figures.append(
                LaneFigures(
                    lane=lane,
                    batch_rate=round(batches / seconds, 2),
                    batch_size_mean=round(items / batches, 1),
                    wait_p99_ms=ms(quantile_s(grown, 0.99)),
                )
            )
    return tuple(figures)


def ms(seconds: float | None) -> float | None:
    """Return seconds as milliseconds with one decimal."""
    return None if seconds is None else round(seconds * 1000, 1)
