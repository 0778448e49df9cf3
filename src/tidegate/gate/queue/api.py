"""What others may ask of the queue: take, look at, leave a place; enter; poll, steer and check the line."""

from collections.abc import Sequence
from uuid import UUID

from tidegate.base.db import Tx
from tidegate.gate.queue.contracts import (
    PLACE_HEADER,
    AskPlace,
    Entered,
    GateFigures,
    GateRecord,
    Place,
    PlaceFacts,
    PlaceView,
    Receipt,
    SealedList,
    SnapshotBody,
    SteerGate,
    Verification,
    Waiting,
)

__all__ = ["PLACE_HEADER", "Queue"]


class Queue:
    """The waiting room of the current campaign."""

    def has_waiting_room(self) -> bool:
        """Return whether the current campaign has a waiting room; without one, passes are given for the asking."""
        raise NotImplementedError

    async def take_place(self, ask: AskPlace) -> Place:
        """Give a place, or the one that this account holds already; durable when this returns.

        The same account on a new device takes its place along. Raises NoWaitingRoom, PlacesNotOpen, PlacesClosed,
        NetworkFull, InstrumentTaken, Overloaded.
        """
        raise NotImplementedError

    def check_place(self, token: str | None, account_id: UUID, device: UUID) -> PlaceFacts:
        """Return what the place says if it is this account's on this device, in the current campaign. No I/O.

        Raises PlaceRefused with a `reason`, NoWaitingRoom.
        """
        raise NotImplementedError

    def view(self, facts: PlaceFacts) -> PlaceView:
        """Return where a place stands, from the snapshot in memory; at most a second old. No I/O."""
        raise NotImplementedError

    async def beat(self, facts: PlaceFacts) -> None:
        """Note a sign of life. Without Valkey nothing is noted and nothing fails."""
        raise NotImplementedError

    async def leave(self, facts: PlaceFacts) -> None:
        """Give up a place, and the pass that came of it; its room is free at once. Again changes nothing."""
        raise NotImplementedError

    async def enter(self, facts: PlaceFacts) -> Entered | Waiting:
        """Give a called shopper a pass, if there is room. Asking again gives the same pass, renewed while a hold is open.

        Raises PlaceRefused, PlaceSpent, NothingLeft, PhaseNotOpen, CampaignOver, Overloaded.
        """
        raise NotImplementedError

    def snapshot(self) -> SnapshotBody | None:
        """Return the line as everybody sees it, made by the last `renew`; None where there is no waiting room."""
        raise NotImplementedError

    async def renew(self) -> None:
        """Make the snapshot anew. Each web process, each second."""
        raise NotImplementedError

    async def step(self) -> None:
        """Move the line on: open, seal, reveal, free what expired, call. The worker, each second; one at a time."""
        raise NotImplementedError

    async def steer(self, tx: Tx, command: SteerGate, by: str) -> GateRecord:
        """Record an act of staff; it holds from the next step on. Raises NoWaitingRoom."""
        raise NotImplementedError

    async def acts(self, tx: Tx, limit: int = 100) -> list[GateRecord]:
        """Return what staff did with the gate of the current campaign, newest first."""
        raise NotImplementedError

    async def figures(self, tx: Tx) -> GateFigures:
        """Return what a campaign manager watches. Raises NoWaitingRoom."""
        raise NotImplementedError

    async def spend(self, tx: Tx, campaign_id: str, buyers: Sequence[UUID]) -> list[Exception | None]:
        """Count one purchase for each buyer in this transaction; a refusal where the pass is good for none.

        A campaign without a waiting room counts nothing and refuses nobody.
        """
        raise NotImplementedError

    async def receipt(self, tx: Tx, facts: PlaceFacts) -> Receipt:
        """Return what explains this place's rank, with its path to the sealed root."""
        raise NotImplementedError

    async def sealed_list(self, tx: Tx, campaign_id: str, start: int = 0, limit: int = 10_000) -> SealedList:
        """Return a part of the sealed list. Raises NotSealed, NoWaitingRoom."""
        raise NotImplementedError

    async def verify(self, tx: Tx, campaign_id: str) -> Verification:
        """Recompute seed hash, root, ranks and the order of admission. Raises NotSealed, NoWaitingRoom."""
        raise NotImplementedError
