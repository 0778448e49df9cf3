"""Price protection (价保): who paid more for goods than they cost today gets the difference, for so many days.

Words. The *promise* is what the campaign version that priced an order says: for how long, for which goods. A *look*
compares each kept line with today's price of the same goods in the same quantity for the same buyer, both after every
reduction was split over the lines. A *grant* is a difference that was given back, with the traces of both prices.

Invariants.
- Every grant is one refund of money alone, and every such refund is one grant; its units stay sold.
- A difference is given once: what was given lowers what the units had paid, for the next look and for their return.
- Nobody gets more back than was paid in money.

Locks: the order, then what payment locks; see ordering.
"""
