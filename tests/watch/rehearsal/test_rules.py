"""What a log's lines become: sums worked out by hand for the small log, and laws that hold for any log."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tidegate.watch.rehearsal.contracts import (
    Dialect,
    Invoice,
    LogLine,
    OrderLimits,
    PlacedLine,
    Placement,
    Reason,
    Step,
    Undoing,
)
from tidegate.watch.rehearsal.order_log import invoices, kind_of, read_lines
from tidegate.watch.rehearsal.rules import Purchases, Tally, goods_code, parts_of, steps, survey, variant_sku

SMALL = Path(__file__).with_name("small_log.csv")
DIALECT = Dialect()


def small() -> list[Invoice]:
    return list(invoices(read_lines(SMALL, DIALECT), DIALECT))


def planned(log: list[Invoice], lines_max: int = 200, quantity_max: int = 100_000) -> tuple[list[Step], Tally]:
    tally, limits = Tally(), OrderLimits(lines_max=lines_max, quantity_max=quantity_max)
    return list(steps(log, Purchases(survey(log).cancelled_goods), tally, limits)), tally


def test_the_survey_of_the_small_log() -> None:
    found = survey(small())
    assert (found.rows, found.invoices) == (18, 15)
    # 15.30 + 20.00 + 10.20 | 15.00 | 15.00 | 0.001 | -110.62 + 110.62 | 168,469.60
    assert found.gross == Decimal("168545.101")
    # 20.40 + 15.00 + 10.20 + 9.00 + 10.00 + 14.50 + 168,469.60
    assert found.cancelled == Decimal("-168548.70")
    assert found.net == Decimal("-3.599")
    assert (found.cancelled_lines, found.cancelled_invoices, found.lines_without_customer) == (7, 7, 7)
    assert (found.lines_max, found.quantity_max) == (2, 80_995)
    assert found.accounts == ("17850", "13047", "invoice-700003")
    assert {variant.sku: variant.units for variant in found.variants} == {
        "AB10.255": 10,
        "AB11.1000": 2,
        "AB10.300": 5,
        "BANK-CHARGES.1500": 1,
        "AB10.208": 80_995,
    }


def test_every_order_and_every_cancellation_of_the_small_log() -> None:
    plan, _ = planned(small())
    placed = {step.key: step for step in plan if isinstance(step, Placement)}
    assert {key: step.total for key, step in placed.items()} == {
        "700001": 4550,
        "700002": 1500,
        "700003": 1500,
        "700014": 16_846_960,
    }
    assert [(line.sku, line.quantity, line.price) for line in placed["700001"].lines] == [
        ("AB10.255", 10, 255),
        ("AB11.1000", 2, 1000),
    ]
    back = [(step.key, step.order_key, step.total, step.whole) for step in plan if isinstance(step, Undoing)]
    assert back == [
        ("C700008-700001", "700001", 2040, False),
        ("C700009-700002", "700002", 1500, True),
        ("C700010-700001", "700001", 510, False),
        ("C700015-700014", "700014", 16_846_960, True),
    ]


def test_what_is_left_out_of_the_small_log_has_its_reason_and_its_money() -> None:
    _, tally = planned(small())
    money = tally.money()
    assert {each.reason: (each.lines, each.money) for each in money.left_out} == {
        Reason.ADJUSTMENT: (2, Decimal("0.00")),
        Reason.STOCK_WRITE_OFF: (1, Decimal("0.0")),
        Reason.NO_PRICE: (1, Decimal("0.0")),
        Reason.FRACTION_OF_A_CENT: (1, Decimal("0.001")),
        Reason.NO_CUSTOMER: (1, Decimal("-10.00")),
        Reason.NEVER_BOUGHT: (1, Decimal("-14.50")),
        Reason.OTHER_PRICE: (1, Decimal("-9.00")),
        Reason.MORE_THAN_BOUGHT: (1, Decimal("-5.10")),
    }
    assert (money.sent, money.undone) == (Decimal("168545.10"), Decimal("168510.10"))
    assert money.adds_up


def test_an_order_longer_than_allowed_is_sent_in_parts() -> None:
    plan, tally = planned(small(), lines_max=1)
    keys = [step.key for step in plan if isinstance(step, Placement)]
    assert keys == ["700001", "700001_2", "700002", "700003", "700014"]
    assert tally.split_invoices == 1
    assert tally.money().adds_up


def test_units_come_back_from_the_latest_purchase_first() -> None:
    log = [_sale("1", 5), _sale("2", 3), _back("C3", 4)]
    plan, _ = planned(log)
    back = [(step.order_key, step.lines[0].quantity, step.whole) for step in plan if isinstance(step, Undoing)]
    assert back == [("2", 3, True), ("1", 1, False)]


def test_codes_become_skus_that_the_catalogue_takes() -> None:
    assert goods_code("85123a") == "85123A"
    assert goods_code("BANK CHARGES") == "BANK-CHARGES"
    assert goods_code("  ") == "UNNAMED"
    assert variant_sku("gift_0001_10", 833) == "GIFT_0001_10.833"


def _line(number: str, quantity: int, price: str = "2.50", code: str = "X1", customer: str = "7") -> LogLine:
    at = datetime(2011, 3, 1, tzinfo=UTC)
    return LogLine(
        row=2,
        invoice=number,
        code=code,
        description="",
        quantity=quantity,
        price=Decimal(price),
        at=at,
        customer=customer,
    )


def _invoice(number: str, lines: list[LogLine]) -> Invoice:
    return Invoice(
        number=number,
        part=1,
        kind=kind_of(number, DIALECT),
        customer=lines[0].customer,
        at=lines[0].at,
        lines=tuple(lines),
    )


def _sale(number: str, quantity: int) -> Invoice:
    return _invoice(number, [_line(number, quantity)])


def _back(number: str, quantity: int) -> Invoice:
    return _invoice(number, [_line(number, -quantity)])


CODES = st.sampled_from(["X1", "x1", "Y 2", "Z.3"])
PRICES = st.sampled_from(["2.50", "2.5", "3.10", "0", "0.001", "-4.00"])
CUSTOMERS = st.sampled_from(["7", "8", ""])


@st.composite
def logs(draw: st.DrawFn) -> list[Invoice]:
    found = []
    for place in range(draw(st.integers(1, 12))):
        prefix = draw(st.sampled_from(["", "", "C", "A"]))
        number, customer = f"{prefix}{place}", draw(CUSTOMERS)
        rows = draw(st.lists(st.tuples(CODES, PRICES, st.integers(-3, 9)), min_size=1, max_size=4))
        lines = [
            _line(number, -abs(units) - 1 if prefix == "C" else units, price, code, customer)
            for code, price, units in rows
        ]
        found.append(_invoice(number, lines))
    return found


def test_more_units_than_an_order_may_hold_are_spread_over_orders() -> None:
    lines = [PlacedLine("A", 25, 1), PlacedLine("B", 10, 1), PlacedLine("C", 3, 1)]
    parts = parts_of(lines, OrderLimits(lines_max=2, quantity_max=10))
    assert [[(line.sku, line.quantity) for line in part] for part in parts] == [
        [("A", 10), ("B", 10)],
        [("C", 3)],
        [("A", 10)],
        [("A", 5)],
    ]


@given(logs(), st.integers(1, 3), st.integers(1, 9))
def test_nothing_of_any_log_is_lost(log: list[Invoice], lines_max: int, quantity_max: int) -> None:
    plan, tally = planned(log, lines_max, quantity_max)
    money, found = tally.money(), survey(log)
    assert money.adds_up
    assert (money.gross, money.cancelled) == (found.gross, found.cancelled)
    assert sum(step.total for step in plan if isinstance(step, Placement)) == money.sent * 100
    assert sum(step.total for step in plan if isinstance(step, Undoing)) == money.undone * 100
    assert max((len(step.lines) for step in plan if isinstance(step, Placement)), default=0) <= lines_max


@given(logs())
def test_no_unit_comes_back_that_was_not_bought(log: list[Invoice]) -> None:
    plan, _ = planned(log)
    left: dict[tuple[str, str], int] = {}
    accounts: dict[str, str] = {}
    for step in plan:
        if isinstance(step, Placement):
            accounts[step.key] = step.account
            left.update({(step.key, line.sku): line.quantity for line in step.lines})
            continue
        assert accounts[step.order_key] == step.account
        for line in step.lines:
            left[step.order_key, line.sku] -= line.quantity
            assert left[step.order_key, line.sku] >= 0
        units_left = sum(units for (key, _), units in left.items() if key == step.order_key)
        assert not step.whole or units_left == 0


@given(logs())
def test_the_offers_cover_what_is_sent(log: list[Invoice]) -> None:
    plan, _ = planned(log)
    sent: dict[str, int] = {}
    for step in plan:
        if isinstance(step, Placement):
            for line in step.lines:
                sent[line.sku] = sent.get(line.sku, 0) + line.quantity
    assert sent == {variant.sku: variant.units for variant in survey(log).variants}
