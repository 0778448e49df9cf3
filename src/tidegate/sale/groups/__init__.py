"""Group buying: a price that holds when so many buyers pay for it in time, and is refunded to all when they do not.

Words. *Group*: so many places at one product's group price; *forming* until all places are paid (*filled*) or its time
is over (*failed*). *Seat*: a buyer's place in one group, with an own order. It is *taken* while that order waits for
payment, *paid* until the group's end, then *confirmed* or *refunded*; *left* when its order ended before.

Invariants.
- A buyer has one seat at most in a group that is taken, paid or confirmed; a group has never more of these than places.
- A filled group has exactly its size of confirmed seats, all confirmed in one transaction; nobody else's is.
- Every paid order at a group price has a seat, or is refunded; in a failed group all are refunded, each once.
- Until its seat is confirmed an order at a group price waits with its fulfilment.

What becomes of a group is decided by looking at its orders, locked, whenever one of them moved or its time is over:
so events that come late, twice or in another order change nothing. Locks: groups by id, seats, then as in ordering.
"""
