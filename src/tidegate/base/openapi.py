"""What doors say alike in their document (OpenAPI): the refusals that they may give, and the header of a key."""

from typing import Any

from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter

from tidegate.base.errors import Refusal
from tidegate.base.http import KEY_PATTERN, PROBLEM, Problem

_ALWAYS = {
    400: "`request-malformed`: the request cannot be read",
    422: (
        "`request-not-valid`: a field is missing, of the wrong type or out of range. "
        "`text-not-allowed`: a text holds a character that cannot be kept"
    ),
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


def key_header(thing: str) -> Any:
    """Return the parameter of the header Idempotency-Key, for a door that makes one `thing` for each key."""
    return Parameter(
        header="Idempotency-Key",
        pattern=KEY_PATTERN,
        description=f"New for each {thing}; the same when it is asked for again, which then gives the same answer.",
        schema_extra={"examples": [f"018f-3f6a-one-{thing}"]},
    )
