"""`tidegate orders`: price an order again, from what it keeps and the rules version that it names."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID

import click
import msgspec

from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.base.money import format_money
from tidegate.sale.repricing.api import Repricing
from tidegate.sale.repricing.contracts import Repriced


class Desk(Protocol):
    """What the commands need of a running installation."""

    @property
    def db(self) -> Database:
        """Its database."""
        ...

    @property
    def repricing(self) -> Repricing:
        """What prices its orders again."""
        ...


OpenDesk = Callable[[], AbstractAsyncContextManager[Desk]]
"""Opens the installation named by the environment; the app provides it."""


def group(open_desk: OpenDesk) -> click.Group:
    """Return the commands `orders ...`, working on the installation that `open_desk` opens."""

    @click.group("orders", short_help="Price an order again.")
    def orders() -> None:
        """Hold orders against the rules that priced them."""

    orders.add_command(_reprice(open_desk))
    return orders


def _reprice(open_desk: OpenDesk) -> click.Command:
    @click.command("reprice", short_help="Price an order again by its own rules version.")
    @click.argument("order_id", type=click.UUID)
    @click.option("--json", "as_json", is_flag=True, help="For machines.")
    def command(order_id: UUID, *, as_json: bool) -> None:
        """Price ORDER_ID again from its stored facts, by the rules version that it names.

        Compares lines, gifts, sums and the hash of the trace. Exits 0 when all are the same to the cent, 1 when
        something differs. Reads only: nothing is changed.
        """
        again = asyncio.run(_repriced(open_desk, order_id))
        if as_json:
            click.echo(msgspec.json.encode(again).decode())
        else:
            click.echo("\n".join(told(again)))
        raise SystemExit(0 if again.same else 1)

    return command


async def _repriced(open_desk: OpenDesk, order_id: UUID) -> Repriced:
    try:
        async with open_desk() as desk, desk.db.read() as tx:
            return await desk.repricing.reprice(tx, order_id)
    except Refusal as refusal:
        raise click.ClickException(f"{refusal.title}. {refusal.detail}") from refusal


def told(again: Repriced) -> list[str]:
    """Return what a person reads: one sentence, and a line for each difference."""
    by = f"rules version {again.rules_version} of {again.campaign_id} ({again.making})"
    if again.same:
        total = format_money(again.total or 0, again.currency, "en")
        return [f"Priced again by {by}: the same to the cent, {total}, trace {again.trace_hash}."]
    differing = [
        f"  {each.what}{f' {each.of}' if each.of else ''}: kept {each.kept}; again {each.again}"
        for each in again.differences
    ]
    return [f"Priced again by {by}: it is NOT the same. Amounts in minor units.", *differing]
