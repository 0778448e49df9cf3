"""Who asks, where proxies of ours stand before the shop."""

from collections.abc import Callable, Sequence

from granian.utils.proxies import wrap_asgi_with_proxy_headers

from tidegate.app.api.shedding import Scope
from tidegate.base.http import with_mapped


def client_named_by(proxies: Sequence[str]) -> Callable[[Scope], None]:
    """Return what writes into a request's scope the client that these proxies (addresses and networks) name.

    It is the last address in X-Forwarded-For that is no proxy of ours: what a client wrote is left of it.
    """
    write_client = wrap_asgi_with_proxy_headers(_nothing, with_mapped(proxies))
    return lambda scope: write_client(scope, None, None)


def _nothing(scope: Scope, receive: None, send: None) -> None:
    """Be the application behind, which is called elsewhere."""
    del scope, receive, send
