"""`tidegate staff`: who may use the console, and as what. `tidegate members`: who is a member."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol, TypeAlias, TypeVar

import click
import msgspec
from rich.console import Console
from rich.table import Table

from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.trust.identity.api import Identity
from tidegate.trust.identity.contracts import Member, Permission, Role, SegmentChange, Staff, StaffView, TierChange
from tidegate.trust.identity.errors import MembersFaulty
from tidegate.trust.identity.members import read_members


class Opened(Protocol):
    """What these commands need of an installation whose servers run and whose schema is up to date."""

    @property
    def db(self) -> Database:
        """The database, open."""
        ...

    @property
    def identity(self) -> Identity:
        """Identity on that database."""
        ...


Opener: TypeAlias = Callable[[], AbstractAsyncContextManager[Opened]]
"""The command line puts one of these into click's context object."""

_GENERATED_BYTES = 15


@click.group("staff")
def group() -> None:
    """Who may use the console, and as what."""


@group.command()
@click.argument("name")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]), help="What they are here for.")
@click.option("--generate", is_flag=True, help="Make a password and print it once, instead of asking for one.")
@click.pass_obj
def add(opener: Opener, name: str, role: str, generate: bool) -> None:  # noqa: FBT001  click passes flags so
    """Add NAME to the staff."""
    password = _password(generate=generate)

    async def work(app: Opened) -> Staff:
        async with app.db.transaction() as tx:
            return await app.identity.add_staff(tx, name, Role(role), password)

    staff = _run(opener, work)
    click.echo(f"{staff.name} may sign in to the console as {staff.role}.")
    _show(password, generate=generate)


@group.command("password")
@click.argument("name")
@click.option("--generate", is_flag=True, help="Make a password and print it once, instead of asking for one.")
@click.pass_obj
def set_password(opener: Opener, name: str, generate: bool) -> None:  # noqa: FBT001  click passes flags so
    """Give NAME a new password; ends the lock and all sessions."""
    password = _password(generate=generate)

    async def work(app: Opened) -> None:
        async with app.db.transaction() as tx:
            await app.identity.set_staff_password(tx, name, password)

    _run(opener, work)
    click.echo(f"{name} has a new password; all their sessions are ended.")
    _show(password, generate=generate)


@group.command()
@click.argument("name")
@click.pass_obj
def close(opener: Opener, name: str) -> None:
    """End NAME's access for good. What they did stays on record."""

    async def work(app: Opened) -> None:
        async with app.db.transaction() as tx:
            await app.identity.close_staff(tx, name)

    _run(opener, work)
    click.echo(f"{name} has no access any more; all their sessions are ended.")


@group.command("list")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def list_staff(opener: Opener, as_json: bool) -> None:  # noqa: FBT001  click passes flags so
    """List all staff, the closed ones too."""

    async def work(app: Opened) -> list[StaffView]:
        async with app.db.read() as tx:
            return await app.identity.all_staff(tx)

    views = _run(opener, work)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(views)).decode())
    elif not views:
        click.echo("Nobody yet. Add the first with: tidegate staff add NAME --role administrator")
    else:
        Console().print(_table(views))


_BY = click.option(
    "--by", required=True, help="Name of the member of staff who does it; their role may change segments and tiers."
)
_REASON = click.option("--reason", required=True, help="Why; it is recorded.")


@click.group("members")
def members_group() -> None:
    """Who is a member: lanes and promotions may be for members only."""


@members_group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Whoever does not stand in the file is no member any more.")
@_BY
@_REASON
@click.pass_obj
def import_members(opener: Opener, file: Path, replace: bool, by: str, reason: str) -> None:  # noqa: FBT001  click passes flags so
    """Make the numbers in FILE members: CSV with the columns phone and, optionally, tier (default: member)."""

    members = _members_in(file)

    async def work(app: Opened) -> list[TierChange]:
        async with app.db.transaction() as tx:
            await app.identity.require_named_staff(tx, by, Permission.SEGMENTS_CHANGE)
            return await app.identity.import_members(tx, members, by=by, reason=reason, replace=replace)

    done = _run(opener, work)
    added, moved = sum(each.added for each in done), sum(each.moved for each in done)
    click.echo(f"Members: {added:,} new, {moved:,} in another tier, {len(members) - added - moved:,} as before.")
    if replace:
        click.echo(f"{sum(each.ended for each in done):,} are no members any more.")


@members_group.command()
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_BY
@_REASON
@click.pass_obj
def segment(opener: Opener, name: str, file: Path, by: str, reason: str) -> None:
    """Let the segment NAME be exactly the numbers in FILE: CSV with the column phone."""

    members = _members_in(file)

    async def work(app: Opened) -> SegmentChange:
        async with app.db.transaction() as tx:
            await app.identity.require_named_staff(tx, by, Permission.SEGMENTS_CHANGE)
            phones = [member.phone for member in members]
            return await app.identity.change_segment(tx, name, phones, by=by, reason=reason)

    done = _run(opener, work)
    click.echo(f"Segment {done.segment}: {done.added:,} numbers new, {done.ended:,} no longer in it.")


@members_group.command()
@click.argument("phone")
@_BY
@_REASON
@click.pass_obj
def remove(opener: Opener, phone: str, by: str, reason: str) -> None:
    """End the membership of PHONE."""

    async def work(app: Opened) -> TierChange | None:
        async with app.db.transaction() as tx:
            await app.identity.require_named_staff(tx, by, Permission.SEGMENTS_CHANGE)
            return await app.identity.end_membership(tx, phone, by=by, reason=reason)

    click.echo("No member any more." if _run(opener, work) else "This number was no member; nothing was changed.")


@members_group.command()
@click.pass_obj
def count(opener: Opener) -> None:
    """Count the members of each tier."""

    async def work(app: Opened) -> list[tuple[str, int]]:
        async with app.db.read() as tx:
            return list((await app.identity.member_counts(tx)).items())

    counts = _run(opener, work)
    for tier, members in counts:
        click.echo(f"{tier:20} {members:>10,}")
    if not counts:
        click.echo("Nobody yet. Add them with: tidegate members import FILE --by NAME --reason TEXT")


def _members_in(file: Path) -> list[Member]:
    try:
        return read_members(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError as fault:
        raise click.ClickException(f"{file} is not UTF-8 text. Nothing was changed.") from fault
    except MembersFaulty as refusal:
        raise click.ClickException(f"{file}: {refusal.detail}") from refusal


def _table(views: list[StaffView]) -> Table:
    table = Table("Name", "Role", "Added (UTC)", "State")
    for view in views:
        state = "open"
        if view.closed_at:
            state = f"closed {view.closed_at:%Y-%m-%d}"
        elif view.locked_until_at:
            state = f"locked until {view.locked_until_at:%Y-%m-%d %H:%M}"
        table.add_row(view.staff.name, view.staff.role.value, f"{view.added_at:%Y-%m-%d %H:%M}", state)
    return table


def _password(*, generate: bool) -> str:
    if generate:
        return secrets.token_urlsafe(_GENERATED_BYTES)
    return str(click.prompt("Password (12 characters or more)", hide_input=True, confirmation_prompt=True))


def _show(password: str, *, generate: bool) -> None:
    if generate:
        click.echo(f"Password, shown only this once: {password}")


_T = TypeVar("_T")


def _run(opener: Opener, work: Callable[[Opened], Awaitable[_T]]) -> _T:
    """Open the installation, do the work, and turn a refusal into a message and exit code 1."""

    async def opened() -> _T:
        async with opener() as app:
            return await work(app)

    try:
        return asyncio.run(opened())
    except Refusal as refusal:
        raise click.ClickException(f"{refusal.title}. {refusal.detail}") from refusal
