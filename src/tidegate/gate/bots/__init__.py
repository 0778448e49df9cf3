"""Bots: what a place in the queue costs a program, and how a suspicion is weighed, recorded and undone.

Words: a *challenge* is work that a browser does, or a wait that asks for no work, before it gets a queue number. An
*answer* is the work done, or the ticket of the wait. A *visit* is one request for a challenge or a place; its
*signals* are what was seen of it. A *mark* is what remains for a day of touching a *honeypot*, something that no
person sees. A *stamp* says when a page was shown. A *score* of 0 to 100 says how much speaks for a program; a
*decision* is what follows from it: lane, work and rates, never a refusal. An *undo* clears an account, and the device
it was seen on, until a moment that staff choose. A *device* is here what a browser's *traits* tell, kept as a digest:
it outlives the cookie by which identity knows the browser, and by which limits and places count.

Invariants:

- an answer is good once, for the session that it was given to, and only until it expires;
- more evidence never lowers a score, and a score decides alone: the same signals give the same decision;
- a mark stands on an account or a device, or is counted for a network; it is a reason and nothing else;
- while an undo stands, its account and device are decided as if nothing spoke against them;
- a flood of visits writes a bounded number of rows: counts a minute and kind, and a few examples.
"""
