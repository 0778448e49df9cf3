"""Takes each order's money once, through channels that may fail, and gives back what is owed.

Words
    intent       what one order has to pay; it ends captured or closed
    attempt      one try to charge an intent at one channel; its id is our reference at the channel
    outstanding  an attempt whose outcome is not known yet: started, pending or unknown
    capture      the channel has the buyer's money
    surplus      money that arrived for an intent that could not use it; it is refunded by itself
    refund       money on its way back, repeated under one reference until the channel confirms it
    deposit      paid before goods are ordered; owed to the buyer until it is applied to a price or forfeited
    compensation our own money, paid through a channel to whoever paid an attempt, beyond what was charged
    transfer     one row of the ledger: an amount from a credited to a debited account
    discrepancy  something a channel said that does not fit our books; recorded, never applied
    statement    a channel's own list of what it charged and refunded
    settlement   what staff decided about a charge of another amount than was asked

Invariants
    - An intent has at most one outstanding attempt, and at most one captured attempt.
    - An outcome that is not known is asked for, then closed at the channel; only a closed, refused or never sent
      attempt makes room for the next one. Nothing is guessed.
    - An intent with an outstanding attempt is `confirming` or captured; `close_intents` leaves it alone.
    - Each capture and each confirmed refund stands in the ledger exactly once; debits equal credits by construction.
    - No attempt is refunded beyond what was taken; surplus money is always on its way back.
    - A charge of another amount is never applied by itself; once staff settled it, all of it is in the ledger.
    - A deposit is applied or forfeited at most once; an attempt is compensated with at most its amount.
    - The same answer or callback again, late or out of order, changes nothing.
"""
