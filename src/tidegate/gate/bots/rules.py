"""How evidence is weighed, and what follows from a score. Pure: the same signals give the same decision."""

import hmac
import re
from datetime import datetime, timedelta
from functools import lru_cache

from tidegate.gate.bots.contracts import Decision, Effect, Evidence, Lane, Reason, Score, Signals
from tidegate.gate.bots.errors import UndoNotValid

EDITION = 2
"""Goes up with every change of the weights, so that an old decision is not held against new ones."""

WEIGHTS = {
    Evidence.HONEYPOT_GOODS: 60,
    Evidence.HONEYPOT_FIELD: 50,
    Evidence.HONEYPOT_LINK: 40,
    Evidence.AUTOMATION: 40,
    Evidence.DATACENTER: 25,
    Evidence.TOO_FAST: 25,
    Evidence.SHARED_DEVICE: 25,
    Evidence.HEADLESS: 20,
    Evidence.MARKED_NETWORK: 15,
    Evidence.NO_FINGERPRINT: 10,
}
"""Points, by our judgement: what only a program can do weighs most; what an honest page may also show weighs little."""

SLOW_FROM = 50
"""The score from which a visit takes the slow lane: no single piece of doubtful evidence reaches it."""

PERSON_MS_MIN = 800
"""Nobody reads a page and asks for a number sooner: a glance and a press take a person about a second."""

DEVICE_ACCOUNTS_MAX = 3
"""A household shares a tablet; more accounts on one device within a day are somebody's trade."""

NETWORK_MARKS_MIN = 25
"""So many marks of one network (/24 or /48) within a day speak against it, and then little: strangers share it."""

RATE_FACTORS = ((75, 0.25), (SLOW_FROM, 0.5))
"""From which score on the rates of an account and its device are lowered, and by how much."""

HEADLESS_AGENTS = re.compile(r"Headless|PhantomJS|SlimerJS|HtmlUnit|Puppeteer|Playwright|Selenium", re.ASCII)
"""Programs that steer a browser and say so themselves. Plain clients are not among them: the API is made for those."""

DECOY_PREFIX = "GFT-"

TRIES_BASE, TRIES_MAX = 32, 512
CALM_CHALLENGES_PER_SECOND = 20
LOAD_FACTOR_MAX = 4
UNDO_MAX = timedelta(days=30)

_SCORES_MAX = 1_024

SPANS_SECONDS = (60, 300, 900, 3_600, 7_200, 21_600, 43_200)
SPANS_MAX = 100
"""Lengths of the spans in which a course is told, and how many of them it has at most."""


def evidence(signals: Signals) -> list[Evidence]:
    """Return what speaks for a program, heaviest first."""
    found = {
        Evidence.HONEYPOT_GOODS: signals.honeypot_goods,
        Evidence.HONEYPOT_FIELD: signals.honeypot_field,
        Evidence.HONEYPOT_LINK: signals.honeypot_link,
        Evidence.AUTOMATION: signals.automation,
        Evidence.DATACENTER: signals.datacenter,
        Evidence.TOO_FAST: signals.shown_ms is not None and signals.shown_ms < PERSON_MS_MIN,
        Evidence.SHARED_DEVICE: signals.device_accounts > DEVICE_ACCOUNTS_MAX,
        Evidence.HEADLESS: signals.headless,
        Evidence.MARKED_NETWORK: signals.marked_network,
        Evidence.NO_FINGERPRINT: signals.fingerprint is False,
    }
    return [each for each, seen in found.items() if seen]


@lru_cache(maxsize=_SCORES_MAX)
def score(signals: Signals) -> Score:
    """Return 0 to 100 with the reasons; the points of all evidence are added, up to 100.

    Remembered: nearly all visits of a crowd look alike.
    """
    reasons = tuple(Reason(evidence=each, points=WEIGHTS[each]) for each in evidence(signals))
    return Score(points=min(100, sum(reason.points for reason in reasons)), reasons=reasons)


def lane(points: int) -> Lane:
    """Return the lane of a score."""
    return Lane.SLOW if points >= SLOW_FROM else Lane.NORMAL


def work_factor(points: int) -> int:
    """Return by how much a score multiplies the work: 1 below 25, then 2, 3 and 4 by each further 25."""
    return 1 + min(points, 99) // 25


def rate_factor(points: int) -> float:
    """Return by how much the rates of an account and its device are lowered: 1 where nothing is."""
    return next((factor for least, factor in RATE_FACTORS if points >= least), 1.0)


def effect(decision: Decision) -> Effect:
    """Return what followed from a decision, the weightiest first."""
    if decision.undone:
        return Effect.UNDONE
    if decision.lane is Lane.SLOW:
        return Effect.SLOW_LANE
    return Effect.MORE_WORK if decision.work_factor > 1 else Effect.NOTHING


def steered(agent: str) -> bool:
    """Return whether a `User-Agent` names a program that steers a browser."""
    return HEADLESS_AGENTS.search(agent) is not None


def decoy(key: bytes, campaign_id: str) -> str:
    """Return the SKU of goods that a campaign does not have: the same in every process, and guessed by nobody."""
    number = int.from_bytes(hmac.digest(key, campaign_id.encode(), "sha256")[:8], "big") % 10**8
    return f"{DECOY_PREFIX}{number:08}"


def load_factor(challenges_per_second: float) -> int:
    """Return by how much the load multiplies the work: 1 in calm, one more with each doubling, 4 at most."""
    factor = 1
    while factor < LOAD_FACTOR_MAX and challenges_per_second > CALM_CHALLENGES_PER_SECOND * 2 ** (factor - 1):
        factor += 1
    return factor


def tries(suspicion: int, load: int) -> int:
    """Return how many tries the work may take at most."""
    return min(TRIES_MAX, TRIES_BASE * suspicion * load)


def kind(found: Score, *, undone: bool) -> str:
    """Return under which word a decision is counted: its heaviest evidence."""
    if undone:
        return "undone"
    return found.reasons[0].evidence if found.reasons else "none"


def span_seconds(minutes: int) -> int:
    """Return the length of the spans in which so many minutes are told: at most a hundred of them, none below a minute,
    which visits are counted by.
    """
    return next((each for each in SPANS_SECONDS if minutes * 60 <= each * SPANS_MAX), SPANS_SECONDS[-1])


def undo_end(ends_at: datetime, now: datetime) -> datetime:
    """Return the end of an undo. Raises UndoNotValid unless it lies ahead, by thirty days at most."""
    if now < ends_at <= now + UNDO_MAX:
        return ends_at
    raise UndoNotValid(
        "An undo ends in the future, within thirty days; nothing was undone. Choose another end.", ends_at=ends_at
    )
