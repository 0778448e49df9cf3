"""Serves the built assets: from memory, compressed beforehand, kept by browsers and edges for ever."""

from typing import Annotated

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.di import Provide
from litestar.params import Parameter

from tidegate.app.pages.errors import PageUnknown
from tidegate.app.pages.rendering import Pages, provide_pages

FOR_EVER = "public, max-age=31536000, immutable"


@get(
    "/assets/{name:str}",
    include_in_schema=False,
    sync_to_thread=False,
    dependencies={"pages": Provide(provide_pages, sync_to_thread=False)},
)
def asset(
    request: Request[object, object, State], pages: Pages, name: Annotated[str, Parameter(max_length=200)]
) -> Response[bytes]:
    """Return one built file in the smallest encoding that the client takes."""
    found = pages.assets.file(name)
    if found is None:
        raise PageUnknown(f"There is no file {name}. Load the page again to get the current one.")
    encoding, body = found.best(request.headers.get("accept-encoding", ""))
    headers = {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff"}
    if encoding != "identity":
        headers["Content-Encoding"] = encoding
    return Response(body, headers=headers, media_type=found.media_type)


routes = [asset]
