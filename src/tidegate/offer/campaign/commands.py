"""`tidegate campaign`: a festival as a file - begin one, check it, publish it, look at what was published."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from getpass import getuser
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple, NoReturn, Protocol

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tidegate.base.errors import Refusal
from tidegate.base.money import format_money
from tidegate.offer.campaign.api import read_definition
from tidegate.offer.campaign.contracts import (
    CampaignDefinition,
    CampaignId,
    CampaignVersion,
    OfferKind,
    VersionSummary,
)
from tidegate.offer.campaign.errors import DefinitionFaulty, PublicationStopped
from tidegate.offer.campaign.places import Places
from tidegate.offer.campaign.review_shown import placed, print_findings, print_lowest, verdict
from tidegate.offer.campaign.reviewing import Finding, Review, Severity, Waiver

FILE_BYTES_MAX = 64 * 1024 * 1024
FAULTS_SHOWN_MAX = 50
REASON_LENGTH_MAX = 500

CampaignFile = click.Path(exists=True, dir_okay=False, path_type=Path)


class Desk(Protocol):
    """What the commands need of a running installation."""

    async def publish(
        self, definition: CampaignDefinition, by: str, waivers: Sequence[Waiver] = (), *, reason: str = ""
    ) -> CampaignVersion:
        """Publish everywhere: campaign, catalogue and stock, in one transaction; the reason is kept with it."""
        ...

    async def review(self, definition: CampaignDefinition) -> Review:
        """What the law says of a definition, and its lowest reachable prices; nothing is published."""
        ...

    async def version(self, campaign_id: CampaignId | None, number: int | None) -> CampaignVersion:
        """A version; without an id the current campaign's. Raises CampaignUnknown, NoCampaign."""
        ...

    async def versions(self, campaign_id: CampaignId) -> list[VersionSummary]:
        """The history of a campaign, newest first."""
        ...


OpenDesk = Callable[[], AbstractAsyncContextManager[Desk]]
"""Opens the installation named by the environment; the app provides it."""


class Costed(Protocol):
    """What a campaign's promotions would cost on an order log."""

    @property
    def report(self) -> msgspec.Struct:
        """The figures, for machines."""
        ...

    def show(self, console: Console) -> None:
        """Print them as a table."""
        ...


CostOn = Callable[[CampaignDefinition, Path, str], Costed]
"""Prices the orders of a log, whose columns a mapping may name, by a definition; the app provides it."""


def load_definition(path: Path, *, now: datetime, start: str | None = None) -> CampaignDefinition:
    """The definition in a campaign file. Raises DefinitionFaulty with every fault in it."""
    return read_definition(
        _text_of(path), file=path.name, open_file=lambda name: _text_of(path.parent / name), now=now, start=start
    )


def _text_of(path: Path) -> str:
    if path.stat().st_size > FILE_BYTES_MAX:
        raise OSError(None, f"it is larger than {FILE_BYTES_MAX // 1024 // 1024} MiB")
    return path.read_text(encoding="utf-8")


def group(open_desk: OpenDesk, cost_on: CostOn) -> click.Group:
    """Return the commands `campaign ...`, working on the installation that `open_desk` opens."""

    @click.group("campaign", short_help="Define, check and publish a festival.")
    def campaign() -> None:
        """Define a festival as a file, check it, publish it as an immutable version.

        The file is described in docs/campaign-file.md.
        """

    campaign.add_command(init)
    campaign.add_command(_check(open_desk, cost_on))
    campaign.add_command(_publish(open_desk))
    campaign.add_command(_show(open_desk))
    return campaign


@click.command(short_help="Write a first campaign file to start from.")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(file_okay=False, path_type=Path))
def init(folder: Path) -> None:
    """Write festival.toml, goods.csv and offers.csv, small and complete, into DIR (default: here).

    Nothing is overwritten: if one of them exists already, nothing is written at all.
    """
    sources = sorted(
        (file for file in (files("tidegate.offer.campaign") / "template").iterdir() if "." in file.name),
        key=lambda file: file.name,
    )
    taken = [file.name for file in sources if (folder / file.name).exists()]
    if taken:
        raise click.ClickException(
            f"{folder} has {', '.join(taken)} already. Nothing was written; name another folder."
        )
    folder.mkdir(parents=True, exist_ok=True)
    for file in sources:
        (folder / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
        click.echo(f"wrote {folder / file.name}")
    click.echo(f"Next: edit them, then tidegate campaign check {folder / 'festival.toml'}")


def _check(open_desk: OpenDesk, cost_on: CostOn) -> click.Command:
    @click.command("check", short_help="Name everything that is wrong with a campaign file, and what the law says.")
    @click.argument("file", type=CampaignFile)
    @click.option("--start", metavar="WHEN", help="When the festival starts: now, now+10m, 2026-11-11T00:00:00+08:00.")
    @click.option("--file-only", is_flag=True, help="Read the file only: no law, no lowest prices, no installation.")
    @click.option("--log", type=CampaignFile, help="An order log (CSV or CSV in gzip): what each promotion would cost.")
    @click.option("--map", "columns", default="", help="The log's columns, e.g. invoice=Order,price=Amount.")
    @click.option("--json", "as_json", is_flag=True, help="Print the definition and what was found, as JSON.")
    def check(*, file: Path, start: str | None, log: Path | None, columns: str, file_only: bool, as_json: bool) -> None:
        """Check a campaign FILE and the CSV files that it names. Publishes nothing.

        Names every fault by file and line; then what the law says, article by article, from the price history of this
        installation, and the lowest price to which each product can be brought, with the cart that reaches it. With
        --log also what each promotion would cost on a shop's past orders (docs/law.md says what is assumed).

        Exits 0 when it could be published, perhaps with waivers, and 1 when not.
        """
        definition = _loaded(file, start, as_json=as_json)
        costed = cost_on(definition, log, columns) if log else None
        if file_only:
            _print_checked(definition, costed, as_json=as_json)
            return
        review = asyncio.run(_reviewed(open_desk, definition, as_json=as_json))
        findings = placed(review.findings, _places(file))
        if as_json:
            found = {"definition": definition, "findings": findings, "lowest": review.lowest}
            click.echo(msgspec.json.encode(found | _cost(costed)).decode())
        else:
            _print_checked(definition, None, as_json=False)
            console = Console()
            print_lowest(review.lowest, definition.currency, console)
            if costed:
                costed.show(console)
            print_findings(findings, console)
            click.echo(verdict(review))
        raise SystemExit(any(each.severity is Severity.BLOCKING for each in findings))

    return check


def _cost(costed: Costed | None) -> dict[str, msgspec.Struct]:
    return {"cost": costed.report} if costed else {}


def _print_checked(definition: CampaignDefinition, costed: Costed | None, *, as_json: bool) -> None:
    if as_json:
        alone = msgspec.json.encode({"definition": definition} | _cost(costed) if costed else definition)
        click.echo(alone.decode())
        return
    console = Console()
    _print_definition(definition, console)
    click.echo("No faults.")
    if costed:
        costed.show(console)


def _places(file: Path) -> Places:
    return Places(_text_of(file), file=file.name, open_file=lambda name: _text_of(file.parent / name))


async def _reviewed(open_desk: OpenDesk, definition: CampaignDefinition, *, as_json: bool) -> Review:
    try:
        async with open_desk() as desk:
            return await desk.review(definition)
    except Refusal as refusal:
        _refused(refusal, as_json=as_json)


def _publish(open_desk: OpenDesk) -> click.Command:
    @click.command("publish", short_help="Publish a campaign file as an immutable version.")
    @click.argument("file", type=CampaignFile)
    @click.option("--start", metavar="WHEN", help="When the festival starts: now, now+10m, 2026-11-11T00:00:00+08:00.")
    @click.option("--by", metavar="NAME", help="Who publishes; kept with the version. Default: you.")
    @click.option("--reason", default="", help=f"Why; kept with the version. At most {REASON_LENGTH_MAX} characters.")
    @click.option("--waive", "waived", metavar="LAW=REASON", multiple=True, help="Let a law's warnings pass; repeat.")
    @click.option("--json", "as_json", is_flag=True, help="Print the version as JSON.")
    def publish(
        file: Path, start: str | None, by: str | None, reason: str, waived: tuple[str, ...], *, as_json: bool
    ) -> None:
        """Publish a campaign FILE: prices, goods and quotas take effect together, in one transaction.

        A running system takes it up within seconds. The same content again is the same version. A faulty file
        publishes nothing, and neither does one that breaks the law: what blocks must be changed; a warning may be
        waived by a person named with --by, for a reason that is kept.
        """
        publication = _Publication(by or _me(), _said(reason), [_waiver(text, by) for text in waived])
        definition = _loaded(file, start, as_json=as_json)
        version = asyncio.run(_published(open_desk, definition, publication, _places(file), as_json=as_json))
        if as_json:
            click.echo(msgspec.json.encode(_summary(version)).decode())
            return
        _print_definition(version.definition, Console())
        click.echo(f"{version.campaign_id} version {version.version} is published (sha256 {version.sha256[:12]}).")

    return publish


class _Publication(NamedTuple):
    """Who publishes, why, and what they let pass."""

    by: str
    reason: str
    waivers: Sequence[Waiver]


def _said(reason: str) -> str:
    reason = reason.strip()
    if len(reason) > REASON_LENGTH_MAX:
        raise click.ClickException(f"A reason has at most {REASON_LENGTH_MAX} characters. Nothing was published.")
    return reason


def _waiver(text: str, by: str | None) -> Waiver:
    law, separator, reason = (part.strip() for part in text.partition("="))
    if not law or not separator or not reason:
        raise click.ClickException(f"--waive {text} is not LAW=REASON. Nothing was published.")
    if not by:
        raise click.ClickException("A waiver needs the person who answers for it: --by NAME. Nothing was published.")
    return Waiver(law=law, by=by, reason=reason)


async def _published(
    open_desk: OpenDesk, definition: CampaignDefinition, publication: _Publication, places: Places, *, as_json: bool
) -> CampaignVersion:
    try:
        async with open_desk() as desk:
            return await desk.publish(definition, publication.by, publication.waivers, reason=publication.reason)
    except PublicationStopped as refusal:
        _stopped(refusal, placed(refusal.findings, places), as_json=as_json)
    except Refusal as refusal:
        _refused(refusal, as_json=as_json)


def _stopped(refusal: PublicationStopped, findings: Sequence[Finding], *, as_json: bool) -> NoReturn:
    if as_json:
        click.echo(msgspec.json.encode({"detail": refusal.detail, "findings": findings}).decode())
        raise SystemExit(1)
    print_findings(findings, Console(stderr=True))
    raise click.ClickException(refusal.detail)


def _show(open_desk: OpenDesk) -> click.Command:
    @click.command("show", short_help="Show what is published.")
    @click.argument("campaign_id", metavar="[ID]", required=False)
    @click.option("--version", "number", type=click.IntRange(min=1), help="Which version; default: the last published.")
    @click.option("--json", "as_json", is_flag=True, help="Print the whole version as JSON.")
    def show(campaign_id: str | None, number: int | None, *, as_json: bool) -> None:
        """Show a published campaign and its history; without an ID the current one."""
        version, versions = asyncio.run(_shown(open_desk, campaign_id, number, as_json=as_json))
        if as_json:
            click.echo(msgspec.json.encode(version).decode())
            return
        console = Console()
        _print_definition(version.definition, console)
        _print_versions(versions, version.version, console)

    return show


async def _shown(
    open_desk: OpenDesk, campaign_id: str | None, number: int | None, *, as_json: bool
) -> tuple[CampaignVersion, list[VersionSummary]]:
    try:
        async with open_desk() as desk:
            version = await desk.version(CampaignId(campaign_id) if campaign_id else None, number)
            return version, await desk.versions(version.campaign_id)
    except Refusal as refusal:
        _refused(refusal, as_json=as_json)


def load(file: Path, start: str | None) -> CampaignDefinition:
    """The definition in a campaign file, for another command; a faulty file ends it with every fault."""
    return _loaded(file, start, as_json=False)


def _loaded(file: Path, start: str | None, *, as_json: bool) -> CampaignDefinition:
    try:
        return load_definition(file, now=datetime.now(UTC), start=start)
    except DefinitionFaulty as refusal:
        _refused(refusal, as_json=as_json)
    except UnicodeDecodeError:
        raise click.ClickException(f"{file} is not UTF-8 text. Nothing was published.") from None
    except OSError as fault:
        raise click.ClickException(f"{file} cannot be read: {fault.strerror}. Nothing was published.") from None


def _refused(refusal: Refusal, *, as_json: bool) -> NoReturn:
    faults = refusal.faults if isinstance(refusal, DefinitionFaulty) else ()
    if as_json:
        click.echo(msgspec.json.encode({"detail": refusal.detail, "faults": faults}).decode())
        raise SystemExit(1)
    for fault in faults[:FAULTS_SHOWN_MAX]:
        click.echo(str(fault), err=True)
    if len(faults) > FAULTS_SHOWN_MAX:
        click.echo(f"... and {len(faults) - FAULTS_SHOWN_MAX} more; --json shows all", err=True)
    raise click.ClickException(refusal.detail)


def _me() -> str:
    try:
        return getuser()
    except (KeyError, OSError):  # a container may run as a user without a name
        return "command line"


def _summary(version: CampaignVersion) -> dict[str, object]:
    return {
        "campaign_id": version.campaign_id,
        "version": version.version,
        "sha256": version.sha256,
        "published_at": version.published_at,
        "published_by": version.published_by,
    }


def _print_definition(definition: CampaignDefinition, console: Console) -> None:
    flash = sum(offer.kind is OfferKind.FLASH for offer in definition.offers)
    units = sum(offer.quota for offer in definition.offers)
    console.print(f"[bold]{definition.title.en}[/] / {definition.title.zh} ({definition.id}, {definition.currency})")
    console.print(
        f"Goods {len(definition.goods):,}, offers {len(definition.offers):,} ({flash:,} flash) of {units:,} units, "
        f"coupons {len(definition.coupons):,}, limits {len(definition.limits):,}, "
        f"promotions {len(definition.promotions):,}"
        + (f", presales {len(definition.presales):,}" if definition.presales else ""),
        highlight=False,
    )
    if definition.coupons:
        codes = [
            f"{coupon.code} ({format_money(coupon.off, definition.currency, 'en')} off from "
            f"{format_money(coupon.threshold, definition.currency, 'en')})"
            for coupon in definition.coupons[:10]
        ]
        console.print(f"Coupons: {', '.join(codes)}", highlight=False)
    table = Table("Phase", "From (UTC)", "To (UTC)", box=None, pad_edge=False)
    for phase in definition.phases:
        table.add_row(phase.name.value, f"{phase.starts_at:%Y-%m-%d %H:%M:%S}", f"{phase.ends_at:%Y-%m-%d %H:%M:%S}")
    console.print(table)


def _print_versions(versions: list[VersionSummary], shown: int, console: Console) -> None:
    table = Table("Version", "Published (UTC)", "By", "Reason", "SHA-256", "", box=None, pad_edge=False)
    for each in versions:
        marks = [word for word, holds in (("current", each.current), ("shown above", each.version == shown)) if holds]
        published = f"{each.published_at:%Y-%m-%d %H:%M:%S}"
        table.add_row(
            str(each.version), published, each.published_by, escape(each.reason), each.sha256[:12], ", ".join(marks)
        )
    console.print(table)
