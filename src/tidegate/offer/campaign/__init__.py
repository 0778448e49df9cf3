"""Campaign: a shopping festival as data - theme, audience, four phases, goals, offers, coupons, limits, rules in words.

Words: a campaign manager writes a *definition* (a file under version control), *checks* it, and *publishes* it as an
immutable *version*. The last published version is the *current* one; every process takes it up within seconds.

Invariants:
- a version never changes and is never deleted, and its number follows the one before without a gap;
- the same content is the same version: its SHA-256 is that of the definition's canonical JSON;
- a definition with a fault is never published, and every fault is named with file, line and words;
- the current version is the one that was published last.

The first is a trigger and a primary key, the second a unique constraint; `Campaign.check` looks at both live.
"""
