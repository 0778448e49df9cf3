"""What only programs find: a link, goods and a field that no person sees, and what tells search engines to keep off.

All three are `hidden`: not drawn, not spoken, not reachable by keys. Their words say what they are, for browsers that
show everything. Search engines are told by `nofollow`, `noindex` and robots.txt. Whoever touches one is marked, which
is a reason in a score; nothing is refused for it.
"""

from urllib.parse import urlsplit

from litestar import Response, get

from tidegate.app.pages.answer import Connection
from tidegate.app.storefront.forms import Form
from tidegate.app.storefront.visit import Asking, Visit, client_of
from tidegate.gate.bots.api import Bots
from tidegate.gate.bots.contracts import Evidence
from tidegate.trust.identity.contracts import SessionFacts

LINK = "/early-offers"
FIELD = "website"
_ROBOTS_CACHE = "public, max-age=300"
_PERSONAL = ("/api/", "/cart", "/checkout", "/console", "/language/", "/line", "/orders", "/sign-in")


@get("/robots.txt", include_in_schema=False)
async def robots(visit: Visit, bots: Bots) -> Response[str]:
    """Which pages crawlers leave alone: those of one reader, and what is laid out for programs that do not ask."""
    decoy = decoy_of(visit, bots)
    kept_off = [*_PERSONAL, LINK, *([f"/goods/{decoy}"] if decoy else [])]
    body = "User-agent: *\n" + "".join(f"Disallow: {path}\n" for path in kept_off)
    return Response(body, headers={"Cache-Control": _ROBOTS_CACHE}, media_type="text/plain")


@get(LINK, include_in_schema=False)
async def early_offers(request: Asking, visit: Visit, bots: Bots) -> Response[bytes]:
    """The hidden link's page: it says what it is, for whoever comes by hand."""
    if by_itself(request):
        await bots.touched(Evidence.HONEYPOT_LINK, client_of(request), visit.session)
    return visit.personal("early-offers", status=404)


def decoy_of(visit: Visit, bots: Bots) -> str:
    """Return the SKU of the campaign's hidden goods; empty where there is no campaign, or it sells that SKU."""
    shelf = visit.shelf
    decoy = bots.decoy(visit.version.campaign_id) if visit.version else ""
    return "" if shelf is None or decoy in shelf.quotas else decoy


async def asked_for_goods(request: Asking, visit: Visit, bots: Bots, sku: str) -> None:
    """Mark whoever asks for the page of the hidden goods."""
    if sku and sku == decoy_of(visit, bots) and by_itself(request):
        await bots.touched(Evidence.HONEYPOT_LINK, client_of(request), visit.session)


async def ordered(request: Asking, visit: Visit, bots: Bots, sku: str) -> None:
    """Mark whoever wants to order the hidden goods; the order itself is refused as that of any unknown goods."""
    if sku and sku == decoy_of(visit, bots):
        await bots.touched(Evidence.HONEYPOT_GOODS, client_of(request), visit.session)


async def filled(request: Asking, form: Form, bots: Bots, session: SessionFacts | None) -> None:
    """Mark whoever filled the field that no person sees."""
    if form.text(FIELD):
        await bots.touched(Evidence.HONEYPOT_FIELD, client_of(request), session)


def by_itself(connection: Connection) -> bool:
    """Return whether somebody came here from a page of ours, or says nothing of where from.

    A browser says where a link or picture came from. What another site, a message or a prefetch brought along is
    nobody's own doing: else anybody could have others marked with a link.
    """
    headers = connection.headers
    if "prefetch" in headers.get("sec-purpose", "") or "prefetch" in headers.get("purpose", ""):
        return False
    relation, referer = headers.get("sec-fetch-site"), headers.get("referer")
    if relation:
        return relation == "same-origin"
    return referer is None or urlsplit(referer).netloc == headers.get("host")


routes = [robots, early_offers]
