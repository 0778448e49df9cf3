"""The demo as people run it: one command, without a terminal, ending in a table, two pages and an exit code."""

import os
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.ports import installation_port
from tests.watch.debrief.test_rules import FACTS, at
from tidegate.app.demo.story import QUICK, settings
from tidegate.base.invariant import Check
from tidegate.watch.debrief.rules import debrief

SOURCES = str(Path(__file__).parents[3] / "src")


@pytest.mark.slow
def test_the_quick_demo_holds_every_invariant(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tidegate", "demo", "--quick"],
        env={
            **os.environ,
            "PYTHONPATH": SOURCES,
            "TIDEGATE_DATA_DIR": str(tmp_path),
            "TIDEGATE_PORT": str(installation_port()),
            "COLUMNS": "160",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-4000:]
    assert "sign in as manager with" in ran.stdout
    assert "Payment channel harbour fails now" in ran.stdout
    assert "Payment channel harbour is back." in ran.stdout
    assert "Every invariant holds." in ran.stdout
    for words in ("GMV", "p99", "Goals and results", "nobody was charged twice", "every acknowledged order is in"):
        assert words in ran.stdout
    for name, title in (("debrief.html", "Debrief"), ("debrief.zh.html", "复盘")):
        page = (tmp_path / "demo" / name).read_text(encoding="utf-8")
        assert f"<h1>{title}</h1>" in page
        assert page.count("<svg") == 3
        assert not re.findall(r"(?:src|href)=\"http", page)


def test_the_demo_begins_anew_in_a_folder_of_its_own(tmp_path: Path) -> None:
    kept = tmp_path / "orders"
    kept.write_text("of the real festival")
    old = tmp_path / "demo" / "old"
    old.mkdir(parents=True)
    config = settings({"TIDEGATE_DATA_DIR": str(tmp_path)}, QUICK)
    assert config.data_dir == tmp_path / "demo"
    assert config.hold_seconds == QUICK.hold_seconds
    assert kept.exists()
    assert not old.exists()


def test_one_broken_invariant_is_enough_to_fail() -> None:
    good = Check(name="good", holds=True, examined=1)
    bad = Check(name="bad", holds=False, examined=1, detail="2 lost")
    assert debrief(msgspec.structs.replace(FACTS, checks=(good,)), at(60)).holds
    assert not debrief(msgspec.structs.replace(FACTS, checks=(good, bad)), at(60)).holds
