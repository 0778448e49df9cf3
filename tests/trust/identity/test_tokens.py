"""Session tokens: good ones are read, everything else is not."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from tidegate.base.crypto import Signer
from tidegate.trust.identity.contracts import AccountId, SessionFacts, SessionId
from tidegate.trust.identity.tokens import Tokens

KEY = b"k" * 32
END = datetime(2026, 12, 1, tzinfo=UTC)
ids = st.uuids()


@given(ids, ids, st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001  made aware below
def test_a_token_says_what_was_signed(account: UUID, session: UUID, end: datetime) -> None:
    expires_at = end.replace(microsecond=0, tzinfo=UTC)
    token = Tokens(KEY).sign(account, SessionId(session), expires_at)
    assert len(token) == 72
    expected = SessionFacts(account_id=AccountId(account), session_id=SessionId(session), expires_at=expires_at)
    assert Tokens(KEY).read(token) == expected


@given(ids, ids, ids)
def test_a_session_on_a_browser_that_was_here_before_names_it(account: UUID, session: UUID, device: UUID) -> None:
    tokens = Tokens(KEY)
    token = tokens.sign(account, SessionId(session), END, device)
    assert len(token) == 96
    found = tokens.read(token)
    assert found is not None
    assert (found.known_device, found.device) == (device, device)
    first = tokens.read(tokens.sign(account, SessionId(session), END))
    assert first is not None
    assert (first.known_device, first.device) == (None, session)


@given(ids, ids, st.none() | ids, st.integers(0, 71), st.characters(max_codepoint=0x2FF))
def test_one_changed_character_spoils_a_token(
    account: UUID, session: UUID, device: UUID | None, place: int, character: str
) -> None:
    tokens = Tokens(KEY)
    token = tokens.sign(account, SessionId(session), END, device)
    altered = token[:place] + character + token[place + 1 :]
    assert (tokens.read(altered) is not None) == (altered == token)


@given(st.text(max_size=100) | st.text(alphabet="ABCabc019-_", min_size=72, max_size=96))
def test_no_invented_text_is_a_token(text: str) -> None:
    assert Tokens(KEY).read(text) is None


@given(ids, ids, st.none() | ids, st.text(min_size=1, max_size=24))
def test_a_longer_or_shorter_text_is_no_token(account: UUID, session: UUID, device: UUID | None, more: str) -> None:
    tokens = Tokens(KEY)
    token = tokens.sign(account, SessionId(session), END, device)
    assert tokens.read(token + more) is None
    assert tokens.read(more + token) is None
    assert tokens.read(token[: -len(more)]) is None


def test_a_token_has_one_spelling() -> None:
    tokens = Tokens(KEY)
    signed = (tokens.sign(UUID(int=number), SessionId(UUID(int=2)), END) for number in range(1000))
    token = next(each for each in signed if "-" in each and "_" in each)
    assert tokens.read(token) is not None
    assert tokens.read(token.replace("-", "+")) is None
    assert tokens.read(token.replace("_", "/")) is None


def test_a_token_of_another_key_or_another_kind_is_none() -> None:
    token = Tokens(b"o" * 32).sign(UUID(int=1), SessionId(UUID(int=2)), END)
    assert Tokens(KEY).read(token) is None
    for mark, size in ((b"P1", 36), (b"P2", 54), (b"S1", 54), (b"S2", 36)):
        other_kind = Signer(KEY).sign(mark + bytes(size))
        assert len(other_kind) in {72, 96}
        assert Tokens(KEY).read(other_kind) is None


def test_reading_remembers_a_bounded_number_of_tokens() -> None:
    tokens = Tokens(KEY)
    end = END + timedelta(days=1)
    for number in range(20_100):
        tokens.read(tokens.sign(UUID(int=number), SessionId(UUID(int=1)), end))
    tokens.read("x" * 1_000_000)
    assert tokens._remembered.cache_info().currsize == 20_000
