"""Memory and processor time of processes, read from a real /proc."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tidegate.watch.monitor.process import figures, stands

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system has no /proc")


@pytest.fixture
def child(tmp_path: Path) -> Iterator[int]:
    """A process whose name makes its line in /proc hard to read."""
    program = tmp_path / "a) R 1 (b"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
    with subprocess.Popen([program, "60"]) as process:
        yield process.pid
        process.kill()


def test_a_child_of_any_name_is_found_with_its_memory(child: int) -> None:
    found = stands()
    assert os.getpid() in found
    assert found[child].role == "a) R 1 (b"
    assert found[child].memory_bytes > 0


def test_what_is_no_relative_is_not_counted(child: int) -> None:
    found = stands()
    assert child in found
    assert 1 not in found


def test_work_shows_as_a_share_of_a_core() -> None:
    before = stands()
    own = before[os.getpid()]
    while sum(os.times()[:2]) * os.sysconf("SC_CLK_TCK") < own.cpu_ticks + 5:
        sum(range(100_000))
    after = stands()
    told = {each.role: each for each in figures(before, after, 1.0)}
    assert told[own.role].cpu_share >= 0.04
