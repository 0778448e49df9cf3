"""What anybody can check of a draw: the sealed list, a receipt, and everything recomputed."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from tidegate.base.db import Tx
from tidegate.base.invariant import Check
from tidegate.gate.queue import store, store_gate, store_proof, store_slow
from tidegate.gate.queue.contracts import Finding, PlaceFacts, Receipt, SealedList, SealedPlace, Verification
from tidegate.gate.queue.draw import (
    RANKS,
    SUBTREE,
    commitment,
    leaf,
    merkle_root,
    path_by_subtrees,
    rank,
    rank_text,
    salt_of,
    seed_hash,
)
from tidegate.gate.queue.errors import NotSealed, NoWaitingRoom
from tidegate.gate.queue.public_number import PublishedNumber, draw_key, is_drand_number
from tidegate.gate.queue.rows import CallRow, Coming, LaneRow, LineRow
from tidegate.gate.queue.rules import slow_lane
from tidegate.gate.queue.spots import called_at, home_spot, own_spot
from tidegate.offer.campaign.contracts import NumberSource

_LIST_MAX = 1 << 32


async def _line(tx: Tx, campaign_id: str) -> LineRow:
    line = await store.line(tx, campaign_id)
    if line is None:
        raise NoWaitingRoom(f"The campaign {campaign_id} has no line; nothing can be checked.")
    return line


async def sealed_list_of(tx: Tx, campaign_id: str, start: int, limit: int) -> SealedList:
    """Return a part of the sealed list. Raises NotSealed, NoWaitingRoom."""
    line = await _line(tx, campaign_id)
    if line.root is None or line.sealed_count is None:
        raise NotSealed("The list is sealed shortly before the opening; look again then.")
    places = await store.sealed(tx, line.line_id, start, limit)
    following = places[-1][0] + 1 if places and places[-1][0] + 1 < line.sealed_count else None
    return SealedList(
        campaign_id=campaign_id,
        seed_hash=line.seed_hash.hex(),
        root=line.root.hex(),
        count=line.sealed_count,
        seed=line.seed.hex() if line.seed else None,
        number=line.number,
        places=tuple(SealedPlace(serial=each[0], lane=each[1], commitment=each[2].hex()) for each in places),
        following=following,
    )


async def receipt_of(tx: Tx, facts: PlaceFacts, salt_key: bytes) -> Receipt:
    """Return what explains a place's rank."""
    line = await _line(tx, facts.campaign_id)
    device = await store_proof.first_device(tx, line.line_id, facts.serial) or facts.device
    salt = salt_of(salt_key, facts.campaign_id, facts.account_id)
    place_rank = path = None
    if line.root is not None and line.sealed_count is not None and facts.serial < line.sealed_count:
        part = await store.sealed(tx, line.line_id, facts.serial // SUBTREE * SUBTREE, SUBTREE)
        roots = await store_proof.subtrees(tx, line.line_id)
        path = path_by_subtrees([leaf(*each) for each in part], roots, facts.serial)
        key = line.key
        place_rank = rank(key, line.root, facts.serial) if key is not None and not facts.number else None
    entry = await store_gate.entry(tx, line.line_id, facts.serial)
    lanes = await store.lanes(tx, line.line_id)
    home = await store_slow.home(tx, line.line_id, facts.serial)
    own = own_spot(facts.lane, place_rank, facts.number)
    called = await called_at(tx, line.line_id, own, home) if place_rank is not None or facts.number else None
    return Receipt(
        campaign_id=facts.campaign_id,
        serial=facts.serial,
        lane=lanes[facts.lane].name,
        restored_to=lanes[home.lane].name if home is not None else None,
        restored_at=home.restored_at if home is not None else None,
        kind=facts.kind,
        joined_at=facts.joined_at,
        account_id=facts.account_id,
        device=device,
        salt=salt.hex(),
        commitment=commitment(salt, facts.account_id, device).hex(),
        seed_hash=line.seed_hash.hex(),
        root=line.root.hex() if line.root else None,
        path=tuple(each.hex() for each in path or ()),
        seed=line.seed.hex() if line.seed else None,
        public_number=line.number,
        rank=rank_text(place_rank) if place_rank is not None else None,
        number=facts.number,
        called_at=called,
        entered_at=entry.entered_at if entry else None,
    )


async def verify_line(tx: Tx, campaign_id: str) -> Verification:
    """Recompute seed hash, root, and that nobody entered before the calls reached their place."""
    line = await _line(tx, campaign_id)
    if line.root is None:
        raise NotSealed("The list is sealed shortly before the opening; look again then.")
    listed = await store.sealed(tx, line.line_id, 0, _LIST_MAX)
    findings = [
        Finding(
            name="the published root is the root of the list",
            holds=merkle_root([leaf(*each) for each in listed]) == line.root,
            examined=len(listed),
        ),
        Finding(
            name="serials run without a gap",
            holds=[each[0] for each in listed] == list(range(line.sealed_count or 0)),
            examined=len(listed),
        ),
    ]
    if line.seed is not None:
        findings.append(
            Finding(
                name="the revealed seed is the one whose hash was published",
                holds=seed_hash(line.seed) == line.seed_hash,
                examined=1,
            )
        )
        key = draw_key(line.seed, line.number_text)
        findings += [*_number_findings(line), *await _order_of_admission(tx, line, key, line.root, listed)]
    return Verification(campaign_id=campaign_id, findings=tuple(findings))


def _number_findings(line: LineRow) -> list[Finding]:
    """Hold the public number against what was announced of it; nothing to find where none was."""
    view = line.number
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
            holds=line.rooted_at is not None and line.rooted_at < told.drawn_at,
            examined=1,
            detail=f"drand chain {told.chain}, round {told.round}" if told.chain else told.label.en,
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


def slow_faults(calls: Sequence[CallRow], lanes: Sequence[LaneRow], behind: Mapping[int, tuple[int, int]]) -> list[str]:
    """Return where the slow lane was called before those who stand before it. `calls` of all lanes, in their order.

    `behind` tells of each late place in the slow lane its home lane and how many late ones of it came before.
    """
    slow = slow_lane(lanes)
    drawn = {lane.lane for lane in lanes if lane.drawn and not lane.slow}
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


def _first_call(calls: Mapping[int, Sequence[CallRow]], each: Coming, place_rank: int | None) -> datetime | None:
    """Return when a place was first called: by its own lane, or since it was restored by its home lane."""
    found = [called_first(calls[each.lane], place_rank, each.number)]
    if each.home is not None:
        spot = home_spot(each.home, place_rank, each.number)
        at_home = called_first(calls[spot.lane], spot.rank, spot.number)
        found.append(max(at_home, each.home.restored_at) if at_home is not None else None)
    return min((moment for moment in found if moment is not None), default=None)


async def _order_of_admission(
    tx: Tx, line: LineRow, key: bytes, root: bytes, listed: Sequence[tuple[int, int, bytes]]
) -> list[Finding]:
    """Recompute each rank, and hold against it when its owner was called and came: not before the calls reached it."""
    ranks = {serial: rank(key, root, serial) for serial, _, _ in listed}
    calls: dict[int, list[CallRow]] = defaultdict(list)
    every = await store_proof.calls(tx, line.line_id)
    for call in every:
        calls[call.lane].append(call)
    hurried = slow_faults(every, await store.lanes(tx, line.line_id), await store_slow.behind(tx, line.line_id))
    faults = [fault for lane_calls in calls.values() for fault in call_faults(lane_calls)]
    comings = await store_proof.comings(tx, line.line_id)
    wrong = []
    for each in comings:
        first = _first_call(calls, each, ranks.get(each.serial))
        if first is None or first != each.called_at or (each.entered_at is not None and each.entered_at < first):
            wrong.append(each.serial)
    return [
        Finding(
            name="each lane was called upwards, the late after the drawn",
            holds=not faults,
            examined=sum(map(len, calls.values())),
            detail="; ".join(faults[:10]),
        ),
        Finding(
            name="the slow lane was called no further than the others",
            holds=not hurried,
            examined=len(every),
            detail="; ".join(hurried[:10]),
        ),
        Finding(
            name="nobody entered before the calls reached their rank or number",
            holds=not wrong,
            examined=len(comings),
            detail=", ".join(map(str, wrong[:10])),
        ),
    ]


async def check_line(tx: Tx) -> list[Check]:
    """Hold the invariants of all lines against the database."""
    entries, above, twice, miscounted, ahead = await store_proof.broken(tx)
    networks, crowded = await store_proof.miscounted_networks(tx)
    return [
        Check(
            name="queue: nobody inside above the cap, none before the call",
            holds=not above,
            examined=entries,
            detail=f"{above} entries" if above else "",
        ),
        Check(
            name="queue: an account is inside on one place only, and the gate counts those inside",
            holds=not twice and not miscounted,
            examined=entries,
            detail=f"{twice} accounts, {miscounted} gates" if twice or miscounted else "",
        ),
        Check(
            name="queue: the slow lane is called no further than any other",
            holds=not ahead,
            examined=entries,
            detail=f"{ahead} lanes" if ahead else "",
        ),
        Check(
            name="queue: each network's count is that of the places which name it",
            holds=not crowded,
            examined=networks,
            detail=f"{crowded} networks" if crowded else "",
        ),
    ]
