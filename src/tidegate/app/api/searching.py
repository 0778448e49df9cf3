"""The quick door of the search: plain searches, answered before the framework; the same words again, from memory."""

from collections import OrderedDict
from urllib.parse import parse_qs

from tidegate.app.api.shedding import Answer
from tidegate.base.http import matches
from tidegate.offer.catalogue.api import Catalogue
from tidegate.offer.catalogue.contracts import PAGE_LIMIT_MAX, QUERY_LENGTH_MAX
from tidegate.offer.catalogue.http import SEARCH_CACHE, search_body

_REMEMBERED_MAX = 500
_LIMITS = frozenset(map(str, range(1, PAGE_LIMIT_MAX + 1)))
_LIMIT_UNASKED = "24"

Asked = tuple[str, int]


class SearchDoor:
    """Answers what `GET /api/v1/search` answers, as long as only words and a limit are asked for."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._remembered: OrderedDict[Asked, tuple[bytes, str]] = OrderedDict()
        self._index: object = None

    def answer(self, asked: Asked, if_none_match: str) -> Answer:
        """Return the answer to what `plainly_asked` read."""
        body, etag = self._found(asked)
        headers = [(b"cache-control", SEARCH_CACHE.encode()), (b"etag", etag.encode())]
        if matches(if_none_match, etag):
            return 304, headers, b""
        return 200, [(b"content-type", b"application/json"), *headers], body

    def _found(self, asked: Asked) -> tuple[bytes, str]:
        if self._index != self._catalogue.index:
            self._remembered.clear()
            self._index = self._catalogue.index
        found = self._remembered.get(asked)
        if found is None:
            found = self._remembered[asked] = search_body(self._catalogue.search(*asked))
            if len(self._remembered) > _REMEMBERED_MAX:
                self._remembered.popitem(last=False)
        return found


def plainly_asked(query_string: bytes) -> Asked | None:
    """Return the words and the limit where the query names nothing else, each once and within its bounds.

    None: the query is for the framework to judge.
    """
    try:
        text = query_string.decode("ascii")
        asked = parse_qs(text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=2)
    except ValueError:
        return None
    words, limits = asked.pop("q", []), asked.pop("limit", [_LIMIT_UNASKED])
    if asked or len(words) != 1 or len(words[0]) > QUERY_LENGTH_MAX or len(limits) != 1 or limits[0] not in _LIMITS:
        return None
    return words[0], int(limits[0])
