"""The stamp of a page: when it was shown to which session, signed, so that the time to pass is ours and not claimed."""

from datetime import UTC, datetime, timedelta
from struct import Struct
from uuid import UUID

from tidegate.base.crypto import Signer

_LAYOUT = Struct(">2s16sQ")
_MARK = b"P1"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SHOWN_MS_MAX = 86_400_000


class Stamps:
    """Stamps pages, and reads how long ago that was; every process with the same key knows them all."""

    def __init__(self, key: bytes) -> None:
        self._signer = Signer(key)

    def stamp(self, session_id: UUID, now: datetime) -> str:
        """Return the stamp of a page that is shown to a session now."""
        return self._signer.sign(_LAYOUT.pack(_MARK, session_id.bytes, (now - _EPOCH) // timedelta(milliseconds=1)))

    def shown_ms(self, session_id: UUID, text: str, now: datetime) -> int | None:
        """Return since when the page is shown, in milliseconds up to a day; None for what is no stamp of this session.

        A clock that was set back makes it 0.
        """
        payload = self._signer.verify(text)
        if payload is None or len(payload) != _LAYOUT.size:
            return None
        mark, session, shown_at = _LAYOUT.unpack(payload)
        if mark != _MARK or session != session_id.bytes:
            return None
        elapsed = (now - _EPOCH) // timedelta(milliseconds=1) - shown_at
        return int(min(SHOWN_MS_MAX, max(0, elapsed)))
