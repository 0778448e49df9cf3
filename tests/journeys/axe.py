"""What axe-core (WCAG 2.2 AA) finds on a page: on a phone in light and Chinese, on a desk in dark and English."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page

AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FACES: list[tuple[int, Literal["light", "dark"], str]] = [(390, "light", "zh-CN"), (1440, "dark", "en-GB")]


def faults(page: Page) -> list[str]:
    """What axe-core finds on the open page that is serious or worse, and what runs out of the page's width."""
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        "rules => axe.run({ runOnly: rules }).then(result => result.violations.map(v => "
        "[v.impact, v.id, v.nodes.map(n => n.target.join(' ')).slice(0, 3).join(', ')]))",
        RULES,
    )
    serious = [f"{page.url}: {rule} at {where}" for impact, rule, where in found if impact in {"serious", "critical"}]
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return serious + ([f"{page.url}: {wide} pixels too wide"] if wide > 0 else [])


def faults_of(page: Page, addresses: Iterable[str]) -> list[str]:
    """The same of these addresses in both faces, for a page that is signed in already; it is left as a desk's.

    Its context lifts the security policy, so that axe can be put in.
    """
    page.emulate_media(reduced_motion="reduce")
    found = []
    for address in addresses:
        for width, scheme, locale in FACES:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            page.context.add_cookies([{"name": "tg_language", "value": locale[:2], "url": page.url}])
            page.goto(address)
            found += faults(page)
    return found
