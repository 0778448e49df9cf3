"""Session tokens: who, which session, until when; 38 bytes signed with a key of ours, checked without I/O."""

from datetime import UTC, datetime
from functools import lru_cache
from struct import Struct
from uuid import UUID

from tidegate.base.crypto import Signer
from tidegate.trust.identity.contracts import AccountId, SessionFacts, SessionId

# Mark, holder, session, end in seconds since 1970 (until 2106). With the tag of 16 bytes that is a multiple of three,
# so that base64 leaves no spare bits and a session has exactly one spelling.
_LAYOUT = Struct(">2s16s16sI")
_MARK = b"S1"
_TOKEN_LENGTH = 72
_REMEMBERED_MAX = 20_000


class Tokens:
    """Signs and reads the tokens of one kind of session; the key tells the kinds apart."""

    def __init__(self, key: bytes) -> None:
        self._signer = Signer(key)
        # A shopper's client sends the same token many times at the opening: remembering the verified ones takes 0.1
        # instead of 6 microseconds each time. The price is about 12 MB a process when full.
        self._remembered = lru_cache(maxsize=_REMEMBERED_MAX)(self._verified)

    def sign(self, holder_id: UUID, session_id: SessionId, expires_at: datetime) -> str:
        """Return the token of a session. The end is cut to whole seconds."""
        payload = _LAYOUT.pack(_MARK, holder_id.bytes, session_id.bytes, int(expires_at.timestamp()))
        return self._signer.sign(payload)

    def read(self, token: str) -> SessionFacts | None:
        """Return what a token says, whether or not it has expired, or None where we did not sign it."""
        # The length is looked at first, so that nobody fills the memory with long texts.
        return self._remembered(token) if len(token) == _TOKEN_LENGTH else None

    def _verified(self, token: str) -> SessionFacts | None:
        payload = self._signer.verify(token)
        if payload is None or len(payload) != _LAYOUT.size:
            return None
        mark, holder, session, end = _LAYOUT.unpack(payload)
        if mark != _MARK:
            return None
        return SessionFacts(
            account_id=AccountId(_uuid(holder)),
            session_id=SessionId(_uuid(session)),
            expires_at=datetime.fromtimestamp(end, UTC),
        )


def _uuid(text: bytes) -> UUID:
    """Half the time of `UUID(bytes=text)`, which looks at all the ways in which one can be written."""
    return UUID(int=int.from_bytes(text))
