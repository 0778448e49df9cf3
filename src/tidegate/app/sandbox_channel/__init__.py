"""A payment channel of our own to practise on: a process of its own, with its own books, and faults to order.

It stands for an outside system. It knows nothing of Tidegate's modules; the two meet only over HTTP.

Words
    charge     money taken under the merchant's attempt id; pending, succeeded, refused or closed
    refund     money given back under the merchant's refund id
    statement  the succeeded charges and refunds, in the order in which they were booked
    callback   a signed message about a change, repeated until the merchant answers 2xx
    fault      something that goes wrong on purpose, ordered through the admin port

Invariants
    - What was answered with success is in the books, also after `kill -9` at any moment (SQLite, synchronous=FULL).
    - One attempt id is charged at most once, whatever is repeated; one refund id is given back at most once.
    - A closed attempt never charges, also when the close came before the charge.
    - No charge is refunded beyond its amount.
"""
