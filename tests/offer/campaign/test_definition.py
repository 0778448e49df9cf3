"""Campaign files: what a right one means, and how every fault is named with file, line and words."""

from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from tidegate.offer.campaign.commands import load_definition
from tidegate.offer.campaign.contracts import (
    CampaignDefinition,
    Coupon,
    Goal,
    GoalKind,
    GoalUnit,
    Offer,
    OfferKind,
    PhaseName,
    Theme,
    Words,
)
from tidegate.offer.campaign.definition import read_definition
from tidegate.offer.campaign.errors import DefinitionFaulty

TEMPLATE = {
    file.name: file.read_text(encoding="utf-8")
    for file in (files("tidegate.offer.campaign") / "template").iterdir()
    if "." in file.name
}
FESTIVAL = TEMPLATE["festival.toml"]
NOW = datetime(2027, 1, 1, 12, 0, 0, 123_456, tzinfo=UTC)
EXAMPLE = Path(__file__).parents[3] / "examples" / "double-eleven" / "festival.toml"


def read(text: str = FESTIVAL, *, start: str | None = None, **csv: str) -> CampaignDefinition:
    def open_file(name: str) -> str:
        found = csv.get(name.removesuffix(".csv"), TEMPLATE.get(name))
        if found is None:
            raise FileNotFoundError(2, "No such file or directory")
        return found

    return read_definition(text, file="festival.toml", open_file=open_file, now=NOW, start=start)


def faults(text: str = FESTIVAL, *, start: str | None = None, **csv: str) -> list[str]:
    with pytest.raises(DefinitionFaulty) as refused:
        read(text, start=start, **csv)
    return [str(fault) for fault in refused.value.faults]


def line(needle: str, text: str = FESTIVAL) -> int:
    return text[: text.index(needle)].count("\n") + 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (FESTIVAL + "\nx = " + "[" * 5_000, ["festival.toml: is nested too deeply to be read"]),
        (FESTIVAL + "\nx = 1" + "0" * 5_000, ["festival.toml: holds a number too long to be read"]),
        (
            FESTIVAL.replace('"Spring sale"', '"Spring\\u0000sale"'),
            [f"festival.toml:{line('Spring sale')}: campaign.title.en: holds a NUL character, which no text may hold"],
        ),
    ],
)
def test_what_no_text_editor_writes_is_named_too(text: str, words: list[str]) -> None:
    assert faults(text) == words


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:00:00-05:00"])
def test_a_time_out_of_reach_is_no_time(time: str) -> None:
    found = faults(FESTIVAL.replace("start = 2027-03-20T10:00:00+08:00", f"start = {time}"))
    assert f"festival.toml:{line('start = 2027')}: campaign.start: " in found[0]
    assert "write 2026-11-11T00:00:00+08:00" in found[0]
    assert "(--start) is not a time" in faults(start=time)[0]


def test_the_template_means_what_it_says() -> None:
    festival = read()
    assert (festival.id, festival.theme, festival.currency) == ("spring-sale", Theme.SEASON, "CNY")
    assert festival.title == Words("春日特卖", "Spring sale")
    start = datetime(2027, 3, 20, 2, tzinfo=UTC)
    assert festival.phase(PhaseName.BURST).starts_at == start
    assert festival.phase(PhaseName.PREPARE).starts_at == start - timedelta(days=45)
    assert festival.offers[0] == Offer(
        sku="KETTLE-1", kind=OfferKind.FLASH, price=9_900, quota=100, per_buyer=1, coupons=False
    )
    assert festival.offers[1].coupons
    assert festival.goods[2].name == Words("陶瓷马克杯", "Stoneware mug")
    assert festival.coupons == (
        Coupon(
            code="SPRING20",
            threshold=20_000,
            off=2_000,
            quota=1_000,
            per_buyer=1,
            label=Words("满 200 减 20", "20 off from 200"),
        ),
    )
    assert festival.goals[:2] == (
        Goal(kind=GoalKind.GMV, target=10_000_000, unit=GoalUnit.MONEY, at_least=True),
        Goal(kind=GoalKind.CONVERSION, target=800, unit=GoalUnit.BASIS_POINTS, at_least=True),
    )
    assert festival.goals[2:] == (
        Goal(kind=GoalKind.PAGE_LOAD, target=2_000, unit=GoalUnit.MILLISECONDS, at_least=False),
        Goal(kind=GoalKind.PAYMENT_SUCCESS, target=9_950, unit=GoalUnit.BASIS_POINTS, at_least=True),
    )


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("now", datetime(2027, 1, 1, 12, tzinfo=UTC)),
        ("now+10m", datetime(2027, 1, 1, 12, 10, tzinfo=UTC)),
        ("now - 1d12h", datetime(2026, 12, 31, tzinfo=UTC)),
        ("2027-05-01T00:00:00+08:00", datetime(2027, 4, 30, 16, tzinfo=UTC)),
    ],
)
def test_the_start_given_when_publishing_moves_every_phase(start: str, expected: datetime) -> None:
    festival = read(start=start)
    assert festival.phase(PhaseName.BURST).starts_at == expected
    assert festival.phase(PhaseName.WIND_DOWN).ends_at == expected + timedelta(days=10)


@pytest.mark.parametrize(
    ("was", "becomes", "fault"),
    [
        ('currency = "CNY"', 'curency = "CNY"', 'campaign.curency: is not known here; did you mean "currency"?'),
        ('currency = "CNY"', 'currency = "RMB"', ('campaign.currency: "RMB" is not a currency; write its three letters '
         '(ISO 4217), like "CNY"')),
        ('off = "20.00"', 'off = "20.005"', 'coupon.off: "20.005" has three decimals; CNY has two'),
        ('off = "20.00"', "off = 20.0", ('coupon.off: is a bare number; write money in quotes, like "20.00", so that '
         "no digit is lost")),
        ('off = "20.00"', 'off = "200.00"', "coupon.off: takes off as much as its threshold or more; it must be less"),
        ('off = "20.00"', 'off = "-2"', ('coupon.off: "-2" is not an amount of money; write digits and a point, like '
         '"12.00"')),
        ('theme = "season"', 'theme = "seasn"', 'campaign.theme: "seasn" is not known; did you mean "season"?'),
        ('code = "SPRING20"', 'code = "spring"', ('coupon.code: "spring" is not a code; write 3 to 32 capital letters, '
         "digits and dashes")),
        ('ends_at = "start+3d"', 'ends_at = "start-1d"', ("phases.burst.ends_at: 2027-03-19 02:00:00 UTC is not after "
         "the start, 2027-03-20 02:00:00 UTC")),
        ('starts_at = "start+3d"', 'starts_at = "start+2d"', ("phases.wind_down.starts_at: 2027-03-22 02:00:00 UTC is "
         "before the end of burst, 2027-03-23 02:00:00 UTC; phases follow each other and do not overlap")),
        ('ends_at = "start+3d"', 'ends_at = "later"', ('phases.burst.ends_at: "later" is not a time; write '
         '2026-11-11T00:00:00+08:00, "start", "start+7d12h"')),
        ('ends_at = "start+3d"', "ends_at = 2027-03-23T10:00:00", ("phases.burst.ends_at: 2027-03-23 10:00:00 names no "
         "full time with its zone; write 2026-11-11T00:00:00+08:00")),
        (', en = "Kettles" }', " }", "limit.label.en: has no English text; every text stands in Chinese and English"),
        ('label = { zh = "水壶限购", en = "Kettles" }', 'label = "Kettles"', ("limit.label: is one text; write both "
         'languages, { zh = "...", en = "..." }')),
        ('"KETTLE-1", "KETTLE-2"]', '"KETTLE-1", "KETTLE-3"]', 'limit.skus: "KETTLE-3" is not on offer'),
        ('skus = ["KETTLE-1", "KETTLE-2"]', "", "limit.skus: write either skus = [...] or all = true"),
        ('conversion = "8 %"', 'conversion = "8"', ('goals.conversion: "8" is not a percentage with at most two '
         'decimals; write it like "99.5 %"')),
        ('page_load = "2 s"', 'page_load = "fast"', ('goals.page_load: "fast" is not a duration; write it like "2 s", '
         '"50 ms" or "10 min"')),
        ("payment_minutes = 15", "payment_minutes = 0", ("campaign.payment_minutes: 0 is out of range; it may be 1 to "
         "1440")),
        ("payment_minutes = 15", "payment_minutes = true", ("campaign.payment_minutes: is true or false; a whole "
         "number is needed here")),
        ('offers_file = "offers.csv"', 'offers_file = "gone.csv"', ('campaign.offers_file: "gone.csv" cannot be read: '
         "no such file or directory")),
        ('audience = ["everyone"]', 'audience = ["member"]', ('campaign.audience: "member" is not known; did you mean '
         '"members"?')),
        ('accent = "#1f7a4d"', 'accent = "green"', 'campaign.accent: "green" is not a colour; write it like "#c8102e"'),
    ],
)  # fmt: skip
def test_each_fault_is_named_with_file_and_line(was: str, becomes: str, fault: str) -> None:
    text = FESTIVAL.replace(was, becomes, 1)
    assert text != FESTIVAL
    found = faults(text)
    at = line(was if becomes else "[[limit]]")
    assert found == [f"festival.toml:{at}: {fault}"]


def test_all_faults_are_named_at_once_in_the_order_of_the_files() -> None:
    text = FESTIVAL.replace('id = "spring-sale"', 'id = "Spring"').replace('fee = "8.00"', 'fee = "8.001"')
    offers = """\
sku,kind,price,quota,per_buyer,coupons
KETTLE-1,flash,12.345,100,1,
KETTLE-2,discount,299.00,0,,
KETTLE-2,discount,199.00,5,10,
MUG-2,discont,39.00,x,,maybe
MUG-1,discount,39.00
"""
    assert faults(text, offers=offers) == [
        f'festival.toml:{line("id =")}: campaign.id: "Spring" is not an id; write small letters, digits and dashes',
        f'festival.toml:{line("fee =")}: shipping.fee: "8.001" has three decimals; CNY has two',
        'offers.csv:2: offer.price: "12.345" has three decimals; CNY has two',
        "offers.csv:3: offer.price: CN¥299.00 is above the list price of KETTLE-2, CN¥259.00",
        "offers.csv:3: offer.quota: a quota is at least 1; leave the offer out to sell none",
        "offers.csv:4: offer.per_buyer: 10 is more than the quota of 5",
        'offers.csv:4: offer.sku: SKU "KETTLE-2" stands here twice; it is entry 2 already',
        'offers.csv:5: offer.kind: "discont" is not known; did you mean "discount"?',
        'offers.csv:5: offer.quota: "x" is not a whole number from 0 to 1000000000',
        'offers.csv:5: offer.coupons: "maybe" is neither true nor false',
        "offers.csv:6: this row has 3 columns; the heading has 6",
    ]


def test_an_offer_of_unknown_goods_is_named() -> None:
    offers = "sku,price,quota\nKETTLE-1,99.00,1\nKETTLE-2,99.00,1\nTEA-9,1.00,1\n"
    assert faults(offers=offers) == ['offers.csv:4: offer.sku: there are no goods with the SKU "TEA-9"']


def test_a_wrong_heading_is_named_once() -> None:
    assert faults(offers="sku,prise,quota\nKETTLE-1,99.00,1\n") == [
        'offers.csv:1: column "price" is missing; the columns are sku, kind, price, quota, per_buyer, coupons',
        'offers.csv:1: column "prise" is not known; the columns are sku, kind, price, quota, per_buyer, coupons',
    ]


def test_text_that_is_not_toml_is_named_with_its_line() -> None:
    text = FESTIVAL.replace('theme = "season"', "theme = season")
    assert faults(text) == [f"festival.toml:{line('theme')}: this is not TOML: invalid value"]
    assert faults("[campaign")[0].startswith("festival.toml:1: this is not TOML: ")


def test_an_empty_file_lacks_everything_and_says_so() -> None:
    found = faults("")
    assert "festival.toml:1: campaign: is missing; this table is needed" in found
    assert "festival.toml:1: shipping: is missing; this table is needed" in found


def test_times_that_count_from_no_start_are_faults() -> None:
    text = "\n".join(each for each in FESTIVAL.splitlines() if not each.startswith("start ="))
    found = faults(text)
    assert len(found) == 8
    assert found[0].endswith('"start-45d" counts from the start; set campaign.start, or publish with --start')
    assert read(text, start="now").phase(PhaseName.BURST).starts_at == NOW.replace(microsecond=0)


def test_a_start_that_moves_nothing_is_a_fault() -> None:
    text = FESTIVAL
    for day, words in enumerate(['"start-45d"', '"start-14d"', '"start"', '"start+3d"', '"start+10d"'], start=1):
        text = text.replace(f"_at = {words}", f"_at = 2027-03-{day:02}T00:00:00Z")
    assert read(text).phase(PhaseName.BURST).starts_at == datetime(2027, 3, 3, tzinfo=UTC)
    assert faults(text, start="now") == [
        (
            f"festival.toml:{line('[campaign]')}: campaign: --start moves nothing: no phase counts from the start, "
            "all times are absolute"
        )
    ]
    assert "is not a time" in faults(start="tomorrow")[0]


@pytest.mark.parametrize(
    "raw", ["[campaign]\ntitle = 3", "campaign = 1", "offer = 1\ngoods = 'x'", "[[campaign]]\nid=1"]
)
def test_wrong_types_never_break_the_reading(raw: str) -> None:
    assert faults(raw)


def test_the_example_festival_is_in_its_burst_when_it_is_published() -> None:
    now = datetime.now(UTC)
    festival = load_definition(EXAMPLE, now=now)
    burst = festival.phase(PhaseName.BURST)
    assert burst.starts_at <= now < burst.ends_at
    flash = [offer for offer in festival.offers if offer.kind is OfferKind.FLASH]
    assert len(flash) == 40
    assert (flash[0].quota, flash[0].per_buyer) == (1_000, 1)
    assert len(festival.goods) == len(festival.offers) >= 1_000
