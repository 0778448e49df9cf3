"""What the processes count about themselves, in Prometheus' terms.

With `PROMETHEUS_MULTIPROC_DIR` set, every process writes to files there and any of them can answer for all.
"""

import os
from bisect import bisect_left
from collections import Counter as Counted
from functools import cache

from prometheus_client import REGISTRY as OWN_REGISTRY
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector  # type: ignore[no-untyped-call, unused-ignore]

if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
    # Each value asks at each count which process this is; remembered, that is no system call.
    _process_id = cache(os.getpid)
    os.register_at_fork(after_in_child=_process_id.cache_clear)
    values.ValueClass = values.MultiProcessValue(_process_id)  # type: ignore[no-untyped-call]

_LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2, 5, 10)
_GATHERED_MAX = 10_000
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 350, 500, 1000)


class GatheredHistogram:
    """A histogram whose observations are gathered and written together: one by one, that of an order costs its process
    5 of 70 µs. What is gathered when a process is killed is lost.
    """

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram
        self._gathered: dict[tuple[str, ...], list[float]] = {}

    def observe(self, value: float, *labels: str) -> None:
        """Gather a value, in the histogram's unit."""
        gathered = self._gathered.get(labels)
        if gathered is None:
            gathered = self._gathered[labels] = []
        gathered.append(value)
        if len(gathered) >= _GATHERED_MAX:
            self.write()

    def write(self) -> None:
        """Write what is gathered. To be called a few times a second."""
        for labels, gathered in self._gathered.items():
            if gathered:
                child = self._histogram.labels(*labels)
                bounds, buckets = child._upper_bounds, child._buckets  # noqa: SLF001  # it has no door for many at once
                for place, number in Counted(bisect_left(bounds, value) for value in gathered).items():
                    buckets[place].inc(number)
                child._sum.inc(sum(gathered))  # noqa: SLF001
                gathered.clear()


http_seconds = GatheredHistogram(
    Histogram(
        "tidegate_http_seconds", "Time from request to answer, seconds", ["route", "status_class"], buckets=_LATENCIES
    )
)
batch_size = Histogram("tidegate_batch_size", "Items in a group commit", ["lane"], buckets=_SIZES)
batch_wait_seconds = Histogram(
    "tidegate_batch_wait_seconds",
    "Longest wait of a batch's items before it began, seconds",
    ["lane"],
    buckets=_LATENCIES,
)
faults = Counter("tidegate_faults", "Failures that are not refusals: bugs and broken components", ["where"])
refusals = Counter("tidegate_refusals", "Requests refused, by the refusal's code", ["code"])

shed = Counter("tidegate_shed", "Requests refused unread because of overload, by class", ["kind"])
load_level = Gauge(
    "tidegate_load_level", "Who is let in under overload: 128 a class of requests", multiprocess_mode="mostrecent"
)
accept_queue = Gauge(
    "tidegate_accept_queue",
    "Connections that the web processes have not accepted yet",
    ["port"],
    multiprocess_mode="mostrecent",
)
queue_delay_seconds = Gauge(
    "tidegate_queue_delay_seconds",
    "Mean wait in a queue in the last window, seconds",
    ["queue"],
    multiprocess_mode="mostrecent",
)


def registry() -> CollectorRegistry:
    """Return the registry that answers for every process of this installation."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return OWN_REGISTRY
    shared = CollectorRegistry()
    MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
    return shared


def exposition() -> bytes:
    """Return all metrics in Prometheus' text format."""
    http_seconds.write()
    return generate_latest(registry())
