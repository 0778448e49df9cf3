"""Trust: who is it, and may we believe them? Accounts, sessions, staff and their permissions."""
