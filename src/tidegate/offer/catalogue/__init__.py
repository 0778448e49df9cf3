"""The catalogue: what the goods are - names, words, pictures, list prices - and how shoppers find them.

Words: *goods* (one product, known by its SKU), *category*, *list price* (the lawful reference price, before any offer),
*revision* (a number that moves with every change), *search index* (a copy of the goods on disk, made for searching).

Invariants, each also a constraint or a property in the tests, and a check on the live database:

- goods-complete: every goods has both languages, a category, a positive list price and a well-formed SKU.
- goods-revision: no goods carries a revision beyond the catalogue's own, so that nobody who follows revisions
  misses a change.
- search-index: the index that this machine serves holds exactly the goods on sale at the revision it names.

The index and the pictures can be made again from PostgreSQL and this code at any time; losing them loses nothing.
"""
