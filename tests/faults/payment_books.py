"""What the fault tests of payment share: the channels' own books, and waiting."""

import asyncio
import sqlite3
from contextlib import closing
from uuid import UUID

from tests.sale.payment.harness import SandboxProcess, World
from tidegate.sale.payment.contracts import AttemptState, OpenIntent


def charges_of(channel: SandboxProcess, subject: UUID) -> list[tuple[str, str, int]]:
    """Return attempt, state and amount of an intent's charges, from the channel's own file."""
    with closing(sqlite3.connect(channel.data / f"{channel.name}.sqlite3")) as books:
        rows = books.execute("select attempt_id, state, amount from charge where subject = ?", (str(subject),))
        return rows.fetchall()


def charged(channel: SandboxProcess, subject: UUID) -> int:
    """Return how many charges of an intent succeeded, by the channel's own books."""
    return sum(state == "succeeded" for _, state, _ in charges_of(channel, subject))


async def until(holds: object, seconds: float = 20) -> None:
    """Wait until `holds()` is true."""
    assert callable(holds)
    for _ in range(int(seconds / 0.02)):
        found = holds()
        if found if isinstance(found, bool) else await found:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come true in time")


async def close_when_possible(shop: World, intent: OpenIntent) -> None:
    """Let the worker close the attempt at the channel, then close the intent."""

    async def closed() -> bool:
        await shop.work(20)
        return await shop.close(intent) == {intent.intent_id}

    await until(closed)
    assert (await shop.look(intent)).attempts[0].state is AttemptState.CLOSED
