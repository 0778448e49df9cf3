"""Who gets a place, decided in memory under the lock of the line, for a whole batch."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from tidegate.base.errors import Refusal
from tidegate.gate.queue.contracts import AskPlace
from tidegate.gate.queue.draw import commitment, salt_of
from tidegate.gate.queue.errors import NetworkFull, OnePlaceAPerson
from tidegate.gate.queue.rows import HeldPlace, LaneRow, LineRow, Move, NewPlace

EVERYONE = "everyone"


def slow_lane(lanes: Sequence[LaneRow]) -> int | None:
    """Return the slow lane, or None where the line has none."""
    return next((lane.lane for lane in lanes if lane.slow), None)


def lane_for(lanes: Sequence[LaneRow], audiences: frozenset[str]) -> int:
    """Return the first lane whose audience fits; one for everyone always stands among them."""
    return next(lane.lane for lane in lanes if lane.audience == EVERYONE or lane.audience in audiences)


class PlaceLedger:
    """The places of those who ask in one batch; what is given anew is collected in `new` and `moved`.

    Drawn while the line is not sealed and `now` is before the sealing; otherwise late, numbered within the lane. Of one
    network at most `per_network` stand where all do (0 = any number); others are late in the slow lane, or are refused
    where there is none or not `behind`.
    """

    def __init__(
        self,
        line: LineRow,
        lanes: Sequence[LaneRow],
        held: Iterable[HeldPlace],
        networks: Mapping[str, int],
        *,
        now: datetime,
        seals_at: datetime,
        per_network: int,
        behind: bool,
        salt_key: bytes,
    ) -> None:
        self.new: list[NewPlace] = []
        self.moved: list[Move] = []
        self.drawn = line.sealed_at is None and now < seals_at
        self._line = line
        self._lanes = lanes
        self._late = {lane.lane: lane.late for lane in lanes}
        self._networks = dict(networks)
        self._by_account: dict[UUID, HeldPlace] = {}
        # By whom a browser is taken. What a move sets free stays taken until the next batch: the database holds it
        # until the moves are written, which is after the new places.
        self._browsers: dict[bytes, UUID] = {}
        self._instruments: set[bytes] = set()
        self._now = now
        self._per_network = per_network
        self._behind = behind
        self._salt_key = salt_key
        for place in held:
            self._hold(place)

    def known(self, ask: AskPlace) -> HeldPlace | None:
        """Return the place that this account holds on this device."""
        place = self._by_account.get(ask.account_id)
        return place if place is not None and place.device == ask.device else None

    def take(self, ask: AskPlace) -> HeldPlace | Refusal:
        """Return the asker's place, old or new, or why there is none."""
        if (same := self.known(ask)) is not None:
            return same
        if ask.browser is not None and self._browsers.get(ask.browser, ask.account_id) != ask.account_id:
            return _one_a_person("device")
        if (known := self._by_account.get(ask.account_id)) is not None:
            return self._moved(known, ask)
        if ask.instrument is not None and ask.instrument in self._instruments:
            return _one_a_person("instrument")
        counted = ask.network if ask.instrument is None else None  # whose way to pay is known counts by that alone
        crowded = counted is not None and 0 < self._per_network <= self._networks.get(counted, 0)
        if crowded and not (self._behind and slow_lane(self._lanes) is not None):
            return NetworkFull(
                f"{self._per_network} places were taken from your network already, and no more are given there; you "
                "hold none. Try another connection, such as your phone's own.",
                limit=self._per_network,
                retry_after=60,
            )
        return self._given(ask, None if crowded else counted, crowded=crowded)

    def _given(self, ask: AskPlace, network: str | None, *, crowded: bool) -> HeldPlace:
        """Give a new place that counts in this network. One beyond its network's number is late in the slow lane, also
        while others are drawn: behind all of these, and from then on at the slow lane's share.
        """
        home = lane_for(self._lanes, ask.audiences)
        slow = slow_lane(self._lanes) if ask.slow or crowded else None
        lane = home if slow is None else slow
        number, behind = 0, 0
        if crowded or not self.drawn:
            behind = self._late[home]
            self._late[lane] += 1
            number = self._late[lane]
        serial = self._line.next_serial + len(self.new)
        salt = salt_of(self._salt_key, self._line.campaign_id, ask.account_id)
        place = HeldPlace(
            serial=serial,
            lane=lane,
            number=number,
            account_id=ask.account_id,
            device=ask.device,
            joined_at=self._now,
            browser=ask.browser,
            instrument=ask.instrument,
        )
        self.new.append(
            NewPlace(
                serial=serial,
                lane=lane,
                number=number,
                account_id=ask.account_id,
                device=ask.device,
                commitment=commitment(salt, ask.account_id, ask.device).hex(),
                browser=ask.browser.hex() if ask.browser is not None else None,
                instrument=ask.instrument.hex() if ask.instrument is not None else None,
                network=network,
                home_lane=None if slow is None else home,
                home_number=None if slow is None else behind,
            )
        )
        if network is not None:
            self._networks[network] = self._networks.get(network, 0) + 1
        self._hold(place)
        return place

    def _moved(self, place: HeldPlace, ask: AskPlace) -> HeldPlace:
        self.moved.append(
            Move(serial=place.serial, from_device=place.device, to_device=ask.device, browser=ask.browser)
        )
        moved = msgspec.structs.replace(place, device=ask.device, browser=ask.browser)
        self._hold(moved)
        return moved

    def _hold(self, place: HeldPlace) -> None:
        self._by_account[place.account_id] = place
        if place.browser is not None:
            self._browsers.setdefault(place.browser, place.account_id)
        if place.instrument is not None:
            self._instruments.add(place.instrument)


def _one_a_person(what: str) -> OnePlaceAPerson:
    words = "device" if what == "device" else "way to pay"
    return OnePlaceAPerson(
        f"Another account holds a place with the same {words}, and one person has one place; no other was given. "
        "Go on with that place, or give it up first.",
        what=what,
    )
