"""What bots cost the server: making a challenge, checking an answer, weighing a visit. `python -m bench.bots`.

One thread and no network; places are weighed against the real Valkey, as many together as ask together.
The yardstick is one SHA-256 HMAC over 200 bytes in the same run.
"""

import asyncio
import hmac
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import altcha

from tidegate.base.cache import Cache
from tidegate.base.clock import SystemClock
from tidegate.base.config import Config
from tidegate.base.embedded.valkey import EmbeddedValkey
from tidegate.base.ids import Ids
from tidegate.gate.bots import rules
from tidegate.gate.bots.api import Bots
from tidegate.gate.bots.contracts import Answer, Decision, DecisionId, Lane, Signals
from tidegate.gate.bots.networks import Networks
from tidegate.gate.bots.stamps import Stamps
from tidegate.gate.bots.work import Workshop
from tidegate.trust.identity.contracts import AccountId, SessionFacts, SessionId

SESSION = uuid4()
ADDRESS = "203.0.113.7"
TOGETHER, ROUNDS = 500, 40
SEEN = Signals(automation=True, shown_ms=300, datacenter=True, fingerprint=True)


def main() -> None:
    """Measure each and print microseconds and the ratio to the yardstick."""
    workshop, now = Workshop(b"a secret of the bench, long enough"), datetime.now(UTC)
    decision = _decision(now)
    challenge = workshop.challenge(SESSION, decision, rules.tries(1, 1), now)
    given = altcha.Challenge.from_dict(challenge.work)
    began = time.perf_counter()
    solution = altcha.solve_challenge(given)
    solving = time.perf_counter() - began
    assert solution is not None
    answer = Answer(work=altcha.Payload(given, solution).to_base64())
    networks = Networks([f"{block}.{half}.0.0/17" for block in range(1, 224) for half in range(0, 256, 8)])
    stamps = Stamps(b"k" * 32)
    stamp = stamps.stamp(SESSION, now)
    yardstick = _microseconds(lambda: hmac.digest(b"k" * 32, b"x" * 200, "sha256"), 100_000)
    _say("yardstick: one HMAC", yardstick, yardstick)
    for name, call, times in (
        ("make a challenge", lambda: workshop.challenge(SESSION, decision, 32, now), 100),
        ("check the work of an answer", lambda: workshop.judge(SESSION, answer, now), 5_000),
        (
            "check the ticket of a wait",
            lambda: workshop.judge(SESSION, Answer(wait_ticket=challenge.wait_ticket), now + timedelta(seconds=61)),
            5_000,
        ),
        ("read the stamp of a page", lambda: stamps.shown_ms(SESSION, stamp, now), 50_000),
        ("score a visit", lambda: rules.score(SEEN), 50_000),
        (f"look up an address in {223 * 32:,} networks", lambda: "203.0.113.7" in networks, 50_000),
    ):
        _say(name, _microseconds(call, times), yardstick)
    asyncio.run(_weigh(yardstick))
    print(f"{'solve the base work, native, one core':46} {solving * 1e3:10.1f} ms, {solution.counter + 1} tries")


async def _weigh(yardstick: float) -> None:
    """Weigh sessions that ask for a place, each of an account of its own: the whole path, one call for all."""
    with TemporaryDirectory() as folder:
        valkey = EmbeddedValkey(Path(folder))
        await asyncio.to_thread(valkey.start)
        cache, clock = Cache(valkey.url), SystemClock()
        config = Config(data_dir=Path(folder), secret=b"a secret of the bench, long enough")
        bots = Bots(config, cache, clock, Ids(clock))
        sessions = [_session(clock.now()) for _ in range(TOGETHER)]
        await asyncio.gather(*[bots.weigh(each, ADDRESS) for each in sessions])
        began = time.perf_counter()
        for _ in range(ROUNDS):
            await asyncio.gather(*[bots.weigh(each, ADDRESS) for each in sessions])
        taken = (time.perf_counter() - began) / ROUNDS / TOGETHER * 1e6
        await cache.close()
        await asyncio.to_thread(valkey.stop)
    _say(f"weigh a session that asks for a place, {TOGETHER} together", taken, yardstick)


def _session(now: datetime) -> SessionFacts:
    return SessionFacts(
        account_id=AccountId(uuid4()), session_id=SessionId(uuid4()), expires_at=now + timedelta(hours=1)
    )


def _microseconds(call: Callable[[], object], times: int) -> float:
    began = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - began) / times * 1e6


def _say(name: str, microseconds: float, yardstick: float) -> None:
    print(f"{name:46} {microseconds:10.1f} us  {microseconds / yardstick:10.1f} x")


def _decision(now: datetime) -> Decision:
    return Decision(
        decision_id=DecisionId(Ids(SystemClock()).new()),
        decided_at=now,
        account_id=uuid4(),
        session_id=SESSION,
        device="",
        signals=SEEN,
        score=rules.score(SEEN),
        undone=False,
        lane=Lane.NORMAL,
        work_factor=1,
        rules=rules.EDITION,
    )


if __name__ == "__main__":
    main()
