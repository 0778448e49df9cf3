"""Reads the acts: the dated data files of the package, checked against the checks that exist."""

from datetime import date
from functools import cache
from importlib.resources import files

import msgspec

from tidegate.offer.law.checks import CHECKS
from tidegate.offer.law.contracts import Jurisdiction, Law


@cache
def read_acts() -> tuple[Jurisdiction, ...]:
    """All jurisdictions of the package. Raises ValueError for an article that cannot be checked as it is written."""
    folder = files("tidegate.offer.law") / "acts"
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".toml"))
    found = tuple(parse((folder / name).read_text(encoding="utf-8"), name) for name in names)
    ids = [law.article.id for each in found for law in laws_of(each)]
    if twice := {each for each in ids if ids.count(each) > 1}:
        raise ValueError(f"articles stand twice: {', '.join(sorted(twice))}")
    return found


def parse(text: str, name: str) -> Jurisdiction:
    """One file of acts. Raises ValueError that names the file and the article."""
    try:
        found = msgspec.toml.decode(text, type=Jurisdiction)
    except msgspec.MsgspecError as fault:
        raise ValueError(f"{name}: {fault}") from None
    for law in laws_of(found):
        check = CHECKS.get(law.article.check)
        if check is None:
            raise ValueError(f"{name}: {law.article.id}: there is no check {law.article.check!r}")
        if set(law.article.figures) != set(check.figures):
            raise ValueError(f"{name}: {law.article.id}: {law.article.check} needs figures {sorted(check.figures)}")
    return found


def laws_of(jurisdiction: Jurisdiction) -> list[Law]:
    """Its articles, each with its act."""
    return [
        Law(jurisdiction=jurisdiction.code, act=act.title, reference=act.reference, article=article)
        for act in jurisdiction.acts
        for article in act.articles
    ]


def place_of(currency: str) -> str:
    """The code of the jurisdiction whose buyers pay in this currency; the currency itself where none is known."""
    for each in read_acts():
        if currency in each.currencies:
            return each.code
    return currency


def laws_for(currency: str, first: date, last: date) -> list[Law]:
    """The articles that hold for a campaign in this currency on some day from `first` to `last`, and the house's."""
    return [
        law
        for each in read_acts()
        if not each.currencies or currency in each.currencies
        for law in laws_of(each)
        if law.article.is_in_force(first, last)
    ]
