"""A shopper's words as a tantivy query: exact before prefix before typo, names before descriptions, SKU first of all.

Queries are built from terms, never parsed from the shopper's text: operators, quotes and brackets in it mean nothing.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from tantivy import Occur, Query, Schema

from tidegate.offer.catalogue.contracts import Match
from tidegate.offer.catalogue.words import Wanted, joinings, pairs_of, typos_allowed

# One word of a query scores by the best way in which it was found. The steps are wide enough that how often a
# word stands in a text (BM25, added below at a fraction of its weight) only orders goods within one step.
NAME_EXACT: Final = 16.0
NAME_PREFIX: Final = 9.0
TEXT_EXACT: Final = 5.0
NAME_JOINED: Final = 4.0
TEXT_PREFIX: Final = 3.0
NAME_TYPO: Final = 2.0
TEXT_TYPO: Final = 1.0
SKU_EXACT: Final = 1000.0
SKU_PREFIX: Final = 100.0
BM25_SHARE: Final = 0.3

_PREFIX_LENGTH_MIN: Final = 2
_SKU_PREFIX_LENGTH_MIN: Final = 3


def build(schema: Schema, typed: str, asked: Sequence[Wanted], match: Match) -> Query:
    """The query for one step of the ladder: EXACT, then SIMILAR (typos), then PARTIAL (most words)."""
    lone = len(asked) == 1
    parts = [_part(schema, each, match, lone=lone) for each in asked]
    if match is Match.PARTIAL:
        fewest = max(1, len(parts) // 2)
        # A long word tells more about what is wanted than a short one or a size.
        weighed = [Query.boost_query(part, _telling(each)) for part, each in zip(parts, asked, strict=True)]
        found = _some(weighed, fewest)
    else:
        joined = [_all([_part(schema, each, match, lone=False) for each in other]) for other in joinings(asked)]
        found = _some([_all(parts), *joined], 1) if joined else _all(parts)
    return _with_sku(schema, typed, _with_frequency(schema, asked, found))


def _telling(each: Wanted) -> float:
    return min(1.0, len(each.text) / (3 if each.run else 6))


def _part(schema: Schema, each: Wanted, match: Match, *, lone: bool) -> Query:
    if each.run:
        return _run(schema, each.text, match)
    ways = [_const(_term(schema, "name", each.text), NAME_EXACT), _const(_term(schema, "text", each.text), TEXT_EXACT)]
    if len(each.text) >= _PREFIX_LENGTH_MIN or lone:
        ways.append(_const(_fuzzy(schema, "name", each.text, 0), NAME_PREFIX))
        ways.append(_const(_fuzzy(schema, "text", each.text, 0), TEXT_PREFIX))
        ways.append(_const(_fuzzy(schema, "joined", each.text, 0), NAME_JOINED))
    typos = typos_allowed(each.text)
    if match is not Match.EXACT and typos:
        ways.append(_const(_fuzzy(schema, "name", each.text, typos), NAME_TYPO))
        ways.append(_const(_fuzzy(schema, "text", each.text, typos), TEXT_TYPO))
    return Query.disjunction_max_query(ways)


def _run(schema: Schema, run: str, match: Match) -> Query:
    """A run of Chinese: in the name for choice, else anywhere."""
    return Query.disjunction_max_query(
        [
            Query.boost_query(_run_in(schema, "name", run, match), NAME_EXACT),
            Query.boost_query(_run_in(schema, "text", run, match), TEXT_EXACT),
        ]
    )


def _run_in(schema: Schema, field: str, run: str, match: Match) -> Query:
    """EXACT: all characters and most pairs. SIMILAR: half the characters, a third of the pairs. PARTIAL: any pair."""
    share = 1.0 / len(run)
    characters = [_const(_term(schema, field, each), share / 2) for each in run]
    pairs = [_const(_term(schema, field, each), share) for each in pairs_of(run)]
    match match:
        case Match.EXACT:
            return _all([*characters, _some(pairs, -(-len(pairs) * 3 // 5))] if pairs else characters)
        case Match.SIMILAR if pairs:
            return _all([_some(characters, -(-len(characters) // 2)), _some(pairs, max(1, len(pairs) // 3))])
        case _:
            return _some(pairs or characters, 1)


def _with_frequency(schema: Schema, asked: Iterable[Wanted], found: Query) -> Query:
    """Order goods within one step: rare words and short names first (BM25)."""
    terms = [
        _term(schema, "name", text) for each in asked for text in (each.run and pairs_of(each.text)) or [each.text]
    ]
    weighed = [(Occur.Should, Query.boost_query(term, BM25_SHARE)) for term in terms]
    return Query.boolean_query([(Occur.Must, found), *weighed])


def _with_sku(schema: Schema, typed: str, found: Query) -> Query:
    sku = typed.strip().lower()
    ways = [(Occur.Should, found), (Occur.Should, _const(_term(schema, "sku_folded", sku), SKU_EXACT))]
    if len(sku) >= _SKU_PREFIX_LENGTH_MIN:
        ways.append((Occur.Should, _const(_fuzzy(schema, "sku_folded", sku, 0), SKU_PREFIX)))
    return Query.boolean_query(ways)


def _term(schema: Schema, field: str, text: str) -> Query:
    return Query.term_query(schema, field, text)


def _fuzzy(schema: Schema, field: str, text: str, typos: int) -> Query:
    return Query.fuzzy_term_query(schema, field, text, distance=typos, transposition_cost_one=True, prefix=True)


def _const(query: Query, score: float) -> Query:
    return Query.const_score_query(query, score)


def _all(queries: Sequence[Query]) -> Query:
    return Query.boolean_query([(Occur.Must, query) for query in queries])


def _some(queries: Sequence[Query], fewest: int) -> Query:
    return Query.boolean_query([(Occur.Should, query) for query in queries], minimum_number_should_match=fewest)
