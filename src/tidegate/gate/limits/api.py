"""What others may ask of limits: may this act be done now? One call to Valkey for all who ask at the same moment."""

from collections.abc import Callable, Sequence
from typing import NamedTuple
from uuid import UUID

from tidegate.base.batch import Batcher
from tidegate.base.cache import Cache
from tidegate.base.config import Config
from tidegate.base.crypto import derive_key
from tidegate.base.errors import Refusal
from tidegate.gate.limits import rules
from tidegate.gate.limits.adapters.counter import Cell, Counter, Pace
from tidegate.gate.limits.contracts import Admitted, Ask, Asker, Decision, LimitedAct, RateLimit
from tidegate.offer.campaign.api import Campaign, rate_limits_of

__all__ = ["Limits", "build_limits"]

BATCH_MAX = 500


class _Pace(NamedTuple):
    """A limit as it stands now, and for the count: its pace, whose number it is, and where that is kept."""

    limit: RateLimit
    pace: Pace
    subject_of: Callable[[Asker], bytes | None]
    key_of: Callable[[bytes], bytes]


class _Counted(NamedTuple):
    """An ask, the limits that know its asker, and where each keeps its number."""

    limits: list[RateLimit]
    cells: list[Cell]


def build_limits(
    config: Config,
    cache: Cache,
    campaign: Campaign,
    factor: Callable[[], float],
    suspicion: Callable[[UUID | None], float],
) -> "Limits":
    """Return the limits of whatever campaign is current, or the defaults while there is none."""

    def stated() -> tuple[RateLimit, ...]:
        version = campaign.current()
        return rate_limits_of(version.definition if version else None)

    return Limits(config, cache, stated, factor, suspicion)


class Limits:
    """Counts acts against the rate limits that are `stated` now.

    `factor` tells by how much all of them are lowered now (above 0, at most 1), `suspicion` by how much those of an
    account and its device are besides: few different values, never those of a network, which strangers share.
    Counts are shared by all processes with the same secret and the same Valkey.
    """

    def __init__(
        self,
        config: Config,
        cache: Cache,
        stated: Callable[[], tuple[RateLimit, ...]],
        factor: Callable[[], float] = lambda: 1.0,
        suspicion: Callable[[UUID | None], float] = lambda _: 1.0,
    ) -> None:
        self._stated = stated
        self._factor = factor
        self._suspicion = suspicion
        self._counter = Counter(cache)
        self._batcher: Batcher[_Counted, Decision] = Batcher("limits", self._flush, size_max=BATCH_MAX)
        self._paces: dict[float, dict[LimitedAct, list[_Pace]]] = {}
        self._paces_of: tuple[tuple[RateLimit, ...], float] | None = None
        self._secret = derive_key(config.secret, "limits.subject")

    async def require(self, act: LimitedAct, asker: Asker) -> None:
        """Count one act, or raise: RateLimitReached with the limit and when to come back; nothing is counted then.

        RateLimitUnknown where Valkey is down and a limit refuses then. Raises Overloaded where too many wait.
        """
        [counted] = self._counted([Ask(act, asker)])
        if not counted.cells:
            return
        decision = await self._batcher.submit(counted)
        if not isinstance(decision, Admitted):
            raise rules.refusal_of(decision)

    async def refusals(self, act: LimitedAct, askers: Sequence[Asker | None]) -> list[Refusal | None]:
        """Count the same act of many who ask in a batch already, in one call: the refusal that each gets, or None.

        Who is None was counted elsewhere. The refusals are those of `require`.
        """
        answers: list[Refusal | None] = [None] * len(askers)
        places = [place for place, asker in enumerate(askers) if asker is not None]
        found = await self.decide([Ask(act, asker) for asker in askers if asker is not None])
        for place, decision in zip(places, found, strict=True):
            if not isinstance(decision, Admitted):
                answers[place] = rules.refusal_of(decision)
        return answers

    async def decide(self, asks: Sequence[Ask]) -> list[Decision]:
        """Decide asks in order, each as if it had come alone after those before it; one call for 500 of them."""
        counted = self._counted(asks)
        return [
            decision
            for start in range(0, len(counted), BATCH_MAX)
            for decision in await self._flush(counted[start : start + BATCH_MAX])
        ]

    def _counted(self, asks: Sequence[Ask]) -> list[_Counted]:
        """Return what is counted of each, by the limits as they stand now."""
        stated, factor = self._stated(), self._factor()
        if self._paces_of is None or self._paces_of[0] is not stated or self._paces_of[1] != factor:
            self._paces, self._paces_of = {}, (stated, factor)
        counted = []
        for ask in asks:
            suspicion = self._suspicion(ask.asker.account_id)
            acts = self._paces.get(suspicion) or self._made(stated, factor, suspicion)
            limits, cells = [], []
            for limit, pace, subject_of, key_of in acts[ask.act]:
                subject = subject_of(ask.asker)
                if subject is not None:
                    limits.append(limit)
                    cells.append((key_of(subject), pace))
            counted.append(_Counted(limits, cells))
        return counted

    def _made(self, stated: Sequence[RateLimit], factor: float, suspicion: float) -> dict[LimitedAct, list[_Pace]]:
        """Make the limits of each act, and keep them until the campaign or the factor changes."""
        self._paces[suspicion] = {
            act: [self._pace(limit, factor, suspicion) for limit in stated if limit.act is act] for act in LimitedAct
        }
        return self._paces[suspicion]

    def _pace(self, stated: RateLimit, factor: float, suspicion: float) -> _Pace:
        if suspicion < 1 and stated.scope in rules.OWN_SCOPES:
            now = rules.lowered(stated, factor * suspicion, burst_min=rules.SUSPECT_BURST_MIN)
        else:
            now = rules.lowered(stated, factor)
        return _Pace(
            now,
            (rules.interval_of(now), now.burst, rules.ahead_most_of(stated, now)),
            rules.SUBJECTS[stated.scope],
            rules.keys_of(self._secret, stated),
        )

    async def _flush(self, asks: Sequence[_Counted]) -> list[Decision]:
        found = await self._counter.count([ask.cells for ask in asks])
        if found is None:
            return [rules.while_down(ask.limits) for ask in asks]
        return [rules.decision_of(ask.limits, *each) for ask, each in zip(asks, found, strict=True)]
