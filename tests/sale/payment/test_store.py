"""The schema holds payment's invariants by itself, whatever the code above it does."""

from collections.abc import Sequence

import psycopg
import pytest

from tests.sale.payment.harness import World
from tidegate.base.db import constraint_of

_ATTEMPT = (
    "insert into payment.attempt (attempt_id, intent_id, number, channel, chosen, amount, currency, state, check_at,"
    " started_at, ended_at) values (gen_random_uuid(), %s, %s, 'harbour', false, 100, 'CNY', %s, now(), now(), {})"
)


async def refused(shop: World, statement: str, values: Sequence[object]) -> str:
    """Return the constraint that a statement breaks."""
    with pytest.raises(psycopg.IntegrityError) as caught:
        async with shop.db.transaction() as tx:
            await tx.execute(statement, values)
    return constraint_of(caught.value)


async def test_one_outstanding_and_one_captured_attempt_an_intent(shop: World) -> None:
    paid, asked = await shop.open_many(2, 100)
    await shop.pay(paid)
    captured = _ATTEMPT.format("now()")
    assert await refused(shop, captured, [paid.intent_id, 2, "captured"]) == "attempt_captured_once"
    outstanding = _ATTEMPT.format("null")
    async with shop.db.transaction() as tx:
        await tx.execute(outstanding, [asked.intent_id, 1, "unknown"])
    assert await refused(shop, outstanding, [asked.intent_id, 2, "started"]) == "attempt_outstanding_once"
    assert await refused(shop, outstanding, [paid.intent_id, 2, "captured"]) == "attempt_ended_when_settled"
    assert await refused(shop, captured, [paid.intent_id, 1, "refused"]) == "attempt_number_once"
    assert await refused(shop, captured, [paid.intent_id, 3, "perhaps"]) == "attempt_state_known"


async def test_no_refund_beyond_the_amount_and_no_transfer_twice(shop: World) -> None:
    intent = await shop.open(100)
    await shop.pay(intent)
    reserve = "update payment.attempt set refund_reserved = %s where intent_id = %s"
    assert await refused(shop, reserve, [101, intent.intent_id]) == "attempt_refund_within"
    repay = "update payment.intent set refunded = %s where intent_id = %s"
    assert await refused(shop, repay, [101, intent.intent_id]) == "intent_refunded_within"
    again = (
        "insert into payment.transfer (kind, reference, debit_account, credit_account, amount, currency, booked_at)"
        " select kind, reference, debit_account, credit_account, amount, currency, now() from payment.transfer"
        " where amount = %s"
    )
    assert await refused(shop, again, [100]) == "transfer_pkey"
    nothing = "update payment.transfer set amount = %s"
    assert await refused(shop, nothing, [0]) == "transfer_amount_positive"
    await shop.hold()


async def test_one_intent_an_order_of_a_positive_amount(shop: World) -> None:
    intent = await shop.open(100)
    copy = (
        "insert into payment.intent"
        " (intent_id, order_id, buyer_id, amount, currency, expires_at, opened_at, changed_at)"
        " select gen_random_uuid(), order_id, buyer_id, %s, currency, expires_at, opened_at, changed_at"
        " from payment.intent where order_id = %s"
    )
    assert await refused(shop, copy, [100, intent.order_id]) == "intent_order_once"
    assert await refused(shop, copy, [0, intent.order_id]) == "intent_amount_positive"


async def test_the_checks_name_what_is_broken(shop: World) -> None:
    intent = await shop.open(100)
    await shop.pay(intent)
    async with shop.db.transaction() as tx:
        await tx.execute("delete from payment.transfer")
    async with shop.db.transaction() as tx:
        (broken,) = [each for each in await shop.payment.check(tx) if not each.holds]
    (attempt,) = (await shop.look(intent)).attempts
    assert broken.name == "payment: money that arrived is in the ledger exactly once, and only that"
    assert (broken.examined, broken.detail) == (1, str(attempt.attempt_id))
