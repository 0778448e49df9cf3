"""The shop as people see it: pages of the campaign, its goods, buying, orders, and the rules in the open.

Every page works without a script. What is the same for everyone is rendered once in two seconds and validated by its
ETag; what is personal is never kept. Forms answer with 303, carry an idempotency key where they order something, and
are taken only from our own pages.
"""
