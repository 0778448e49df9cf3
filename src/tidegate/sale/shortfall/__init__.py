"""Shortfall: the warehouse has fewer units than were sold; who goes without is decided by a rule, and told.

Words. An *act* states that so many units of one SKU are not there, and the *remedy* for paid orders: *refund*, or
*later* with the day of a later delivery. A *line* says what became of units of one order: *released* (unpaid, the order
was given up), *refunded*, or *later*, which its buyer may *decline* for a refund.

The rule, as published (docs/shortfall.md): free units go first. Then unpaid orders are given up, the newest first; one
whose payment is under way is waited for. Then paid orders, the latest paid first. Whoever paid earlier is served.

Invariants.
- From the transaction of the act on, nothing that is not there is sold; the same act sent again is the same act.
- What acts say is missing is what stock counts as missing.
- Each refund for a shortfall is one line, and each refunded or declined line is one such refund.
- Whatever comes later was told to its buyer with a day.
- What is short is settled within a minute, but for payments under way; what only reservations are promised waits for
  staff, as their deposits go back double.

Locks: in the act one level; in settling orders by id, levels by key, then what refunds lock; see ordering.
"""
