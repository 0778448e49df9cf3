"""`tidegate points`: give a shopper points, and see a balance. Done in the name of a member of staff."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

import click
import msgspec

from tidegate.base.db import Database, Tx
from tidegate.base.errors import Refusal
from tidegate.sale.points.api import Points
from tidegate.sale.points.contracts import POINTS_MAX, Balance
from tidegate.trust.identity.api import Identity
from tidegate.trust.identity.contracts import AccountId, Permission

T = TypeVar("T")


class Desk(Protocol):
    """What the commands need of a running installation."""

    @property
    def db(self) -> Database:
        """Its database."""
        ...

    @property
    def identity(self) -> Identity:
        """Its staff and its shoppers."""
        ...

    @property
    def points(self) -> Points:
        """Its points."""
        ...


OpenDesk = Callable[[], AbstractAsyncContextManager[Desk]]
"""Opens the installation named by the environment; the app provides it."""

_JSON = click.option("--json", "as_json", is_flag=True, help="For machines.")


def group(open_desk: OpenDesk) -> click.Group:
    """Return the commands `points ...`, working on the installation that `open_desk` opens."""

    @click.group("points", short_help="Give a shopper points, see a balance.")
    def points() -> None:
        """Points of shoppers, found by the number that they sign in with."""

    points.add_command(_grant(open_desk))
    points.add_command(_show(open_desk))
    return points


def _grant(open_desk: OpenDesk) -> click.Command:
    @click.command("grant", short_help="Give a shopper points.")
    @click.argument("phone")
    @click.argument("points", type=click.IntRange(1, POINTS_MAX))
    @click.option("--by", required=True, help="Name of the member of staff who does it; their role may refund.")
    @click.option("--reason", required=True, help="Why; the shopper sees it.")
    @_JSON
    def command(phone: str, points: int, by: str, reason: str, *, as_json: bool) -> None:
        """Give the shopper who signs in with PHONE so many POINTS."""

        async def work(desk: Desk, tx: Tx) -> Balance:
            await desk.identity.require_named_staff(tx, by, Permission.PAYMENTS_REFUND)
            return await desk.points.grant(tx, await _account(desk, tx, phone), points, by=by, reason=reason)

        _tell(_run(open_desk, work), as_json=as_json)

    return command


def _show(open_desk: OpenDesk) -> click.Command:
    @click.command("show", short_help="See a shopper's balance.")
    @click.argument("phone")
    @_JSON
    def command(phone: str, *, as_json: bool) -> None:
        """See the balance of the shopper who signs in with PHONE."""

        async def work(desk: Desk, tx: Tx) -> Balance:
            return await desk.points.balance(tx, await _account(desk, tx, phone))

        _tell(_run(open_desk, work), as_json=as_json)

    return command


async def _account(desk: Desk, tx: Tx, phone: str) -> AccountId:
    account = await desk.identity.account_of_phone(tx, phone)
    if account is None:
        raise click.ClickException("Nobody signed in with this number yet. Nothing was changed.")
    return account


def _tell(balance: Balance, *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(balance).decode())
    else:
        click.echo(f"{balance.available:,} points to spend, {balance.held:,} held by orders that wait for payment.")


def _run(open_desk: OpenDesk, work: Callable[[Desk, Tx], Awaitable[T]]) -> T:
    """Open the installation, do the work in one transaction, and turn a refusal into a message and exit code 1."""

    async def opened() -> T:
        async with open_desk() as desk, desk.db.transaction() as tx:
            return await work(desk, tx)

    try:
        return asyncio.run(opened())
    except Refusal as refusal:
        raise click.ClickException(f"{refusal.title}. {refusal.detail}") from refusal
