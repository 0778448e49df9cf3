"""What promotions would cost on an order log: exact sums, and budgets that end where they end."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from rich.console import Console
from tests.offer.festivals import START, coupon, definition, goods, offer
from tests.offer.promotions import amount_off, promotion
from tests.offer.slots_made import flash, slot
from tests.sale.groups import company

from tidegate.offer.campaign.contracts import (
    Audience,
    Bearer,
    CampaignDefinition,
    Earning,
    FreeShipping,
    Gift,
    Layer,
    MemberPrice,
    PointsOff,
    Promotion,
    PromotionLimits,
    Shipping,
    Words,
)
from tidegate.watch.rehearsal.contracts import Dialect
from tidegate.watch.rehearsal.cost import cost_of
from tidegate.watch.rehearsal.cost_command import cost, estimate
from tidegate.watch.rehearsal.cost_contracts import Assumed, CostReport, NotCosted, Purchase
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


_CUT = amount_off(10_000, 1_000)
_HALVES = (Bearer("platform", 5_000), Bearer("shop", 5_000))
_SHOP = {"shop house": 2_000}

# Each takes its part off two orders, of two and of three units of A at 80.00; shipping is 6.00.
_KINDS: list[tuple[str, Promotion, int, dict[str, int], list[Assumed]]] = [
    ("members", promotion("P", _CUT, audience=(Audience.MEMBERS,)), 2_000, _SHOP, [Assumed.MEMBERS]),
    ("tier", promotion("P", _CUT, tiers=("gold",)), 2_000, _SHOP, [Assumed.TIERS]),
    ("segment", promotion("P", _CUT, segments=("tea",)), 2_000, _SHOP, [Assumed.SEGMENTS]),
    (
        "condition",
        promotion("P", _CUT, condition='city == "here"', facts=("city",), condition_words=Words("此地", "here")),
        2_000,
        _SHOP,
        [Assumed.CONDITIONS],
    ),
    (
        "points",
        promotion("P", PointsOff(points=10, share=5_000), layer=Layer.POINTS),
        20_000,
        {"shop house": 20_000},
        [Assumed.POINTS],
    ),
    (
        "member price",
        promotion("P", MemberPrice(prices=(("A", 7_000),)), audience=(Audience.MEMBERS,)),
        5_000,
        {"shop house": 5_000},
        [Assumed.MEMBERS],
    ),
    ("flash price", flash(slot("all", 0, 4_320, 9)), 15_000, {"shop house": 15_000}, []),
    ("gift", promotion("P", Gift(sku="B", reach=100)), 6_000, {"shop house": 6_000}, []),
    (
        "free shipping",
        promotion("P", FreeShipping(reach=100), layer=Layer.SHIPPING, bearers=_HALVES),
        1_200,
        {"platform": 600, "shop house": 600},
        [],
    ),
]


@pytest.mark.parametrize(
    ("made", "off", "bearers", "said"), [each[1:] for each in _KINDS], ids=[each[0] for each in _KINDS]
)
def test_each_kind_of_promotion_is_put_down_to_itself(
    made: Promotion, off: int, bearers: dict[str, int], said: list[Assumed]
) -> None:
    of = definition(
        [offer("A", 8_000), offer("B", 3_000)],
        entries=[goods("A"), goods("B", 3_000)],
        shipping=Shipping(fee=600, free_from=None),
    )
    report = cost_of(
        msgspec.structs.replace(of, promotions=(made,)),
        [Purchase("one", START, {"A": 2}), Purchase("two", START.replace(hour=1), {"A": 3, "OTHER": 1})],
    )
    found = rows(report)
    assert found[made.id][2:] == (off, bearers)
    assert found["offers"][:3] == (2, 5, 10_000)
    assert report.assumed == said
    assert (report.orders, report.priced, report.lines_unmatched) == (2, 2, 1)
    # Each minor unit below list prices and full shipping stands in exactly one row.
    assert sum(each.off for each in report.promotions) == report.at_list_price + 2 * 600 - report.paid
    assert all(sum(each.bearers.values()) == each.off for each in report.promotions)


def test_of_two_tiers_the_dearer_one_is_assumed_for_each_order() -> None:
    gold = promotion("gold", amount_off(20_000, 3_000), tiers=("gold",))
    jade = promotion("jade", amount_off(10_000, 1_000), tiers=("jade",))
    of = msgspec.structs.replace(definition([offer("A", 8_000)]), promotions=(gold, jade))
    found = rows(cost_of(of, [Purchase("one", START, {"A": 2}), Purchase("two", START, {"A": 3})]))
    assert (found["jade"][2], found["gold"][2]) == (1_000, 3_000)


def test_a_member_price_with_a_budget_ends_with_it() -> None:
    price = promotion("price", MemberPrice(prices=(("A", 7_000),)), limits=PromotionLimits(budget=2_500))
    of = msgspec.structs.replace(definition([offer("A", 8_000)]), promotions=(price,))
    report = cost_of(of, [Purchase(name, START, {"A": 2}) for name in ("one", "two")])
    assert rows(report)["price"] == (1, 2, 2_000, {"shop house": 2_000})
    assert report.paid == 14_000 + 16_000


def test_what_has_no_row_is_named() -> None:
    of = msgspec.structs.replace(company.festival(), earning=Earning(paid=100, points=1))
    of = msgspec.structs.replace(of, coupons=tuple(coupon(f"C{number}") for number in range(13)))
    report = cost_of(of, [Purchase("one", START, {"A": 1})])
    assert report.not_costed == [NotCosted.EARNED_POINTS, NotCosted.FURTHER_COUPONS]
    assert cost_of(definition(), []).orders == 0


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
    assert "3 orders have goods on offer; 3 could be ordered" in shown.stdout
    assert "Assumed: everybody buys what he bought" in " ".join(shown.stdout.split())
    as_json = CliRunner().invoke(command, [*files, "--json"])
    assert msgspec.json.decode(as_json.stdout, type=CostReport).paid == 64_000
