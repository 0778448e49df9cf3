"""Debrief: what the festival brought, against what was aimed at, from the databases.

Words: a *span* is a stretch of time of equal length that figures are added up over; an *outage* is the time in which a
payment channel answered none or few attempts; its *cost* is what would have been paid in it at the conversion outside
of it; a *finding* is a sentence that says what the figures mean.

Invariants: the sums of all spans are the totals; a goal without a measured result is neither met nor missed.
"""
