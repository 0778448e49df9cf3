"""Metrics in Prometheus' text format, of one process and of several together."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tidegate.base.metrics import GatheredHistogram, exposition, faults, http_seconds

_COUNT = """
from tidegate.base.metrics import exposition, faults, http_seconds
faults.labels("test").inc(2)
http_seconds.observe(0.003, "order", "2xx")
print(exposition().decode())
"""


def _samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_counts_and_timings_are_told_in_prometheus_text_format() -> None:
    key = ("tidegate_faults_total", (("where", "metrics-test"),))
    faults.labels("metrics-test").inc()
    before = _samples(exposition().decode())[key]
    faults.labels("metrics-test").inc()
    http_seconds.observe(0.12, "metrics-test", "2xx")
    after = _samples(exposition().decode())
    assert after[key] - before == 1
    labels = (("route", "metrics-test"), ("status_class", "2xx"))
    assert after["tidegate_http_seconds_count", labels] == 1
    assert after["tidegate_http_seconds_bucket", (("le", "0.1"), *labels)] == 0
    assert after["tidegate_http_seconds_bucket", (("le", "0.15"), *labels)] == 1


@given(st.lists(st.one_of(st.floats(0, 3), st.sampled_from([0.1, 0.5, 1.0]))), st.booleans())
def test_gathered_observations_are_written_as_if_one_by_one(values: list[float], at_once: bool) -> None:
    one_by_one, together = CollectorRegistry(), CollectorRegistry()
    plain = Histogram("probe", "x", ["route"], buckets=(0.1, 0.5, 1), registry=one_by_one)
    gathered = GatheredHistogram(Histogram("probe", "x", ["route"], buckets=(0.1, 0.5, 1), registry=together))
    for value in values:
        plain.labels("a").observe(value)
        gathered.observe(value, "a")
        if not at_once:
            gathered.write()
    gathered.write()
    gathered.write()
    expected, told = _told(one_by_one), _told(together)
    assert told == pytest.approx(expected)
    assert not values or expected["probe_count", (("route", "a"),)] == len(values)


def _told(registry: CollectorRegistry) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    samples = _samples(generate_latest(registry).decode())
    return {key: value for key, value in samples.items() if key[0] != "probe_created"}


def test_any_process_answers_for_all_also_for_those_that_died(tmp_path: Path) -> None:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    told = [
        subprocess.run(
            [sys.executable, "-c", _COUNT], env=environment, capture_output=True, text=True, check=True
        ).stdout
        for _ in range(3)
    ]
    counts = [_samples(text)["tidegate_faults_total", (("where", "test"),)] for text in told]
    assert counts == [2, 4, 6]
    labels = (("route", "order"), ("status_class", "2xx"))
    assert _samples(told[-1])["tidegate_http_seconds_count", labels] == 3
