"""Challenges and answers: proof of work by ALTCHA, and the wait that asks for none. No I/O; Argon2id takes time.

The work is Argon2id (RFC 9106) over 4 MiB, tried with one counter after another; the right counter lies in the upper
half of the range, so that nobody is lucky or unlucky by more than a factor of two. Deriving the key once when the
challenge is made lets an answer be checked with two HMACs.
"""

import secrets
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import NamedTuple
from uuid import UUID

import altcha

from tidegate.base.crypto import Signer, derive_key
from tidegate.gate.bots.contracts import Answer, Challenge, Decision, Lane, WorkFault
from tidegate.gate.bots.errors import WorkRefused

MEMORY_KIB = 4_096
LIFE = timedelta(minutes=5)
WAIT = {Lane.NORMAL: timedelta(seconds=60), Lane.SLOW: timedelta(seconds=120)}

_NO_PAYLOAD = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
_TICKET = Struct(">2s16s16sII")
_TICKET_MARK = b"W1"
_WORDS = {
    WorkFault.MISSING: "A queue number needs the answer to a challenge; none was given. Ask for a challenge.",
    WorkFault.FORGED: "This is not an answer to a challenge of ours; no number was given. Ask for a challenge.",
    WorkFault.EXPIRED: "This challenge is over; no number was given. Ask for another.",
    WorkFault.OTHER_SESSION: "This challenge was given to another session; no number was given. Ask for your own.",
    WorkFault.WRONG: "The work is not right; no number was given. Ask for another challenge.",
    WorkFault.EARLY: "The wait is not over; no number was given. Send the same ticket again then.",
    WorkFault.USED: "This answer was used; no other number was given. Ask for another challenge.",
}


class Proof(NamedTuple):
    """A good answer: what is spent with it, and until when that must be remembered."""

    challenge_id: str
    expires_at: datetime


class Workshop:
    """Makes challenges and judges answers for one installation; every process with the same secret knows them all."""

    def __init__(self, secret: bytes) -> None:
        self._work_key = derive_key(secret, "bots.work")
        self._solution_key = derive_key(secret, "bots.solution")
        self._tickets = Signer(derive_key(secret, "bots.wait"))

    def challenge(self, session_id: UUID, decision: Decision, tries: int, now: datetime) -> Challenge:
        """Return a challenge that takes `tries` at most and half of that at least; call it off the event loop."""
        expires_at = now + LIFE
        work = altcha.create_challenge(
            "ARGON2ID",
            1,
            memory_cost=MEMORY_KIB,
            parallelism=1,
            counter=tries // 2 + secrets.randbelow(tries - tries // 2),
            # The end stands in `data`, not in ALTCHA's own field: that one is held against the machine's clock.
            data={"session": session_id.hex, "expires": int(expires_at.timestamp())},
            hmac_secret=self._work_key,
            hmac_key_secret=self._solution_key,
        )
        wait_until = now + WAIT[decision.lane]
        return Challenge(
            work=work.to_dict(),
            wait_ticket=self._ticket(work.parameters.nonce, session_id, wait_until, expires_at),
            wait_until=wait_until,
            expires_at=expires_at,
            lane=decision.lane,
        )

    def judge(self, session_id: UUID, answer: Answer | None, now: datetime) -> Proof:
        """Return what a good answer spends. Raises WorkRefused. Whether it was spent before is not known here."""
        if answer is not None and answer.work:
            return self._judge_work(session_id, answer.work, now)
        if answer is not None and answer.wait_ticket:
            return self._judge_ticket(session_id, answer.wait_ticket, now)
        raise refused(WorkFault.MISSING)

    def _judge_work(self, session_id: UUID, payload: str, now: datetime) -> Proof:
        try:
            given = altcha.Payload.from_base64(payload)
        except _NO_PAYLOAD as fault:
            raise refused(WorkFault.FORGED) from fault
        result = altcha.verify_solution(given, self._work_key, hmac_key_secret=self._solution_key)
        terms = given.challenge.parameters.data
        if result.invalid_signature or terms is None:
            raise refused(WorkFault.FORGED)
        expires_at = datetime.fromtimestamp(terms["expires"], UTC)
        _hold(session_id.hex == terms["session"], expires_at, now)
        if not result.verified:
            raise refused(WorkFault.WRONG)
        return Proof(given.challenge.parameters.nonce, expires_at)

    def _ticket(self, nonce: str, session_id: UUID, wait_until: datetime, expires_at: datetime) -> str:
        ends = int(wait_until.timestamp()), int(expires_at.timestamp())
        # Work and wait share the challenge's nonce, so that one challenge buys one number, however it is answered.
        return self._tickets.sign(_TICKET.pack(_TICKET_MARK, bytes.fromhex(nonce), session_id.bytes, *ends))

    def waits_until(self, session_id: UUID, ticket: str, now: datetime) -> datetime | None:
        """Return when the wait of a ticket is over, or was; None for no good ticket of this session."""
        try:
            return self._read_ticket(session_id, ticket, now)[1]
        except WorkRefused:
            return None

    def _judge_ticket(self, session_id: UUID, ticket: str, now: datetime) -> Proof:
        proof, wait_until = self._read_ticket(session_id, ticket, now)
        early = int(wait_until.timestamp()) - int(now.timestamp())
        if early > 0:
            raise refused(WorkFault.EARLY, retry_after=early)
        return proof

    def _read_ticket(self, session_id: UUID, ticket: str, now: datetime) -> tuple[Proof, datetime]:
        payload = self._tickets.verify(ticket)
        if payload is None or len(payload) != _TICKET.size:
            raise refused(WorkFault.FORGED)
        _, nonce, session, wait_until, end = _TICKET.unpack(payload)
        expires_at = datetime.fromtimestamp(end, UTC)
        _hold(session == session_id.bytes, expires_at, now)
        return Proof(nonce.hex(), expires_at), datetime.fromtimestamp(wait_until, UTC)


def refused(fault: WorkFault, **fields: object) -> WorkRefused:
    """Return the refusal of one fault, with its sentence."""
    return WorkRefused(_WORDS[fault], reason=fault, **fields)


def _hold(same_session: bool, expires_at: datetime, now: datetime) -> None:  # noqa: FBT001  reads as the rule does
    if not same_session:
        raise refused(WorkFault.OTHER_SESSION)
    if now >= expires_at:
        raise refused(WorkFault.EXPIRED)
