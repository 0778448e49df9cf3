"""Group buying for staff: what became of each product's groups, the list of groups, and one group with its orders."""

from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.params import QueryParameter

from tidegate.app.console.frame import Desk, PageRequest
from tidegate.base.db import Database
from tidegate.offer.catalogue.api import Catalogue
from tidegate.offer.pricing.api import Pricing
from tidegate.sale.groups.api import Groups
from tidegate.sale.groups.contracts import GroupFilter, GroupState
from tidegate.trust.identity.contracts import Permission, Staff
from tidegate.trust.identity.http import requires

PAGE_ROWS = 50
PAGES_MAX = 2_000


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """Which groups were asked for, as it stands in the address of the page."""

    state: GroupState | None = None
    sku: str = ""
    page: int = 1

    def link(self, **other: object) -> str:
        """Return the address of the same list with something else changed; another filter begins at page one."""
        asked = {"state": self.state, "sku": self.sku, "page": 1} | other
        kept = {name: str(value) for name, value in asked.items() if value and (name, value) != ("page", 1)}
        return "/console/groups" + (f"?{urlencode(kept)}" if kept else "")


@get("/console/groups", include_in_schema=False, dependencies={"staff": requires(Permission.ORDERS_VIEW)})
async def groups_page(
    *,
    request: PageRequest,
    desk: Desk,
    staff: Staff,
    db: Database,
    groups: Groups,
    pricing: Pricing,
    catalogue: Catalogue,
    group_state: Annotated[str, QueryParameter(name="state", max_length=20)] = "",
    sku: Annotated[str, QueryParameter(max_length=64)] = "",
    page: Annotated[int, QueryParameter(ge=1, le=PAGES_MAX)] = 1,
) -> Response[bytes]:
    """Show the totals of the current campaign, and a page of all groups."""
    state = GroupState(group_state) if group_state in tuple(GroupState) else None
    search = Search(state=state, sku=sku.strip(), page=page)
    asked = GroupFilter(state=state, sku=search.sku, limit=PAGE_ROWS, offset=(page - 1) * PAGE_ROWS)
    async with db.read() as tx:
        found = await groups.find(tx, asked)
        offers = await groups.on_sale(tx)
        totals = await groups.totals(tx, pricing.rules.campaign_id) if offers or found.count else []
        skus = {each.sku for each in offers} | {each.sku for each in found.rows} | {each.sku for each in totals}
        goods = await catalogue.goods_of(tx, sorted(skus))
    return await desk.show(
        request,
        staff,
        "groups",
        "groups.html",
        search=search,
        found=found,
        pages=min(max(-(-found.count // PAGE_ROWS), 1), PAGES_MAX),
        totals={each.sku: each for each in totals},
        offers=offers,
        goods=goods,
    )


@get(
    "/console/groups/{group_id:uuid}",
    include_in_schema=False,
    dependencies={"staff": requires(Permission.ORDERS_VIEW)},
)
async def group_page(
    *,
    request: PageRequest,
    desk: Desk,
    staff: Staff,
    db: Database,
    groups: Groups,
    catalogue: Catalogue,
    group_id: UUID,
) -> Response[bytes]:
    """Show one group with its seats and their orders."""
    async with db.read() as tx:
        group = (await groups.view(tx, group_id)).group
        seats = await groups.seats(tx, group_id)
        goods = await catalogue.goods_of(tx, [group.sku])
    return await desk.show(request, staff, "groups", "group.html", group=group, seats=seats, goods=goods)
