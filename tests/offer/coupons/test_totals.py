"""The law of totals: whatever is done with codes in whatever order, they are counted in the state in which they are."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.offer.coupons.festival import festival, handed_out, unique
from tests.offer.festivals import START
from tests.sale.shop import publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.base.db import Tx
from tidegate.base.errors import Refusal
from tidegate.offer.coupons.contracts import CouponState, Why
from tidegate.offer.coupons.rules import may_move, refusal_of, sources_of

ACTS = ("claim", "claim_code", "order", "pay", "cancel", "refund", "revoke", "expire")
ACCOUNTS = [UUID(int=number) for number in range(1, 4)]
steps = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 99)), max_size=30)


class Drawer:
    """Does one thing after another with the codes of one coupon, as shoppers, orders and staff would."""

    def __init__(self, app: App, clock: ManualClock, codes: Sequence[str]) -> None:
        self._app = app
        self._clock = clock
        self._codes = list(codes)
        self._orders: list[UUID] = []

    async def act(self, act: str, number: int) -> None:
        """Do one thing; what is refused changes nothing."""
        async with self._app.db.transaction() as tx:
            try:
                async with tx.transaction():
                    await self._do(tx, act, number)
            except Refusal:
                pass
        if act == "expire":
            self._clock.advance(seconds=timedelta(hours=8).total_seconds())
            await self._app.coupons.expire_due()

    async def _do(self, tx: Tx, act: str, number: int) -> None:
        coupons, account = self._app.coupons, ACCOUNTS[number % 3]
        code = self._codes[number % len(self._codes)]
        order = self._orders[number % len(self._orders)] if self._orders else uuid4()
        match act:
            case "claim":
                self._codes.append((await coupons.claim(tx, account, "SAVE50")).code)
            case "claim_code":
                await coupons.claim(tx, account, code)
            case "order":
                wallet = await coupons.lock(tx, [code])
                self._orders.append(uuid4())
                wallet.try_freeze(code, self._orders[-1], account, "double-11")
                await coupons.freeze(tx, wallet)
            case "pay":
                await coupons.use(tx, [order])
            case "cancel":
                await coupons.give_back(tx, [order], Why.ORDER_CANCELLED)
            case "refund":
                await coupons.give_back_refunded(tx, order, code)
            case "revoke":
                await coupons.desk.revoke(tx, code, "lin.wei", "a test")


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(steps=steps)
async def test_totals_are_the_numbers_of_codes_whatever_is_done(
    app: App, clock: ManualClock, steps: list[tuple[str, int]]
) -> None:
    began_at = clock.now()
    await publish(app, festival(unique(count=10**6, per_account=4, valid_days=1)))
    drawer = Drawer(app, clock, await handed_out(app, 3))
    for act, number in steps:
        await drawer.act(act, number)
    async with app.db.snapshot() as tx:
        checks = await app.coupons.check(tx)
        rows = await (await tx.execute("select state, account_id is not null from coupons.coupon")).fetchall()
        moves = await (await tx.execute("select from_state, to_state from coupons.move")).fetchall()
        totals = (await app.coupons.desk.totals(tx, "double-11"))["SAVE50"]
    assert [check.detail for check in checks if not check.holds] == []
    found = Counter(CouponState(state) for state, _ in rows)
    assert {state: getattr(totals, state) for state in CouponState} == {state: found[state] for state in CouponState}
    assert (totals.made, totals.claimed) == (len(rows), sum(owned for _, owned in rows))
    assert all(may_move(CouponState(before), CouponState(after)) for before, after in moves)
    clock.advance(seconds=(began_at - clock.now()).total_seconds())


def test_only_what_ended_stays_for_ever() -> None:
    assert [state for state in CouponState if not any(may_move(state, to) for to in CouponState)] == [
        CouponState.EXPIRED,
        CouponState.REVOKED,
    ]
    assert sources_of(CouponState.FROZEN) == [CouponState.UNUSED, CouponState.RETURNED]
    assert sources_of(CouponState.USED) == [CouponState.FROZEN]


def test_a_code_that_does_not_exist_is_refused() -> None:
    refused = refusal_of(None, ACCOUNTS[0], "double-11", START)
    assert refused is not None
    assert refused.code == "coupon-unknown"
