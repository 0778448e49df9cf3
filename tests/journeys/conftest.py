"""A whole festival as `tidegate up` starts it, and a browser to walk through it."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.journeys.chromium import ARGUMENTS, chromium
from tests.ports import installation_port

_READY_SECONDS = 120
_TOO_BUSY = 503
DROP = Path(__file__).parents[2] / "examples" / "drop" / "festival.toml"
CLAIM_SECONDS = 20
_CLAIM = 'claim_window = "60 s"'
_PROMOTIONS = Path(__file__).parents[2] / "examples" / "promotions"
_SLOTS = 'daily = { first = "start", last = "start+2d", at = ["10:00", "14:00", "20:00"], lasts = "2 h" }'


class Festival(msgspec.Struct, frozen=True):
    """Where the running festival is, and how staff sign in."""

    url: str
    staff: str
    password: str
    data_dir: str

    def environment(self) -> dict[str, str]:
        """Return what a command needs to find this festival."""
        return {**inherited(), "TIDEGATE_DATA_DIR": self.data_dir, "COLUMNS": "200"}


@pytest.fixture(scope="package")
def festival() -> Iterator[Festival]:
    """The example festival, shared by all journeys that only shop in it; it ends with them, and costs no other test."""
    with running_festival() as running:
        yield running


@contextmanager
def running_festival() -> Iterator[Festival]:
    """The example festival, started by the command that a person types, stopped by Ctrl-C."""
    with tempfile.TemporaryDirectory(prefix="tidegate-journeys-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        said = Path(folder) / "said.txt"
        settings = {"TIDEGATE_DATA_DIR": folder, "TIDEGATE_PORT": str(installation_port()), "COLUMNS": "200"}
        with said.open("wb") as output:
            running = subprocess.Popen(
                [sys.executable, "-m", "tidegate", "up"], env={**inherited(), **settings}, stdout=output, stderr=output
            )
        try:
            yield until_ready(running, said)
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(60)


@pytest.fixture(scope="module")
def drop() -> Iterator[Festival]:
    """The drop of the examples, opening three quarters of a minute after it is published; who is called comes soon."""
    text = DROP.read_text()
    for written, wanted in (('start = "now+3m"', 'start = "now+45s"'), (_CLAIM, f'claim_window = "{CLAIM_SECONDS} s"')):
        assert written in text
        text = text.replace(written, wanted)
    with running_campaign("drop", text) as running:
        yield running


@contextmanager
def running_promotions(
    more: str = "", slots: str = _SLOTS.replace('"start"', '"start+1d"'), start: str = '"now"'
) -> Iterator[Festival]:
    """The festival of the examples with every promotion, groups and a draw, open now; `more` is added to its file.

    Without `slots` of its own they begin tomorrow: those of the day whose hour is over would lie before the opening.
    """
    text = (_PROMOTIONS / "festival.toml").read_text()
    for written, wanted in (("start = 2027-06-18T00:00:00+08:00", f"start = {start}"), (_SLOTS, slots)):
        assert written in text
        text = text.replace(written, wanted)
    tables = {name: (_PROMOTIONS / name).read_text() for name in ("goods.csv", "offers.csv")}
    with running_campaign("promotions", text + more, tables) as running:
        yield running


@contextmanager
def running_campaign(name: str, text: str, tables: Mapping[str, str] | None = None) -> Iterator[Festival]:
    """A campaign file's festival, started by the command that a person types, stopped by Ctrl-C.

    `tables` are the files beside it, by name.
    """
    with tempfile.TemporaryDirectory(prefix=f"tidegate-{name}-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        said, file = Path(folder) / "said.txt", Path(folder) / f"{name}.toml"
        file.write_text(text)
        for table, rows in (tables or {}).items():
            (Path(folder) / table).write_text(rows)
        settings = {"TIDEGATE_DATA_DIR": folder, "TIDEGATE_PORT": str(installation_port()), "COLUMNS": "200"}
        with said.open("wb") as output:
            running = subprocess.Popen(
                [sys.executable, "-m", "tidegate", "up", "--campaign", str(file)],
                env={**inherited(), **settings},
                stdout=output,
                stderr=output,
            )
        try:
            yield until_ready(running, said)
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(60)


def inherited() -> dict[str, str]:
    """The environment without settings of this shop."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}


def until_ready(running: subprocess.Popen[bytes], said: Path) -> Festival:
    """Wait until the command has printed its addresses, and return them."""
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and running.poll() is None:
        text = said.read_text()
        shop = re.search(r"Shop\s+(http://\S+)", text)
        login = re.search(r"sign in as (\S+) or \S+ with (\S+)", text)
        if shop and login and "Ctrl-C" in text:
            return Festival(url=shop[1], staff=login[1], password=login[2], data_dir=str(said.parent))
        time.sleep(0.2)
    raise AssertionError(f"`tidegate up` did not get ready: {said.read_text()}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One headless Chromium for a file's journeys: while it is open, no other test may run an event loop here."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def phone(browser: Browser, festival: Festival) -> Iterator[Page]:
    """A page on a phone that has never been here; a fault in its console fails the test, and an answer "too busy"."""
    context = browser.new_context(
        base_url=festival.url, viewport={"width": 390, "height": 844}, locale="en-GB", reduced_motion="reduce"
    )
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
    page.on("response", lambda answer: faults.append(f"503: {answer.url}") if answer.status == _TOO_BUSY else None)
    yield page
    context.close()
    assert faults == []
