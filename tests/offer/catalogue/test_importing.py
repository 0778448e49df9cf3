"""Goods from files."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.offer.campaign.contracts import Words
from tidegate.offer.catalogue import rules
from tidegate.offer.catalogue.contracts import Goods, LineFault, LogRow
from tidegate.offer.catalogue.errors import GoodsFileRefused
from tidegate.offer.catalogue.importing import goods_from_log, read_goods, sku_of_code

HEAD = "sku,name_zh,name_en,category,list_price,picture\n"


def faults(text: str) -> tuple[LineFault, ...]:
    with pytest.raises(GoodsFileRefused) as refusal:
        read_goods(text)
    return refusal.value.faults


def test_the_festival_has_a_thousand_goods_in_twelve_categories(festival: list[Goods]) -> None:
    assert len(festival) == 1024
    assert len({each.sku for each in festival}) == len({each.name.en for each in festival}) == 1024
    assert len({each.name.zh for each in festival}) == 1024
    assert {each.category for each in festival} == set(rules.CATEGORIES) - {"gifts"}
    assert len({each.picture.base for each in festival}) == 1024


def test_a_line_becomes_goods() -> None:
    (goods,) = read_goods(HEAD + "A-1,水壶,Kettle,kitchen,129.5,kettle/teal/1\n")
    assert (goods.sku, goods.name, goods.description) == ("A-1", Words("水壶", "Kettle"), Words("水壶", "Kettle"))
    assert (goods.category, goods.brand, goods.list_price) == ("kitchen", "", 12950)
    assert goods.picture.base.startswith("kettle-teal-1-")


def test_goods_without_a_picture_get_one_that_suits_their_name() -> None:
    (goods,) = read_goods(HEAD + "A-1,马克杯,RED RETROSPOT MUGS,kitchen,1.00,\n")
    assert goods.picture.base.startswith("mug-coral-")


@pytest.mark.parametrize(
    ("line", "field", "fault"),
    [
        ("-x,水,W,kitchen,1.00,", "sku", "must be 1 to 64 letters, digits, dots, dashes or underscores"),
        ("A,,W,kitchen,1.00,", "name_zh", "must not be empty"),
        ("A,水," + "x" * 201 + ",kitchen,1.00,", "name_en", "may have 200 characters, has 201"),
        ("A,水,W,Kitchen!,1.00,", "category", "must be small letters, digits and dashes, 40 at most"),
        ("A,水,W,kitchen,0,", "list_price", "must be above zero"),
        ("A,水,W,kitchen,-1,", "list_price", "'-1' is no price such as 129.00"),
        ("A,水,W,kitchen,1.005,", "list_price", "'1.005' is no price such as 129.00"),
        ("A,水,W,kitchen,1e9,", "list_price", "'1e9' is no price such as 129.00"),
        ("A,水,W,kitchen,９,", "list_price", "'９' is no price such as 129.00"),
        ("A,水,W,kitchen,9999999999.99,", "list_price", "is larger than any price we can reckon with"),
        ("A,水,W,kitchen,1.00,dragon/teal/1", "picture", "'dragon/teal/1' is no drawing such as kettle/teal/1"),
        ("A,水,W,kitchen", "", "has 4 fields, the head line names 6"),
    ],
)
def test_a_fault_is_named_by_line_and_column(line: str, field: str, fault: str) -> None:
    good = "OK,水,Water,kitchen,1.00,\n"
    said = [each.fault for each in faults(HEAD + good + line + "\n") if (each.line, each.field) == (3, field)]
    assert fault in said


def test_lines_are_counted_as_an_editor_counts_them() -> None:
    text = HEAD + 'A,"水\n",W,kitchen,1.00,\n\nB,水,W,kitchen,x,\n'
    assert (5, "list_price") in {(each.line, each.field) for each in faults(text)}


def test_a_sku_stands_once() -> None:
    line = "A,水,W,kitchen,1.00,\n"
    assert faults(HEAD + line + line) == (LineFault(3, "sku", "A stands on line 2 already"),)


@pytest.mark.parametrize(
    ("text", "field", "fault"),
    [
        ("", "sku", "the head line lacks this column"),
        (HEAD, "", "the file holds no goods"),
        (HEAD.replace("picture", "colour") + "A,水,W,kitchen,1,x\n", "colour", "is no column we know"),
        (HEAD.replace("picture", "sku"), "sku", "stands twice in the head line"),
        (HEAD + '"A,水', "", "the file is no CSV"),
    ],
)
def test_a_file_of_the_wrong_form_is_refused(text: str, field: str, fault: str) -> None:
    assert any(each.field == field and each.fault.startswith(fault) for each in faults(text))


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(GoodsFileRefused) as refusal:
        read_goods(HEAD + "A,,W,kitchen,x,\n" + "B,水,W,kitchen,1.00,\n" + ",水,W,kitchen,1.00,\n")
    assert {(each.line, each.field) for each in refusal.value.faults} == {(2, "name_zh"), (2, "list_price"), (4, "sku")}
    assert refusal.value.detail.startswith("The file has 3 faults on 2 lines. Nothing was imported.")


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    for form in (text, HEAD + text):
        with suppress(GoodsFileRefused):
            assert all(rules.faults_of(each) == [] for each in read_goods(form))


def test_the_most_frequent_description_and_price_of_a_code_count() -> None:
    rows = [
        LogRow("85123A", "WHITE HANGING HEART", "2.55"),
        LogRow("85123a", "WHITE HANGING  HEART", "2.55"),
        LogRow("85123A", "wrongly sold", "2.95"),
        LogRow("85123A", "", "0"),
        LogRow("POST", "POSTAGE", "18"),
        LogRow("FREE", "GIFT", "0.00"),
        LogRow("B", "Adjust bad debt", "-11062.06"),
        LogRow("BANK CHARGES", "", "12.345"),
        LogRow("???", "lost", "1"),
        LogRow("N", "not a price", "NaN"),
    ]
    found = {goods.sku: (goods.name.en, goods.list_price) for goods in goods_from_log(rows)}
    assert found == {
        "85123A": ("White hanging heart", 255),
        "BANK-CHARGES": ("BANK-CHARGES".capitalize(), 1235),
        "POST": ("Postage", 1800),
    }


@given(st.lists(st.builds(LogRow, st.text(max_size=8), st.text(max_size=30), st.text("0123456789.-eN", max_size=7))))
def test_goods_from_any_log_can_be_kept(rows: list[LogRow]) -> None:
    made = goods_from_log(rows)
    assert len({each.sku for each in made}) == len(made)
    assert all(rules.faults_of(each) == [] for each in made)
    assert {each.sku for each in made} <= {sku_of_code(row.stock_code) for row in rows}
