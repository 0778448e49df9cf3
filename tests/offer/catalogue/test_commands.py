"""`tidegate catalogue`."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from click.testing import CliRunner, Result

from tests.offer.catalogue.conftest import FESTIVAL
from tidegate.base.clock import ManualClock
from tidegate.base.db import Database
from tidegate.offer.catalogue.api import Catalogue
from tidegate.offer.catalogue.commands import group

Run = Callable[..., Result]


class Desk(NamedTuple):
    """An installation of one test."""

    db: Database
    catalogue: Catalogue


@pytest.fixture
def run(database_url: str, clock: ManualClock, tmp_path: Path) -> Run:
    """Run a command on an installation of this test's own."""

    @asynccontextmanager
    async def open_desk() -> AsyncIterator[Desk]:
        db = Database(database_url)
        await db.open()
        yield Desk(db, Catalogue(clock, tmp_path))
        await db.close()

    return lambda *arguments: CliRunner().invoke(group(open_desk), [str(each) for each in arguments])


def test_a_file_is_imported_and_found(run: Run) -> None:
    imported = run("import", FESTIVAL)
    assert (imported.exit_code, imported.stdout) == (
        0,
        "1,024 goods read, 1,024 of them new or different and imported.\n",
    )
    assert run("import", FESTIVAL, "--json").stdout == '{"goods":1024,"changed":0}\n'
    found = run("search", "KTL-1003")
    assert "KTL-1003" in found.stdout
    assert "1 found; 1 shown." in found.stdout
    assert msgspec.json.decode(run("search", "保温杯", "--json").stdout)["match"] == "exact"
    assert "spelt nearly so" in run("search", "kettel").stdout
    assert run("search", "qwertyzxcv").stdout.startswith("Nothing found for 'qwertyzxcv'.")
    assert run("index").stdout == "The index is up to date.\n"


def test_faults_are_told_by_line_and_nothing_is_imported(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "goods.csv"
    file.write_text(
        "sku,name_zh,name_en,category,list_price\nA,水,Water,kitchen,1.00\nB,,Tea,kitchen,x\n", encoding="utf-8"
    )
    refused = run("import", file)
    assert refused.exit_code == 1
    assert "goods.csv:3: name_zh: must not be empty" in refused.stderr
    assert "goods.csv:3: list_price: 'x' is no price such as 129.00" in refused.stderr
    assert "Nothing was imported." in refused.stderr
    assert run("search", "Water").stdout.startswith("Nothing found")
    faults = msgspec.json.decode(run("import", file, "--json").stdout)["faults"]
    assert {(each["line"], each["field"]) for each in faults} == {(3, "name_zh"), (3, "list_price")}


def test_a_check_imports_nothing(run: Run) -> None:
    assert run("import", FESTIVAL, "--check").stdout == "1,024 goods, no faults. Nothing was imported.\n"
    assert run("search", "kettle").stdout.startswith("Nothing found")


def test_a_file_that_is_no_text(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "goods.csv"
    file.write_bytes(b"\xff\xfe\x00")
    assert "is not UTF-8 text. Nothing was imported." in run("import", file).stderr


def test_pictures_are_drawn(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "goods.csv"
    file.write_text("sku,name_zh,name_en,category,list_price\nA,水,Water,kitchen,1.00\n", encoding="utf-8")
    assert run("import", file).exit_code == 0
    assert run("pictures", "--processes", 1).stdout == "3 files drawn.\n"
    assert run("pictures").stdout == "All pictures are there.\n"
    assert len(list((tmp_path / "media").iterdir())) == 3
    asyncio.set_event_loop(None)
