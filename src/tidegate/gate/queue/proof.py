"""What anybody can check of a draw: the sealed list, a receipt, and everything recomputed."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from tidegate.base.db import Tx
from tidegate.base.invariant import Check
from tidegate.gate.queue import store, store_gate, store_proof
from tidegate.gate.queue.contracts import Finding, PlaceFacts, Receipt, SealedList, SealedPlace, Verification
from tidegate.gate.queue.draw import commitment, leaf, merkle_path, merkle_root, rank, rank_text, salt_of, seed_hash
from tidegate.gate.queue.errors import NotSealed, NoWaitingRoom
from tidegate.gate.queue.rows import LineRow

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
        places=tuple(SealedPlace(serial=each[0], lane=each[1], commitment=each[2].hex()) for each in places),
        following=following,
    )


async def receipt_of(tx: Tx, facts: PlaceFacts, salt_key: bytes) -> Receipt:
    """Return what explains a place's rank."""
    line = await _line(tx, facts.campaign_id)
    device = await store_proof.first_device(tx, line.line_id, facts.serial) or facts.device
    salt = salt_of(salt_key, facts.campaign_id, facts.account_id)
    place_rank = path = None
    if not facts.number and line.root is not None:
        listed = await store.sealed(tx, line.line_id, 0, _LIST_MAX)
        path = merkle_path([leaf(*each) for each in listed], facts.serial)
        place_rank = rank(line.seed, line.root, facts.serial) if line.seed is not None else None
    entry = await store_gate.entry(tx, line.line_id, facts.serial)
    lanes = await store.lanes(tx, line.line_id)
    called_at = (
        await store.called_at(tx, line.line_id, facts.lane, rank=place_rank, number=facts.number)
        if (place_rank is not None or facts.number)
        else None
    )
    return Receipt(
        campaign_id=facts.campaign_id,
        serial=facts.serial,
        lane=lanes[facts.lane].name,
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
        rank=rank_text(place_rank) if place_rank is not None else None,
        number=facts.number,
        called_at=called_at,
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
        findings.append(await _order_of_admission(tx, line, line.seed, line.root, listed))
    return Verification(campaign_id=campaign_id, findings=tuple(findings))


async def _order_of_admission(
    tx: Tx, line: LineRow, seed: bytes, root: bytes, listed: Sequence[tuple[int, int, bytes]]
) -> Finding:
    """Recompute each rank, and hold against it when its owner came: not before the lane's threshold passed it."""
    ranks = {serial: (lane, rank(seed, root, serial)) for serial, lane, _ in listed}
    calls: dict[int, tuple[list[int], list[datetime]]] = defaultdict(lambda: ([], []))
    for lane, threshold, at in await store_proof.calls(tx, line.line_id):
        calls[lane][0].append(threshold)
        calls[lane][1].append(at)
    wrong = []
    entries = await store_gate.entries(tx, line.line_id, _LIST_MAX)
    for serial, called_at, entered_at in entries:
        if serial not in ranks:
            continue
        lane, place_rank = ranks[serial]
        thresholds, moments = calls[lane]
        passed = bisect_right(thresholds, place_rank)
        first = moments[passed] if passed < len(moments) else None
        if first is None or first != called_at or (entered_at is not None and entered_at < first):
            wrong.append(serial)
    return Finding(
        name="nobody entered before the calls reached their rank",
        holds=not wrong,
        examined=len(entries),
        detail=", ".join(map(str, wrong[:10])),
    )


async def check_line(tx: Tx) -> list[Check]:
    """Hold the invariants of all lines against the database."""
    entries, above, twice, miscounted = await store_proof.broken(tx)
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
    ]
