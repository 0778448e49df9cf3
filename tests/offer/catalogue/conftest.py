"""The example festival's goods, and an index of them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tidegate.base.clock import ManualClock
from tidegate.offer.catalogue.api import Catalogue
from tidegate.offer.catalogue.contracts import Goods, Revision
from tidegate.offer.catalogue.importing import read_goods
from tidegate.offer.catalogue.search import SearchReader, SearchWriter

FESTIVAL = Path(__file__).parents[3] / "examples" / "double-eleven" / "goods.csv"


@pytest.fixture(scope="session")
def festival() -> list[Goods]:
    """The goods of the example festival."""
    return read_goods(FESTIVAL.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def reader(festival: list[Goods], tmp_path_factory: pytest.TempPathFactory) -> SearchReader:
    """A reader of an index of the festival's goods."""
    folder = tmp_path_factory.mktemp("search")
    generation = SearchWriter(folder).begin(revision_of(7))
    generation.add(festival)
    generation.finish()
    reader = SearchReader(folder)
    assert reader.refresh()
    return reader


@pytest.fixture
def catalogue(clock: ManualClock, tmp_path: Path) -> Catalogue:
    """A catalogue with a data folder of its own."""
    return Catalogue(clock, tmp_path)


def revision_of(number: int, identity: str = "one database") -> Revision:
    """A revision as the database would state it."""
    return Revision(identity, number, datetime(2026, 11, 1, tzinfo=UTC))
