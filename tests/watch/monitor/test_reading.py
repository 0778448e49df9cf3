"""Two readings of the processes' counters tell what happened between them."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from tidegate.watch.monitor.reading import http_between, lane_figures, read, route_figures


class Processes:
    """Counters such as every process keeps, on a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.http = Histogram(
            "tidegate_http_seconds", "x", ["route", "status_class"], buckets=(0.1, 0.5, 1), registry=self.registry
        )
        self.size = Histogram("tidegate_batch_size", "x", ["lane"], buckets=(1, 10), registry=self.registry)
        self.wait = Histogram("tidegate_batch_wait_seconds", "x", ["lane"], buckets=(0.1, 1), registry=self.registry)
        self.refusals = Counter("tidegate_refusals", "x", ["code"], registry=self.registry)


def test_only_what_happened_since_counts() -> None:
    processes = Processes()
    for _ in range(50):
        processes.http.labels("page", "2xx").observe(0.9)
    before = read(processes.registry)
    for _ in range(20):
        processes.http.labels("page", "2xx").observe(0.05)
    processes.http.labels("order", "5xx").observe(0.3)
    figures = route_figures(http_between(before, read(processes.registry)), seconds=10)
    assert [(each.route, each.rate, each.fault_rate) for each in figures] == [("page", 2.0, 0.0), ("order", 0.1, 0.1)]
    assert figures[0].p99_ms is not None
    assert figures[0].p99_ms <= 100


def test_classes_of_routes_can_be_left_out_of_the_whole() -> None:
    processes = Processes()
    before = read(processes.registry)
    processes.http.labels("page", "2xx").observe(0.05)
    processes.http.labels("console", "2xx").observe(0.05)
    span = http_between(before, read(processes.registry))
    assert sum(span.total(frozenset({"console"})).values()) == 1
    assert sum(span.total(frozenset()).values()) == 2


def test_lanes_tell_their_batches() -> None:
    processes = Processes()
    processes.size.labels("ordering").observe(4)
    processes.wait.labels("ordering").observe(0.05)
    before = read(processes.registry)
    for items in (8, 12):
        processes.size.labels("ordering").observe(items)
        processes.wait.labels("ordering").observe(0.05)
    [lane] = lane_figures(before, read(processes.registry), seconds=2)
    assert (lane.lane, lane.batch_rate, lane.batch_size_mean) == ("ordering", 1.0, 10.0)


def test_refusals_are_read_by_code() -> None:
    processes = Processes()
    processes.refusals.labels("sold-out").inc(3)
    assert read(processes.registry).refusals == {"sold-out": 3.0}


def test_who_is_not_accepted_yet_is_read_where_it_is_measured() -> None:
    processes = Processes()
    outside = Gauge("tidegate_accept_queue", "x", ["port"], registry=processes.registry)
    assert read(processes.registry).accept_queue is None
    outside.labels("8470").set(7)
    assert read(processes.registry).accept_queue == 7
