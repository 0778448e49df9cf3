"""Law: what the law says of a campaign before it is published.

Words: an *act* is a law as a dated data file in `acts/`; it holds *articles*, each with its figures, its dates in
force, where its text stands, how that text was read, a severity, and the name of the *check* that judges it. A
*jurisdiction* is whose acts apply; the campaign's currency decides it. A *finding* is one article broken in one place.
A *waiver* lets the warnings of one article pass, by a named person, with a reason, for one content.

Invariants:
- a publication with a blocking finding, or with a warning that nobody waived, does not happen;
- a waiver has a name and a reason, belongs to one content, and is never changed or deleted;
- every article names a check that exists, and the figures that this check needs.

The first is held by `Campaign.publish`, the second by constraints and a trigger, the third by `read_acts` at start.
The list for people is docs/law.md; `tidegate law list` exports it from the same files.
"""
