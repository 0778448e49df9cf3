"""Makes the pictures of the README from running festivals: `make pictures` (about six minutes).

The demo gives the line, the flood and the debrief; the example with every promotion gives prices, rules and the editor.
Pages are as a visitor sees them; nothing is drawn over them.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from tests.journeys.chromium import ARGUMENTS, chromium
from tests.journeys.shopping import sign_in

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
PHONE, DESKTOP = (390, 860), (1280, 860)
_GAP, _GROUND, _QUALITY = 24, (232, 230, 226), 82
_PATIENCE_SECONDS = 240


class Shop:
    """A running festival, and the browser in front of it."""

    def __init__(self, url: str, password: str, browser: Browser, running: subprocess.Popen[bytes], said: Path) -> None:
        self.url = url
        self._password = password
        self._browser = browser
        self._running = running
        self._said = said

    def page(self, size: tuple[int, int], language: str, *, dark: bool = False) -> Page:
        """A new visitor."""
        context = self._browser.new_context(
            base_url=self.url,
            viewport={"width": size[0], "height": size[1]},
            locale="zh-CN" if language == "zh" else "en-GB",
            color_scheme="dark" if dark else "light",
            device_scale_factor=1.5,
            reduced_motion="reduce",
        )
        return context.new_page()

    def shopper(self, size: tuple[int, int], language: str, *, dark: bool = False) -> Page:
        """A visitor who has signed in."""
        page = self.page(size, "en", dark=dark)
        page.goto("/sign-in?next=/")
        sign_in(page)
        page.goto(f"/language/{language}?next=/")
        return page

    def staff(self, size: tuple[int, int], language: str, *, dark: bool = False) -> Page:
        """A manager in the console."""
        page = self.page(size, language, dark=dark)
        page.goto("/console/sign-in")
        page.locator("input[name=name]").fill("manager")
        page.locator("input[type=password]").fill(self._password)
        page.locator("form:has(input[type=password]) button").click()
        page.wait_for_url(lambda url: "sign-in" not in url)
        return page

    def until_said(self, words: str) -> None:
        """Wait until the command has said these words, or ended."""
        self._until(lambda: words in self._said.read_text() or self._running.poll() is not None, words)

    def _until(self, there: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not there():
            if time.monotonic() > deadline:
                raise SystemExit(f"nothing of {what!r} within {_PATIENCE_SECONDS} s: {self._said.read_text()}")
            time.sleep(0.5)


@contextmanager
def shop(browser: Browser, *command: str) -> Iterator[Shop]:
    """Run `tidegate` with these words until the pictures are made."""
    with tempfile.TemporaryDirectory(prefix="tidegate-pictures-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        said = Path(folder) / "said.txt"
        own = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
        with said.open("wb") as output:
            running = subprocess.Popen(
                [sys.executable, "-m", "tidegate", *command],
                env={**own, "TIDEGATE_DATA_DIR": folder, "COLUMNS": "200"},
                stdout=output,
                stderr=output,
            )
        try:
            yield _ready(browser, running, said)
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(60)


def _ready(browser: Browser, running: subprocess.Popen[bytes], said: Path) -> Shop:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and running.poll() is None:
        text = said.read_text()
        url, password = re.search(r"Shop\s+(http://\S+)", text), re.search(r"sign in as .*with (\S+)", text)
        if url and password:
            return Shop(url[1], password[1], browser, running, said)
        time.sleep(0.2)
    raise SystemExit(f"the shop did not get ready: {said.read_text()}")


def shot(page: Page, path: str, *, wait_seconds: float = 1.5) -> Image.Image:
    """What is seen of a page."""
    page.goto(path)
    page.wait_for_timeout(1000 * wait_seconds)
    return Image.open(BytesIO(page.screenshot())).convert("RGB")


def beside(name: str, *shots: Image.Image) -> None:
    """Keep shots beside each other as one picture."""
    height = min(each.height for each in shots)
    sized = [each.resize((each.width * height // each.height, height)) for each in shots]
    picture = Image.new("RGB", (sum(each.width + _GAP for each in sized) + _GAP, height + 2 * _GAP), _GROUND)
    left = _GAP
    for each in sized:
        picture.paste(each, (left, _GAP))
        left += each.width + _GAP
    picture.thumbnail((1900, 1900))
    picture.save(PICTURES / f"{name}.webp", quality=_QUALITY, method=6)
    print(f"{name}.webp {picture.width} x {picture.height}")


def first_sku(page: Page) -> str:
    """Return the first SKU on sale; the web process knows of it a second or two after it was published."""
    for _ in range(60):
        goods = json.loads(page.request.get("/api/v1/goods?limit=1").text())["goods"]
        if goods:
            return str(goods[0]["sku"])
        page.wait_for_timeout(500)
    raise AssertionError("the shop shows no goods")


def festival(browser: Browser) -> None:
    """The line before the opening, the sale in full flood, goods on a phone and in the dark."""
    with shop(browser, "demo") as there:
        there.until_said("The line is open")
        front, dark = there.page(PHONE, "zh"), there.page(DESKTOP, "en", dark=True)
        sku = first_sku(front)
        first = shot(front, "/")
        beside("goods", shot(front, f"/goods/{sku}"), shot(dark, f"/goods/{sku}"))
        waiting = there.shopper(PHONE, "en")
        there.until_said("shoppers are on their way")
        waiting.goto("/line")
        waiting.get_by_role("button", name="Take my place").click()
        manager = there.staff(DESKTOP, "en")
        line = shot(waiting, "/line", wait_seconds=4)
        beside("line", line, shot(manager, "/console/gate", wait_seconds=20))
        manager.goto("/console")
        manager.wait_for_timeout(25_000)
        beside("overview", first, Image.open(BytesIO(manager.screenshot())).convert("RGB"))
        there.until_said("Debrief with charts")


def prices(browser: Browser) -> None:
    """A campaign with every promotion: the rules in words, and the editor that shows what they do."""
    with shop(browser, "up", "--campaign", str(ROOT / "examples" / "promotions" / "festival.toml")) as there:
        manager = there.staff(DESKTOP, "en")
        manager.goto("/console/campaign")
        editor = manager.locator('a[href*="/edit"]').first.get_attribute("href") or "/console/campaign"
        manager.goto(editor)
        manager.locator("textarea").first.evaluate("it => { it.scrollTop = it.scrollHeight * 0.35 }")
        manager.wait_for_timeout(3_000)
        written = Image.open(BytesIO(manager.screenshot())).convert("RGB")
        beside("promotions", shot(there.page(PHONE, "zh"), "/rules#promotions"), written)


def main() -> None:
    """Make them all, or those named."""
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        for make in (festival, prices):
            if len(sys.argv) < 2 or make.__name__ in sys.argv[1:]:
                make(browser)
        browser.close()


if __name__ == "__main__":
    main()
