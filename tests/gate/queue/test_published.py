"""What is published of a draw, checked by somebody who has nothing but the shop's address, and by a place's owner."""

from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest
from click.testing import CliRunner
from httpx import ASGITransport, AsyncClient

from tests.app.framework import framework_of
from tests.gate.queue.rooms import Shopper, opened_room, shoppers, stand, tick, to_the_opening
from tests.gate.queue.test_doors import headers
from tests.sale.shop import publish
from tidegate.app.cli import main
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.gate.queue import http
from tidegate.gate.queue.adapters.published import CannotCheck, PublishedDraws
from tidegate.gate.queue.contracts import Place, Verification
from tidegate.offer.campaign.contracts import CampaignDefinition

SHOP = "http://shop.example.com"


@pytest.fixture
def transport(app: App) -> ASGITransport:
    """The shop's doors, in this process."""
    return ASGITransport(app=framework_of(app))  # type: ignore[arg-type]  # narrower than httpx's


@pytest.fixture
async def client(transport: ASGITransport) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(transport=transport, base_url=SHOP) as opened:
        yield opened


@pytest.fixture
async def crowd(app: App, clock: ManualClock) -> list[tuple[Shopper, Place]]:
    """Five people whose places were drawn and called."""
    await opened_room(app, clock)
    found = [(each, await stand(app, each)) for each in await shoppers(app, 5)]
    await to_the_opening(app, clock)
    await tick(app, clock)
    return found


async def checked(
    transport: httpx.AsyncBaseTransport, campaign_id: str | None = None
) -> tuple[Verification, list[tuple[int, int]]]:
    fetched: list[tuple[int, int]] = []
    draws = PublishedDraws(f"{SHOP}/", lambda done, whole: fetched.append((done, whole)), transport=transport)
    return await draws.verify(campaign_id), fetched


async def change(app: App, statement: str) -> None:
    async with app.db.transaction() as tx:
        await tx.execute(statement.encode())


def broken(found: Verification) -> list[str]:
    return [each.name for each in found.findings if not each.holds]


@pytest.mark.usefixtures("crowd")
async def test_a_stranger_recomputes_the_draw_in_parts(
    transport: ASGITransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = await checked(transport, "double-11")
    monkeypatch.setattr(http, "_LIST_PART_MAX", 2)
    found, fetched = await checked(transport)
    assert fetched == [(2, 5), (4, 5), (5, 5)]
    assert broken(found) == []
    assert {each.name: each.examined for each in found.findings} == {
        "all parts are of one list": 3,
        "the published root is the root of the list": 5,
        "serials run without a gap": 5,
        "each lane has as many places as published": 2,
        "the revealed seed is the one whose hash was published": 1,
        "every drawn place has a rank of its own, computed again": 5,
        "each lane was called upwards, the late after the drawn": whole.findings[-1].examined,
        "the slow lane was called no further than the others": whole.findings[-1].examined,
    }
    assert whole.findings[-1].examined > 0


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("set commitment = sha256('another') where serial = 3", ["the published root is the root of the list"]),
        (
            "set lane = 1 where serial = 3",
            ["the published root is the root of the list", "each lane has as many places as published"],
        ),
        (
            "set number = 1 where serial = 3",
            [
                "the published root is the root of the list",
                "each lane has as many places as published",
            ],
        ),
    ],
)
@pytest.mark.usefixtures("crowd")
async def test_an_altered_list_is_found(app: App, transport: ASGITransport, what: str, names: list[str]) -> None:
    await change(app, f"update queue.place {what}")
    assert broken((await checked(transport))[0]) == names


@pytest.mark.usefixtures("crowd")
async def test_a_lane_that_was_called_backwards_is_found(app: App, transport: ASGITransport) -> None:
    await change(
        app,
        "insert into queue.call (line_id, lane, threshold, late_called, calls, called_at)"
        " select line_id, lane, threshold - 1, 0, 1, now() from queue.call order by call_id limit 1",
    )
    assert broken((await checked(transport))[0]) == ["each lane was called upwards, the late after the drawn"]


async def test_before_the_sealing_there_is_nothing_to_check(
    app: App, clock: ManualClock, transport: ASGITransport
) -> None:
    with pytest.raises(CannotCheck, match=r"^http://shop.example.com answered: No waiting room\. .*"):
        await checked(transport)
    await opened_room(app, clock)
    with pytest.raises(CannotCheck, match="Not sealed yet"):
        await checked(transport, "double-11")


async def test_between_sealing_and_opening_only_the_list_is_checked(
    app: App, clock: ManualClock, transport: ASGITransport
) -> None:
    festival = await opened_room(app, clock)
    [shopper] = await shoppers(app, 1)
    await stand(app, shopper)
    assert festival.waiting_room is not None
    await tick(app, clock, seconds=(festival.waiting_room.seals_at - clock.now()).total_seconds())
    found, _ = await checked(transport)
    assert (found.holds, len(found.findings)) == (True, 4)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("http://127.0.0.1:9", "cannot be reached ("),
        ("http://[", "cannot be reached ("),
        ("no-shop", "cannot be reached ("),
    ],
)
def test_a_shop_that_cannot_be_asked_is_told_clearly(address: str, why: str) -> None:
    told = CliRunner().invoke(main, ["admission", "verify", "drop", "--url", address])
    assert told.exit_code == 2
    assert told.stderr.startswith(f"Error: {address} {why}")
    assert told.stderr.endswith(" Nothing was checked.\n")
    assert told.stdout == ""


async def test_another_kind_of_site_is_no_shop() -> None:
    site = httpx.MockTransport(lambda _: httpx.Response(200, text="<html>Hello</html>"))
    with pytest.raises(CannotCheck, match="answered 200, and not as a shop of Tidegate does"):
        await checked(site, "drop")


async def test_a_receipt_is_there_after_the_sale_and_for_its_owner_only(
    app: App, client: AsyncClient, crowd: list[tuple[Shopper, Place]], clock: ManualClock
) -> None:
    (owner, place), (stranger, _) = crowd[:2]
    here = (await client.get("/api/v1/places/current/receipt", headers=headers(owner, place.token))).json()
    assert (here["count"], here["lane_index"], here["lane_share"]) == (5, 0, 100)
    await publish_another(app)
    assert not app.queue.has_waiting_room()
    later = await client.get("/api/v1/places/current/receipt", headers=headers(owner, place.token))
    assert later.json() == here
    refused = await client.get("/api/v1/places/current/receipt", headers=headers(stranger, place.token))
    assert (refused.status_code, refused.json()["reason"]) == (403, "other-account")
    forged = await client.get("/api/v1/places/current/receipt", headers=headers(owner, place.token[::-1]))
    assert (forged.status_code, forged.json()["reason"]) == (403, "forged")
    none = await client.get("/api/v1/places/current/receipt", headers=headers(owner))
    assert (none.status_code, none.json()["reason"]) == (403, "missing")


async def publish_another(app: App) -> CampaignDefinition:
    """Publish the campaign that comes after, which has no line."""
    version = app.campaign.current()
    assert version is not None
    following = msgspec.structs.replace(version.definition, id="the-next", waiting_room=None)
    await publish(app, following)
    return following
