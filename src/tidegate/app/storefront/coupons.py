"""Coupons for shoppers: claiming one, all of one's own, and which of them an order can use, or why it cannot."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from uuid import UUID

import msgspec
from litestar import Response, get, post

from tidegate.app.pages.answer import own_origin, see_other
from tidegate.app.storefront.forms import read_form
from tidegate.app.storefront.visit import Asking, Visit
from tidegate.app.storefront.wording import Spoken, spoken
from tidegate.base.db import Database, Tx
from tidegate.base.errors import Refusal
from tidegate.offer.campaign.contracts import Words
from tidegate.offer.coupons.api import USABLE, Coupons
from tidegate.offer.coupons.contracts import CouponState, Kept, Template
from tidegate.offer.pricing.api import Pricing, coupon_saving
from tidegate.offer.pricing.contracts import Cart, Facts

CODE_LENGTH_MAX = 64
"""Longer than any code: people write blanks between the letters."""
_ENDED = frozenset({CouponState.EXPIRED, CouponState.REVOKED})


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """A coupon of the shopper's at the checkout: what it saves on this order, or why it cannot be used."""

    kept: Kept
    label: Words
    saving: int = 0
    why_not: Spoken | None = None


class Claimable(msgspec.Struct, frozen=True, kw_only=True):
    """A coupon that the shop offers: how many are left, and whether this shopper has as many as one may."""

    template: Template
    left: int
    claimed: bool = False


class CouponBook:
    """A shopper's coupons, as pages show them."""

    def __init__(self, *, visit: Visit, coupons: Coupons, pricing: Pricing, db: Database) -> None:
        self._visit = visit
        self._coupons = coupons
        self._pricing = pricing
        self._db = db

    async def show(self, trouble: Spoken | None = None, *, typed: str = "", status: int = 200) -> Response[bytes]:
        """Return the page of the shopper's coupons. Raises NotSignedIn."""
        account = self._visit.account
        async with self._db.read() as tx:
            kept = await self._coupons.kept_by(tx, account)
            claimable = await self.claimable(tx, account)
        now = self._visit.now
        usable = [each for each in kept if each.state in USABLE and now < each.expires_at]
        return self._visit.personal(
            "coupons",
            status=status,
            trouble=trouble,
            typed=typed,
            fresh=self._visit.asked("claimed"),
            templates=self._coupons.templates(),
            claimable=[each for each in claimable if not each.claimed],
            usable=sorted(usable, key=lambda each: each.expires_at),
            frozen=[each for each in kept if each.state is CouponState.FROZEN],
            used=[each for each in kept if each.state is CouponState.USED],
            ended=[each for each in kept if each.state in _ENDED or (each.state in USABLE and now >= each.expires_at)],
        )

    async def claimable(self, tx: Tx, account_id: UUID | None = None) -> list[Claimable]:
        """Return the coupons that the shop offers at this moment, the largest first."""
        now = self._visit.now
        open_now = [
            each
            for each in self._coupons.templates().values()
            if each.unique.button and each.claims_open_at <= now < each.claims_close_at
        ]
        if not open_now:
            return []
        left = await self._coupons.left(tx)
        claimed = await self._coupons.claimed_by(tx, account_id) if account_id else {}
        found = [
            Claimable(
                template=each,
                left=left[each.name],
                claimed=0 < each.unique.per_account <= claimed.get(each.name, 0),
            )
            for each in sorted(open_now, key=lambda each: (-each.off, each.threshold, each.name))
        ]
        return [each for each in found if each.left or each.claimed]

    async def claim(self, text: str) -> Kept:
        """Claim a coupon by its name or code. Raises what `Coupons.take` raises."""
        return await self._coupons.take(self._visit.account, text)

    def is_own(self, text: str) -> bool:
        """Return whether a text names a coupon that is claimed, or one of its codes. Raises CodeMistyped."""
        try:
            return self._coupons.code_shown(text) is not None
        except Refusal as refusal:
            if refusal.code == "coupon-code-needed":
                return True
            raise

    async def choices(self, tx: Tx, cart: Cart, facts: Facts) -> list[Choice]:
        """Return the shopper's coupons for a cart: those it can use, the largest saving first; then the others.

        `facts` are those that the cart is priced with.
        """
        templates = self._coupons.templates()
        kept = [
            each
            for each in await self._coupons.kept_by(tx, self._visit.account)
            if each.template in templates and each.state in {*USABLE, CouponState.FROZEN}
        ]
        choices = [self._choice(each, templates[each.template], cart, facts) for each in kept]
        return sorted(choices, key=lambda each: (-each.saving, each.kept.expires_at, each.kept.code))

    async def best(self, cart: Cart, facts_of: Callable[[Cart], Awaitable[Facts]]) -> Choice | None:
        """Return the coupon of the shopper's that saves most on a cart, as the checkout chooses it; None without one.

        Nothing is read where nobody is signed in, or nothing of this campaign can be claimed.
        """
        if self._visit.session is None or not self._coupons.templates():
            return None
        facts = await facts_of(cart)
        async with self._db.read() as tx:
            return _best(await self.choices(tx, cart, facts))

    def _choice(self, kept: Kept, template: Template, cart: Cart, facts: Facts) -> Choice:
        try:
            self._coupons.require_usable(kept, self._visit.account)
            saving = coupon_saving(partial(self._pricing.price, facts=facts), cart.lines, kept.code)
        except Refusal as refusal:
            return Choice(kept=kept, label=template.label, why_not=spoken(refusal))
        return Choice(kept=kept, label=template.label, saving=saving)


def best_of(choices: Sequence[Choice]) -> str | None:
    """Return the code that saves most, if any saves something; of equal ones that which ends first."""
    best = _best(choices)
    return best.kept.code if best else None


def _best(choices: Sequence[Choice]) -> Choice | None:
    return next((each for each in choices if each.why_not is None and each.saving > 0), None)


def open_coupon_book(*, visit: Visit, coupons: Coupons, pricing: Pricing, db: Database) -> CouponBook:
    """Dependency `coupon_book`."""
    return CouponBook(visit=visit, coupons=coupons, pricing=pricing, db=db)


@get("/coupons", include_in_schema=False)
async def my_coupons(coupon_book: CouponBook) -> Response[bytes]:
    """My coupons: what can be claimed, used, was used, has ended."""
    return await coupon_book.show()


@post("/coupons/claims", include_in_schema=False, guards=[own_origin])
async def claim(request: Asking, visit: Visit, coupon_book: CouponBook) -> Response[bytes]:
    """Claim a coupon, and show it among the others."""
    if visit.session is None:
        return see_other("/sign-in?next=/coupons")
    text = (await read_form(request)).text("coupon", CODE_LENGTH_MAX)
    try:
        kept = await coupon_book.claim(text)
    except Refusal as refusal:
        return await coupon_book.show(spoken(refusal), typed=text, status=refusal.status)
    return see_other(f"/coupons?claimed={kept.code}")


routes = [my_coupons, claim]
