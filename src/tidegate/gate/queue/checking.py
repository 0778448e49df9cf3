"""What anybody can find out about a draw from what is published of it, pure: seed, list, number, and the calls."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Protocol

from tidegate.gate.queue.contracts import Finding, PublishedDraw
from tidegate.gate.queue.draw import BEHIND, RANKS, leaf, merkle_root, rank, seed_hash
from tidegate.gate.queue.public_number import PublishedNumber, draw_key, is_drand_number
from tidegate.gate.queue.rows import CallRow
from tidegate.offer.campaign.contracts import NumberSource


class Lane(Protocol):
    """What a check needs to know of a lane."""

    @property
    def drawn(self) -> int:
        """How many of its places were drawn."""
        ...

    @property
    def slow(self) -> bool:
        """Whether it is the slow lane."""
        ...


def draw_findings(draw: PublishedDraw, listed: Sequence[tuple[int, int, bytes]]) -> list[Finding]:
    """Hold the whole sealed list (serial, lane, commitment), the seed and the public number against what was published.

    The draw is sealed. What is not public yet is not among the findings.
    """
    root = merkle_root([leaf(*each) for each in listed])
    counts = Counter(lane for _, lane, _ in listed if lane < BEHIND)
    findings = [
        Finding(name="the published root is the root of the list", holds=root.hex() == draw.root, examined=len(listed)),
        Finding(
            name="serials run without a gap",
            holds=[each[0] for each in listed] == list(range(draw.count or 0)),
            examined=len(listed),
        ),
        Finding(
            name="each lane has as many places as published",
            holds=dict(counts) == {index: each.drawn for index, each in enumerate(draw.lanes) if each.drawn},
            examined=len(draw.lanes),
        ),
    ]
    if draw.seed is not None:
        findings.append(
            Finding(
                name="the revealed seed is the one whose hash was published",
                holds=seed_hash(bytes.fromhex(draw.seed)).hex() == draw.seed_hash,
                examined=1,
            )
        )
        findings += _number_findings(draw)
    return findings


def rank_findings(draw: PublishedDraw, listed: Sequence[tuple[int, int, bytes]]) -> Finding:
    """Compute the rank of every drawn place of a draw whose seed is revealed: no two may have the same one."""
    key = draw_key(bytes.fromhex(draw.seed or ""), draw.number.text if draw.number is not None else None)
    drawn = [serial for serial, lane, _ in listed if lane < BEHIND]
    ranks = {rank(key, bytes.fromhex(draw.root or ""), serial) for serial in drawn}
    return Finding(
        name="every drawn place has a rank of its own, computed again",
        holds=len(ranks) == len(drawn),
        examined=len(drawn),
    )


def _number_findings(draw: PublishedDraw) -> list[Finding]:
    """Hold the public number against what was announced of it; nothing to find where none was."""
    view = draw.number
    if view is None:
        return []
    told, text = view.announced, view.text
    is_genuine = text is not None and (
        told.source is not NumberSource.DRAND or is_drand_number(told, PublishedNumber(text, view.proof))
    )
    return [
        Finding(
            name="the public number that was announced was had in time and stands in every rank",
            holds=text is not None and is_genuine,
            examined=1,
            detail=view.missed or ("" if is_genuine else "the chain's key did not sign the round with this number"),
        ),
        Finding(
            name="the root was published before the public number was drawn",
            holds=draw.rooted_at is not None and draw.rooted_at < told.drawn_at,
            examined=1,
            detail=f"drand chain {told.chain}, round {told.round}" if told.chain else told.label.en,
        ),
    ]


def call_findings(
    calls: Sequence[CallRow], lanes: Sequence[Lane], behind: Mapping[int, tuple[int, int]] | None = None
) -> list[Finding]:
    """Hold the calls of all lanes, in their order, against the published rule.

    `behind` is that of `slow_faults`; without it nothing is said of the late places in the slow lane.
    """
    faults = [
        fault
        for lane in range(len(lanes))
        for fault in call_faults([call for call in calls if call.lane == lane])
    ]  # fmt: skip
    hurried = slow_faults(calls, lanes, behind or {})
    return [
        Finding(
            name="each lane was called upwards, the late after the drawn",
            holds=not faults,
            examined=len(calls),
            detail="; ".join(faults[:10]),
        ),
        Finding(
            name="the slow lane was called no further than the others",
            holds=not hurried,
            examined=len(calls),
            detail="; ".join(hurried[:10]),
        ),
    ]


def called_first(calls: Sequence[CallRow], place_rank: int | None, number: int) -> datetime | None:
    """Return when the calls of a lane first reached a place: by its rank, or of a late one by its number."""
    if number:
        passed = bisect_left(calls, number, key=lambda call: call.late_called)
    else:
        assert place_rank is not None
        passed = bisect_right(calls, place_rank, key=lambda call: call.threshold)
    return calls[passed].called_at if passed < len(calls) else None


def call_faults(calls: Sequence[CallRow]) -> list[str]:
    """Return what breaks the published order in the calls of a lane: they only rise, and the late follow the drawn."""
    faults = [
        f"call {place + 1} of lane {call.lane} goes back"
        for place, (before, call) in enumerate(pairwise(calls), 1)
        if call.threshold < before.threshold or call.late_called < before.late_called
    ]
    return faults + [
        f"lane {call.lane} calls the late before the drawn"
        for call in calls
        if call.late_called and call.threshold < RANKS
    ]


def slow_faults(calls: Sequence[CallRow], lanes: Sequence[Lane], behind: Mapping[int, tuple[int, int]]) -> list[str]:
    """Return where the slow lane was called before those who stand before it. `calls` of all lanes, in their order.

    `behind` tells of each late place in the slow lane its home lane and how many late ones of it came before.
    """
    slow = next((index for index, lane in enumerate(lanes) if lane.slow), None)
    drawn = {index for index, lane in enumerate(lanes) if lane.drawn and not lane.slow}
    reached = dict.fromkeys(range(len(lanes)), (0, 0))
    faults = []
    for place, call in enumerate(calls, 1):
        before, reached[call.lane] = reached[call.lane][1], (call.threshold, call.late_called)
        if call.lane != slow:
            continue
        late = [behind[number] for number in range(before + 1, call.late_called + 1) if number in behind]
        if any(reached[each][0] < call.threshold for each in drawn) or any(
            reached[home][1] < count for home, count in late
        ):
            faults.append(f"call {place} runs ahead")
    return faults
