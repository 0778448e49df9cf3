"""Pricing: what an order costs, step by step, and the counters of what is limited.

Words: a *cart* is priced by a *rule set*, compiled from one published campaign version, into a *priced order* of
*lines*, *steps* and *counter uses*. A *share* is what one unit was paid with, fixed at purchase.

Invariants:
- the steps of an order add up to its total, and the shares of a line's units to what the line is paid with;
- each line's part of a discount is between 0 and the line's price, whatever the number of lines;
- the same cart in any order, by the same rules, gives the same priced order and the same trace hash;
- a counter is never negative and never beyond its cap, with any number of buyers at once.

The first three are Hypothesis properties, the last one a constraint, a property, and a check on the live system.
The price engine (`rules`) does no I/O and knows no time; the counters' protocol is described in `store`.
"""
