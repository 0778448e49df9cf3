"""Refunds by staff over HTTP: previewed, reasoned, in a name, and only for those who may."""

import httpx
import pytest

from tests.app.console.test_pages import enter, visitor
from tests.app.storefront.test_aftersale import selling
from tests.sale.ordering.conftest import shop
from tests.sale.ordering.test_life import paid, placed, refunded, show
from tests.sale.ordering.test_returns import CART, TOTAL
from tests.sale.payment.conftest import harbour, lantern, two_channels
from tests.sale.payment.harness import SandboxProcess
from tests.sale.shop import broken, buyers, publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.sale.ordering.contracts import OrderState, RefundLine
from tidegate.trust.identity.api import SESSION_COOKIE
from tidegate.trust.identity.contracts import Role

__all__ = ["harbour", "lantern", "shop", "two_channels"]


async def test_staff_refund_by_line_with_a_reason_and_a_preview(shop: App, clock: ManualClock) -> None:
    await publish(shop, selling())
    [buyer] = await buyers(shop, 1)
    order_id = await paid(shop, buyer, CART, TOTAL)
    page = f"/console/orders/{order_id}"
    async with visitor(shop) as client:
        await enter(shop, client, Role.PAYMENT)
        assert "Refund units" in (await client.get(page)).text
        form = {"units-CUP": "1", "units-POT": "0", "reason": "broken cup"}
        shown = await client.post(f"{page}/refund/preview", data=form)
        assert "Kept for gifts, as the campaign says" in shown.text
        amount = shown.text.partition('name="amount" value="')[2].partition('"')[0]
        for wrong, said in (
            (form | {"amount": "1"}, "look at it again"),
            (form | {"amount": amount, "reason": " "}, "Say why, in three letters or more"),
            ({"units-CUP": "99", "reason": "broken cup", "amount": amount}, "choose fewer"),
            ({"reason": "broken cup", "amount": amount}, "Choose at least one unit"),
        ):
            answer = await client.post(f"{page}/refund", data=wrong)
            assert said in answer.text
        assert (await show(shop, order_id)).refunded == 0
        key = shown.text.partition('name="key" value="')[2].partition('"')[0]
        for _ in range(2):  # a second click
            done = await client.post(f"{page}/refund", data=form | {"amount": amount, "key": key})
            assert (done.status_code, done.headers["location"]) == (303, f"{page}#refunds")
        await refunded(shop, clock)
        assert (await show(shop, order_id)).refunded == int(amount)
        told = (await client.get(page)).text
        assert "broken cup" in told
        assert "a.payment" in told


async def test_a_refused_refund_is_sent_again_by_a_person(shop: App, clock: ManualClock) -> None:
    await publish(shop, selling())
    [buyer] = await buyers(shop, 1)
    order_id = await paid(shop, buyer, CART, TOTAL)
    async with shop.db.transaction() as tx:
        await shop.ordering.refund(tx, order_id, buyer.account_id, (RefundLine("CUP", 1),), "")
        await tx.execute("update payment.refund set state = 'refused', ended_at = requested_at, answer = 'too old'")
    [told] = await broken(shop)
    assert told.startswith("payment: no payment and no refund waits for a person")
    page = f"/console/orders/{order_id}"
    async with visitor(shop) as client:
        await enter(shop, client, Role.PAYMENT)
        told = (await client.get(page)).text
        actions = [part.partition('"')[0] for part in told.split('action="')]
        [again] = [action for action in actions if action.endswith("/again")]
        sent = await client.post(again)
        assert (sent.status_code, sent.headers["location"]) == (303, f"{page}#refunds")
        assert "did not refuse this refund" in (await client.post(again)).text
        await refunded(shop, clock)
        assert (await show(shop, order_id)).refunded > 0
        assert "Send again" not in (await client.get(page)).text
    assert await broken(shop) == []


async def test_the_list_of_differences_adds_up_and_is_for_those_who_may(shop: App) -> None:
    await publish(shop, selling())
    one, two = await buyers(shop, 2)
    for buyer in (one, two):
        await paid(shop, buyer, {"CUP": 1}, 3_333 + 800)
    async with visitor(shop) as client:
        await enter(shop, client, Role.PAYMENT)
        assert "No difference was given back yet" in (await client.get("/console/protection")).text
        await publish(shop, selling(cup=3_000))
        assert await shop.protection.sweep() == 2
        told = (await client.get("/console/protection")).text
        assert told.count("the nightly look") == 2
        assert "2 differences in all" in told
        assert "¥6.66" in told


async def test_staff_give_a_difference_in_their_name_once(shop: App, clock: ManualClock) -> None:
    await publish(shop, selling())
    [buyer] = await buyers(shop, 1)
    order_id = await paid(shop, buyer, {"CUP": 1}, 3_333 + 800)
    page = f"/console/orders/{order_id}"
    async with visitor(shop) as client:
        await enter(shop, client, Role.SUPPORT)
        refused = await client.post(f"{page}/protection")
        assert (refused.status_code, "The buyer would not pay less today" in refused.text) == (409, True)
        await publish(shop, selling(cup=3_000))
        done = await client.post(f"{page}/protection")
        assert (done.status_code, done.headers["location"]) == (303, f"{page}#refunds")
        again = await client.post(f"{page}/protection")
        assert "was given before" in again.text
        told = (await client.get(page)).text
        assert "a.support" in told
        assert "stay sold" in told
    await refunded(shop, clock)
    assert (await show(shop, order_id)).refunded == 333


@pytest.mark.parametrize("path", ["refund", "refund/preview", "protection"])
async def test_who_may_not_refund_cannot(shop: App, path: str) -> None:
    await publish(shop, selling())
    [buyer] = await buyers(shop, 1)
    order_id = await paid(shop, buyer, CART, TOTAL)
    async with visitor(shop) as client:
        await enter(shop, client, Role.RISK)
        page = await client.get(f"/console/orders/{order_id}")
        assert (page.status_code, "Refund units" in page.text) == (200, False)
        sent: httpx.Response = await client.post(f"/console/orders/{order_id}/{path}", data={"units-CUP": "1"})
        assert sent.status_code == 403


@pytest.mark.parametrize(("remedy", "state"), [("accept", OrderState.PAID), ("refund", OrderState.PLACED)])
async def test_a_charge_of_another_amount_is_settled_by_a_person(
    shop: App, harbour: SandboxProcess, clock: ManualClock, remedy: str, state: OrderState
) -> None:
    await publish(shop, selling())
    [buyer] = await buyers(shop, 1)
    harbour.order(charge_more=700)
    order_id = await placed(shop, buyer, CART, TOTAL)
    await shop.payment.pay(order_id, buyer.account_id, "harbour")
    page = f"/console/orders/{order_id}"
    async with visitor(shop) as client:
        await enter(shop, client, Role.PAYMENT)
        assert f'href="{page}"' in (await client.get("/console/payments")).text
        told = (await client.get(page)).text
        assert "Another amount than ours" in told
        settle = next(
            part.partition('"')[0] for part in told.split('href="') if part.partition('"')[0].endswith("/settle")
        )
        shown = (await client.get(settle)).text
        taken = shown.partition('name="taken" value="')[2].partition('"')[0]
        assert int(taken) == TOTAL + 700
        form = {"remedy": remedy, "taken": taken, "reason": "their mistake"}
        for wrong, said in (
            ({"reason": " "}, "in three letters or more"),
            ({"taken": "1"}, "another amount than was shown"),
        ):
            assert said in (await client.post(settle, data=form | wrong)).text
        for _ in range(2):  # a second click
            assert (await client.post(settle, data=form)).headers["location"] == page
        assert "their mistake" in (await client.get(page)).text
        assert "No charge of another amount waits here" in (await client.get(settle)).text
    async with visitor(shop) as client:
        client.cookies.set(SESSION_COOKIE, buyer.token)
        told = (await client.get(f"/orders/{order_id}")).text
        assert ("took another amount than the price" in told) is (remedy == "refund")
    await refunded(shop, clock)
    assert (await show(shop, order_id)).state is state
    assert await broken(shop) == []
