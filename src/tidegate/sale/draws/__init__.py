"""Prize draws: an entry for each paid order, drawn from a list and a seed that are fixed before they meet.

Words. *Draw*: prizes with their conditions, as the campaign states them, kept as they were when it was opened.
*Entry*: one paid order that meets the conditions; its *serial* is its place in the sealed list. *Winner*: an entry
that won a prize. *Award*: a prize with its winner: unclaimed, due to be given, given, or forfeited.

Invariants.
- The seed's hash is public from the opening on, the root of the sealed list before the seed is: both stand for ever.
- A draw's conditions and prizes are those of its opening, whatever is published later.
- The winners are those that seed, root and list give: at most as many as there are prizes, one prize an account.
- An award is claimed once, by its winner only, and given or forfeited once; it is forfeited only where it was not
  claimed in the time that its draw states.
- Rows are never changed once written, and none is deleted.
"""
