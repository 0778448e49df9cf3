"""Repricing: any order can be priced again, later and by anybody, from what it keeps and the rules version it names.

Words. A *making* is the way in which an order came to its price: by the offers and promotions of its version, as one
of a group, or as a reservation with a deposit. *The same* means: lines, gifts, sums and the hash of the trace.

Invariants.
- Rules are immutable once published, and an order keeps the facts it was priced with: it comes to the same cent always.
- Nothing is written here.
"""
