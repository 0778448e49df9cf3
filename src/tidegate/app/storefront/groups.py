"""Group buying for shoppers: what is sold to groups, a group's page to share, and the form that opens or joins one."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import Parameter

from tidegate.app.pages.answer import PRIVATE, own_origin, see_other
from tidegate.app.pages.errors import PageUnknown
from tidegate.app.storefront.addresses import ADDRESS_FIELDS, AddressDesk, address_fields, chosen_address
from tidegate.app.storefront.forms import Form, read_form
from tidegate.app.storefront.line import Line
from tidegate.app.storefront.offers import Offers, SalePhase
from tidegate.app.storefront.visit import Asking, Visit
from tidegate.app.storefront.wording import Spoken, spoken
from tidegate.base.config import Config
from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.offer.catalogue.api import Catalogue
from tidegate.offer.catalogue.contracts import Sku
from tidegate.offer.pricing.contracts import PricedOrder
from tidegate.sale.groups.api import Groups
from tidegate.sale.groups.contracts import GroupOffer, GroupState, GroupView, JoinGroup, OpenGroup
from tidegate.sale.ordering.api import Ordering
from tidegate.sale.ordering.contracts import OrderState
from tidegate.trust.identity.api import mask_phone
from tidegate.trust.identity.errors import AddressNotValid

QUANTITY_MAX = 9_999


class Wish(msgspec.Struct, frozen=True):
    """What the form holds: a place in this group, or a new group for these goods."""

    sku: str
    group_id: UUID | None = None
    quantity: int = 1
    address_id: str = ""
    fields: dict[str, str] = msgspec.field(default_factory=lambda: dict.fromkeys(ADDRESS_FIELDS, ""))

    @property
    def path(self) -> str:
        """Where the form is sent, which is also where it is shown."""
        return f"/groups/{self.group_id}/join" if self.group_id else f"/groups/open/{self.sku}"


class Trouble(msgspec.Struct, frozen=True):
    """Why the form came back: the refusal in words, and the faulty fields."""

    spoken: Spoken | None = None
    fields: dict[str, str] = {}


class GroupNow(msgspec.Struct, frozen=True):
    """What a group's page asks for again and again: `mark` differs whenever the page would."""

    mark: str
    settled: bool


class GroupDesk:
    """Shows groups, and takes the wish to open or join one."""

    def __init__(
        self,
        *,
        visit: Visit,
        offers: Offers,
        groups: Groups,
        catalogue: Catalogue,
        ordering: Ordering,
        address_desk: AddressDesk,
        config: Config,
        db: Database,
    ) -> None:
        self._visit = visit
        self._offers = offers
        self._groups = groups
        self._catalogue = catalogue
        self._ordering = ordering
        self._addresses = address_desk
        self._config = config
        self._db = db

    async def show_all(self) -> Response[bytes]:
        """Return the page of everything that is sold to groups, with the reader's own groups."""
        session = self._visit.session
        async with self._db.read() as tx:
            offers = await self._groups.on_sale(tx)
            mine = await self._groups.groups_of(tx, session.account_id) if session else []
            skus = {*(each.sku for each in offers), *(group.sku for group, _ in mine)}
            goods = await self._catalogue.goods_of(tx, sorted(skus))
        return self._visit.personal(
            "groups",
            offers=[each for each in offers if each.sku in goods],
            mine=mine,
            goods=goods,
            phase=self._offers.phase(self._visit.now),
            rules=self._offers.rules,
        )

    async def show(self, group_id: UUID, trouble: Spoken | None = None, status: int = 200) -> Response[bytes]:
        """Return the page of a group. Raises GroupUnknown."""
        session = self._visit.session
        async with self._db.read() as tx:
            view = await self._groups.view(tx, group_id, session.account_id if session else None)
            goods = await self._catalogue.goods_of(tx, [view.group.sku])
            order = await self._ordering.order(tx, view.order_id) if view.order_id else None
        if view.group.sku not in goods:
            raise PageUnknown("These goods are not in the shop.")
        offer = self._offer(view.group.sku)
        return self._visit.personal(
            "group",
            status=status,
            view=view,
            group=view.group,
            offer=offer,
            goods=goods[Sku(view.group.sku)],
            priced=self._price(offer, 1),
            order=order,
            link=f"{self._config.public_url}/groups/{group_id}",
            now_state=_now(view, order.state if order else None),
            may_join=_may_join(view, offer, self._offers.phase(self._visit.now)),
            trouble=trouble,
        )

    async def now(self, group_id: UUID) -> GroupNow:
        """Return whether anything changed, for the page of the group."""
        session = self._visit.session
        async with self._db.read() as tx:
            view = await self._groups.view(tx, group_id, session.account_id if session else None)
            order = await self._ordering.order(tx, view.order_id) if view.order_id else None
        return _now(view, order.state if order else None)

    async def show_form(self, wish: Wish, trouble: Trouble | None = None, status: int = 200) -> Response[bytes]:
        """Return the form, filled with the wish. Raises GroupUnknown, and NotSoldToGroups for other goods."""
        account, trouble = self._visit.account, trouble or Trouble()
        async with self._db.read() as tx:
            group = (await self._groups.view(tx, wish.group_id)).group if wish.group_id else None
            sku = group.sku if group else wish.sku
            goods = await self._catalogue.goods_of(tx, [sku])
            addresses = await self._addresses.of(tx, account)
        if sku not in goods or (group is None and self._offer(sku) is None):
            raise PageUnknown("These goods are not sold to groups.")
        priced: PricedOrder | None
        try:
            priced = self._groups.price(sku, wish.quantity, account)
        except Refusal as refusal:
            priced = self._price(self._offer(sku), 1)
            trouble = Trouble(trouble.spoken or spoken(refusal), trouble.fields)
        return self._visit.personal(
            "group-join",
            status=status,
            wish=wish,
            group=group,
            offer=self._offer(sku),
            goods=goods[Sku(sku)],
            priced=priced,
            addresses=addresses,
            chosen=chosen_address(wish.address_id, addresses),
            trouble=trouble,
            key=self._offers.new_key(),
            phase=self._offers.phase(self._visit.now),
            rules=self._offers.rules,
            mask_phone=mask_phone,
        )

    async def place(self, wish: Wish, key: str, expected_total: int) -> Response[bytes]:
        """Take the place and go to its order, to pay it; show the form again where it is refused."""
        session = self._visit.session
        session_id = session.session_id if session is not None else None
        try:
            address_id = await self._addresses.take(self._visit.account, wish.address_id, wish.fields)
            command = JoinGroup(address_id=address_id, expected_total=expected_total, quantity=wish.quantity)
            if wish.group_id is not None:
                joined = await self._groups.join(
                    self._visit.account, key, wish.group_id, command, session_id=session_id
                )
            else:
                opening = OpenGroup(
                    sku=wish.sku, address_id=address_id, expected_total=expected_total, quantity=wish.quantity
                )
                joined = await self._groups.open(self._visit.account, key, opening, session_id=session_id)
        except AddressNotValid as refusal:
            return await self.show_form(wish, Trouble(spoken(refusal), self._addresses.faults(refusal)), 422)
        except Refusal as refusal:
            return await self.show_form(wish, Trouble(spoken(refusal)), refusal.status)
        return see_other(f"/orders/{joined.order.order_id}")

    def _offer(self, sku: str) -> GroupOffer | None:
        return next((each for each in self._groups.offers() if each.sku == sku), None)

    def _price(self, offer: GroupOffer | None, quantity: int) -> PricedOrder | None:
        try:
            return self._groups.price(offer.sku, quantity) if offer else None
        except Refusal:
            return None


def _now(view: GroupView, order: OrderState | None) -> GroupNow:
    seats = ".".join(seat.state for seat in view.seats)
    settled = view.group.state is not GroupState.FORMING and order is not OrderState.REFUNDING
    return GroupNow(f"{view.group.state}/{seats}/{order or ''}", settled)


def _may_join(view: GroupView, offer: GroupOffer | None, phase: SalePhase) -> bool:
    """Whether there is a place for this reader."""
    return phase is SalePhase.OPEN and offer is not None and view.places_left > 0 and view.order_id is None


def open_group_desk(
    *,
    visit: Visit,
    offers: Offers,
    groups: Groups,
    catalogue: Catalogue,
    ordering: Ordering,
    address_desk: AddressDesk,
    config: Config,
    db: Database,
) -> GroupDesk:
    """Dependency `group_desk`."""
    return GroupDesk(
        visit=visit,
        offers=offers,
        groups=groups,
        catalogue=catalogue,
        ordering=ordering,
        address_desk=address_desk,
        config=config,
        db=db,
    )


SkuText = Annotated[str, Parameter(max_length=64)]


@get("/groups", include_in_schema=False)
async def all_groups(group_desk: GroupDesk) -> Response[bytes]:
    """What is sold to groups, and my groups."""
    return await group_desk.show_all()


@get("/groups/{group_id:uuid}", include_in_schema=False)
async def group(group_desk: GroupDesk, group_id: UUID) -> Response[bytes]:
    """One group, for everybody who has its link."""
    return await group_desk.show(group_id)


@get("/groups/{group_id:uuid}/now", include_in_schema=False)
async def group_now(group_desk: GroupDesk, group_id: UUID) -> Response[GroupNow]:
    """Whether anything changed, for the page of the group."""
    return Response(await group_desk.now(group_id), headers={"Cache-Control": PRIVATE})


@get("/groups/{group_id:uuid}/join", include_in_schema=False)
async def join_form(group_desk: GroupDesk, line: Line, group_id: UUID) -> Response[bytes]:
    """The form that takes a place in a group."""
    if await line.must_wait():
        return see_other("/line")
    return await group_desk.show_form(Wish("", group_id))


@get("/groups/open/{sku:str}", include_in_schema=False)
async def open_form(group_desk: GroupDesk, line: Line, sku: SkuText) -> Response[bytes]:
    """The form that opens a group."""
    if await line.must_wait():
        return see_other("/line")
    return await group_desk.show_form(Wish(sku))


@post("/groups/{group_id:uuid}/join", include_in_schema=False, guards=[own_origin])
async def join(request: Asking, visit: Visit, line: Line, group_desk: GroupDesk, group_id: UUID) -> Response[bytes]:
    """Take a place in the group."""
    return await _taken(request, visit, line, group_desk, Wish("", group_id))


@post("/groups/open/{sku:str}", include_in_schema=False, guards=[own_origin])
async def open_group(request: Asking, visit: Visit, line: Line, group_desk: GroupDesk, sku: SkuText) -> Response[bytes]:
    """Open a group with one's own place in it."""
    return await _taken(request, visit, line, group_desk, Wish(sku))


async def _taken(request: Asking, visit: Visit, line: Line, group_desk: GroupDesk, wish: Wish) -> Response[bytes]:
    if visit.session is None:
        return see_other(f"/sign-in?next={wish.path}")
    if await line.must_wait():
        return see_other("/line")
    form = await read_form(request)
    wish = _filled(wish, form)
    if form.text("do") == "price" or not form.text("expected_total"):
        return await group_desk.show_form(wish)
    return await group_desk.place(wish, form.text("key"), form.whole("expected_total", 0, 10**12))


def _filled(wish: Wish, form: Form) -> Wish:
    return msgspec.structs.replace(
        wish,
        quantity=form.whole("quantity", 1, QUANTITY_MAX),
        address_id=form.text("address_id", 40),
        fields=address_fields(form),
    )


routes = [all_groups, group, group_now, join_form, open_form, join, open_group]
