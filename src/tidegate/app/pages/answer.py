"""HTML over HTTP: validators, caching, compression, security headers, redirects and the check of a form's origin."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from litestar import Response
from litestar.connection import ASGIConnection
from litestar.enums import MediaType
from litestar.handlers import BaseRouteHandler

from tidegate.app.pages.errors import ForeignForm
from tidegate.app.pages.rendering import Html
from tidegate.base.http import matches

PUBLIC = "public, max-age=0, s-maxage=2, stale-while-revalidate=30"
"""Anyone may keep it; a browser asks again each time (and mostly hears 304), an edge keeps it for two seconds."""

PRIVATE = "private, no-store"
"""Personal: never kept anywhere."""

_SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_COMPRESS_FROM_BYTES = 600
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

Connection = ASGIConnection[Any, Any, Any, Any]


def policy(style_sources: tuple[str, ...] = ()) -> str:
    """Return the content security policy: our own files only, no inline script, only the page's own inline style."""
    styles = " ".join(("'self'", *style_sources))
    return (
        f"default-src 'none'; script-src 'self'; style-src {styles}; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def page(connection: Connection, html: Html, *, cache: str = PRIVATE, status: int = 200) -> Response[bytes]:
    """Return a page as an answer; as 304 without a body where the client already holds it."""
    headers = {
        **_SECURITY,
        "Content-Security-Policy": policy(html.style_sources),
        "Cache-Control": cache,
        "Vary": "Accept-Encoding, Accept-Language, Cookie",
    }
    if connection.url.scheme == "https":
        headers["Strict-Transport-Security"] = "max-age=31536000"
    if status == 200 and cache != PRIVATE:
        headers["ETag"] = html.tag
        if matches(connection.headers.get("if-none-match"), html.tag):
            return Response(b"", status_code=304, headers=headers, media_type=MediaType.HTML)
    encoding = _encoding(connection.headers.get("accept-encoding", "")) if len(html.body) > _COMPRESS_FROM_BYTES else ""
    if encoding:
        headers["Content-Encoding"] = encoding
    body = html.encoded(encoding) if encoding else html.body
    return Response(body, status_code=status, headers=headers, media_type=MediaType.HTML)


def _encoding(accept_encoding: str) -> str:
    accepted = {part.split(";")[0].strip() for part in accept_encoding.lower().split(",")}
    return "br" if "br" in accepted else "gzip" if "gzip" in accepted else ""


def see_other(path: str, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    """Return 303 to a page of ours: what every form answers when it has done its work."""
    return Response(
        b"",
        status_code=303,
        headers={**_SECURITY, "Cache-Control": PRIVATE, "Location": own_path(path), **(headers or {})},
    )


def own_path(path: str) -> str:
    """Return `path` if it lies on this site, else the front page: no form can send a reader elsewhere."""
    parts = urlsplit(path)
    strange = parts.scheme or parts.netloc or not path.startswith("/") or path.startswith(("//", "/\\"))
    return "/" if strange or any(sign < " " for sign in path) or len(path) > 1000 else path


def own_origin(connection: Connection, _: BaseRouteHandler) -> None:
    """Guard of every page that changes something: the form must come from a page of ours (no cross-site forgery).

    Cookies are SameSite=Lax already; this is the second lock. A browser states the origin of a form in `Origin`,
    or at least its relation in `Sec-Fetch-Site`; a form that states neither is refused. Raises ForeignForm.
    """
    if connection.scope.get("method") in _SAFE_METHODS:
        return
    origin = connection.headers.get("origin")
    relation = connection.headers.get("sec-fetch-site")
    ours = urlsplit(origin).netloc == connection.headers.get("host") if origin else relation == "same-origin"
    if not ours:
        raise ForeignForm("This form came from another site. Nothing was changed; open the page here and try again.")
