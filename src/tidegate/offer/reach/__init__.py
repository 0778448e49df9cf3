"""Reach: the lowest price to which each product can be brought, and the cart that reaches it.

Words: a *lever* is anything that lowers a price from some amount or number of pieces on: a coupon or a promotion. A
*situation* is who buys and what he shows: a coupon, a member's tier. The *lowest price* of a product is the least
that any unit of it is paid with, over all carts and situations that were tried. The *worth* of what comes with a unit
is its part of the gifts, at the value that a refund reckons them with, and of earned points, at what they pay.

All ways to buy are looked at: offers with everything that lowers them, presales (deposit and balance, whatever the
deposit counts for), and groups. Floors are held against the price, as the engine holds them; that the price less the
worth lies under one is told. Costs are held against the price less what the gifts cost and the points pay.

The search prices carts with the engine that prices orders, so what it shows can really be bought. It tries the
product alone in every quantity at which something begins to apply, and with every kind of filler that brings a cart
just over a threshold; on small catalogues a test compares it with all carts there are. It is a search, not a proof:
a lower price than the one shown may exist where several thresholds of different goods must be met at once.

No state, no I/O.
"""
