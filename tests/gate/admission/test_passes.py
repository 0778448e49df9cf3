"""Passes: good for one account, device and campaign, for a short time; nothing else is a pass."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.base.clock import ManualClock
from tidegate.base.config import Config
from tidegate.base.crypto import Signer, derive_key
from tidegate.gate.admission import rules
from tidegate.gate.admission.api import Admission, pass_of
from tidegate.gate.admission.contracts import Pass, PassFacts, PassWindow
from tidegate.gate.admission.errors import CampaignOver, PassRefused, PhaseNotOpen

NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)
WINDOW = PassWindow(campaign_id="double-11", opens_at=NOW - timedelta(days=7), closes_at=NOW + timedelta(days=7))
ACCOUNT, DEVICE = UUID(int=1), UUID(int=2)
SECRET = b"a secret of the tests, long enough"


def admission_at(now: datetime, secret: bytes = SECRET) -> Admission:
    return Admission(Config(data_dir=Path("/nowhere"), secret=secret), ManualClock(now))


def given_pass(now: datetime = NOW) -> Pass:
    return admission_at(now).issue_pass(ACCOUNT, DEVICE, WINDOW)


def reason(token: str | None, **changes: object) -> str:
    asked: dict[str, object] = {"account_id": ACCOUNT, "device": DEVICE, "campaign_id": "double-11", "now": NOW}
    asked.update(changes)
    with pytest.raises(PassRefused) as refusal:
        admission_at(NOW).check_pass(token, **asked)  # type: ignore[arg-type]
    assert refusal.value.status == 403
    return str(refusal.value.fields["reason"])


MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  made aware


@given(st.uuids(), st.uuids(), st.text(max_size=64), MOMENTS)
def test_every_process_knows_a_pass_and_what_it_says(account: UUID, device: UUID, campaign: str, now: datetime) -> None:
    window = PassWindow(campaign_id=campaign, opens_at=now, closes_at=now + timedelta(hours=1))
    issued = admission_at(now).issue_pass(account, device, window)
    facts = admission_at(now).check_pass(issued.token, account, campaign, now, device=device)
    assert facts == PassFacts(account_id=account, device=device, campaign_id=campaign, expires_at=issued.expires_at)
    assert issued.expires_at == (now + timedelta(minutes=10)).replace(microsecond=0)
    assert issued.renew_at == issued.expires_at - timedelta(minutes=2)


def test_a_pass_is_of_nobody_else() -> None:
    token = given_pass().token
    assert reason(token, account_id=UUID(int=9)) == "other-account"
    assert reason(token, device=UUID(int=9)) == "other-device"
    assert reason(token, campaign_id="618") == "other-campaign"
    assert reason(None) == "missing"
    assert reason("") == "missing"


def test_a_pass_ends_after_ten_minutes_and_can_be_renewed_before() -> None:
    first = given_pass()
    admission = admission_at(NOW)
    late = NOW + timedelta(minutes=10) - timedelta(seconds=1)
    assert admission.check_pass(first.token, ACCOUNT, "double-11", late, device=DEVICE)
    assert reason(first.token, now=NOW + timedelta(minutes=10)) == "expired"
    second = given_pass(first.renew_at)
    assert second.token != first.token
    assert admission.check_pass(second.token, ACCOUNT, "double-11", first.expires_at, device=DEVICE)


@given(st.integers(0, 87), st.characters(max_codepoint=0x2FF))
def test_one_changed_character_spoils_a_pass(place: int, character: str) -> None:
    token = given_pass().token
    altered = token[:place] + character + token[place + 1 :]
    if altered != token:
        assert reason(altered) == "forged"


@given(st.text(min_size=1, max_size=120) | st.text(alphabet="ABCabc019-_", min_size=88, max_size=88))
def test_no_invented_text_is_a_pass(text: str) -> None:
    assert reason(text) == "forged"


@given(st.text(min_size=1, max_size=5))
def test_a_longer_or_shorter_text_is_no_pass(more: str) -> None:
    token = given_pass().token
    for text in (token + more, more + token, token[: -len(more)]):
        assert reason(text) == "forged"


def test_the_fields_of_two_passes_cannot_be_mixed() -> None:
    mine = given_pass().token
    theirs = admission_at(NOW).issue_pass(UUID(int=9), UUID(int=8), WINDOW).token
    for cut in range(1, 88):
        mixed = mine[:cut] + theirs[cut:]
        if mixed not in (mine, theirs):
            assert reason(mixed) == "forged"
            assert reason(mixed, account_id=UUID(int=9), device=UUID(int=8)) == "forged"


def test_another_installations_pass_and_another_kind_of_token_are_forged() -> None:
    stranger = admission_at(NOW, b"another secret, long enough as well").issue_pass(ACCOUNT, DEVICE, WINDOW)
    assert reason(stranger.token) == "forged"
    own_key = Signer(derive_key(SECRET, "admission.pass"))
    other_kind = own_key.sign(b"S1" + bytes(48))
    assert len(other_kind) == 88
    assert reason(other_kind) == "forged"


@given(st.integers(-20 * 86_400, 20 * 86_400))
def test_passes_are_given_only_within_the_window_and_never_outlive_it(offset_seconds: int) -> None:
    now = NOW + timedelta(seconds=offset_seconds)
    if now < WINDOW.opens_at:
        with pytest.raises(PhaseNotOpen) as early:
            rules.pass_end(WINDOW, now)
        assert early.value.fields["opens_at"] == WINDOW.opens_at
        assert early.value.fields["retry_after"] == (WINDOW.opens_at - now).total_seconds()
    elif now >= WINDOW.closes_at:
        with pytest.raises(CampaignOver) as over:
            rules.pass_end(WINDOW, now)
        assert over.value.fields == {"closed_at": WINDOW.closes_at}
    else:
        assert now < rules.pass_end(WINDOW, now) <= min(WINDOW.closes_at, now + timedelta(minutes=10))


def test_verified_passes_are_remembered_but_never_longer_texts() -> None:
    admission = admission_at(NOW)
    for token in (given_pass().token, "x" * 1_000_000):
        for _ in range(2):
            try:
                admission.check_pass(token, ACCOUNT, "double-11", NOW, device=DEVICE)
            except PassRefused as refusal:
                assert refusal.fields == {"reason": "forged"}  # noqa: PT017  one of the two is refused
    info = admission._remembered.cache_info()
    assert (info.currsize, info.hits, info.maxsize) == (1, 1, 20_000)


def test_a_remembered_pass_still_expires() -> None:
    admission = admission_at(NOW)
    token = given_pass().token
    assert admission.check_pass(token, ACCOUNT, "double-11", NOW, device=DEVICE)
    with pytest.raises(PassRefused, match="expired"):
        admission.check_pass(token, ACCOUNT, "double-11", NOW + timedelta(minutes=10), device=DEVICE)


def test_the_pass_is_found_in_raw_headers() -> None:
    assert pass_of([]) is None
    assert pass_of([(b"host", b"x"), (b"tidegate-pass", b" abc ")]) == "abc"
