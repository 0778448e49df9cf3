"""The flood against the real system: what was acknowledged is there, and the journal tells when it is not."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from tests.sale.shop import publish
from tests.watch.rehearsal.conftest import Running
from tests.watch.rehearsal.test_replay import Silent

from tidegate.app.compose import App
from tidegate.app.demo.wiring import rehearsal_of
from tidegate.app.up import example_file
from tidegate.offer.campaign.commands import load_definition
from tidegate.offer.campaign.contracts import OfferKind
from tidegate.watch.rehearsal.contracts import FloodPlan, FloodProgress, FloodReport, Latency
from tidegate.watch.rehearsal.errors import FloodFailed, NothingToBuy
from tidegate.watch.rehearsal.flood import arrivals_per_second, send_flood, users_at

REFUSED_FIRST = {"search", "goods", "stock"}
"""What the gate refuses on a machine that is too busy; orders, payments and the rest it carries longer."""


def plan(**changes: object) -> FloodPlan:
    values: dict[str, object] = {
        "url": "http://127.0.0.1:9",
        "shoppers": 100,
        "seconds": 100.0,
        "sessions": "none",
        "results": "none",
        "journal": "none",
        "opens_at": "2026-11-10T16:00:00Z",
        "hot_skus": ("A",),
        "skus": ("A", "B"),
    }
    return msgspec.convert({**values, **changes}, FloodPlan)


def test_the_shape_of_the_tide() -> None:
    assert [users_at(plan(), second, 10) for second in (0, 9.9, 10, 69, 71)] == [35, 35, 100, 100, 60]


def test_the_early_ones_come_before_the_opening_and_the_others_at_it() -> None:
    assert arrivals_per_second(plan(), 0, 10) == pytest.approx(5)
    assert arrivals_per_second(plan(), 10, 10) == pytest.approx(6.5)


def test_percentiles_of_a_histogram() -> None:
    latency = Latency(name="order", requests=100, failures=0, histogram={5: 50, 20: 49, 900: 1})
    assert [latency.percentile(share) for share in (0.5, 0.95, 0.99, 1.0)] == [5, 20, 20, 900]
    assert Latency(name="order", requests=0, failures=0, histogram={}).percentile(0.99) == 0


async def test_a_flood_that_cannot_begin_says_why(tmp_path: Path) -> None:
    lost = plan(
        sessions=str(tmp_path / "none"), results=str(tmp_path / "none.json"), journal=str(tmp_path / "j"), seconds=1.0
    )
    with pytest.raises(FloodFailed, match="left no results"):
        await send_flood(lost, lambda _: None, tmp_path)


async def test_a_flood_needs_a_campaign(app: App) -> None:
    with pytest.raises(NothingToBuy):
        await rehearsal_of(app).prepare_flood("http://127.0.0.1:9", 5, 5, Silent())


async def test_the_scarcest_flash_offers_are_hot(app: App) -> None:
    definition = load_definition(example_file(), now=datetime.now(UTC), start="now")
    await publish(app, definition)
    sending = await rehearsal_of(app).prepare_flood("http://127.0.0.1:9", 3, 5, Silent())
    assert len(sending.hot_skus) == 4
    quotas = {offer.sku: offer.quota for offer in definition.offers if offer.kind is OfferKind.FLASH}
    assert max(quotas[sku] for sku in sending.hot_skus) <= sorted(quotas.values())[3]
    assert sending.coupons == ("TIDE30", "TIDE80", "TIDE200", "HELLO11")
    assert _mode_and_lines(Path(sending.sessions)) == (0o600, 3)


def _mode_and_lines(sessions: Path) -> tuple[int, int]:
    return sessions.stat().st_mode & 0o777, len(sessions.read_bytes().splitlines())


@pytest.mark.slow
async def test_acknowledged_orders_are_there_and_a_lost_one_is_reported(running: Running) -> None:
    report, told = await flooded(running)
    assert told
    assert [each for each in report.latencies if each.failures and each.name not in REFUSED_FIRST] == []
    assert report.outcomes["placed"] > 10
    assert report.outcomes["paid"] > 0
    checks = await running.rehearsal.check_journal(Path(report.journal))
    assert [check.detail for check in checks if not check.holds] == []
    assert checks[0].examined == report.outcomes["placed"]

    lost = await lose_an_order(running)
    found = [check for check in await running.rehearsal.check_journal(Path(report.journal)) if not check.holds]
    assert [check.name for check in found] == ["journal: every acknowledged order is in the database"]
    assert found[0].detail == f"1 lost: {lost}"


async def flooded(running: Running) -> tuple[FloodReport, list[FloodProgress]]:
    definition = load_definition(example_file(), now=datetime.now(UTC), start="now")
    await running.rehearsal._publish(definition, "test")
    async with running.app.db.read() as tx:
        await running.app.campaign.refresh(tx)
    sending = await running.rehearsal.prepare_flood(running.url, 40, 14, Silent())
    sending = msgspec.structs.replace(sending, pause_seconds=(0.2, 1.0), search_share=0.1)
    told: list[FloodProgress] = []
    return await running.rehearsal.flood(sending, told.append), told


async def lose_an_order(running: Running) -> str:
    """Delete an order in the database, as no code of ours can."""
    async with running.app.db.transaction() as tx:
        row = await (await tx.execute("select order_id from ordering.orders order by order_id limit 1")).fetchone()
        assert row is not None
        await tx.execute("delete from ordering.refund where order_id = %s", [row[0]])
        await tx.execute("delete from ordering.orders where order_id = %s", [row[0]])
    return str(row[0])
