"""The example festivals under the law: each may be published, and again while it runs, as `tidegate up` does."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.sale.presale.presales_made import deliver
from tidegate.app.compose import App
from tidegate.app.publication import PublicationDesk
from tidegate.base.clock import ManualClock
from tidegate.offer.campaign.api import stopping
from tidegate.offer.campaign.commands import load_definition

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
FILES = sorted(EXAMPLES.glob("*/festival.toml"))
NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)
"""When a test's clock begins."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
async def test_an_example_may_be_published(app: App, file: Path) -> None:
    definition = load_definition(file, now=NOW)
    async with app.db.read() as tx:
        review = await app.law.review(tx, definition, search=False)
    assert stopping(review.findings, ()) == []


@pytest.mark.parametrize("name", ["double-eleven", "drop"])
async def test_one_that_begins_now_may_begin_anew_while_it_runs(app: App, clock: ManualClock, name: str) -> None:
    file = EXAMPLES / name / "festival.toml"
    desk = PublicationDesk(app)
    await desk.publish(load_definition(file, now=NOW), "test")
    await deliver(app)
    clock.advance(seconds=3_600)
    version = await desk.publish(load_definition(file, now=NOW + timedelta(hours=1)), "test")
    assert version.version == 2
