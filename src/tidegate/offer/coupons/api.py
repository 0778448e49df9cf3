"""What shoppers and orders do with coupons. What staff do is `staff.CouponDesk`, reached as `Coupons.desk`."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from tidegate.base.clock import Clock
from tidegate.base.db import Database, Tx
from tidegate.base.errors import Refusal
from tidegate.base.ids import Ids
from tidegate.base.invariant import Check
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.campaign.contracts import Audience
from tidegate.offer.coupons import store, store_staff
from tidegate.offer.coupons.claiming import ClaimLane, Raced, claim_together, limit_reached
from tidegate.offer.coupons.codes import coupon_name, tidy
from tidegate.offer.coupons.contracts import CouponState, Kept, Locked, Template, Why
from tidegate.offer.coupons.errors import (
    CodeMistyped,
    CodeNeeded,
    CouponUnknown,
    TemplateUnknown,
)
from tidegate.offer.coupons.listing import not_utf8, read_codes
from tidegate.offer.coupons.ports import Acquaintance
from tidegate.offer.coupons.rules import (
    USABLE,
    Wallet,
    expiry,
    refusal_of,
    require_claimable,
    sources_of,
    templates_of,
)
from tidegate.offer.coupons.staff import CouponDesk
from tidegate.offer.coupons.store import Moving

__all__ = [
    "USABLE",
    "CouponDesk",
    "Coupons",
    "Wallet",
    "coupon_name",
    "not_utf8",
    "read_codes",
    "refusal_of",
]

KEPT_MAX = 200
_DUE_MAX = 2_000


class Coupons:
    """Coupons that are claimed, from the claim to their end."""

    def __init__(self, db: Database, clock: Clock, ids: Ids, campaign: Campaign) -> None:
        self._db = db
        self._clock = clock
        self._campaign = campaign
        self._acquaintance: Acquaintance | None = None
        self._read: tuple[str, dict[str, Template]] = ("", {})
        self._lane = ClaimLane(db, clock, self._audiences)
        self.desk = CouponDesk(db, clock, ids, self.template)

    def follow(self, acquaintance: Acquaintance) -> None:
        """From now on ask `acquaintance` whom a coupon for new or returning customers is for."""
        self._acquaintance = acquaintance

    def templates(self) -> dict[str, Template]:
        """Return the coupons of the current campaign that are claimed, by name; no I/O."""
        current = self._campaign.current()
        if current is None:
            return {}
        if self._read[0] != current.sha256:
            self._read = (current.sha256, templates_of(current.definition))
        return self._read[1]

    def template(self, name: str) -> Template:
        """Return one of them. Raises TemplateUnknown."""
        found = self.templates().get(tidy(name))
        if found is None:
            raise TemplateUnknown(
                "The campaign has no coupon of this name that is claimed. Nothing was done.", coupon=name
            )
        return found

    def code_shown(self, text: str | None) -> str | None:
        """Return the code that an order shows, if it is one of a claimed coupon; None for a shared one. No I/O.

        Raises CodeNeeded for the bare name of a coupon that is claimed, and CodeMistyped.
        """
        if text is None:
            return None
        code, templates = tidy(text), self.templates()
        if code in templates:
            raise CodeNeeded(
                "Each coupon of this kind has a code of its own. Nothing was ordered; claim one and show its code.",
                coupon=code,
            )
        if coupon_name(code) in templates:
            return code
        if code.rpartition("-")[0] in templates:
            raise CodeMistyped("The letters of this code do not fit each other. Nothing was done; look at it again.")
        return None

    async def take(self, account_id: UUID, text: str) -> Kept:
        """Claim in a transaction of its own; claims of a coupon by its name together with all others of that time.

        Raises what `claim` raises, Overloaded and DatabaseUnavailable.
        """
        template = self.templates().get(tidy(text))
        if template is not None and template.unique.button:
            return await self._lane.submit(template, account_id)
        async with self._db.transaction() as tx:
            return await self.claim(tx, account_id, text)

    async def claim(self, tx: Tx, account_id: UUID, text: str) -> Kept:
        """Give an account a coupon: a new one of the kind that is named, or the one whose code was handed out.

        Exact under any race: the account's limit and the number of coupons are guarded in the statement that writes.
        A code that the account has claimed already is returned as it is. Raises TemplateUnknown, ClaimsNotOpen,
        AudienceNotMet, ClaimLimitReached, ClaimsUsedUp, CodeMistyped, CouponUnknown and what ended the code.
        """
        templates = self.templates()
        name = tidy(text)
        if name in templates and templates[name].unique.button:
            return await self._claim_new(tx, account_id, templates[name])
        code = None if name in templates else self.code_shown(text)
        if code is None:
            raise TemplateUnknown(
                "The campaign has no such coupon to claim. Nothing was claimed; look at the name or code again."
            )
        return await self._claim_code(tx, account_id, code, templates[coupon_name(code)])

    async def _claim_new(self, tx: Tx, account_id: UUID, template: Template) -> Kept:
        audiences = await self._audiences(tx, template, [account_id])
        try:
            [answer] = await claim_together(tx, template, [account_id], self._clock.now(), audiences)
        except Raced:
            # Alone, only another claim of this very account made in between can be in the way.
            raise limit_reached(template) from None
        if isinstance(answer, Refusal):
            raise answer
        return answer

    async def _claim_code(self, tx: Tx, account_id: UUID, code: str, template: Template) -> Kept:
        now = self._clock.now()
        held = (await store.lock(tx, [code])).get(code)
        if held is not None and held.account_id == account_id:
            return await store.kept(tx, code)
        if held is None or held.campaign_id != template.campaign_id or held.account_id is not None:
            raise CouponUnknown("There is no such coupon to claim. Nothing was claimed; look at the code again.")
        if held.state is not CouponState.UNCLAIMED:
            ended = refusal_of(held, account_id, held.campaign_id, now)
            assert ended is not None
            raise ended
        audiences = await self._audiences(tx, template, [account_id])
        require_claimable(template, now, audiences.get(account_id, frozenset()))
        if not await store.count_claim(
            tx, template.campaign_id, template.name, account_id, template.unique.per_account
        ):
            raise limit_reached(template)
        moving = Moving(
            sources=[CouponState.UNCLAIMED],
            to=CouponState.UNUSED,
            now=now,
            why=Why.CLAIMED,
            account_id=account_id,
            expires_at=expiry(template, now),
        )
        await store.move_codes(tx, [(code, None)], moving)
        return await store.kept(tx, code)

    async def _audiences(
        self, tx: Tx, template: Template, account_ids: Sequence[UUID]
    ) -> Mapping[UUID, frozenset[Audience]]:
        """Return the audiences of each account, where the coupon is not for everyone."""
        if not template.audience or self._acquaintance is None:
            return {}
        return await self._acquaintance.audiences(tx, account_ids)

    async def kept_by(self, tx: Tx, account_id: UUID) -> list[Kept]:
        """Return an account's coupons, those claimed last first; 200 at most."""
        return await store.kept_by(tx, account_id, KEPT_MAX)

    def require_usable(self, kept: Kept, account_id: UUID) -> None:
        """Raise why an order of the current campaign could not take this coupon of the account's now; no I/O."""
        current = self._campaign.current()
        held = Locked(
            code=kept.code,
            campaign_id=kept.campaign_id,
            template=kept.template,
            state=kept.state,
            account_id=account_id,
            expires_at=kept.expires_at,
            order_id=kept.order_id,
        )
        refusal = refusal_of(held, account_id, current.campaign_id if current else "", self._clock.now())
        if refusal is not None:
            raise refusal

    async def claimed_by(self, tx: Tx, account_id: UUID) -> dict[str, int]:
        """Return how many of each coupon of the current campaign an account has claimed."""
        current = self._campaign.current()
        return await store.claimed_by(tx, current.campaign_id, account_id) if current else {}

    async def left(self, tx: Tx) -> dict[str, int]:
        """Return how many of each coupon of the current campaign can still be claimed or made."""
        templates = self.templates()
        if not templates:
            return {}
        made = await store.made_of(tx, next(iter(templates.values())).campaign_id)
        return {name: max(each.unique.count - made.get(name, 0), 0) for name, each in templates.items()}

    async def lock(self, tx: Tx, codes: Collection[str]) -> Wallet:
        """Lock the codes that a batch of orders shows, and their templates' totals, until the transaction ends.

        Without codes it costs nothing. Decide with `Wallet.try_freeze`, then `freeze` once.
        """
        found: dict[str, Locked] = await store.lock(tx, sorted(set(codes))) if codes else {}
        return Wallet(found, self._clock.now())

    async def freeze(self, tx: Tx, wallet: Wallet) -> None:
        """Write which codes were frozen, for which orders; one statement, or none."""
        frozen = wallet.frozen()
        if frozen:
            await store.move_codes(tx, frozen, self._moving(CouponState.FROZEN, Why.ORDER_PLACED, USABLE))

    async def use(self, tx: Tx, order_ids: Sequence[UUID]) -> list[str]:
        """Mark the frozen codes of orders that are now paid as used; the codes. What is used already stays so."""
        if not order_ids:
            return []
        moving = self._moving(CouponState.USED, Why.ORDER_PAID, [CouponState.FROZEN])
        return await store.move_of_orders(tx, order_ids, moving)

    async def give_back(self, tx: Tx, order_ids: Sequence[UUID], why: Why) -> list[str]:
        """Return the frozen codes of orders that ended unpaid to their wallets; the codes. Each once."""
        if not order_ids:
            return []
        return await store.move_of_orders(tx, order_ids, self._moving(CouponState.RETURNED, why, [CouponState.FROZEN]))

    async def give_back_refunded(self, tx: Tx, order_id: UUID, code: str) -> list[str]:
        """Return the code of a paid order that was refunded in full, where its coupon says so; the code. Once."""
        template = self.templates().get(coupon_name(code))
        if template is not None and not template.unique.back_on_refund:
            return []
        return await store.move_of_orders(
            tx, [order_id], self._moving(CouponState.RETURNED, Why.ORDER_REFUNDED, [CouponState.USED])
        )

    def _moving(self, to: CouponState, why: Why, sources: Collection[CouponState]) -> Moving:
        return Moving(sources=sorted(sources), to=to, now=self._clock.now(), why=why)

    async def expire_due(self) -> int:
        """Expire codes whose time is over; return how many. Repeated by the worker."""
        async with self._db.transaction() as tx:
            return await store.move_due(
                tx, _DUE_MAX, self._moving(CouponState.EXPIRED, Why.TIME_OVER, sources_of(CouponState.EXPIRED))
            )

    async def in_orders(self, tx: Tx, state: CouponState) -> tuple[int, int]:
        """Return how many codes are frozen in, or used by, orders, and a fingerprint of (order, code) over them."""
        return await store_staff.orders_in(tx, [state])

    async def check(self, tx: Tx) -> list[Check]:
        """Hold the invariants of coupons against the database."""
        examined, miscounted = await store_staff.miscounted(tx)
        overclaimed = await store_staff.overclaimed(tx)
        return [
            Check(
                name="coupons: the totals of each template are the numbers of its codes",
                holds=not miscounted,
                examined=examined,
                detail=", ".join(miscounted),
            ),
            Check(
                name="coupons: every account has as many as were counted when it claimed",
                holds=not overclaimed,
                examined=examined,
                detail=", ".join(overclaimed),
            ),
        ]
