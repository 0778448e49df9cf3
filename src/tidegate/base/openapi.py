"""What a door's document (OpenAPI) says of the refusals that it may give."""

from litestar.openapi.datastructures import ResponseSpec

from tidegate.base.errors import Refusal
from tidegate.base.http import PROBLEM, Problem

_ALWAYS = {
    400: "`request-malformed`: the request cannot be read",
    422: "`request-not-valid`: a field is missing, of the wrong type or out of range",
    429: "`rate-limit-reached`: asked too often",
    500: "`fault`: something broke on our side",
    503: "`overloaded`, `database-unavailable`: too busy, or a component is away; try again",
}


def refuses(*refusals: type[Refusal]) -> dict[int, ResponseSpec]:
    """Return what a door's document says of these refusals and of those that every door may give, by status."""
    told: dict[int, list[str]] = {}
    for refusal in refusals:
        told.setdefault(refusal.status, []).append(f"`{refusal.code}`: {refusal.title}")
    for status, words in _ALWAYS.items():
        told.setdefault(status, []).append(words)
    return {
        status: ResponseSpec(Problem, generate_examples=False, description=". ".join(words) + ".", media_type=PROBLEM)
        for status, words in sorted(told.items())
    }
