"""What stands around every console page: who is signed in, the rooms, the campaign, its phase, what is open."""

from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.datastructures import State

from tidegate.app.pages.answer import PRIVATE, page
from tidegate.app.pages.language import Language, language_of
from tidegate.app.pages.rendering import Pages
from tidegate.base.db import Database
from tidegate.trust.identity.contracts import Permission, Staff
from tidegate.watch.monitor.api import Monitor
from tidegate.watch.monitor.contracts import CampaignFacts, ExaminationFacts
from tidegate.watch.monitor.contracts import State as Standing

PageRequest = Request[Any, Any, State]


class Room(msgspec.Struct, frozen=True):
    """One entry at the left: its key, address, symbol and the permission it needs."""

    key: str
    path: str
    symbol: str
    permission: Permission


ROOMS = (
    Room("live", "/console", "live", Permission.MONITOR_VIEW),
    Room("orders", "/console/orders", "orders", Permission.ORDERS_VIEW),
    Room("payments", "/console/payments", "card", Permission.PAYMENTS_VIEW),
    Room("campaign", "/console/campaign", "flag", Permission.CAMPAIGN_VIEW),
    Room("stock", "/console/stock", "stock", Permission.STOCK_VIEW),
    Room("presales", "/console/presales", "clock", Permission.ORDERS_VIEW),
    Room("slots", "/console/slots", "clock", Permission.ORDERS_VIEW),
    Room("coupons", "/console/coupons", "tag", Permission.COUPONS_VIEW),
    Room("groups", "/console/groups", "bag", Permission.ORDERS_VIEW),
    Room("draws", "/console/draws", "tag", Permission.CAMPAIGN_VIEW),
    Room("shoppers", "/console/shoppers", "person", Permission.SHOPPERS_VIEW),
    Room("gate", "/console/gate", "people", Permission.GATE_VIEW),
    Room("bots", "/console/bots", "bot", Permission.RISK_VIEW),
    Room("defences", "/console/defences", "tower", Permission.DEFENCE_VIEW),
    Room("invariants", "/console/invariants", "shield", Permission.MONITOR_VIEW),
    Room("debrief", "/console/debrief", "info", Permission.MONITOR_VIEW),
)


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What the templates know besides their own content."""

    staff: Staff
    room: str
    rooms: tuple[Room, ...]
    campaign: CampaignFacts | None
    examination: ExaminationFacts | None
    open_alerts: int
    now: datetime
    wall: bool = False

    @property
    def phase_left_seconds(self) -> int:
        """Seconds until the phase ends; 0 outside of every phase."""
        if self.campaign is None or self.campaign.phase_ends_at is None:
            return 0
        return max(int((self.campaign.phase_ends_at - self.now).total_seconds()), 0)


class Desk:
    """Renders console pages within their frame. One a process, given to the handlers as `desk`."""

    def __init__(self, pages: Pages, monitor: Monitor, db: Database) -> None:
        self.pages, self._monitor, self._db = pages, monitor, db

    async def show(
        self, request: PageRequest, staff: Staff, room: str, template: str, *, status: int = 200, **values: Any
    ) -> Response[bytes]:
        """Return a page of a room, in its frame and in the reader's language."""
        frame = await self._frame(staff, room, wall=request.query_params.get("wall") == "1")
        html = self.pages.html(f"console/{template}", language(request), frame=frame, path=_path(request), **values)
        return page(request, html, cache=PRIVATE, status=status)

    async def _frame(self, staff: Staff, room: str, *, wall: bool) -> Frame:
        async with self._db.read() as tx:
            snapshot = await self._monitor.live(tx, points=False)
        broken = len(snapshot.examination.broken) if snapshot.examination else 0
        return Frame(
            staff=staff,
            room=room,
            rooms=tuple(each for each in ROOMS if staff.may(each.permission)),
            campaign=snapshot.campaign,
            examination=snapshot.examination,
            open_alerts=broken + sum(figure.state is Standing.ACT for figure in snapshot.figures),
            now=snapshot.now,
            wall=wall,
        )


def show_bare(
    request: PageRequest, pages: Pages, template: str, *, status: int = 200, **values: Any
) -> Response[bytes]:
    """Return a page without a frame: to sign in, or to say why something cannot be shown."""
    html = pages.html(f"console/{template}", language(request), path=_path(request), **values)
    return page(request, html, cache=PRIVATE, status=status)


def language(request: PageRequest) -> Language:
    """Return the reader's language."""
    return language_of(request.cookies, request.headers.get("accept-language"))


def _path(request: PageRequest) -> str:
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path
