"""The queue: a waiting room that keeps a flood in line, draws fairly, and lets in as many as the shop can carry.

Words. A *place* is a signed statement that one account stands in line, in one session, which is the token's *device*;
it is sent in the header `Tidegate-Place`. A *lane* is a part of the line with a declared share of the admissions.
Places taken before the *sealing* are *drawn*: their order is their *rank*, a number that nobody could choose. Places
taken later are *late*: first come, first served, behind all that were drawn. A lane's *threshold* says how far it was
*called*. Who was called *comes* and *enters* with a pass; who does not come within the claim window is *skipped*, and
may *return* once.
The *slow lane* is for places that look like a program's, and for those beyond their network's number, which are late in
it from the first; its *home* is where such a place would stand without it, and stands again once it is *restored*.

Invariants.
- One live place an account, a browser and a way to pay, as far as these are known; asking again gives the same place.
- The order of calls is the published rule: no place is called before one of its lane with a lower rank or number.
- The slow lane gets at most its share while others wait, and is called no further than any other lane.
- A restored place is called no later than its rank or number is reached in its home lane.
- Nobody enters before being called, and nobody enters twice on one place.
- Those inside are never more than the cap that held when the last of them entered.
- What was sealed is never changed: seed, list and root are written once.
"""
