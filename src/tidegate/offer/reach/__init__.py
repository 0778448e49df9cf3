"""Reach: the lowest price to which each product can be brought, and the cart that reaches it.

Words: a *lever* is anything that lowers a price from some amount or number of pieces on: a coupon or a promotion. A
*situation* is who buys and what he shows: a coupon, a member's tier. The *lowest price* of a product is the least
that any unit of it is paid with, over all carts and situations that were tried.

The search prices carts with the engine that prices orders, so what it shows can really be bought. It tries the
product alone in every quantity at which something begins to apply, and with every kind of filler that brings a cart
just over a threshold; on small catalogues a test compares it with all carts there are. It is a search, not a proof:
a lower price than the one shown may exist where several thresholds of different goods must be met at once.

No state, no I/O.
"""
