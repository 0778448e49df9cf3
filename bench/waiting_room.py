"""A campaign with a waiting room, and shoppers in its line, for what is measured of it."""

import asyncio
from datetime import timedelta
from uuid import UUID

import msgspec

from bench.client import NextRequest, in_turn, request
from bench.orders import definition
from tidegate.app.compose import App
from tidegate.gate.queue.contracts import PLACE_COOKIE, PLACE_HEADER
from tidegate.offer.campaign.contracts import (
    Audience,
    CampaignDefinition,
    GuardedGoods,
    QueueLane,
    WaitingRoom,
    Words,
)
from tidegate.trust.identity.api import SESSION_COOKIE

SNAPSHOT = request("GET", "/api/v1/queue", {})


def with_waiting_room(starts_after: timedelta, **changes: int) -> CampaignDefinition:
    """Return the benchmark's campaign, its sale that far away and its line open; with `changes` to the room."""
    offered = definition(1_000_000)
    shift = timedelta(days=1) + starts_after  # the benchmark's sale opened a day ago
    moved = [
        msgspec.structs.replace(phase, starts_at=phase.starts_at + shift, ends_at=phase.ends_at + shift)
        for phase in offered.phases
    ]
    opens_at = moved[2].starts_at
    room = WaitingRoom(
        opens_at=opens_at - timedelta(days=1),
        seals_at=opens_at - starts_after / 5,
        cap=5_000,
        per_minute=6_000,
        ramp_seconds=0,
        claim_seconds=60,
        pass_seconds=600,
        purchases=1,
        per_network=0,
        goods=GuardedGoods.EVERYTHING,
        lanes=(QueueLane(name="everyone", label=Words("所有人", "Everyone"), share=100, audience=Audience.EVERYONE),),
    )
    return msgspec.structs.replace(offered, phases=tuple(moved), waiting_room=msgspec.structs.replace(room, **changes))


async def line_open(app: App) -> None:
    """Wait until the worker has opened the line and this process sees it."""
    for _ in range(100):
        await app.refresh()
        await app.queue.renew()
        if app.queue.snapshot() is not None:
            return
        await asyncio.sleep(0.2)
    raise RuntimeError("the line did not open")


async def shoppers(app: App, count: int) -> list[tuple[str, UUID, UUID]]:
    """Return so many new shoppers, each signed in: token, account, session."""
    async with app.db.transaction() as tx:
        made = await app.identity.open_rehearsal_accounts(tx, count)
    sessions = [each.session for each in made]
    return [(each.token, each.account_id, each.session_id) for each in sessions]


def looks(places: list[tuple[str, str]]) -> NextRequest:
    """Shoppers, by session and place, look at their own places, which is also their sign of life."""
    return in_turn([request("GET", "/api/v1/places/current", _owner(*each)) for each in places])


def signs(places: list[tuple[str, str]]) -> NextRequest:
    """Shoppers, by session and place, give signs of life as the waiting room's page does."""
    cookies = [f"{SESSION_COOKIE}={session}; {PLACE_COOKIE}={place}" for session, place in places]
    return in_turn([request("POST", "/api/v1/places/current/signs", {"Cookie": each}) for each in cookies])


def asks_for_passes(places: list[tuple[str, str]]) -> NextRequest:
    """Shoppers, by session and place, ask to be let in."""
    return in_turn([request("POST", "/api/v1/passes", _owner(*each)) for each in places])


def _owner(session: str, place: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {session}", PLACE_HEADER: place}
