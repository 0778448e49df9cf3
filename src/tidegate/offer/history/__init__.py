"""History: what every product was offered and sold for, kept so that nobody can change it afterwards.

Words: an *entry* is one fact about a price. Of kind *offered*, *list* or *reachable* (the lowest price to which any
stack of promotions can bring one unit) it holds from its moment on, until its end or until a later entry takes its
place; of kind *deal* it says how many units were paid with that price, after all reductions were split over them.
An entry belongs to a SKU, the shop that sells it, and a *place*: the jurisdiction whose buyers it is sold to.

Invariants:
- entries are only ever appended: the database refuses update, delete and truncate;
- they are numbered without gaps, and each carries the hash of the one before it, so that a change shows;
- every paid unit is in exactly one deal, that of a group once it fills; the same import file is taken once;
- nothing deletes them: E-Commerce Law of China, article 31, asks for three years at least.

The first is a trigger, the second a constraint and `PriceHistory.check`, the third the outbox's cursor and a unique
key.
"""
