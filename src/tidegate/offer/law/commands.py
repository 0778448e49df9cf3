"""`tidegate law`: what is checked before a campaign is published, with its evidence."""

import csv
import io
from enum import StrEnum

import click
import msgspec
from rich.console import Console
from rich.table import Table

from tidegate.offer.law.api import all_laws
from tidegate.offer.law.contracts import Law

COLUMNS = (
    "id", "jurisdiction", "act_zh", "act_en", "article", "severity", "check", "figures", "effective_from",
    "effective_until", "says_zh", "says_en", "reading", "reference", "url",
)  # fmt: skip


class Format(StrEnum):
    """How the list is printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


@click.group("law", short_help="The rules of law that a campaign is checked against.")
def group() -> None:
    """Show the rules of law that `campaign check` and every publication hold a campaign to."""


@group.command("list", short_help="Every article, its evidence and its figures.")
@click.option("--jurisdiction", metavar="CODE", help="Only one: CN, EU, HOUSE.")
@click.option("--format", "form", type=click.Choice([each.value for each in Format]), default="table")
def list_laws(jurisdiction: str | None, form: str) -> None:
    """List every article that is checked: act, dates in force, severity, figures, and how its text was read."""
    laws = [law for law in all_laws() if jurisdiction is None or law.jurisdiction == jurisdiction.upper()]
    match Format(form):
        case Format.JSON:
            click.echo(msgspec.json.encode([row_of(law) for law in laws]).decode())
        case Format.CSV:
            click.echo(as_csv(laws), nl=False)
        case Format.TABLE:
            _print(laws)


def row_of(law: Law) -> dict[str, str]:
    """A law as one row of the exported list."""
    article = law.article
    figures = " ".join(f"{name}={value}" for name, value in sorted(article.figures.items()))
    until = article.effective_until.isoformat() if article.effective_until else ""
    values = (
        article.id, law.jurisdiction, law.act.zh, law.act.en, article.number, article.severity.value, article.check,
        figures, article.effective_from.isoformat(), until, article.says.zh, article.says.en, article.reading.value,
        law.reference, article.url,
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


def as_csv(laws: list[Law]) -> str:
    """The list as CSV with a heading."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row_of(law) for law in laws)
    return text.getvalue()


def _print(laws: list[Law]) -> None:
    table = Table("Id", "Article", "Severity", "In force from", "Read", box=None, pad_edge=False)
    for law in laws:
        article = law.article
        since = article.effective_from.isoformat()
        table.add_row(article.id, law.name.en, article.severity.value, since, article.reading.value)
    Console().print(table)
