"""Presale: goods reserved with a deposit (定金) that counts for more when the balance is paid (定金膨胀).

Words. *Reserved*: units are taken, the deposit is due. *Deposited*: the deposit is captured, the balance is due in its
window. *Completed*: the balance is captured; it is an order of the same id. *Expired*, *cancelled*: ended before any
deposit was paid. *Forfeited*: the balance was not paid in time, or the buyer gave up; the deposit is lost.
*Compensated*: the shop cannot deliver; double the deposit goes back (Civil Code, articles 586 and 587).

Invariants.
- A reservation keeps the terms under which it was made, whatever is published later.
- A reserved or deposited one holds exactly its units, out of the quota of its presale; any other holds none.
- Every captured deposit belongs to one reservation that was deposited; every captured balance to one completed.
- A deposit is applied, forfeited or given back double; once, and only one of them.
- A reservation once made is the answer to its idempotency key for ever.

- What a reservation uses of limits over the whole promotion is taken from the counters that orders use, and given
  back when it ends without being an order.

Locks are taken in this order: reservations by id, orders, intents, counters by key, stock levels by key. New counters
are written after the levels, by whoever makes a reservation: its SKU's level is nobody's but reservations'.
"""
