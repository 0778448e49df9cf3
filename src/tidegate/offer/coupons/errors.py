"""What coupons refuse. A refusal moves no code and counts nothing.

Refusal
├── CodeNeeded          422  the name of a coupon that is claimed, where one of its codes is needed
├── CodeMistyped        422  the check letter does not fit
├── CouponUnknown       404  no such code, or somebody else's
├── CouponNotClaimed    409  a code that nobody has claimed yet
├── CouponFrozen        409  another order has it, which waits for its payment
├── CouponUsed          409  another order was paid with it
├── CouponExpired       409  its time is over
├── CouponRevoked       409  staff withdrew it
├── TemplateUnknown     404  the current campaign has no such coupon to claim
├── ClaimsNotOpen       409  before or after the time of claims
├── ClaimsUsedUp        409  all of them are claimed
├── ClaimLimitReached   409  this account has claimed as many as it may
├── AudienceNotMet      409  it is for others
├── CodesNotLeft        409  more codes than the template may still have
├── CodesFaulty         422  a file of codes that cannot be taken
├── BatchUnknown        404  no such batch
├── BatchSizeNotValid   422  fewer or more codes than one form may make
├── BatchMadeAlready    409  the form made another batch before
├── ReasonNeeded        422  what is recorded needs a reason
└── CannotRevoke        409  an order has the code, or it ended already
"""

from typing import ClassVar

from tidegate.base.errors import Refusal


class CodeNeeded(Refusal):
    """The name of a coupon that is claimed stands where one of its codes is needed."""

    code: ClassVar[str] = "coupon-code-needed"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "Claim this coupon first"


class CodeMistyped(Refusal):
    """The letters of the code do not fit each other."""

    code: ClassVar[str] = "coupon-code-mistyped"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "Code mistyped"


class CouponUnknown(Refusal):
    """Nobody, or somebody else, has this code: which of the two is not told."""

    code: ClassVar[str] = "coupon-unknown"
    status: ClassVar[int] = 404
    title: ClassVar[str] = "Coupon not known"


class CouponNotClaimed(Refusal):
    """The code was handed out, but nobody has claimed it yet."""

    code: ClassVar[str] = "coupon-not-claimed"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "Coupon not claimed"


class CouponFrozen(Refusal):
    """Another order of the shopper has the coupon and waits for its payment; `order_id` says which."""

    code: ClassVar[str] = "coupon-frozen"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "Coupon in another order"


class CouponUsed(Refusal):
    """An order was paid with the coupon; `order_id` says which."""

    code: ClassVar[str] = "coupon-used"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "Coupon used already"


class CouponExpired(Refusal):
    """The coupon's time is over."""

    code: ClassVar[str] = "coupon-expired"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "Coupon expired"


class CouponRevoked(Refusal):
    """Staff withdrew the coupon."""

    code: ClassVar[str] = "coupon-revoked"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "Coupon withdrawn"


class TemplateUnknown(Refusal):
    """The current campaign has no such coupon to claim."""

    code: ClassVar[str] = "coupon-template-unknown"
    status: ClassVar[int] = 404
    title: ClassVar[str] = "No such coupon to claim"


class ClaimsNotOpen(Refusal):
    """It is before or after the time in which the coupon can be claimed."""

    code: ClassVar[str] = "coupon-claims-not-open"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "Not to be claimed now"


class ClaimsUsedUp(Refusal):
    """All coupons of this kind are claimed."""

    code: ClassVar[str] = "coupon-claims-used-up"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "All claimed"


class ClaimLimitReached(Refusal):
    """The account has claimed as many of this coupon as one may."""

    code: ClassVar[str] = "coupon-claim-limit-reached"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "Claimed already"


class AudienceNotMet(Refusal):
    """The coupon is for others: new or returning customers, or members."""

    code: ClassVar[str] = "coupon-audience-not-met"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "Not for this account"


class CodesNotLeft(Refusal):
    """The template may not have so many more codes; `left` says how many."""

    code: ClassVar[str] = "coupon-codes-not-left"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "Too many codes"


class CodesFaulty(Refusal):
    """A file of codes that cannot be taken; `faults` are the first ten `CodeFault`s, with their lines."""

    code: ClassVar[str] = "coupon-codes-faulty"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "Codes not taken"


class BatchUnknown(Refusal):
    """There is no such batch of codes."""

    code: ClassVar[str] = "coupon-batch-unknown"
    status: ClassVar[int] = 404
    title: ClassVar[str] = "No such batch"


class BatchSizeNotValid(Refusal):
    """So many codes cannot be made at once; `most` can."""

    code: ClassVar[str] = "coupon-batch-size-not-valid"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "Not so many at once"


class BatchMadeAlready(Refusal):
    """What was sent under this key before was something else; `codes` says how many codes it made."""

    code: ClassVar[str] = "coupon-batch-made-already"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "Form used already"


class ReasonNeeded(Refusal):
    """What is recorded needs a reason in words."""

    code: ClassVar[str] = "coupon-reason-needed"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "A reason is needed"


class CannotRevoke(Refusal):
    """An order has the code, or it ended already; `state` says where it stands."""

    code: ClassVar[str] = "coupon-cannot-be-revoked"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "Cannot be withdrawn"
