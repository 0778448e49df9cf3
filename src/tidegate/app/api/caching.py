"""Who may keep an answer: each says so itself; one that says nothing is nobody's to keep.

A page or snapshot that is the same for everyone states `public` where it is made; all else may be somebody's own.
"""

_CACHE_CONTROL = b"cache-control"
_FOR_EVER = b"immutable"
_PRIVATE = (_CACHE_CONTROL, b"private, no-store")


def private_unless_stated(headers: list[tuple[bytes, bytes]]) -> None:
    """Add `private, no-store` to an answer's raw headers where they do not state Cache-Control."""
    if all(name.lower() != _CACHE_CONTROL for name, _ in headers):
        headers.append(_PRIVATE)


def tag_pages(headers: list[tuple[bytes, bytes]], tag: tuple[bytes, bytes] | None) -> None:
    """Add `tag` to an answer's raw headers where it is for everyone and says something else once it is published anew.

    What is kept for good is not tagged: nobody ever has to forget it.
    """
    if tag is None:
        return
    stated = next((value for name, value in headers if name.lower() == _CACHE_CONTROL), b"")
    if b"public" in stated and _FOR_EVER not in stated:
        headers.append(tag)
