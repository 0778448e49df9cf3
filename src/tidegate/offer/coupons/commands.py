"""`tidegate coupons`: make codes in bulk, write them out, take them from a file, withdraw one, see the totals.

Each of them is done in the name of a member of staff, whose role must include it.
"""

import asyncio
import csv
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from typing import Protocol, TextIO, TypeVar
from uuid import UUID

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.offer.campaign.contracts import CODES_MAX
from tidegate.offer.coupons.api import Coupons
from tidegate.offer.coupons.contracts import Batch, BatchId, CodeLine, Totals
from tidegate.offer.coupons.listing import read_codes
from tidegate.offer.coupons.staff import Progress as Told
from tidegate.trust.identity.api import Identity
from tidegate.trust.identity.contracts import Permission

FILE_BYTES_MAX = 512 * 1024 * 1024
T = TypeVar("T")


class Desk(Protocol):
    """What the commands need of a running installation."""

    @property
    def db(self) -> Database:
        """Its database."""
        ...

    @property
    def identity(self) -> Identity:
        """Its staff."""
        ...

    @property
    def coupons(self) -> Coupons:
        """Its coupons."""
        ...


OpenDesk = Callable[[], AbstractAsyncContextManager[Desk]]
"""Opens the installation named by the environment; the app provides it."""

_BY = click.option("--by", required=True, help="Name of the member of staff who does it; their role must include it.")
_JSON = click.option("--json", "as_json", is_flag=True, help="For machines.")


def group(open_desk: OpenDesk) -> click.Group:
    """Return the commands `coupons ...`, working on the installation that `open_desk` opens."""

    @click.group("coupons", short_help="Make, export, import and withdraw coupon codes.")
    def coupons() -> None:
        """Coupons with unique codes: make them in bulk, hand them out, withdraw one, see what became of them."""

    commands = (_generate, _export, _import, _revoke, _totals)
    for make in commands:
        coupons.add_command(make(open_desk))
    return coupons


def _generate(open_desk: OpenDesk) -> click.Command:
    @click.command("generate", short_help="Make codes to be handed out.")
    @click.argument("coupon")
    @click.option("--count", required=True, type=click.IntRange(1, CODES_MAX), help="How many codes.")
    @_BY
    @_JSON
    def command(coupon: str, count: int, by: str, *, as_json: bool) -> None:
        """Make COUNT codes of COUPON, a coupon of the current campaign with unique codes, to be handed out.

        Nobody has them until they are claimed. What is made when this is interrupted stays, and the batch counts it.
        """

        async def work(desk: Desk, told: Told) -> Batch:
            await _require(desk, by, Permission.COUPONS_MAKE)
            return await desk.coupons.desk.generate(coupon, count, by, told)

        batch = _run(open_desk, work, _Bar(words="Making codes", total=count, quiet=as_json))
        _show_batch(batch, "made", as_json=as_json)

    return command


def _import(open_desk: OpenDesk) -> click.Command:
    @click.command("import", short_help="Take codes from a file.")
    @click.argument("coupon")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @_BY
    @_JSON
    def command(coupon: str, file: Path, by: str, *, as_json: bool) -> None:
        """Take codes of COUPON from FILE, all of them or none: a CSV file with a column "code", as `export` writes it.

        For codes that another installation made and that were handed out already.
        """
        codes = _read(file)

        async def work(desk: Desk, told: Told) -> Batch:
            await _require(desk, by, Permission.COUPONS_MAKE)
            return await desk.coupons.desk.take(coupon, codes, by, told)

        batch = _run(open_desk, work, _Bar(words="Taking codes", total=len(codes), quiet=as_json))
        _show_batch(batch, "taken", as_json=as_json)

    return command


def _read(file: Path) -> list[CodeLine]:
    if file.stat().st_size > FILE_BYTES_MAX:
        raise click.ClickException(f"{file} is larger than {FILE_BYTES_MAX >> 20} MiB. Nothing was taken; part it.")
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            return read_codes(text)
    except Refusal as refusal:
        raise click.ClickException(f"{file}: {refusal.detail}") from refusal


def _export(open_desk: OpenDesk) -> click.Command:
    @click.command("export", short_help="Write the codes of a batch to a file.")
    @click.argument("batch", type=click.UUID)
    @click.option("--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="A new file.")
    @click.option("--reason", required=True, help="What for; it is recorded.")
    @_BY
    def command(batch: UUID, output: Path, reason: str, by: str) -> None:
        """Write the codes of BATCH with their states to a CSV file that only its owner can read.

        Whoever has a code can claim it: the export is recorded, with who and why, before the first code is written.
        """
        if output.exists():
            raise click.ClickException(f"{output} exists. Nothing was written; name a new file.")

        async def work(desk: Desk, told: Told) -> int:
            await _require(desk, by, Permission.COUPONS_EXPORT)
            async with desk.db.transaction() as tx:
                await desk.coupons.desk.record_export(tx, BatchId(batch), by, reason)
            written = 0
            with _new_private(output) as text:
                rows = csv.writer(text)
                rows.writerow(["code", "state"])
                async for part in desk.coupons.desk.codes_of(BatchId(batch)):
                    rows.writerows(part)
                    written += len(part)
                    told(len(part))
            return written

        written = _run(open_desk, work, _Bar(words="Writing codes", total=None, quiet=False))
        click.echo(f"{written:,} codes written to {output}; the export is on record.")

    return command


def _new_private(file: Path) -> TextIO:
    """Open a new file that only its owner can read."""
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8", newline="")


def _revoke(open_desk: OpenDesk) -> click.Command:
    @click.command("revoke", short_help="Withdraw a code.")
    @click.argument("code")
    @click.option("--reason", required=True, help="Why; it is recorded.")
    @_BY
    def command(code: str, reason: str, by: str) -> None:
        """Withdraw CODE for good. One that an order has stays: give up the order first."""

        async def work(desk: Desk, told: Told) -> None:
            told(0)
            await _require(desk, by, Permission.COUPONS_REVOKE)
            async with desk.db.transaction() as tx:
                await desk.coupons.desk.revoke(tx, code, by, reason)

        _run(open_desk, work, _Bar(words="Withdrawing", total=None, quiet=True))
        click.echo(f"{code} is withdrawn.")

    return command


def _totals(open_desk: OpenDesk) -> click.Command:
    @click.command("totals", short_help="How many codes there are, and what became of them.")
    @_JSON
    def command(*, as_json: bool) -> None:
        """Show each coupon of the current campaign with unique codes: its codes by state, and its batches."""

        async def work(desk: Desk, told: Told) -> tuple[list[Totals], list[Batch]]:
            told(0)
            names = desk.coupons.templates()
            if not names:
                return [], []
            campaign_id = next(iter(names.values())).campaign_id
            async with desk.db.read() as tx:
                totals = await desk.coupons.desk.totals(tx, campaign_id)
                return list(totals.values()), await desk.coupons.desk.batches(tx, campaign_id)

        totals, batches = _run(open_desk, work, _Bar(words="Counting", total=None, quiet=True))
        if as_json:
            click.echo(msgspec.json.format(msgspec.json.encode({"totals": totals, "batches": batches})).decode())
        elif not totals:
            click.echo(
                'No codes yet. Write a [[coupon]] with codes = "unique", publish, then: tidegate coupons generate'
            )
        else:
            _show(totals, batches)

    return command


def _show(totals: list[Totals], batches: list[Batch]) -> None:
    columns = ("planned", "made", "claimed", "unclaimed", "unused", "frozen", "used", "returned", "expired", "revoked")
    table = Table("Coupon", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column.capitalize(), justify="right")
    for each in totals:
        table.add_row(each.template, *(f"{getattr(each, column):,}" for column in columns))
    Console().print(table)
    for batch in batches:
        click.echo(
            f"{batch.batch_id}  {batch.template}  {batch.codes:,} {batch.kind}"
            f"  by {batch.made_by}, {batch.made_at:%Y-%m-%d %H:%M} UTC"
        )


def _show_batch(batch: Batch, what: str, *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(batch)).decode())
        return
    click.echo(f"{batch.codes:,} codes of {batch.template} {what}, in batch {batch.batch_id}.")
    click.echo(f"To hand them out: tidegate coupons export {batch.batch_id} --output codes.csv --by NAME --reason WHY")


async def _require(desk: Desk, name: str, permission: Permission) -> None:
    """Raise where no such member of staff has access, or their role does not include the permission."""
    async with desk.db.read() as tx:
        views = await desk.identity.all_staff(tx)
    found = next((view.staff for view in views if view.staff.name == name and view.closed_at is None), None)
    if found is None:
        raise click.ClickException(
            f"Nobody of the name {name} is among the staff. Nothing was done: tidegate staff list"
        )
    found.require(permission)


class _Bar(msgspec.Struct, frozen=True, kw_only=True):
    """What the progress bar says; without a total only the count is shown."""

    words: str
    total: int | None
    quiet: bool

    @contextmanager
    def shown(self) -> Iterator[Told]:
        """A bar on the error stream, which leaves the output clean."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), disable=self.quiet, transient=True) as bar:
            task = bar.add_task(self.words, total=self.total)
            yield lambda done: bar.advance(task, done)


def _run(open_desk: OpenDesk, work: Callable[[Desk, Told], Awaitable[T]], bar: _Bar) -> T:
    """Open the installation, do the work, and turn a refusal into a message and exit code 1."""

    async def opened() -> T:
        async with open_desk() as desk:
            with bar.shown() as told:
                return await work(desk, told)

    try:
        return asyncio.run(opened())
    except Refusal as refusal:
        raise click.ClickException(f"{refusal.title}. {refusal.detail}") from refusal
