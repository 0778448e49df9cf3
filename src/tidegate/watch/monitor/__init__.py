"""Watches the running festival: what is traded each second, how fast it is answered, and whether every invariant holds.

Words. A *figure* is one number that the team steers by, with its goal and state. A *state* is good, watch or act;
silent where nothing can be said. A *sample* is everything measured in one second. A *station* is a place on the way of
an order. An *announcement* is a line of the feed: what changed, and what to do. The *doctor* runs all modules' checks.

Invariants. The trade figures equal the events that the outbox delivered: each event is counted once, because figures
and cursor move in one transaction. Minutes equal the sum of their seconds. Losing Valkey loses the last hour's charts
and nothing else; the present figures stand in PostgreSQL.
"""
