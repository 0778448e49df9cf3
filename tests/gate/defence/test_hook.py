"""The operator's hook: a signed call from a job, tried again until it is taken, never inside a transaction."""

import asyncio
import hmac
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
import pytest

from tests.gate.defence.test_api import PASSWORD, record, rule
from tests.offer.festivals import definition
from tests.sale.shop import publish
from tidegate.app.compose import compose
from tidegate.base.clock import SystemClock
from tidegate.base.config import Config
from tidegate.base.ids import Ids
from tidegate.gate.defence import jobs as defence_jobs
from tidegate.gate.defence.contracts import Defence, Happening, StartDefence, UndoDefence
from tidegate.trust.identity.contracts import Role

SECRET = "shared with the scrubbing service, long"


class Scrubber(ThreadingHTTPServer):
    """A scrubbing service: checks the signature, and refuses so many calls before it takes one."""

    daemon_threads = True

    def __init__(self, refusals: int) -> None:
        super().__init__(("127.0.0.1", 0), Door)
        self.refusals = refusals
        self.taken: list[dict[str, Any]] = []
        self.keys: list[str] = []


class Door(BaseHTTPRequestHandler):
    """One call."""

    server: Scrubber

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        expected = hmac.digest(SECRET.encode(), f"{self.headers['Tidegate-Timestamp']}.".encode() + body, "sha256")
        self.server.keys.append(self.headers["Idempotency-Key"])
        if self.server.refusals:
            self.server.refusals -= 1
            self.send_response(503)
        elif not hmac.compare_digest(expected.hex(), self.headers["Tidegate-Signature"]):
            self.send_response(401)
        else:
            self.server.taken.append(msgspec.json.decode(body))
            self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def scrubber() -> Iterator[Scrubber]:
    server = Scrubber(refusals=1)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


async def test_start_and_end_are_told_again_until_taken(config: Config, ids: Ids, scrubber: Scrubber) -> None:
    hooked = msgspec.structs.replace(
        config,
        defence_hook_url=f"http://127.0.0.1:{scrubber.server_port}/attack",
        defence_hook_secret=SECRET,
    )
    app = compose(hooked, clock=SystemClock(), ids=ids)
    await app.open()
    defence_jobs.schedule(app.jobs, app.db, app.defences)
    working = asyncio.create_task(app.jobs.run())
    try:
        await publish(app, msgspec.structs.replace(definition(), defences=(rule("scrub", Defence.HOOK),)))
        async with app.db.transaction() as tx:
            officer = await app.identity.add_staff(tx, "officer", Role.RISK, PASSWORD)
            await app.defences.start(tx, officer, "scrub", StartDefence(reason="a flood of SYN packets"))
        await _until(lambda: len(scrubber.taken) == 1)
        async with app.db.transaction() as tx:
            await app.defences.undo(tx, officer, "scrub", UndoDefence(reason="it is over"))
        await _until(lambda: len(scrubber.taken) == 2)
        entries: list[Happening] = []
        while len(entries) < 5:
            entries = [entry.happening for entry in await record(app)]
            await asyncio.sleep(0.05)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await app.close()
    assert [(call["name"], call["happening"]) for call in scrubber.taken] == [("scrub", "started"), ("scrub", "ended")]
    assert scrubber.keys[0] == scrubber.keys[1] == str(scrubber.taken[0]["id"])
    assert entries == [
        Happening.STARTED,
        Happening.HOOK_FAILED,
        Happening.HOOK_CALLED,
        Happening.ENDED,
        Happening.HOOK_CALLED,
    ]


async def _until(holds: Any) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.05)
