"""How a simulated shopper stands in line, over HTTP alone: a place, the snapshot, the call, the pass.

A client learns from the public snapshot when it is called, as the waiting room's page does; its own rank it asks for
once, when the seed is revealed. A shopper asks for a place with `{}` and does the work only where it is asked for.
"""

import time
from collections.abc import Callable
from random import Random
from typing import Any, Protocol

import altcha
import gevent
import msgspec

from tidegate.watch.rehearsal.contracts import Group, Journey, LinePlan

_TRIES_MAX = 4
_TROUBLE_SECONDS = 1.5
_OVERSLEPT_SECONDS = (2.0, 6.0)
_KEPT_SECONDS = 1.0
_NOTHING_MORE = frozenset({"nothing-left", "ended"})
_PLACE_GONE = frozenset({"place-refused", "place-spent"})

Answer = tuple[int, dict[str, Any], str]


class Send(Protocol):
    """Sends one request; returns status, JSON body and validator."""

    def __call__(
        self, name: str, method: str, path: str, *, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send it."""
        ...


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """How one shopper waits: how often it looks, whether it oversleeps its call, or leaves while it waits.

    `signals` is what its page says with the request for a challenge.
    """

    poll_seconds: tuple[float, float]
    oversleeps: bool = False
    leaves: bool = False
    signals: dict[str, Any] = msgspec.field(default_factory=dict)


class Edge:
    """What stands between some shoppers and the shop, such as a CDN's node: it keeps the snapshot as long as the answer
    allows, and while it asks for the next one it gives the last (`max-age=1, stale-while-revalidate=5`).
    """

    def __init__(self) -> None:
        self._kept: dict[str, Any] = {}
        self._tag = ""
        self._asked_at = 0.0

    def snapshot(self, send: Send) -> dict[str, Any]:
        """Return the line as everybody sees it; empty before the first answer."""
        if time.monotonic() - self._asked_at < _KEPT_SECONDS:
            return self._kept
        self._asked_at = time.monotonic()
        headers = {"If-None-Match": self._tag} if self._tag else {}
        status, said, tag = send("line", "GET", "/api/v1/queue", headers=headers)
        if status == 200:
            self._kept, self._tag = said, tag
        return self._kept


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A place as its holder knows it."""

    token: str
    lane: str
    number: int


class InLine:
    """One account's way through the line, again and again; what came of the first time is in `journey`."""

    def __init__(
        self,
        plan: LinePlan,
        journey: Journey,
        manner: Manner,
        chance: Random,
        send: Send,
        edge: Edge,
        ended: Callable[[], bool],
    ) -> None:
        self.journey = journey
        self.waiting = False
        self.left = False
        self._plan, self._manner, self._chance, self._ended = plan, manner, chance, ended
        self._send, self._edge = send, edge
        self._place: Place | None = None
        self._rank: int | None = None
        self._stood_at = 0.0
        self._seen: dict[str, Any] = {}

    def stand(self) -> bool:
        """Take a place, or keep the one there is; return whether there is one."""
        answer: dict[str, Any] = {}
        for _ in range(_TRIES_MAX):
            if self._place is not None:
                return True
            status, said, _ = self._send("place", "POST", "/api/v1/places", body=answer)
            if status == 201:
                self._placed(said)
            elif _code(said) == "work-refused":
                answer = self._work()
            elif _code(said) in {"network-full", "one-place-a-person", "places-closed"} or self._ended():
                return False
            else:
                gevent.sleep(min(float(said.get("retry_after") or 0) or _TROUBLE_SECONDS, 5.0))
        return self._place is not None

    def _placed(self, said: dict[str, Any]) -> None:
        self._place = Place(token=said["token"], lane=said["lane"], number=said["number"])
        self._rank, self._stood_at = None, time.time()
        if not self.journey.placed:
            group = self.journey.group
            if group is not Group.FARM and said["kind"] == "drawn":
                group = Group.MEMBER if said["lane"] in self._plan.member_lanes else Group.SHOPPER
            self._note(placed=True, group=group)

    def _work(self) -> dict[str, Any]:
        """Ask for a challenge and do the work; return what buys a place."""
        challenge = self.challenge()
        if not challenge:
            return {}
        # Argon2id holds no lock while it computes: in a thread it does not stop the other shoppers.
        return {"work": gevent.get_hub().threadpool.apply(solved, (challenge,))}

    def challenge(self) -> dict[str, Any]:
        """Ask for a challenge; return its work."""
        status, said, _ = self._send("challenge", "POST", "/api/v1/challenges", body=self._manner.signals)
        if status != 201:
            return {}
        if said.get("lane") == "slow":
            self._note(suspected=True)
        return dict(said["work"])

    def come_in(self) -> dict[str, Any] | None:
        """Wait until called and go in; return the pass, or None when that comes to nothing."""
        if self.left or not self.stand():
            return None
        self.waiting = True
        try:
            if not self._called():
                return None
            if self._manner.oversleeps and not self.journey.entered:
                gevent.sleep(self._plan.claim_seconds + self._chance.uniform(*_OVERSLEPT_SECONDS))
            return self._enter()
        finally:
            self.waiting = False

    def _called(self) -> bool:
        """Follow the snapshot until the place is called; False when it never will be."""
        looks, sign_at = 0, time.time() + self._plan.sign_seconds
        while not self._ended():
            self._seen = self._edge.snapshot(self._send)
            if self._is_called():
                self._note(called=True)
                return True
            if self._seen.get("state") in _NOTHING_MORE:
                return False
            if self._manner.leaves and not self.journey.entered and looks >= 2 and self._seen.get("state") == "open":
                self._leave()
                return False
            if time.time() >= sign_at:
                sign_at = time.time() + self._plan.sign_seconds
                self._give_sign()
            looks += 1
            gevent.sleep(self._chance.uniform(*self._manner.poll_seconds))
        return False

    def _is_called(self) -> bool:
        place = self._place
        lane = next((each for each in self._seen.get("lanes", ()) if place and each["name"] == place.lane), None)
        if place is None or lane is None:
            return False
        if place.number:
            return bool(place.number <= lane["late_called"])
        if self._rank is None and self._seen["draw"]["seed"]:
            self._see_place()
        return self._rank is not None and self._rank < int(lane["threshold"], 16)

    def _give_sign(self) -> None:
        """Say that somebody is there, as the page does."""
        _, said, _ = self._send("sign of life", "POST", "/api/v1/places/current/signs", headers=self._with_place())
        if _code(said) in _PLACE_GONE:
            self._place = None

    def _see_place(self) -> None:
        """Ask where the place stands; the rank is told once the seed is revealed."""
        status, said, _ = self._send("my place", "GET", "/api/v1/places/current", headers=self._with_place())
        if status == 200 and said.get("rank"):
            self._rank = int(said["rank"], 16)
        elif _code(said) in _PLACE_GONE:
            self._place = None

    def _enter(self) -> dict[str, Any] | None:
        """Ask for the pass until there is room."""
        while self._place is not None and not self._ended():
            status, said, _ = self._send("pass", "POST", "/api/v1/passes", body={}, headers=self._with_place())
            if status == 201:
                if not self.journey.entered:
                    waited = time.time() - max(self._stood_at, self._plan.opens_at.timestamp())
                    self._note(entered=True, wait_seconds=max(waited, 0.0))
                return said
            if _code(said) in {*_PLACE_GONE, *_NOTHING_MORE, "campaign-over"}:
                self._place = None
                return None
            gevent.sleep(float(said.get("retry_after") or _TROUBLE_SECONDS) * self._chance.uniform(0.5, 1.0))
        return None

    def spent(self) -> None:
        """The pass is used up or over, and the place with it."""
        self._place = None

    def _leave(self) -> None:
        self._send("leave", "DELETE", "/api/v1/places/current", headers=self._with_place())
        self._place, self.left = None, True

    def _with_place(self) -> dict[str, str]:
        return {"Tidegate-Place": self._place.token} if self._place is not None else {}

    def _note(self, **changes: Any) -> None:
        self.journey = msgspec.structs.replace(self.journey, **changes)


def solved(work: dict[str, Any]) -> str:
    """Return the payload that answers a challenge's work (ALTCHA version 2); empty where none was found in time."""
    challenge = altcha.Challenge.from_dict(work)
    solution = altcha.solve_challenge(challenge)
    return altcha.Payload(challenge, solution).to_base64() if solution is not None else ""


def _code(said: dict[str, Any]) -> str:
    return str(said.get("type", "")).rpartition("/")[2]
