"""The faults of payment channels stand on the same fixtures as payment's own tests; a PostgreSQL to be killed."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sale.payment.conftest import harbour, hasty, lantern, shop, two_channels
from tidegate.base.embedded.postgres import EmbeddedPostgres

__all__ = ["harbour", "hasty", "lantern", "server", "shop", "two_channels"]


@pytest.fixture
def server() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL of this test's own, to be killed."""
    with tempfile.TemporaryDirectory(prefix="tidegate-tests-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        own = EmbeddedPostgres(Path(folder))
        own.start()
        yield own
        own.stop()
