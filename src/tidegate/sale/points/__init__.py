"""Points: what shoppers earned and may pay with, as a ledger that is only appended to.

Words: an *account* is a shopper's balance, `available` to spend and `held` by orders that wait for payment; an *entry*
is one movement of it. Points are held with the order, spent once it is paid, released when it ends unpaid; earned with
the payment, and after a refund given back and taken back with its part.

Invariants: neither part of a balance is ever negative; each balance is the sum of its entries; an order holds, spends,
releases and earns at most once each, and spends or releases exactly what it held.
"""
