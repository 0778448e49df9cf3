"""What payment refuses.

Refusal
├── IntentUnknown         404  no such payment, or not this buyer's
├── IntentNotPayable      409  closed or expired
├── AttemptsExhausted     409  tried too often
├── ChannelUnknown        404  no channel of that name
├── NoChannelAvailable    503  every channel is failing at present
├── CallbackNotSigned     401  a callback without a valid, fresh signature
├── CallbackMalformed     422  a signed callback that cannot be read
├── NothingCaptured       409  a refund of an intent that was not paid
├── RefundExceedsCapture  409  a refund beyond what was captured and not yet given back
├── ChannelSilent         503  a channel did not answer a request that changes nothing
├── RefundNotRefused      409  only a refused refund is sent again by hand
├── NothingToSettle       409  no charge of another amount waits for a person
├── ChargeChanged         409  the channel says another amount than was shown
└── CannotAccept          409  less than the price cannot pay for it
"""

from tidegate.base.errors import Refusal


class IntentUnknown(Refusal):
    """No such payment, or not this buyer's."""

    code = "payment-unknown"
    status = 404
    title = "Payment not known"


class IntentNotPayable(Refusal):
    """The payment is over: closed or expired."""

    code = "payment-over"
    status = 409
    title = "Nothing to pay any more"


class AttemptsExhausted(Refusal):
    """The payment was tried as often as is allowed."""

    code = "attempts-exhausted"
    status = 409
    title = "Too many attempts"


class ChannelUnknown(Refusal):
    """No channel of that name is configured."""

    code = "channel-unknown"
    status = 404
    title = "Payment channel not known"


class NoChannelAvailable(Refusal):
    """Every channel is failing at present."""

    code = "no-channel-available"
    status = 503
    title = "No payment channel available"


class CallbackNotSigned(Refusal):
    """The callback does not carry a valid and fresh signature of the channel."""

    code = "callback-not-signed"
    status = 401
    title = "Signature not valid"


class CallbackMalformed(Refusal):
    """The callback is signed but cannot be read."""

    code = "callback-malformed"
    status = 422
    title = "Callback cannot be read"


class NothingCaptured(Refusal):
    """There is no captured money to give back."""

    code = "nothing-captured"
    status = 409
    title = "Nothing was paid"


class RefundExceedsCapture(Refusal):
    """The refund is larger than what was captured and not yet given back."""

    code = "refund-exceeds-capture"
    status = 409
    title = "Refund too large"


class ChannelSilent(Refusal):
    """A channel did not answer a request that changes nothing."""

    code = "channel-silent"
    status = 503
    title = "The payment channel does not answer"


class RefundNotRefused(Refusal):
    """Only a refund that its channel refused is sent again by hand."""

    code = "refund-not-refused"
    status = 409
    title = "The refund was not refused"


class NothingToSettle(Refusal):
    """No charge of another amount than was asked waits here for a person."""

    code = "nothing-to-settle"
    status = 409
    title = "Nothing to settle"


class ChargeChanged(Refusal):
    """The channel says another amount than was shown; `taken` is what it says now."""

    code = "charge-changed"
    status = 409
    title = "The charge is not the one that was shown"


class CannotAccept(Refusal):
    """A charge of less than the price cannot pay for it."""

    code = "cannot-accept"
    status = 409
    title = "Less than the price"
