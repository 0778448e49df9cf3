"""Rehearsal: the system is tried before the day, with a real shop's order log and with a flood of simulated shoppers.

Words: a *log* is a file of order lines that a shop really had; its *invoice* becomes one order (or several, when it has
more lines than an order may have); a *cancellation* in the log undoes units of an earlier invoice. What cannot be an
order is *left out*, with its reason and its money. The *flood* is many *shoppers* at once; its *journal* names every
order that the system acknowledged. In a waiting room each account's *journey* tells how it came through the line, and
a *bot farm* is one operator's many accounts; a *group* gets a *fair share* when each of its persons gets as many units
of what all want as the persons in the draw did.

Invariants: log money = money sent + money left out, to the last fraction; money sent = money in the books; every
acknowledged order of a journal exists exactly once, with the total that was acknowledged.
"""
