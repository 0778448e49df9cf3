"""Shoppers in the console: who may, what is masked, each act recorded, and that a refused one changes nothing."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.app.console.test_pages import enter, visitor
from tests.offer.festivals import definition as festival
from tests.offer.festivals import goods, offer
from tests.sale.shop import publish
from tests.trust.identity.conftest import signed_in
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.trust.identity.contracts import AccountId, Role

PHONE, OTHER = "13800138000", "13900139000"
PATH = "/console/shoppers"
SEGMENTS = "/console/segments"
TIERS = "/console/tiers"


@pytest.fixture
async def client(app: App) -> AsyncIterator[httpx.AsyncClient]:
    """A campaign manager at the console of a shop."""
    await publish(app, festival(entries=[goods("A")], offers=[offer("A")]))
    async with visitor(app) as opened:
        await enter(app, opened, Role.CAMPAIGN_MANAGER)
        yield opened


async def shopper(app: App) -> AccountId:
    return (await signed_in(app.identity, PHONE)).account_id


def change(**fields: str) -> dict[str, str]:
    return {"name": "tea", "how": "add", "numbers": PHONE, "reason": "regulars"} | fields


async def send(client: httpx.AsyncClient, file: bytes = b"", *, path: str = SEGMENTS, **fields: str) -> httpx.Response:
    """The form of a segment or a tier as a browser sends it: with an empty file where none was chosen."""
    files = {"file": ("numbers.csv" if file else "", file, "text/csv")}
    return await client.post(path, data=change(**fields), files=files)


async def send_tier(client: httpx.AsyncClient, file: bytes = b"", **fields: str) -> httpx.Response:
    return await send(client, file, path=TIERS, **{"name": "gold", **fields})


async def in_tier(app: App, account: AccountId) -> str:
    async with app.db.read() as tx:
        return (await app.identity.standings_of(tx, [account]))[account].tier


async def in_segment(app: App, account: AccountId) -> frozenset[str]:
    async with app.db.read() as tx:
        return (await app.identity.standings_of(tx, [account]))[account].segments


async def available(app: App, account: AccountId) -> int:
    async with app.db.read() as tx:
        return (await app.points.balance(tx, account)).available


async def test_who_may_see_and_who_may_act(app: App, client: httpx.AsyncClient) -> None:
    account = await shopper(app)
    async with visitor(app) as other:
        assert (await other.get(PATH)).status_code == 303
        await enter(app, other, Role.FULFILMENT)
        assert (await other.get(PATH)).status_code == 403
        assert (await other.get(TIERS)).status_code == 403
        assert (await other.get(f"{PATH}/{account}")).status_code == 403
    async with visitor(app) as support:
        await enter(app, support, Role.SUPPORT)
        assert "Change a segment" not in (await support.get(PATH)).text
        assert "Change a tier" not in (await support.get(TIERS)).text
        assert (await send(support)).status_code == 403
        assert (await send_tier(support)).status_code == 403
    assert "Change a segment" in (await client.get(PATH)).text
    assert "Give the points" not in (await client.get(f"{PATH}/{account}")).text
    form = {"points": "5", "reason": "sorry", "after": "0"}
    assert (await client.post(f"{PATH}/{account}/points", data=form)).status_code == 403
    for path in (SEGMENTS, TIERS):
        foreign = await client.post(path, data=change(), headers={"Origin": "http://elsewhere.example"})
        assert foreign.status_code == 403
    assert await in_tier(app, account) == ""
    assert await in_segment(app, account) == frozenset()
    assert await available(app, account) == 0


async def test_a_segment_is_changed_by_the_form_and_by_a_file(app: App, client: httpx.AsyncClient) -> None:
    account = await shopper(app)
    answer = await send(client, f"phone\n{OTHER}\n".encode())
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/segments/tea?done=changed")
    assert await in_segment(app, account) == {"tea"}
    page = (await client.get("/console/segments/tea?done=changed")).text
    assert "2 numbers are new in it" in page
    assert f"…{str(account)[-6:]}" in page
    assert PHONE not in page
    assert "regulars" in page
    assert "a.campaign-manager" in page
    assert (await send(client, how="remove", reason="moved away")).status_code == 303
    assert await in_segment(app, account) == frozenset()
    overview = (await client.get(PATH, headers={"Accept-Language": "zh"})).text
    assert "moved away" in overview
    assert "移出这些号码" in overview


async def test_a_tier_is_changed_by_the_form_and_by_a_file(app: App, client: httpx.AsyncClient) -> None:
    account = await shopper(app)
    assert "Nobody is a member" in (await client.get(TIERS)).text
    answer = await send_tier(client, f"phone\n{OTHER}\n".encode())
    assert (answer.status_code, answer.headers["location"]) == (303, f"{TIERS}?done=changed")
    assert await in_tier(app, account) == "gold"
    assert "gold: 2 new members, 0 from another tier" in (await client.get(f"{TIERS}?done=changed")).text
    await send_tier(client, name="silver", reason="spent less this year")
    assert await in_tier(app, account) == "silver"
    page = (await client.get(f"{TIERS}?done=changed", headers={"Accept-Language": "zh"})).text
    assert "silver：新会员 0，由其他等级转入 1" in page
    assert "spent less this year" in page
    assert "a.campaign-manager" in page
    assert PHONE not in page
    assert "silver" in (await client.get(PATH)).text


async def test_a_list_with_the_column_tier_changes_each_tier_that_it_names(
    app: App, client: httpx.AsyncClient, clock: ManualClock
) -> None:
    account = await shopper(app)
    await send_tier(client)
    clock.advance(seconds=60)
    rows = f"\ufeffphone, tier\n{PHONE},silver\n{OTHER},jade\n".encode()
    assert (await send_tier(client, rows, name="", numbers="")).status_code == 303
    assert await in_tier(app, account) == "silver"
    page = (await client.get(f"{TIERS}?done=changed")).text
    assert "jade: 1 new members, 0 from another tier" in page
    assert "silver: 0 new members, 1 from another tier" in page
    assert "gold: " not in page
    clock.advance(seconds=60)
    await send_tier(client, name="", how="replace", numbers=f"phone,tier\n{OTHER},jade")
    assert await in_tier(app, account) == ""
    page = (await client.get(f"{TIERS}?done=changed")).text
    assert "silver: 0 new members, 0 from another tier, 1 no members any more" in page


@pytest.mark.parametrize(
    ("path", "fields", "file", "said"),
    [
        *(
            (path, fields, file, said)
            for path in (SEGMENTS, TIERS)
            for fields, file, said in (
                ({"numbers": f"{PHONE}\n12"}, b"", "Look at these lines: 2"),
                ({"numbers": f"\n\n{PHONE}\n12"}, b"", "Look at these lines: 4"),
                ({"numbers": ""}, b"", "These numbers or names cannot be used"),
                ({"name": "Tea!"}, b"", "These numbers or names cannot be used"),
                ({"reason": " "}, b"", "Purpose not stated"),
                ({}, b"phone\n\xff", "These numbers or names cannot be used"),
            )
        ),
        (TIERS, {"numbers": ""}, f"phone,tier\n{PHONE},silver\n".encode(), "The list names tiers of its own"),
        (TIERS, {"numbers": f"phone, tier\n{PHONE},silver"}, b"", "The list names tiers of its own"),
        (TIERS, {"name": ""}, f"phone,tier\n{PHONE},silver\n".encode(), "The list names tiers of its own"),
        (
            TIERS,
            {"name": "", "how": "remove", "numbers": ""},
            f"phone,tier\n{PHONE},silver\n".encode(),
            "The list names tiers of its own",
        ),
        (TIERS, {"name": "", "numbers": ""}, f"phone,tier\n{PHONE},Gold!\n".encode(), "Look at these lines: 2"),
        (TIERS, {"name": ""}, b"", "These numbers or names cannot be used"),
    ],
)
async def test_a_refused_change_changes_nothing_and_keeps_the_form(
    app: App, client: httpx.AsyncClient, path: str, fields: dict[str, str], file: bytes, said: str
) -> None:
    page = await send(client, file, path=path, **fields)
    assert page.status_code == 422
    assert said in page.text
    assert f'value="{fields.get("name", "tea")}"' in page.text
    async with app.db.read() as tx:
        assert await app.identity.segment_counts(tx) == []
        assert await app.identity.segment_changes(tx) == []
        assert await app.identity.member_counts(tx) == {}
        assert await app.identity.tier_changes(tx) == []


async def test_a_shopper_is_found_and_shown_masked(app: App, client: httpx.AsyncClient) -> None:
    account = await shopper(app)
    await send(client)
    for sought in (PHONE, str(account)):
        found = await client.get(PATH, params={"q": sought})
        assert (found.status_code, found.headers["location"]) == (303, f"{PATH}/{account}")
    assert "Nobody signed in with this number" in (await client.get(PATH, params={"q": OTHER})).text
    page = (await client.get(f"{PATH}/{account}")).text
    assert "138****8000" in page
    assert PHONE not in page
    assert "New: never paid an order" in page
    assert "/console/segments/tea" in page
    assert (await client.get(f"{PATH}/{'0' * 8}-0000-0000-0000-{'0' * 12}")).status_code == 404


async def test_points_are_given_once_with_a_reason(app: App, client: httpx.AsyncClient) -> None:
    account = await shopper(app)
    async with visitor(app) as support:
        await enter(app, support, Role.SUPPORT)
        form = {"points": "120", "reason": "for the late parcel", "after": "0"}
        answer = await support.post(f"{PATH}/{account}/points", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{PATH}/{account}?done=granted")
        again = await support.post(f"{PATH}/{account}/points", data=form)
        assert again.status_code == 409
        assert "The points moved meanwhile" in again.text
        assert 'value="120"' in again.text
        assert await available(app, account) == 120
        page = (await support.get(f"{PATH}/{account}")).text
        assert "for the late parcel" in page
        assert "a.support" in page
        for wrong in ({"points": "0"}, {"points": "many"}, {"reason": ""}):
            refused = await support.post(f"{PATH}/{account}/points", data={**form, "after": "1", **wrong})
            assert refused.status_code == 422
    assert await available(app, account) == 120
