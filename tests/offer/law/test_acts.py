"""The data files of the law: dates, figures and names of checks are held to what exists."""

from datetime import date

import pytest

from tests.offer.festivals import definition
from tidegate.offer.campaign.api import Severity
from tidegate.offer.law.acts import laws_for, parse
from tidegate.offer.law.api import all_laws
from tidegate.offer.law.checks import CHECKS
from tidegate.offer.law.commands import COLUMNS, as_csv
from tidegate.offer.law.rules import laws_of_campaign

FILE = """
code = "XX"
title = { zh = "某国", en = "Somewhere" }
currencies = ["XXX"]
[[acts]]
title = { zh = "某法", en = "Some act" }
reference = "No. 1"
[[acts.articles]]
id = "xx-1"
number = "1"
check = "return_days"
severity = "blocking"
reading = "text"
effective_from = 2020-01-01
figures = { days = 7 }
says = { zh = "七日", en = "Seven days" }
"""


def test_every_check_is_called_by_some_article() -> None:
    assert {law.article.check for law in all_laws()} == CHECKS.keys()


def test_only_what_is_in_force_on_some_day_of_the_sale_applies() -> None:
    ids = {law.article.id for law in laws_for("CNY", date(2022, 6, 20), date(2022, 6, 30))}
    assert "cn-32-20" in ids
    assert "cn-56-16" not in ids
    assert "cn-56-16" in {law.article.id for law in laws_for("CNY", date(2022, 6, 20), date(2022, 7, 1))}
    assert {law.jurisdiction for law in laws_of_campaign(definition())} == {"CN", "HOUSE"}


def test_a_last_day_in_force_is_kept() -> None:
    [article] = parse(FILE.replace("figures =", "effective_until = 2021-12-31\nfigures ="), "xx.toml").acts[0].articles
    assert article.is_in_force(date(2021, 12, 31), date(2022, 1, 5))
    assert not article.is_in_force(date(2022, 1, 1), date(2022, 1, 5))
    assert article.severity is Severity.BLOCKING


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("return_days", "return_day", "no check"),
        ("{ days = 7 }", "{ hours = 7 }", "needs figures"),
        ('severity = "blocking"', 'severity = "bad"', "xx.toml"),
        ("reading", "red", "xx.toml"),
    ],
)
def test_an_article_that_cannot_be_checked_is_refused(old: str, new: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse(FILE.replace(old, new), "xx.toml")


def test_the_list_is_exported_whole() -> None:
    heading, *rows = as_csv(all_laws()).splitlines()
    assert heading == ",".join(COLUMNS)
    assert len(rows) == len(all_laws())
