"""One visit to a page: who is looking, in which language, and how the answer is made."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, Response
from litestar.datastructures import Cookie, State

from tidegate.app.pages.answer import PRIVATE, PUBLIC, page
from tidegate.app.pages.colour import accent_css
from tidegate.app.pages.language import Language, language_of
from tidegate.app.pages.rendering import Html, Pages
from tidegate.app.storefront import cart
from tidegate.app.storefront.shelf import Shelf
from tidegate.base.clock import Clock
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.campaign.contracts import CampaignVersion
from tidegate.offer.catalogue.contracts import Goods
from tidegate.offer.pricing.api import SlotState, SlotView
from tidegate.offer.pricing.contracts import CartLine, OfferRule
from tidegate.trust.identity.api import SESSION_COOKIE, Identity
from tidegate.trust.identity.contracts import AccountId, SessionFacts
from tidegate.trust.identity.errors import NotSignedIn

Asking = Request[Any, Any, State]


class Visit:
    """What every handler of the storefront is given."""

    def __init__(self, request: Asking, pages: Pages, campaign: Campaign, identity: Identity, clock: Clock) -> None:
        self._request = request
        self._pages = pages
        self.language: Language = language_of(request.cookies, request.headers.get("accept-language"))
        self.version: CampaignVersion | None = campaign.current()
        request.app.state["version"] = self.version
        self.now: datetime = clock.now()
        self.session: SessionFacts | None = identity.session(request.cookies.get(SESSION_COOKIE))
        self.sandbox: bool = identity.sms_is_sandbox
        self.cart: cart.Kept = cart.read(request.cookies.get(cart.COOKIE))
        self._secure: bool = identity.secure_cookies

    @property
    def account(self) -> AccountId:
        """Who is signed in. Raises NotSignedIn, which the pages answer with the sign-in form."""
        if self.session is None:
            raise NotSignedIn("Please sign in first. Nothing was changed.")
        return self.session.account_id

    @property
    def path(self) -> str:
        """The address of this page, to come back to."""
        query = self._request.url.query
        return self._request.url.path + (f"?{query}" if query else "")

    def cart_cookie(self, lines: Sequence[CartLine]) -> Cookie:
        """Return the cookie by which this browser keeps another cart."""
        return cart.cookie(lines, secure=self._secure)

    def asked(self, name: str) -> str:
        """Return what the address of this page says under a name; empty where it says nothing."""
        return str(self._request.query_params.get(name, ""))

    def cookie(self, name: str) -> str | None:
        """Return a cookie of the reader's browser."""
        return self._request.cookies.get(name)

    @property
    def zone(self) -> ZoneInfo:
        """The zone that times are shown in."""
        return self._pages.zone

    @property
    def shelf(self) -> Shelf | None:
        """The goods of the current version in order, made once for each version in this process."""
        if self.version is None:
            return None
        kept: tuple[str, Shelf] | None = self._request.app.state.get("shelf")
        if kept is None or kept[0] != self.version.sha256:
            kept = (self.version.sha256, Shelf(self.version))
            self._request.app.state["shelf"] = kept
        return kept[1]

    def say(self, message: str) -> str:
        """Return a message in the reader's language."""
        return self._pages.messages(self.language).gettext(message)

    def render(self, template: str, **values: Any) -> Html:
        """Render a template of the storefront with what every page shows."""
        return render(
            self._pages,
            template,
            self.language,
            self.version,
            path=self.path,
            now=self.now,
            sandbox=self.sandbox,
            **values,
        )

    def personal(self, template: str, *, status: int = 200, **values: Any) -> Response[bytes]:
        """Answer with a page for this reader only."""
        html = self.render(template, cart_units=self.cart.units, **values)
        return page(self._request, html, cache=PRIVATE, status=status)

    def answer(self, html: Html) -> Response[bytes]:
        """Answer with a page for this reader only that is rendered already."""
        return page(self._request, html, cache=PRIVATE)

    async def public(self, make: Callable[[], Awaitable[Html]], *key: object) -> Response[bytes]:
        """Answer with a page that is the same for everyone, kept for two seconds under its address and `key`."""
        version = self.version.sha256 if self.version else ""
        html = await self._pages.kept.get((self.path, self.language, version, *key), make)
        return page(self._request, html, cache=PUBLIC)


def render(
    pages: Pages, template: str, language: Language, version: CampaignVersion | None, *, path: str, **values: Any
) -> Html:
    """Render a template of the storefront with what its layout needs, in the campaign's colours."""
    definition = version.definition if version else None
    return pages.html(
        f"storefront/{template}.html",
        language,
        css=accent_css(definition.accent) if definition else "",
        definition=definition,
        version=version,
        path=path,
        **{"query": "", "sandbox": False, **values},
    )


class Card(msgspec.Struct, frozen=True):
    """One goods as the shelf shows it. `left` is None where the stock does not know it."""

    goods: Goods
    offer: OfferRule | None = None
    left: int | None = None
    quota: int = 0
    slot: SlotView | None = None
    """The slot of its flash price that is on, else the next one."""

    @property
    def price(self) -> int:
        """What one unit costs everybody now, in minor units; the offer's price or that of the slot that is on."""
        if self.slot is not None and self.slot.state is SlotState.ON and not self.slot.for_some:
            return self.slot.price
        return self.offer.unit_price if self.offer else self.goods.list_price


def open_visit(request: Asking, pages: Pages, campaign: Campaign, identity: Identity, clock: Clock) -> Visit:
    """Dependency `visit`."""
    return Visit(request, pages, campaign, identity, clock)


def client_of(request: Asking) -> str:
    """Return the network address that asks."""
    return request.client.host if request.client else "127.0.0.1"


def uuid_of(text: str) -> UUID | None:
    """Return the id that `text` writes, or None."""
    try:
        return UUID(text)
    except ValueError:
        return None
