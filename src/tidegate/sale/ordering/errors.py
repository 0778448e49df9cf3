"""What ordering refuses. Nothing is ever ordered, held or charged by a refusal.

Refusal
├── SaleNotOpen          409  before the burst phase, or after it
├── PriceChanged         409  the price shown is not the price now
├── SlotEnded            409  the slot of a flash price ended before the order was taken
├── KeyMalformed         422  no idempotency key, or not one of the right form
├── KeyReused            422  the key belongs to an order with another body
├── AddressUnknown       422  not one of the buyer's addresses
├── OrderDenied          403  the risk station says no
├── OrderUnknown         404  no such order of this buyer
├── PaymentUnderWay      409  cancelling while a channel may still take the money
├── OrderEnded           409  nothing can be cancelled or refunded any more
├── RefundTooLarge       409  more units than were bought and kept
├── RefundChanged        409  the refund shown is not the refund now
└── RefundReasonMissing  422  staff give a reason for what they refund
"""

from tidegate.base.errors import Refusal


class SaleNotOpen(Refusal):
    """The sale has not begun, or is over; `opens_at` and `closes_at` say when it is open."""

    code = "sale-not-open"
    status = 409
    title = "The sale is not open"


class PriceChanged(Refusal):
    """The price that was shown is not the price now; `total` is the price now."""

    code = "price-changed"
    status = 409
    title = "The price has changed"


class SlotEnded(Refusal):
    """The slot of its flash price ended while the order was on its way, at `ended_at`."""

    code = "slot-ended"
    status = 409
    title = "The slot has ended"


class KeyMalformed(Refusal):
    """The idempotency key is missing or not of the right form."""

    code = "idempotency-key-malformed"
    status = 422
    title = "Idempotency key missing or malformed"


class KeyReused(Refusal):
    """The idempotency key belongs to an order that was asked for with another body."""

    code = "idempotency-key-reused"
    status = 422
    title = "Idempotency key used for another order"


class AddressUnknown(Refusal):
    """The address is not one of the buyer's."""

    code = "address-unknown"
    status = 422
    title = "Address not known"


class OrderDenied(Refusal):
    """The risk station does not let this order through."""

    code = "order-denied"
    status = 403
    title = "Order not taken"


class OrderUnknown(Refusal):
    """There is no such order of this buyer."""

    code = "order-unknown"
    status = 404
    title = "Order not known"


class PaymentUnderWay(Refusal):
    """A payment channel may still take the money."""

    code = "payment-under-way"
    status = 409
    title = "A payment is under way"


class OrderEnded(Refusal):
    """The order has ended; nothing can be cancelled or refunded any more."""

    code = "order-ended"
    status = 409
    title = "The order has ended"


class RefundTooLarge(Refusal):
    """More units than were bought and not yet given back."""

    code = "refund-too-large"
    status = 409
    title = "More than was bought"


class RefundChanged(Refusal):
    """The refund that was shown is not the refund now; `amount` is the refund now."""

    code = "refund-changed"
    status = 409
    title = "The refund has changed"


class RefundReasonMissing(Refusal):
    """Staff refund with a reason."""

    code = "refund-reason-missing"
    status = 422
    title = "Reason missing"
