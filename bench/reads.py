"""What a shopper's browser asks for, on the example festival: the campaign page, what is left, a search."""

import asyncio
from datetime import UTC, datetime
from urllib.parse import quote

from bench.client import NextRequest, in_turn, request
from bench.publishing import publish
from tidegate.app.compose import opened
from tidegate.app.supervisor import Supervisor
from tidegate.app.up import example_file
from tidegate.base.embedded.process import ServerFault
from tidegate.offer.campaign.commands import load_definition

_QUERIES = (
    "手机",
    "耳机",
    "茶",
    "kettle",
    "headphnes",
    "running sh",
    "台灯",
    "保温杯",
    "backpack",
    "bluetoth",
    "毛衣",
    "gift",
)
_BROWSER = {"Accept-Encoding": "gzip, br", "Accept-Language": "zh-CN", "Accept": "text/html"}


async def example(supervisor: Supervisor) -> None:
    """Publish the example festival and wait until the web process serves it. Raises ServerFault if it never does."""
    async with opened(supervisor.config) as app:
        await publish(app, load_definition(example_file(), now=datetime.now(UTC), start="now"))
    await asyncio.sleep(5)
    if supervisor.process("web").pid is None:
        raise ServerFault("The web process does not run.")


def campaign_page() -> NextRequest:
    """The front page, as a new visitor's browser asks for it."""
    return in_turn([request("GET", "/", _BROWSER)])


def stock_polls() -> NextRequest:
    """Polls for the 24 goods of one page, for eight pages in turn."""
    pages = [",".join(f"PHN-{1000 + page * 24 + place}" for place in range(24)) for page in range(8)]
    return in_turn([request("GET", f"/api/v1/stock?skus={page}", {}) for page in pages])


def searches() -> NextRequest:
    """Searches in both languages, some with slips."""
    return in_turn([request("GET", f"/api/v1/search?q={quote(query)}", {}) for query in _QUERIES])
