"""What is worth telling: states that changed and stayed changed, as lines of the feed; pure."""

from collections.abc import Mapping, Sequence

from tidegate.watch.monitor.contracts import ChannelFigures, Figure, HotGoods, Level, NewAnnouncement, Sample, State
from tidegate.watch.monitor.rules import BEHIND_ACT_S

LASTING_SAMPLES = 8
"""A state counts when it was seen this many seconds in a row: what flickers is told once, not twenty times."""

Standings = Mapping[str, str]
"""What stands how: `channel:harbour` to `act`, `goods:TG-0001` to `sold-out`, `cache` to `away`."""


def standings(sample: Sample, figures: Sequence[Figure]) -> dict[str, str]:
    """Return how everything stands that the feed tells about."""
    return {
        **{f"channel:{each.channel}": each.state.value for each in sample.channels if each.state is not State.SILENT},
        **{f"goods:{each.sku}": "sold-out" if each.free == 0 else "on-sale" for each in sample.hot_goods},
        **{f"figure:{each.key}": each.state.value for each in figures if each.goal is not None},
        **{f"fault:{each.code}": "failing" for each in sample.faults},
        "events": "late" if sample.outbox_behind_s >= BEHIND_ACT_S else "on-time",
        "cache": "there" if sample.cache_up else "away",
    }


class Settled:
    """Follows how things stand, and takes a change for true only after it has lasted."""

    def __init__(self, lasting_samples: int = LASTING_SAMPLES) -> None:
        self._lasting_samples = lasting_samples
        self._settled: dict[str, str] = {}
        self._coming: dict[str, tuple[str, int]] = {}

    def follow(self, present: Standings) -> dict[str, tuple[str, str]]:
        """Take one second's standings; return what has changed for good: from what to what.

        What is seen for the first time is no change. A fault is told at once, and again only after it was gone.
        """
        changed = {}
        for key, standing in present.items():
            was = self._settled.get(key)
            if was is None:
                self._settled[key] = standing
                if key.startswith("fault:"):
                    changed[key] = ("", standing)
            elif self._has_lasted(key, standing, was):
                changed[key] = (was, standing)
                self._settled[key] = standing
        for key in [each for each in self._settled if each.startswith("fault:") and each not in present]:
            del self._settled[key]
        return changed

    def _has_lasted(self, key: str, standing: str, settled: str) -> bool:
        if standing == settled:
            self._coming.pop(key, None)
            return False
        coming, seen = self._coming.get(key, (standing, 0))
        seen = seen + 1 if coming == standing else 1
        self._coming[key] = (standing, seen)
        if seen < self._lasting_samples:
            return False
        del self._coming[key]
        return True


def told(changed: Mapping[str, tuple[str, str]], sample: Sample, figures: Sequence[Figure]) -> list[NewAnnouncement]:
    """Return the lines of the feed for what has changed; a change that calls for nothing is not told."""
    channels = {f"channel:{each.channel}": each for each in sample.channels}
    goods = {f"goods:{each.sku}": each for each in sample.hot_goods}
    by_key = {f"figure:{each.key}": each for each in figures}
    faults = {f"fault:{each.code}": each.count for each in sample.faults}
    lines: list[NewAnnouncement | None] = []
    for key, (was, now) in changed.items():
        if key in channels:
            lines.append(_channel(channels[key], was, now))
        elif key in goods:
            lines.append(_goods(goods[key], now))
        elif key in by_key:
            lines.append(_figure(by_key[key], was, now))
        elif key in faults:
            lines.append(_news(Level.ACT, "fault", key.removeprefix("fault:"), count=faults[key]))
        else:
            lines.append(_component(key, now, sample))
    return [line for line in lines if line is not None]


def _channel(channel: ChannelFigures, was: str, now: str) -> NewAnnouncement | None:
    facts = {"success": channel.success_minute, "attempts": channel.attempts_minute}
    if now == State.ACT:
        return _news(Level.ACT, "channel-failing", channel.channel, **facts)
    if was == State.ACT:
        return _news(Level.GOOD, "channel-recovered", channel.channel, **facts)
    return None


def _goods(goods: HotGoods, now: str) -> NewAnnouncement:
    level, kind = (Level.INFO, "goods-sold-out") if now == "sold-out" else (Level.GOOD, "goods-back")
    facts = {"held": goods.held, "free": goods.free}
    return _news(level, kind, goods.sku, name_zh=goods.name_zh, name_en=goods.name_en, **facts)


def _figure(figure: Figure, was: str, now: str) -> NewAnnouncement | None:
    facts = {"value": figure.value, "goal": figure.goal}
    if now == State.ACT:
        return _news(Level.ACT, "goal-missed", figure.key, **facts)
    if was == State.ACT and now == State.GOOD:
        return _news(Level.GOOD, "goal-met-again", figure.key, **facts)
    return None


def _component(key: str, now: str, sample: Sample) -> NewAnnouncement | None:
    match key, now:
        case "events", "late":
            seconds, waiting = round(sample.outbox_behind_s), sample.outbox_behind
            return _news(Level.ACT, "events-late", seconds=seconds, events=waiting)
        case "events", _:
            return _news(Level.GOOD, "events-on-time")
        case "cache", "away":
            return _news(Level.WATCH, "cache-lost")
        case "cache", _:
            return _news(Level.GOOD, "cache-back")
        case _:
            return None


def _news(level: Level, kind: str, subject: str = "", **facts: str | float | None) -> NewAnnouncement:
    return NewAnnouncement(level=level, kind=kind, subject=subject, facts=dict(facts))
