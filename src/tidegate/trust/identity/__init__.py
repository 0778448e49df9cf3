"""Identity: who is asking, and what that person may see and do.

Words: an *account* is a shopper, known by a phone number that is sealed at rest and found by a blind index. A *code*
is six digits sent by SMS, good for one sign-in. A *session* is one sign-in on one device; its *token* is signed and
checked without I/O. *Staff* have a *role*, and a role has *permissions*. A *view* is a recorded look at personal data.

Invariants, each held by the schema, by a property in the tests, and by `Identity.check` on the live database:

- one account for one phone number, and a sealed number opens to the number that its blind index names;
- a code opens at most one session, within its five minutes and its five tries;
- a session ends exactly once: by its own end or by being revoked, whichever is first, and never comes back;
- an account remembers at most 20 addresses and has at most 20 open sessions;
- the records of looks at personal data and of changes to segments can be added to, never changed or shortened.
"""
