"""Answers: only the right work or the ended wait, of one's own challenge, once and in time."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import altcha
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.base.cache import Cache
from tidegate.base.clock import ManualClock
from tidegate.base.config import Config
from tidegate.base.ids import Ids
from tidegate.gate.bots.api import Bots
from tidegate.gate.bots.contracts import Answer, Challenge, Lane, PageSignals, WorkFault
from tidegate.gate.bots.errors import WorkRefused
from tidegate.gate.bots.work import LIFE, WAIT, Workshop
from tidegate.trust.identity.contracts import AccountId, SessionFacts, SessionId

PERSON = PageSignals(fingerprint="a browser", shown_ms=5_000)


def solved(challenge: Challenge) -> Answer:
    """Do the work as a program that plays by the rules does it."""
    given = altcha.Challenge.from_dict(challenge.work)
    solution = altcha.solve_challenge(given)
    assert solution is not None
    return Answer(work=altcha.Payload(given, solution).to_base64())


def altered(answer: Answer, place: tuple[str, ...], value: object) -> Answer:
    """Return an answer with one member of its payload replaced."""
    body: dict[str, Any] = json.loads(base64.b64decode(answer.work))
    inner = body
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    return Answer(work=base64.b64encode(json.dumps(body).encode()).decode())


@pytest.fixture
def bots(config: Config, cache: Cache, clock: ManualClock, ids: Ids) -> Bots:
    return Bots(config, cache, clock, ids)


@pytest.fixture
def session(clock: ManualClock) -> SessionFacts:
    return shopper(clock)


def shopper(clock: ManualClock) -> SessionFacts:
    return SessionFacts(
        account_id=AccountId(uuid4()), session_id=SessionId(uuid4()), expires_at=clock.now() + timedelta(days=1)
    )


async def fault_of(bots: Bots, session: SessionFacts, answer: Answer | None) -> WorkFault:
    with pytest.raises(WorkRefused) as refusal:
        await bots.require_work(session, answer)
    return WorkFault(str(refusal.value.fields["reason"]))


async def test_work_done_is_good_once(bots: Bots, session: SessionFacts) -> None:
    answer = solved(await bots.challenge(session, PERSON, "203.0.113.7"))
    await bots.require_work(session, answer)
    assert await fault_of(bots, session, answer) is WorkFault.USED


async def test_an_answer_shared_with_another_session_is_worth_nothing_there(
    bots: Bots, session: SessionFacts, clock: ManualClock
) -> None:
    answer = solved(await bots.challenge(session, PERSON, ""))
    assert await fault_of(bots, shopper(clock), answer) is WorkFault.OTHER_SESSION
    await bots.require_work(session, answer)


async def test_an_answer_expires(bots: Bots, session: SessionFacts, clock: ManualClock) -> None:
    answer = solved(await bots.challenge(session, PERSON, ""))
    clock.advance(seconds=LIFE.total_seconds())
    assert await fault_of(bots, session, answer) is WorkFault.EXPIRED


@pytest.mark.parametrize(
    ("place", "value", "fault"),
    [
        (("challenge", "parameters", "keyPrefix"), "", WorkFault.FORGED),
        (("challenge", "parameters", "cost"), 0, WorkFault.FORGED),
        (("challenge", "parameters", "data"), {"session": "0" * 32, "expires": 2**40}, WorkFault.FORGED),
        (("challenge", "parameters", "data"), None, WorkFault.FORGED),
        (("challenge", "signature"), "0" * 64, WorkFault.FORGED),
        (("solution", "derivedKey"), "0" * 64, WorkFault.WRONG),
    ],
)
async def test_an_altered_answer_is_refused_and_spends_nothing(
    bots: Bots, session: SessionFacts, place: tuple[str, ...], value: object, fault: WorkFault
) -> None:
    answer = solved(await bots.challenge(session, PERSON, ""))
    assert await fault_of(bots, session, altered(answer, place, value)) is fault
    await bots.require_work(session, answer)


async def test_no_answer(bots: Bots, session: SessionFacts) -> None:
    assert await fault_of(bots, session, None) is WorkFault.MISSING
    assert await fault_of(bots, session, Answer()) is WorkFault.MISSING


async def test_the_wait_is_good_when_it_is_over_and_shares_the_one_number_with_the_work(
    bots: Bots, session: SessionFacts, clock: ManualClock
) -> None:
    challenge = await bots.challenge(session, PERSON, "")
    ticket = Answer(wait_ticket=challenge.wait_ticket)
    clock.advance(seconds=WAIT[Lane.NORMAL].total_seconds() - 1)
    assert await fault_of(bots, session, ticket) is WorkFault.EARLY
    clock.advance(seconds=1)
    assert await fault_of(bots, shopper(clock), ticket) is WorkFault.OTHER_SESSION
    await bots.require_work(session, ticket)
    assert await fault_of(bots, session, solved(challenge)) is WorkFault.USED


async def test_without_valkey_work_is_still_asked_for_and_good(config: Config, clock: ManualClock, ids: Ids) -> None:
    gone = Cache("unix:///nowhere/valkey.sock", timeout_seconds=0.2)
    bots, session = Bots(config, gone, clock, ids), shopper(clock)
    answer = solved(await bots.challenge(session, PERSON, ""))
    await bots.require_work(session, answer)
    assert await fault_of(bots, shopper(clock), answer) is WorkFault.OTHER_SESSION
    await gone.close()


@given(
    st.text(max_size=200)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["challenge", "solution", "parameters", "data", "signature"]), inner, max_size=4
            )
        ),
    ).map(lambda body: base64.b64encode(json.dumps(body).encode()).decode())
)
@settings(max_examples=300)
def test_no_invented_text_is_an_answer(text: str) -> None:
    workshop = Workshop(b"a secret of the tests, long enough")
    for answer in (Answer(work=text), Answer(wait_ticket=text)):
        with pytest.raises(WorkRefused):
            workshop.judge(UUID(int=1), answer, datetime(2026, 11, 11, tzinfo=UTC))
