"""Defence: attack mode for traffic. It comes on by itself when an attack shows, and goes off by itself when it ends.

Words: a *signal* is what an attack shows in (requests, failures, failed sign-ins, failed payments, new devices). A
*rule* of the campaign says at which *threshold* of its trigger and of a second signal its *defence* starts. It *stays*
at least a while, ends when it is *calm*, and *expires* in any case. An *undo* by staff ends it and keeps it off.

Invariants:

- a defence starts by itself only where both signals agree, and never while an undo holds;
- what started by itself does not end by itself before its minimum stay, and ends at the latest when it expires;
- a defence is on if and only if the last thing on record about it is that it started; the record is never changed.
"""
