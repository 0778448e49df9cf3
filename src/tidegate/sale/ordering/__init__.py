"""Ordering: from a wish to a durable order, and what becomes of it.

Words. *Placed*: taken, not paid. *Paid*: its money is captured. *Expired*: not paid in time. *Cancelled*: given up
before payment. *Refunding*, *refunded*: its money is on the way back, is back.
The *hot lane* takes orders in batches: whatever waits while one batch commits forms the next.

Invariants.
- Every acknowledged order exists exactly once; every existing order was asked for.
- An order once placed is the answer to its idempotency key for ever; with another body the key is refused.
- The price charged is the price shown at placing.
- A placed order holds exactly its units; a paid one has sold them; any other holds nothing.
- A paid order has one captured payment of its total.
- What has gone back of an order is a function of which of its units are back, and of what was given back for units
  that stay sold; never more than was paid. Payment has the same refunds.
- Limits and coupon quotas hold across all orders of a campaign.
- A claimed coupon is frozen by at most one placed order, or used by one paid order, and by no other.

Locks are taken in this order: orders by id, intents, counters by key, claimed coupons by code and their templates,
stock levels by key.
"""
