"""What is held against the records of a draw: a receipt for each place, and everything recomputed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from tidegate.base.db import Tx
from tidegate.base.invariant import Check
from tidegate.gate.queue import store, store_gate, store_proof, store_slow
from tidegate.gate.queue.checking import call_findings, called_first, draw_findings
from tidegate.gate.queue.contracts import Finding, PlaceFacts, Receipt, Verification
from tidegate.gate.queue.draw import BEHIND, SUBTREE, commitment, leaf, path_by_subtrees, rank, rank_text, salt_of
from tidegate.gate.queue.errors import NotSealed
from tidegate.gate.queue.publishing import line_of, published
from tidegate.gate.queue.rows import CallRow, Coming, LaneRow, LineRow
from tidegate.gate.queue.spots import called_at, home_spot, own_spot
from tidegate.offer.campaign.contracts import Words

_LIST_MAX = 1 << 32


async def receipt_of(tx: Tx, facts: PlaceFacts, salt_key: bytes) -> Receipt:
    """Return what explains a place's rank."""
    line = await line_of(tx, facts.campaign_id)
    device = await store_proof.first_device(tx, line.line_id, facts.serial) or facts.device
    salt = salt_of(salt_key, facts.campaign_id, facts.account_id)
    place_rank = path = None
    is_listed = line.sealed_count is not None and facts.serial < line.sealed_count
    if line.root is not None and is_listed:
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
        lane_index=facts.lane + (BEHIND if facts.number and is_listed else 0),
        lane_label=Words(lanes[facts.lane].label_zh, lanes[facts.lane].label_en),
        lane_share=lanes[facts.lane].share,
        restored_to=lanes[home.lane].name if home is not None else None,
        restored_at=home.restored_at if home is not None else None,
        kind=facts.kind,
        joined_at=facts.joined_at,
        account_id=facts.account_id,
        device=device,
        salt=salt.hex(),
        commitment=commitment(salt, facts.account_id, device).hex(),
        seed_hash=line.seed_hash.hex(),
        opened_at=line.opened_at,
        sealed_at=line.sealed_at,
        count=line.sealed_count,
        root=line.root.hex() if line.root else None,
        rooted_at=line.rooted_at,
        path=tuple(each.hex() for each in path or ()),
        seed=line.seed.hex() if line.seed else None,
        revealed_at=line.revealed_at,
        public_number=line.number,
        rank=rank_text(place_rank) if place_rank is not None else None,
        number=facts.number,
        called_at=called,
        entered_at=entry.entered_at if entry else None,
    )


async def verify_line(tx: Tx, campaign_id: str) -> Verification:
    """Recompute seed hash, root, and that nobody entered before the calls reached their place."""
    line = await line_of(tx, campaign_id)
    if line.root is None:
        raise NotSealed("The list is sealed shortly before the opening; look again then.")
    listed = await store.sealed(tx, line.line_id, 0, _LIST_MAX)
    lanes = await store.lanes(tx, line.line_id)
    findings = draw_findings(published(line, lanes), listed)
    if line.key is not None:
        findings += await _order_of_admission(tx, line, line.key, line.root, listed, lanes)
    return Verification(campaign_id=campaign_id, findings=tuple(findings))


def _first_call(calls: Mapping[int, Sequence[CallRow]], each: Coming, place_rank: int | None) -> datetime | None:
    """Return when a place was first called: by its own lane, or since it was restored by its home lane."""
    found = [called_first(calls[each.lane], place_rank, each.number)]
    if each.home is not None:
        spot = home_spot(each.home, place_rank, each.number)
        at_home = called_first(calls[spot.lane], spot.rank, spot.number)
        found.append(max(at_home, each.home.restored_at) if at_home is not None else None)
    return min((moment for moment in found if moment is not None), default=None)


async def _order_of_admission(
    tx: Tx,
    line: LineRow,
    key: bytes,
    root: bytes,
    listed: Sequence[tuple[int, int, bytes]],
    lanes: Sequence[LaneRow],
) -> list[Finding]:
    """Recompute each rank, and hold against it when its owner was called and came: not before the calls reached it."""
    ranks = {serial: rank(key, root, serial) for serial, _, _ in listed}
    calls: dict[int, list[CallRow]] = defaultdict(list)
    every = await store_proof.calls(tx, line.line_id)
    for call in every:
        calls[call.lane].append(call)
    comings = await store_proof.comings(tx, line.line_id)
    wrong = []
    for each in comings:
        first = _first_call(calls, each, ranks.get(each.serial))
        if first is None or first != each.called_at or (each.entered_at is not None and each.entered_at < first):
            wrong.append(each.serial)
    return [
        *call_findings(every, lanes, await store_slow.behind(tx, line.line_id)),
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
