"""`tidegate coupons` on a real database, in the name of staff who may."""

import csv
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.offer.coupons.festival import festival
from tests.sale.shop import publish
from tidegate.app.compose import App, compose
from tidegate.base.config import Config
from tidegate.offer.coupons.commands import group
from tidegate.trust.identity.contracts import Role

PASSWORD = "three boats at the quay"


class Terminal:
    """Runs the commands as a person at a terminal would."""

    def __init__(self, config: Config) -> None:
        self._config = config

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[App]:
        app = compose(self._config)
        await app.open()
        try:
            yield app
        finally:
            await app.close()

    def run(self, *arguments: str) -> Result:
        """Run one command."""
        return CliRunner().invoke(group(self._opened), arguments)


@pytest.fixture
async def terminal(app: App, config: Config) -> Terminal:
    """A published festival, with staff."""
    await publish(app, festival())
    async with app.db.transaction() as tx:
        await app.identity.add_staff(tx, "lin.wei", Role.CAMPAIGN_MANAGER, PASSWORD)
        await app.identity.add_staff(tx, "chen.jie", Role.SUPPORT, PASSWORD)
    return Terminal(config)


def test_codes_go_from_one_house_to_paper_and_are_withdrawn(terminal: Terminal, tmp_path: Path) -> None:
    made = terminal.run("generate", "SAVE50", "--count", "25", "--by", "lin.wei", "--json")
    assert made.exit_code == 0, made.output
    batch = json.loads(made.stdout)
    file = tmp_path / "codes.csv"
    written = terminal.run(
        *("export", batch["batch_id"], "--output", str(file), "--by", "lin.wei", "--reason", "for the leaflet")
    )
    assert written.exit_code == 0, written.output
    assert "25 codes written" in written.output
    assert file.stat().st_mode & 0o777 == 0o600
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 25
    assert {row["state"] for row in rows} == {"unclaimed"}
    gone = terminal.run("revoke", rows[0]["code"], "--by", "chen.jie", "--reason", "lost")
    assert gone.exit_code == 0, gone.output
    shown = json.loads(terminal.run("totals", "--json").stdout)
    assert [shown["totals"][0][name] for name in ("made", "unclaimed", "revoked")] == [25, 24, 1]
    assert "SAVE50" in terminal.run("totals").output


def test_a_file_is_taken(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "codes.csv"
    file.write_text("code,state\nSAVE50-AAAAAAAAAAA,unclaimed\n", encoding="utf-8")
    refused = terminal.run("import", "SAVE50", str(file), "--by", "lin.wei")
    assert refused.exit_code == 1
    assert "line 2: SAVE50-AAAAAAAAAAA is mistyped" in refused.output
    file.write_text("nothing\n", encoding="utf-8")
    assert 'no column "code"' in terminal.run("import", "SAVE50", str(file), "--by", "lin.wei").output


def test_who_may_not_is_refused_and_nothing_is_made(terminal: Terminal, tmp_path: Path) -> None:
    refused = terminal.run("generate", "SAVE50", "--count", "5", "--by", "chen.jie")
    assert refused.exit_code == 1
    assert "does not include coupons.make" in refused.output
    assert "Nobody of the name nobody" in terminal.run("generate", "SAVE50", "--count", "5", "--by", "nobody").output
    assert "No codes yet" in terminal.run("totals").output
    made = json.loads(terminal.run("generate", "SAVE50", "--count", "1", "--by", "lin.wei", "--json").stdout)
    file = tmp_path / "codes.csv"
    words = ("--by", "chen.jie", "--reason", "curious", "--output", str(file))
    assert "does not include coupons.export" in terminal.run("export", made["batch_id"], *words).output
    assert not file.exists()
