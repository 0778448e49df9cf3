"""What goes over the channel's wires. Amounts are integers of the minor unit; times are milliseconds since 1970."""

from typing import Annotated, Literal

import msgspec

ChargeState = Literal["pending", "succeeded", "refused", "closed"]
Reference = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z-]{1,64}$")]
Amount = Annotated[int, msgspec.Meta(ge=1, le=10**12)]
Currency = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$")]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=120_000)]


class ChargeOrder(msgspec.Struct, frozen=True, kw_only=True):
    """The merchant asks for a charge; `subject` is what it is for, so that books can be compared by order."""

    attempt_id: Reference
    amount: Amount
    currency: Currency
    subject: Annotated[str, msgspec.Meta(max_length=64)] = ""
    callback_url: Annotated[str, msgspec.Meta(max_length=256, pattern=r"^(https?://.+)?$")] = ""


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """A charge as the books hold it."""

    attempt_id: str
    charge_id: str
    amount: int
    currency: str
    subject: str
    state: ChargeState
    reason: str
    created_ms: int
    changed_ms: int
    payer: str = ""
    """Which payment account it was paid from, where the channel tells that."""


class RefundOrder(msgspec.Struct, frozen=True, kw_only=True):
    """The merchant asks for money to be given back."""

    refund_id: Reference
    attempt_id: Reference
    amount: Amount
    currency: Currency
    callback_url: Annotated[str, msgspec.Meta(max_length=256, pattern=r"^(https?://.+)?$")] = ""


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """A refund as the books hold it."""

    refund_id: str
    attempt_id: str
    amount: int
    currency: str
    state: Literal["succeeded", "refused"]
    reason: str
    created_ms: int


class StatementLine(msgspec.Struct, frozen=True, kw_only=True):
    """One booked movement; `line` ascends, and a page ends where the next begins."""

    line: int
    kind: Literal["charge", "refund"]
    reference: str
    attempt_id: str
    subject: str
    amount: int
    currency: str
    booked_ms: int


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the statement; `next_line` is where the following page begins, or None at the end."""

    lines: tuple[StatementLine, ...]
    next_line: int | None


class Callback(msgspec.Struct, frozen=True, kw_only=True):
    """A message about a change: of a charge or of a refund."""

    event: str
    charge: Charge | None = None
    refund: Refund | None = None


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A callback on its way: where to, what, when to try next, how often it was tried."""

    letter_id: int
    url: str
    body: bytes
    due_ms: int
    tries: int


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Sums of the books. `charged_twice` counts subjects with more than one succeeded charge not given back."""

    charges: int
    charged: int
    refunds: int
    refunded: int
    pending: int
    closed: int
    refused: int
    charged_twice: int
    letters: int


class Faults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goes wrong on purpose. Shares are of requests or callbacks, drawn from `seed` and the reference."""

    seed: int = 1
    slow_ms: Milliseconds = 0
    slow_share: Share = 1.0
    error_share: Share = 0.0
    """Answered 500 before anything was done."""
    error_after_share: Share = 0.0
    """Done, then answered 500."""
    timeout_share: Share = 0.0
    """Done, then never answered."""
    refuse_share: Share = 0.0
    """Charges refused for want of funds."""
    outage: Literal["none", "refused", "503", "declared"] = "none"
    """Nobody listens; or 503 from a stranger; or 503 signed by the channel, saying that nothing was processed."""
    answer: Literal["succeeded", "pending"] = "succeeded"
    confirm_ms: Milliseconds = 200
    """After this long a pending charge succeeds."""
    duplicate_share: Share = 0.0
    lost_share: Share = 0.0
    """Callbacks that are never sent."""
    shuffle_ms: Milliseconds = 0
    """Callbacks are late by up to this long, each on its own, and an old 'pending' is sent as well."""
    wrong_amount_share: Share = 0.0
    """Callbacks that name an amount one larger."""
    charge_more: Annotated[int, msgspec.Meta(ge=-(10**9), le=10**9)] = 0
    """Charges are taken at so many minor units more than was asked, or less: in the books, too."""
    payers: Annotated[int, msgspec.Meta(ge=0, le=10**9)] = 0
    """From how many payment accounts people pay, each subject from one drawn for it; 0: the channel does not tell."""
    close_ignored: bool = False
    """A channel that breaks its word: a pending charge that was closed succeeds all the same."""
