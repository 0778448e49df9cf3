"""A definition written back as files reads back to the same definition."""

import tomllib
from datetime import UTC, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.offer.campaign.promotions_made import SOME_TIME, festival, in_company
from tests.offer.campaign.test_definition import FESTIVAL, read
from tests.offer.campaign.test_waiting_room import ROOM
from tidegate.offer.campaign import contracts
from tidegate.offer.campaign.commands import load_definition
from tidegate.offer.campaign.contracts import CampaignDefinition, Promotion, Words
from tidegate.offer.campaign.coupons import read_coupon
from tidegate.offer.campaign.defences import DEFAULTS as DEFENCES
from tidegate.offer.campaign.definition import GOALS, read_definition
from tidegate.offer.campaign.draft_contracts import GOODS_FILE, OFFERS_FILE, CampaignFiles
from tidegate.offer.campaign.rate_limits import DEFAULTS as RATE_LIMITS
from tidegate.offer.campaign.reading import Notes, Table
from tidegate.offer.campaign.units import Units
from tidegate.offer.campaign.writing import write_definition

EXAMPLES = Path(__file__).parents[3] / "examples"
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\t\x7f")).map(
    lambda text: f"x{text}x"
)
ZONES = st.sampled_from([UTC, ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")])


def read_back(files: CampaignFiles) -> CampaignDefinition:
    beside = {GOODS_FILE: files.goods, OFFERS_FILE: files.offers}
    return read_definition(files.campaign, file="festival.toml", open_file=beside.__getitem__, now=SOME_TIME)


@pytest.mark.parametrize("example", ["double-eleven", "drop", "presale", "promotions"])
def test_the_examples_read_back_as_they_are(example: str) -> None:
    definition = load_definition(EXAMPLES / example / "festival.toml", now=SOME_TIME)
    assert read_back(write_definition(definition)) == definition


@given(in_company(), ZONES)
def test_promotions_of_every_shape_read_back_as_they_are(made: tuple[Promotion, ...], zone: ZoneInfo) -> None:
    definition = festival(made)
    assert read_back(write_definition(definition, zone=zone)) == definition


COUNTS = st.integers(0, 9)
MOMENTS = st.none() | st.integers(0, 10**8).map(lambda seconds: SOME_TIME + timedelta(seconds=seconds))


@given(
    st.builds(
        contracts.UniqueCodes,
        count=st.integers(1, 99),
        per_account=COUNTS,
        claims_open_at=MOMENTS,
        claims_close_at=MOMENTS,
        valid_until_at=MOMENTS,
        valid_days=COUNTS,
        letters=st.integers(4, 12),
        button=st.booleans(),
        back_on_refund=st.booleans(),
        audience=st.just(()),
    )
)
def test_claimed_coupons_are_written_with_all_that_they_say(unique: contracts.UniqueCodes) -> None:
    coupon = contracts.Coupon(
        code="SAVE", threshold=100, off=10, quota=0, per_buyer=0, label=Words("券", "coupon"), unique=unique
    )
    table = tomllib.loads(write_definition(msgspec.structs.replace(read(), coupons=(coupon,))).campaign)["coupon"][0]
    notes = Notes()
    assert read_coupon(Table(notes, ("coupon", 0), table)) == coupon
    assert not notes.faults


@pytest.mark.parametrize("scope", ["per_device", "per_address", "per_instrument"])
def test_limits_of_every_scope_read_back(scope: str) -> None:
    limit = contracts.Limit(name="all", skus=(), label=Words("限", "limit"), **{"per_buyer": 0, scope: 2})
    definition = msgspec.structs.replace(read(), limits=(limit,))
    assert read_back(write_definition(definition)).limits == (limit,)


@given(TEXTS, TEXTS, st.sampled_from(["CNY", "JPY", "KWD"]), st.integers(1, 10**11))
def test_any_text_and_any_currency_read_back_as_they_are(zh: str, en: str, currency: str, fee: int) -> None:
    words = Words(zh, en)
    plain = read()
    goods = tuple(msgspec.structs.replace(each, name=words, description=words, brand=zh) for each in plain.goods)
    definition = msgspec.structs.replace(
        plain,
        currency=currency,
        title=words,
        rules=words,
        goods=goods,
        shipping=contracts.Shipping(fee=fee, free_from=fee),
        returns=contracts.Returns(days=3, text=words),
    )
    assert read_back(write_definition(definition)) == definition


@pytest.mark.parametrize("per_order", [0, 500])
def test_what_paying_earns_reads_back(per_order: int) -> None:
    earning = contracts.Earning(paid=1_000, points=3, per_order=per_order)
    definition = msgspec.structs.replace(read(), earning=earning)
    assert read_back(write_definition(definition)).earning == earning


def test_everything_that_a_file_can_state_reads_back_as_it_is() -> None:
    definition = msgspec.structs.replace(
        read(
            FESTIVAL
            + ROOM.replace(
                'goods = "flash"',
                'goods = "flash"\nslow_share = "7 %"\nbeyond_network = "refused"\nwork = "always"',
            )
        ),
        defences=DEFENCES,
        rate_limits=RATE_LIMITS,
        goals=tuple(
            contracts.Goal(kind=kind, target=1_250, unit=unit, at_least=at_least)
            for kind, (unit, at_least) in GOALS.items()
        ),
        limits=(contracts.Limit(name="all", skus=(), per_buyer=3, label=Words("限", "limit")),),
        audience=(contracts.Audience.NEW, contracts.Audience.MEMBERS),
        returns=contracts.Returns(days=9, text=Words("可退", "yes"), gifts=contracts.GiftPolicy.PAY),
        price_protection=contracts.PriceProtection(
            days=15, goods=contracts.Selection(categories=("kitchen",), but=("MUG-1",))
        ),
    )
    assert read_back(write_definition(definition)) == definition
    none = msgspec.structs.replace(definition, defences=(), rate_limits=())
    assert read_back(write_definition(none)) == none


@pytest.mark.parametrize(
    ("struct", "fields"),
    [
        (contracts.CampaignDefinition, 27),
        (contracts.PriceProtection, 2),
        (contracts.Returns, 3),
        (contracts.Earning, 3),
        (contracts.GoodsEntry, 10),
        (contracts.Offer, 6),
        (contracts.Coupon, 7),
        (contracts.Limit, 7),
        (contracts.Promotion, 19),
        (contracts.PromotionLimits, 6),
        (contracts.Selection, 5),
        (contracts.DefenceRule, 8),
        (contracts.RateLimit, 7),
        (contracts.UniqueCodes, 10),
        (contracts.PublicNumber, 8),
        (contracts.Presale, 12),
        (contracts.WaitingRoom, 15),
    ],
)
def test_a_new_field_is_written_too(struct: type[msgspec.Struct], fields: int) -> None:
    """Count a field here after writing.py or promotion_writing.py writes it."""
    assert len(struct.__struct_fields__) == fields


def test_times_are_written_by_the_clock_of_the_zone() -> None:
    files = write_definition(read(), zone=ZoneInfo("Asia/Shanghai"))
    assert "[phases.burst]\nstarts_at = 2027-03-20T10:00:00+08:00\n" in files.campaign
    assert files.goods.startswith("sku,name_zh,name_en,category,brand,description_zh,description_en,list_price")


def test_units_are_written_as_people_write_them() -> None:
    units = Units(2, UTC)
    assert [units.money(each) for each in (0, 5, 1_250)] == ["0.00", "0.05", "12.50"]
    assert [units.share(each) for each in (1, 50, 9_950, 10_000, 12_000)] == [
        "0.01 %",
        "0.5 %",
        "99.5 %",
        "100 %",
        "120 %",
    ]
    assert units.time(SOME_TIME) - SOME_TIME == timedelta(0)
    assert Units(0, UTC).money(1_250) == "1250"
