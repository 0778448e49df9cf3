"""Decisions about coupons, pure: which moves are legal, which coupon an order may take, and why another may not."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from tidegate.base.errors import Refusal
from tidegate.offer.campaign.api import claim_window, valid_until
from tidegate.offer.campaign.contracts import Audience, CampaignDefinition
from tidegate.offer.coupons.contracts import CouponState, Locked, Template
from tidegate.offer.coupons.errors import (
    AudienceNotMet,
    ClaimsNotOpen,
    CouponExpired,
    CouponFrozen,
    CouponNotClaimed,
    CouponRevoked,
    CouponUnknown,
    CouponUsed,
)

_MOVES: Mapping[CouponState, Collection[CouponState]] = {
    CouponState.UNCLAIMED: (CouponState.UNUSED, CouponState.EXPIRED, CouponState.REVOKED),
    CouponState.UNUSED: (CouponState.FROZEN, CouponState.EXPIRED, CouponState.REVOKED),
    CouponState.FROZEN: (CouponState.USED, CouponState.RETURNED),
    CouponState.USED: (CouponState.RETURNED,),
    CouponState.RETURNED: (CouponState.FROZEN, CouponState.EXPIRED, CouponState.REVOKED),
    CouponState.EXPIRED: (),
    CouponState.REVOKED: (),
}

USABLE = frozenset({CouponState.UNUSED, CouponState.RETURNED})
_NOTHING = "Nothing was ordered; take another coupon or order without one."


def may_move(present: CouponState, to: CouponState) -> bool:
    """Return whether a code may go from one state to the other."""
    return to in _MOVES[present]


def sources_of(to: CouponState) -> list[CouponState]:
    """Return the states from which a code may go to `to`."""
    return [state for state in CouponState if may_move(state, to)]


def templates_of(definition: CampaignDefinition) -> dict[str, Template]:
    """Return the coupons of a campaign that are claimed, by name."""
    found = {}
    for coupon in definition.coupons:
        if coupon.unique is None:
            continue
        opens_at, closes_at = claim_window(definition, coupon.unique)
        found[coupon.code] = Template(
            campaign_id=definition.id,
            name=coupon.code,
            label=coupon.label,
            threshold=coupon.threshold,
            off=coupon.off,
            currency=definition.currency,
            claims_open_at=opens_at,
            claims_close_at=closes_at,
            valid_until_at=valid_until(definition, coupon.unique),
            unique=coupon.unique,
        )
    return found


def expiry(template: Template, claimed_at: datetime) -> datetime:
    """Return before when a coupon that is claimed now can be used."""
    if not template.unique.valid_days:
        return template.valid_until_at
    return min(template.valid_until_at, claimed_at + timedelta(days=template.unique.valid_days))


def require_claimable(template: Template, now: datetime, audiences: frozenset[Audience]) -> None:
    """Raise ClaimsNotOpen or AudienceNotMet where an account of these audiences cannot claim now."""
    if not template.claims_open_at <= now < template.claims_close_at:
        early = now < template.claims_open_at
        when = (
            f"It can be claimed from {template.claims_open_at:%Y-%m-%d %H:%M} UTC on." if early else "Claims are over."
        )
        raise ClaimsNotOpen(
            f"{when} Nothing was claimed.", opens_at=template.claims_open_at, closes_at=template.claims_close_at
        )
    if template.audience and not audiences.intersection(template.audience):
        raise AudienceNotMet(
            f"This coupon is for {' and '.join(template.audience)} customers. Nothing was claimed; look for another.",
            audience=list(template.audience),
        )


def refusal_of(coupon: Locked | None, account_id: UUID, campaign_id: str, now: datetime) -> Refusal | None:
    """Return why this account cannot use the coupon in an order of this campaign now; None where it can."""
    if coupon is None or coupon.account_id not in {None, account_id} or coupon.campaign_id != campaign_id:
        return CouponUnknown(f"There is no such coupon among yours. {_NOTHING}")
    return _expired(coupon) if coupon.state in USABLE and now >= coupon.expires_at else _refusal_by_state(coupon)


def _refusal_by_state(coupon: Locked) -> Refusal | None:
    refusal: Refusal | None = None
    match coupon.state:
        case CouponState.UNUSED | CouponState.RETURNED:
            pass
        case CouponState.UNCLAIMED:
            refusal = CouponNotClaimed(
                f"Nobody has claimed this coupon yet. Claim it first. {_NOTHING}", coupon=coupon.code
            )
        case CouponState.FROZEN:
            refusal = _frozen(coupon.code, coupon.order_id)
        case CouponState.USED:
            refusal = CouponUsed(
                f"An order was paid with this coupon already. {_NOTHING}", coupon=coupon.code, order_id=coupon.order_id
            )
        case CouponState.REVOKED:
            refusal = CouponRevoked(f"This coupon was withdrawn. Our service can tell you more. {_NOTHING}")
        case CouponState.EXPIRED:
            refusal = _expired(coupon)
    return refusal


def _frozen(code: str, order_id: UUID | None) -> CouponFrozen:
    return CouponFrozen(
        f"Another order of yours has this coupon and waits for its payment. Pay it or give it up. {_NOTHING}",
        coupon=code,
        order_id=order_id,
    )


def _expired(coupon: Locked) -> CouponExpired:
    return CouponExpired(
        f"This coupon could be used before {coupon.expires_at:%Y-%m-%d %H:%M} UTC. {_NOTHING}",
        coupon=coupon.code,
        expired_at=coupon.expires_at,
    )


class Wallet:
    """Codes read and locked for one transaction: a batch of orders is decided on it, then it is frozen once."""

    def __init__(self, coupons: Mapping[str, Locked], now: datetime) -> None:
        self._coupons = dict(coupons)
        self._now = now
        self._frozen: dict[str, UUID] = {}

    def try_freeze(self, code: str, order_id: UUID, account_id: UUID, campaign_id: str) -> Refusal | None:
        """Freeze the code for an order, or return why it cannot be."""
        holder = self._frozen.get(code)
        if holder is not None and self._coupons[code].account_id == account_id:
            return _frozen(code, holder)
        refusal = refusal_of(self._coupons.get(code), account_id, campaign_id, self._now)
        if refusal is None:
            self._frozen[code] = order_id
        return refusal

    def give_back(self, code: str) -> None:
        """Undo a `try_freeze` of this transaction, for an order that was refused for another reason afterwards."""
        del self._frozen[code]

    def frozen(self) -> list[tuple[str, UUID]]:
        """Return the codes that were frozen and their orders, in the order of the codes."""
        return sorted(self._frozen.items())
