"""Stock: how many units of each SKU a campaign may sell, and who holds them.

Words. *Loaded*: the units given to a campaign. *Held*: promised to an order that is not paid yet. *Sold*: of paid
orders. *Free*: the rest. A *hold* is an order's claim on units of one SKU; it ends exactly once.

Invariants.
- free + held + sold = loaded for every SKU, and none is ever negative.
- Held is the sum of the holds that are held; sold is the sum of the holds that are sold, less what came back.
- A hold ends once: sold or released. Units that come back are free again in the same transaction.

Locks are always taken on levels in the order of campaign and SKU, after those on orders, intents and counters.
"""
