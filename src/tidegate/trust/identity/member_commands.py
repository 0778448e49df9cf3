"""`tidegate members`: who is a member."""

from pathlib import Path

import click

from tidegate.trust.identity.commands import Opened, Opener, run
from tidegate.trust.identity.contracts import MembersImported
from tidegate.trust.identity.errors import MembersFaulty
from tidegate.trust.identity.members import read_members


@click.group("members")
def group() -> None:
    """Who is a member: lanes and promotions may be for members only."""


@group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Whoever does not stand in the file is no member any more.")
@click.pass_obj
def import_members(opener: Opener, file: Path, replace: bool) -> None:  # noqa: FBT001  click passes flags so
    """Make the numbers in FILE members: CSV with the columns phone and, optionally, tier (default: member)."""

    try:
        members = read_members(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError as fault:
        raise click.ClickException(f"{file} is not UTF-8 text. Nothing was changed.") from fault
    except MembersFaulty as refusal:
        raise click.ClickException(f"{file}: {refusal.detail}") from refusal

    async def work(app: Opened) -> MembersImported:
        async with app.db.transaction() as tx:
            return await app.identity.import_members(tx, members, replace=replace)

    done = run(opener, work)
    click.echo(f"Members: {done.added:,} new, {done.changed:,} in another tier, {done.same:,} as before.")
    if replace:
        click.echo(f"{done.ended:,} are no members any more.")


@group.command()
@click.argument("phone")
@click.pass_obj
def remove(opener: Opener, phone: str) -> None:
    """End the membership of PHONE."""

    async def work(app: Opened) -> bool:
        async with app.db.transaction() as tx:
            return await app.identity.end_membership(tx, phone)

    click.echo("No member any more." if run(opener, work) else "This number was no member; nothing was changed.")


@group.command()
@click.pass_obj
def count(opener: Opener) -> None:
    """Count the members of each tier."""

    async def work(app: Opened) -> list[tuple[str, int]]:
        async with app.db.read() as tx:
            return list((await app.identity.member_counts(tx)).items())

    counts = run(opener, work)
    for tier, members in counts:
        click.echo(f"{tier:20} {members:>10,}")
    if not counts:
        click.echo("Nobody yet. Add them with: tidegate members import FILE")
