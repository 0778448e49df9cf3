"""A relay that speaks drand's HTTP API: chain information, and rounds that exist from their time on."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

CHAIN = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
GENESIS, PERIOD = 1_692_803_367, 3


class Relay(ThreadingHTTPServer):
    """Its newest round is `latest`; it can be told to be broken, or to lie."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Door)
        self.latest = 0
        self.mood = "good"
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


def signature_of(number: int) -> str:
    """Stand in for the network's signature, which nobody here can make: any bytes, the same for the same round."""
    return (sha256(b"round %d" % number).digest() + b"\x01" * 16).hex()


def randomness_of(number: int) -> str:
    """Return the SHA-256 of the signature, as drand defines it."""
    return sha256(bytes.fromhex(signature_of(number))).hexdigest()


class Door(BaseHTTPRequestHandler):
    """One request."""

    server: Relay

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        match self.server.mood, self.path.split("/")[1:]:
            case "broken", _:
                self._answer(500, {})
            case "html", _:
                self._answer(200, "<html>not JSON")
            case mood, [chain, "info"] if chain == CHAIN:
                genesis = GENESIS + (30 if mood == "other chain" else 0)
                self._answer(200, {"period": PERIOD, "genesis_time": genesis, "hash": CHAIN, "schemeID": "bls"})
            case mood, [chain, "public", number] if chain == CHAIN and int(number) <= self.server.latest:
                told = int(number) + (1 if mood == "other round" else 0)
                randomness = "00" * 32 if mood == "lies" else randomness_of(told)
                self._answer(200, {"round": told, "randomness": randomness, "signature": signature_of(told)})
            case _:
                self._answer(425, {"error": "too early"})

    def _answer(self, status: int, body: Any) -> None:
        sent = body.encode() if isinstance(body, str) else msgspec.json.encode(body)
        self.send_response(status)
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def relay() -> Iterator[Relay]:
    """Run a relay."""
    with Relay() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
