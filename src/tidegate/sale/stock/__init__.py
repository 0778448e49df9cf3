"""Stock: how many units of each SKU a campaign may sell, and who holds them.

Words. *Loaded*: the units given to a campaign. *Missing*: loaded, but a count did not find them. *Held*: promised to an
order that is not paid yet. *Sold*: of paid orders. *Free*: the rest. *Later*: of paid orders, to come from a later
delivery. *Short*: promised beyond what is there, until orders give so many up. A *hold* is an order's claim on units of
one SKU; it ends exactly once.

Invariants.
- free + held + sold + missing = loaded + short for every SKU, none is ever negative, and while any are short, none is
  free: a unit that comes back closes the gap.
- Held is the sum of the holds that are held; sold is the sum of the holds that are sold, less what came back or comes
  later.
- A hold ends once: sold or released. Units that come back are free again in the same transaction.

Locks are always taken on levels in the order of campaign and SKU, after those on orders, intents and counters.
"""
