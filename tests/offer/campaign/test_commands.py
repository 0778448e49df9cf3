"""`tidegate campaign` as a person types it, on the real database."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from tidegate.base.clock import SystemClock
from tidegate.base.db import Database
from tidegate.base.outbox import Outbox
from tidegate.offer.campaign.api import Campaign, Review, Waiver
from tidegate.offer.campaign.commands import group
from tidegate.offer.campaign.contracts import CampaignDefinition, CampaignId, CampaignVersion, VersionSummary
from tidegate.offer.campaign.errors import CampaignUnknown
from tidegate.offer.law.api import build_law
from tidegate.watch.rehearsal.commands import costed


class Desk:
    """The campaign module and the law as the commands' desk."""

    def __init__(self, db: Database) -> None:
        self._db = db
        clock = SystemClock()
        outbox = Outbox()
        self._campaign = Campaign(clock, outbox)
        _, self._law = build_law(clock, self._campaign, outbox)

    async def publish(
        self, definition: CampaignDefinition, by: str, waivers: Sequence[Waiver] = (), *, reason: str = ""
    ) -> CampaignVersion:
        async with self._db.transaction() as tx:
            return await self._campaign.publish(tx, definition, by, waivers, reason=reason)

    async def review(self, definition: CampaignDefinition) -> Review:
        async with self._db.read() as tx:
            return await self._law.review(tx, definition)

    async def version(self, campaign_id: CampaignId | None, number: int | None) -> CampaignVersion:
        if campaign_id is None:
            raise CampaignUnknown("Name a campaign.")
        async with self._db.read() as tx:
            return await self._campaign.version(tx, campaign_id, number)

    async def versions(self, campaign_id: CampaignId) -> list[VersionSummary]:
        async with self._db.read() as tx:
            return await self._campaign.versions(tx, campaign_id)


class Terminal:
    """Types commands and keeps their answers."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url

    @asynccontextmanager
    async def _desk(self) -> AsyncIterator[Desk]:
        db = Database(self._url)
        await db.open()
        try:
            yield Desk(db)
        finally:
            await db.close()

    async def type(self, *words: str | Path) -> Result:
        command = group(self._desk, costed)
        return await asyncio.to_thread(CliRunner().invoke, command, [str(word) for word in words])


@pytest.fixture
def terminal(database_url: str) -> Terminal:
    return Terminal(database_url)


async def test_from_nothing_to_a_published_festival(terminal: Terminal, tmp_path: Path) -> None:
    folder = tmp_path / "spring"
    assert (await terminal.type("init", folder)).exit_code == 0
    assert sorted(file.name for file in folder.iterdir()) == ["festival.toml", "goods.csv", "offers.csv"]
    again = await terminal.type("init", folder)
    assert again.exit_code == 1
    assert "Nothing was written" in again.stderr

    checked = await terminal.type("check", folder / "festival.toml")
    assert checked.exit_code == 0
    assert "No faults." in checked.stdout

    long = await terminal.type("publish", folder / "festival.toml", "--reason", "x" * 501)
    assert (long.exit_code, "at most 500 characters" in long.stderr) == (1, True)
    published = await terminal.type("publish", folder / "festival.toml", "--by", "Lin Yue", "--reason", "First prices")
    assert published.exit_code == 0
    assert "spring-sale version 1 is published" in published.stdout
    moved = await terminal.type("publish", folder / "festival.toml", "--start", "now", "--json")
    assert msgspec.json.decode(moved.stdout)["version"] == 2

    shown = await terminal.type("show", "spring-sale", "--version", "1")
    assert "Spring sale / 春日特卖" in shown.stdout
    assert "Lin Yue" in shown.stdout
    assert "First" in shown.stdout
    as_json = await terminal.type("show", "spring-sale", "--json")
    assert msgspec.json.decode(as_json.stdout, type=CampaignVersion).version == 2
    unknown = await terminal.type("show", "autumn-sale")
    assert unknown.exit_code == 1
    assert "was never published" in unknown.stderr


async def test_a_faulty_file_publishes_nothing_and_names_every_fault(terminal: Terminal, tmp_path: Path) -> None:
    await terminal.type("init", tmp_path)
    file = tmp_path / "festival.toml"
    file.write_text(file.read_text().replace('fee = "8.00"', "fee = 8").replace('"season"', '"seasn"'))
    for command in ("check", "publish"):
        result = await terminal.type(command, file)
        assert result.exit_code == 1
        assert 'campaign.theme: "seasn" is not known; did you mean "season"?' in result.stderr
        assert "shipping.fee: is a bare number" in result.stderr
        assert "2 faults. Nothing was published" in result.stderr
    as_json = await terminal.type("check", file, "--json")
    assert [fault["line"] for fault in msgspec.json.decode(as_json.stdout)["faults"]] == [8, 86]
    assert (await terminal.type("show", "spring-sale")).exit_code == 1


async def test_a_file_that_is_not_text_is_refused(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "picture.toml"
    file.write_bytes(b"\xff\xfe\x00")
    result = await terminal.type("check", file)
    assert result.exit_code == 1
    assert "is not UTF-8 text" in result.stderr


async def test_what_the_law_blocks_is_named_by_article_file_and_line_and_not_published(
    terminal: Terminal, tmp_path: Path
) -> None:
    await terminal.type("init", tmp_path)
    file = tmp_path / "festival.toml"
    text = file.read_text()
    line = next(number for number, each in enumerate(text.splitlines(), 1) if each.startswith("days ="))
    file.write_text(text.replace("days = 7", "days = 5"))
    checked = await terminal.type("check", file)
    assert checked.exit_code == 1
    assert f"blocking festival.toml:{line}: returns end after 5 days, fewer than 7" in checked.stdout
    assert "It cannot be published: 1 findings block it." in checked.stdout
    assert (await terminal.type("check", file, "--file-only")).exit_code == 0
    as_json = msgspec.json.decode((await terminal.type("check", file, "--json")).stdout)
    assert [each["line"] for each in as_json["findings"] if each["severity"] == "blocking"] == [line]
    assert as_json["lowest"]
    published = await terminal.type("publish", file, "--by", "Lin Yue", "--waive", "cn-consumer-25=we say so")
    assert published.exit_code == 1
    assert "Consumer Protection Law, article 25" in published.stderr
    assert "Nothing was published" in published.stderr
    assert (await terminal.type("show", "spring-sale")).exit_code == 1
    file.write_text(text)
    assert (await terminal.type("publish", file)).exit_code == 0


async def test_a_waiver_needs_a_law_a_reason_and_a_name(terminal: Terminal, tmp_path: Path) -> None:
    await terminal.type("init", tmp_path)
    file = tmp_path / "festival.toml"
    for words in (("--waive", "cn-price-14"), ("--waive", "cn-price-14=stock")):
        refused = await terminal.type("publish", file, *words)
        assert refused.exit_code == 1
        assert "Nothing was published" in refused.stderr
    unneeded = await terminal.type("publish", file, "--by", "Lin Yue", "--waive", "cn-price-14=stock")
    assert unneeded.exit_code == 1
    assert "no warning of cn-price-14" in unneeded.stderr


async def test_a_log_shows_what_each_promotion_would_cost(terminal: Terminal, tmp_path: Path) -> None:
    await terminal.type("init", tmp_path)
    file, log = tmp_path / "festival.toml", tmp_path / "orders.csv"
    first_sku = (tmp_path / "goods.csv").read_text().splitlines()[1].partition(",")[0]
    log.write_text(
        "Order,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID\n"
        f"1,{first_sku},KETTLE,1,2010-12-01 08:00:00,2.55,17850\n"
    )
    mapped = ("--log", log, "--map", "invoice=Order")
    checked = await terminal.type("check", file, *mapped)
    assert checked.exit_code == 0
    assert "Expected cost on the order log" in checked.stdout
    assert "1 orders have goods on offer; 1 could be ordered" in " ".join(checked.stdout.split())
    for more in ((), ("--file-only",)):
        answer = msgspec.json.decode((await terminal.type("check", file, *mapped, "--json", *more)).stdout)
        assert (answer["cost"]["orders"], answer["cost"]["priced"]) == (1, 1)
    assert (await terminal.type("check", file, "--file-only", "--log", log)).exit_code == 1  # its columns are unknown
