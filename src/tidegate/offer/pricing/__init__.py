"""Pricing: what an order costs, step by step, and the counters of what is limited.

Words: a *cart* is priced by a *rule set*, compiled from one published campaign version, with the *facts* that are
known of the shopper and the moment, into a *priced order* of *lines*, *steps*, *reductions*, *gifts* and *counter
uses*. A *share* is what one unit was paid with, fixed at purchase. Who *bears* a reduction pays for it. The
*regret* of an order is the most by which another combination of promotions could have been better.

Invariants:
- the steps of an order add up to its total, and the shares of a line's units to what the line is paid with;
- each line's part of a reduction is between 0 and what the line has above its floor, whatever the number of lines;
- the parts of a reduction's lines, and those of its bearers, add up to it;
- the same cart in any order, by the same rules and facts, gives the same priced order and the same trace hash;
- what comes back for returned units is the same in all, in whatever order they are returned;
- a counter is never negative and never beyond its cap, with any number of buyers at once.

All but the last are Hypothesis properties, the last one a constraint, a test of 64 buyers, and a check on the live
system. The price engine does no I/O and knows no time. Its way: `rules` (the door) - `carts` (offers of the goods)
- `engine` (the course of it) - `matching` (what facts and counters allow) - `kernel` (the door to `native/`, in C,
which decides and writes down) - `tracing`, `hinting`; `compiling` makes the `book` of rules once, `benefits` knows each
kind of reduction. The counters' protocol is described in `store`.
"""
