"""A page that follows something: it asks in one chain however often it is woken, and gives up what never comes."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from scripts.build_web import node_folder

WEB = Path(__file__).parents[3] / "web"
SCRIPT = """
import { rolldown } from "rolldown";
const bundle = await rolldown({ input: "design/live.ts" });  // with what it imports
const { output } = await bundle.generate({ format: "esm" });
const { live } = await import("data:text/javascript," + encodeURIComponent(output[0].code));

const rest = (ms) => new Promise((done) => setTimeout(done, ms));
globalThis.document = Object.assign(new EventTarget(), { hidden: false });
globalThis.window = Object.assign(new EventTarget(), {
  setTimeout: (done, ms) => setTimeout(done, ms / 100),  // a hundred times as fast
  clearTimeout,
});
let asked = 0, waiting = 0, most = 0, answer;
globalThis.fetch = async (address, request) => {
  const mine = ++asked;
  most = Math.max(most, ++waiting);
  try {
    return Response.json(await answer(mine, request.signal));
  } finally {
    waiting -= 1;
  }
};
const seen = (hidden) => { document.hidden = hidden; document.dispatchEvent(new Event("visibilitychange")); };
const online = () => window.dispatchEvent(new Event("online"));

const stories = {
  async woken() {
    answer = async (mine) => { await rest(40); return mine; };
    const { stop } = live(() => "/x", 2_000, () => false);
    await rest(10);
    seen(true); seen(false); online();
    await rest(150);
    asked = most = 0;
    await rest(600);
    stop();
    return { asked, most };
  },
  async older() {
    const shown = [];
    answer = async (mine) => { await rest(mine === 1 ? 120 : 5); return mine; };
    const { stop } = live(() => "/x", 2_000_000, (said) => void shown.push(said));
    await rest(10);
    seen(true); seen(false);
    await rest(200);
    stop();
    return { shown };
  },
  async back() {
    answer = async (mine) => { if (mine <= 3) throw new TypeError("no line"); return mine; };
    const shown = [];
    const { stop } = live(() => "/x", 2_000, (said) => void shown.push(said));
    while (asked < 3) await rest(2);
    await rest(20);  // the next time is more than a hundred away
    online();
    await rest(20);
    stop();
    return { shown };
  },
  async silent() {
    const never = (signal) => new Promise((_, fail) => signal.addEventListener("abort", () => fail(signal.reason)));
    answer = (mine, signal) => mine > 1 ? mine : never(signal);
    const shown = [];
    const { stop } = live(() => "/x", 2_000, (said) => void shown.push(said));
    await rest(100);
    const early = [...shown];
    await rest(250);
    stop();
    return { early, shown: shown.slice(0, 1) };
  },
  async over() {
    answer = (mine) => mine;
    live(() => "/x", 2_000, () => true);
    await rest(20);
    seen(true); seen(false); online();
    await rest(60);
    return { asked };
  },
  async hidden() {
    answer = (mine) => mine;
    const { stop } = live(() => "/x", 2_000, () => false);
    await rest(5);
    seen(true);
    await rest(60);
    const asleep = asked;
    seen(false);
    await rest(5);
    stop();
    return { asleep, asked };
  },
};
console.log(JSON.stringify(await stories[process.argv[1]]()));
process.exit(0);
"""


def told(story: str) -> dict[str, Any]:
    """Play a story in the JavaScript that runs here, with a browser's clock that is a hundred times as fast."""
    node = [str(node_folder() / "node"), "--input-type=module", "--eval", SCRIPT, story]
    done = subprocess.run(node, cwd=WEB, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_page_that_is_woken_while_it_asks_asks_in_one_chain_afterwards() -> None:
    found = told("woken")
    assert found["most"] == 1
    assert 2 <= found["asked"] <= 11, "each takes 60 ms of the 600"


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ("older", {"shown": [2]}),  # an answer from before the sleep does not replace the newer one
        ("back", {"shown": [4]}),  # asked at once when the line is back, not when the wait is over
        ("silent", {"early": [], "shown": [2]}),  # an answer that never comes is given up and asked for again
        ("over", {"asked": 1}),
        ("hidden", {"asleep": 1, "asked": 2}),  # a page that nobody sees asks nothing
    ],
)
def test_what_a_page_asks_and_shows(story: str, expected: dict[str, Any]) -> None:
    assert told(story) == expected
