"""What promotions would cost on an order log: exact sums, and budgets that end where they end."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from rich.console import Console
from tests.offer.festivals import coupon, definition, goods, offer
from tests.offer.promotions import amount_off, promotion

from tidegate.offer.campaign.contracts import Audience, Bearer, CampaignDefinition, PromotionLimits
from tidegate.watch.rehearsal.contracts import Dialect
from tidegate.watch.rehearsal.cost import CostReport
from tidegate.watch.rehearsal.cost_command import cost, estimate
from tidegate.watch.rehearsal.errors import LogNotReadable
from tidegate.watch.rehearsal.progress import ShownProgress

HEAD = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
LOG = HEAD + (
    "1,a,KETTLE,2,2010-12-01 08:00:00,2.55,17850,UK\n"
    "1,zz,OTHER,1,2010-12-01 08:00:00,2.55,17850,UK\n"
    "2,A,KETTLE,3,2010-12-01 09:00:00,2.55,17851,UK\n"
    "C2,A,KETTLE,-3,2010-12-01 10:00:00,2.55,17851,UK\n"
    "3,A,KETTLE,3,2010-12-02 09:00:00,2.55,17850,UK\n"
)


@contextmanager
def quiet() -> Iterator[ShownProgress]:
    with ShownProgress(Console(stderr=True, quiet=True)) as progress:
        yield progress


def costs(of: CampaignDefinition, tmp_path: Path, text: str = LOG) -> CostReport:
    log = tmp_path / "orders.csv.gz"
    log.write_bytes(gzip.compress(text.encode()))
    with quiet() as progress:
        return estimate(of, log, Dialect(), None, progress)


def rows(report: CostReport) -> dict[str, tuple[int, int, int, dict[str, int]]]:
    return {each.rule: (each.orders, each.units, each.off, each.bearers) for each in report.promotions}


def test_offers_and_a_coupon(tmp_path: Path) -> None:
    of = definition(
        [offer("A", 8_000)], entries=[goods("A", 10_000)], coupons=[coupon("TIDE50", 20_000, 5_000, quota=1)]
    )
    report = costs(of, tmp_path)
    assert (report.orders, report.priced, report.refused, report.units) == (3, 3, 0, 8)
    assert (report.lines_unmatched, report.units_beyond_quota) == (1, 0)
    assert (report.at_list_price, report.paid) == (80_000, 64_000 - 5_000)
    assert rows(report) == {
        "offers": (3, 8, 16_000, {"shop house": 16_000}),
        "coupon:TIDE50": (1, 3, 5_000, {"shop house": 5_000}),
    }


def test_an_order_shows_one_coupon_and_not_those_of_two_promotions(tmp_path: Path) -> None:
    listed = [promotion(code, amount_off(1, off), coupon=code.upper()) for code, off in (("few", 300), ("more", 700))]
    of = definition(
        [offer("A", 8_000)], entries=[goods("A")], coupons=[coupon(code, 10**9, 1) for code in ("FEW", "MORE")]
    )
    report = costs(msgspec.structs.replace(of, promotions=tuple(listed)), tmp_path)
    assert rows(report)["more"][:3] == (3, 8, 2_100)
    assert rows(report)["few"][:3] == (0, 0, 0)


def test_a_budget_ends_where_it_ends_and_bearers_share(tmp_path: Path) -> None:
    bearers = (Bearer("platform", 6_000), Bearer("shop", 4_000))
    cut = promotion("cut", amount_off(10_000, 1_000), limits=PromotionLimits(budget=2_500), bearers=bearers)
    back = promotion("back", amount_off(1_000, 100), audience=(Audience.RETURNING,))
    of = msgspec.structs.replace(definition([offer("A", 8_000)]), promotions=(cut, back))
    report = costs(of, tmp_path)
    found = rows(report)
    assert found["cut"] == (2, 5, 2_000, {"platform": 1_200, "shop house": 800})
    assert found["back"][:3] == (1, 3, 100)
    assert next(each.budget for each in report.promotions if each.rule == "cut") == 2_500
    assert report.paid == 64_000 - 2_100
    assert sum(each.off for each in report.promotions) == report.at_list_price - report.paid


def test_quotas_and_limits_are_counted(tmp_path: Path) -> None:
    short = costs(definition([offer("A", quota=4)]), tmp_path)
    assert (short.units, short.units_beyond_quota, short.priced) == (4, 4, 2)
    limited = costs(definition([offer("A", per_buyer=3)]), tmp_path)
    assert (limited.priced, limited.refused, limited.units) == (2, 1, 5)


def test_a_log_without_sales_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LogNotReadable):
        costs(definition(), tmp_path, HEAD)


def test_the_command_prints_the_report(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(LOG)
    (tmp_path / "festival.toml").write_text("")
    command = cost(lambda file, start: definition([offer("A", 8_000)]))
    files = [str(tmp_path / "festival.toml"), "--orders", str(tmp_path / "orders.csv")]
    shown = CliRunner().invoke(command, files)
    assert shown.exit_code == 0
    assert "3 orders have goods of this campaign; 3 could be ordered" in shown.stdout
    as_json = CliRunner().invoke(command, [*files, "--json"])
    assert msgspec.json.decode(as_json.stdout, type=CostReport).paid == 64_000
