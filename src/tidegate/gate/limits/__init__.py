"""Limits: how often one account, device, address or network may act, counted together by all processes.

Words: an *ask* is one act of one *asker*, who is always known by network address, by account once signed in, and by
device, which is the browser, where somebody signed in on it. A *rate limit* (stated by the campaign) counts the acts of
one kind within one scope. The *theoretical arrival time* is the one number that is kept of a subject: when its next act
would be due if all so far had come evenly (generic cell rate algorithm, ITU-T I.371 annex A).

Invariants, each held by a property in the tests against the real Valkey:

- no window of a rate limit ever admits more than its quota and its burst, whoever asks from however many processes;
- a batch decides as its asks one by one, in order, would;
- an ask that is refused uses up nothing; scopes and subjects never touch each other;
- clocks of our processes do not matter, and a clock of Valkey's that jumps back keeps nobody out for longer than an
  empty allowance does.
"""
