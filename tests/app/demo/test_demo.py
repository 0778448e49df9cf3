"""The demo as people run it: one command, without a terminal, ending in a table, two pages and an exit code."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from tests.ports import installation_port
from tests.watch.debrief.test_rules import FACTS, at
from tidegate.app.demo.room import PER_NETWORK, with_line
from tidegate.app.demo.story import FULL, QUICK, settings
from tidegate.app.supervisor import _environment
from tidegate.app.up import example_file
from tidegate.base.invariant import Check
from tidegate.offer.campaign.commands import load_definition
from tidegate.offer.campaign.rules import find_faults
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
    assert "The draw was recomputed: seed, root, every rank and the order of calls agree" in ran.stdout
    for words in (
        *("GMV", "p99", "Goals and results", "nobody was charged twice", "every acknowledged order is in"),
        *("The line: what each group got", "Bot farm", "Fair shares", "line: the bot farm got at most 1.5", "draw: "),
    ):
        assert words in ran.stdout
    # On a machine with much else to do members may all come too late for the draw; who was in time is held to account.
    in_time = {
        "Members",
        "line: nobody but members stood in the members' lane",
        "line: members, whose lane has the larger",
    }
    assert {words for words in in_time if words in ran.stdout} in (in_time, set())
    assert "Members" in ran.stdout or "Latecomers" in ran.stdout
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
    assert config.trusted_proxies == ("127.0.0.1",)
    assert kept.exists()
    assert not old.exists()


def test_the_demo_touches_no_servers_channels_and_phones_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = {
        "TIDEGATE_DATABASE_URL": "postgresql://shop/real",
        "TIDEGATE_REPLICA_URL": "postgresql://shop/replica",
        "TIDEGATE_CACHE_URL": "redis://shop",
        "TIDEGATE_CHANNELS": '[{"name": "bank", "url": "https://bank.example", "secret": "real"}]',
        "TIDEGATE_SMS": "http",
        "TIDEGATE_SMS_URL": "https://sms.example",
        "TIDEGATE_SMS_SECRET": "real",
        "TIDEGATE_DEFENCE_HOOK_URL": "https://scrubbing.example",
        "TIDEGATE_DEFENCE_HOOK_SECRET": "a real secret of thirty-two letters",
    }
    for name, value in real.items():
        monkeypatch.setenv(name, value)
    config = settings({**os.environ, "TIDEGATE_DATA_DIR": str(tmp_path)}, QUICK)
    assert (config.database_url, config.replica_url, config.cache_url) == (None, None, None)
    assert [channel.name for channel in config.channels] == ["harbour", "lantern"]
    assert (config.sms, config.sms_url, config.defence_hook_url) == ("sandbox", "", "")
    # The processes of the demo see what the demo was given, not what its own environment says.
    given = _environment(config)
    assert [name for name, value in real.items() if given[name] == value] == []


def test_the_demos_line_is_a_campaign_that_could_be_published() -> None:
    now = datetime.now(UTC)
    definition = load_definition(example_file(), now=now, start=(now + timedelta(seconds=30)).isoformat())
    assert definition.waiting_room is None
    for scene in (QUICK, FULL):
        with_room = with_line(definition, scene.line, now)
        assert find_faults(with_room) == []
        assert with_room.waiting_room is not None
        assert with_room.waiting_room.opens_at == now
        # A farm is given fewer places than it has persons, whatever its accounts.
        assert scene.farm.networks * PER_NETWORK <= scene.farm.persons < scene.farm.accounts


def test_one_broken_invariant_is_enough_to_fail() -> None:
    good = Check(name="good", holds=True, examined=1)
    bad = Check(name="bad", holds=False, examined=1, detail="2 lost")
    assert debrief(msgspec.structs.replace(FACTS, checks=(good,)), at(60)).holds
    assert not debrief(msgspec.structs.replace(FACTS, checks=(good, bad)), at(60)).holds
