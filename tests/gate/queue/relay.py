"""A relay that speaks drand's HTTP API: chain information, and rounds that exist from their time on."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
from py_arkworks_bls12381 import G1Point, G2Point, Scalar

CHAIN = sha256(b"a chain of the tests").hexdigest()
GENESIS, PERIOD = 1_692_803_367, 3
_SECRET, _OTHER_SECRET = Scalar(7_919), Scalar(104_729)
PUBLIC_KEY = (G2Point() * _SECRET).to_compressed_bytes().hex()
"""This network's key is one person's, so that the tests can sign its rounds."""
_DOMAIN = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"


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


def signature_of(number: int, *, forged: bool = False) -> str:
    """Sign a round as drand does, or with another key than the network's."""
    point = G1Point.hash_to_curve(sha256(number.to_bytes(8, "big")).digest(), _DOMAIN)
    return (point * (_OTHER_SECRET if forged else _SECRET)).to_compressed_bytes().hex()


def randomness_of(number: int, *, forged: bool = False) -> str:
    """Return the SHA-256 of the signature, as drand defines it."""
    return sha256(bytes.fromhex(signature_of(number, forged=forged))).hexdigest()


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
                forged = mood == "forged"
                randomness = "00" * 32 if mood == "lies" else randomness_of(told, forged=forged)
                signature = signature_of(told, forged=forged)
                self._answer(200, {"round": told, "randomness": randomness, "signature": signature})
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
