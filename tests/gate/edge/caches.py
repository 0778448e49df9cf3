"""Caches and CDNs for the tests, over real HTTP, which speak what their makers document."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, TypeVar

import msgspec

TOKEN = "given by the maker"
Key = tuple[str, str, str]


class Heard(NamedTuple):
    """One request that came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


class Server(ThreadingHTTPServer):
    """Writes down what it hears; refuses the next `refusals` requests with `refuses_with`."""

    daemon_threads = True

    def __init__(self, door: type["Door"]) -> None:
        super().__init__(("127.0.0.1", 0), door)
        self.heard: list[Heard] = []
        self.refusals = 0
        self.refuses_with = 503
        self.kept: set[Key] = set()
        self.private: set[str] = set()
        self.gone: set[str] = set()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


class Door(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Server

    def hear(self) -> Heard | None:
        """Take a request; None where it was refused."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        names = {name.lower(): value for name, value in self.headers.items()}
        heard = Heard(self.command, self.path, names, msgspec.json.decode(body) if body else None)
        self.server.heard.append(heard)
        if not self.server.refusals:
            return heard
        self.server.refusals -= 1
        self.answer(self.server.refuses_with, {"Retry-After": "0"})
        return None

    def answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        """Answer."""
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Varnish(Door):
    """Keeps what it was asked for by address, language and encoding; forgets one by PURGE, 404 where it has none."""

    def _key(self) -> Key:
        return self.path, self.headers.get("Accept-Language", ""), self.headers.get("Accept-Encoding", "")

    def do_GET(self) -> None:
        if self.hear() is None:
            return
        if self.path in self.server.gone:
            self.answer(404, {})
        elif self.path in self.server.private:
            self.answer(200, {"Cache-Control": "private, no-store"}, b"yours")
        else:
            said = "HIT" if self._key() in self.server.kept else "MISS"
            self.server.kept.add(self._key())
            self.answer(200, {"Cache-Control": "public, s-maxage=2", "X-Cache": said}, b"a page")

    def do_PURGE(self) -> None:
        if self.hear() is None:
            return
        self.answer(200 if self._key() in self.server.kept else 404, {})
        self.server.kept.discard(self._key())


class Cloudflare(Door):
    """`POST /client/v4/zones/<zone>/purge_cache`: an envelope with `success`, also when it is refused."""

    def do_POST(self) -> None:
        heard = self.hear()
        if heard is None:
            return
        if heard.headers.get("authorization") != f"Bearer {TOKEN}":
            self._say(403, {"success": False, "errors": [{"code": 10000, "message": "Authentication error"}]})
        elif len(next(iter(heard.body.values()))) > 30:
            self._say(400, {"success": False, "errors": [{"code": 1094, "message": "too many"}]})
        else:
            self._say(200, {"success": True, "errors": [], "messages": [], "result": {"id": "023e105f"}})

    def _say(self, status: int, said: object) -> None:
        self.answer(status, {"Content-Type": "application/json"}, msgspec.json.encode(said))


class Fastly(Door):
    """`POST /service/<service>/purge`: an object from key to the purge's id."""

    def do_POST(self) -> None:
        heard = self.hear()
        if heard is None:
            return
        if heard.headers.get("fastly-key") != TOKEN:
            self.answer(401, {})
        else:
            ids = dict.fromkeys(heard.body["surrogate_keys"], "108-1391560174-974124")
            self.answer(200, {"Content-Type": "application/json"}, msgspec.json.encode(ids))


D = TypeVar("D", bound=Door)


@contextmanager
def serving(door: type[D]) -> Iterator[Server]:
    """A server of one kind, for as long as this lasts."""
    server = Server(door)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
