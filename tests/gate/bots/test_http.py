"""The doors of bots in the whole application: shoppers get challenges, the security officer sees and undoes."""

from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from tests.app.framework import framework_of
from tests.gate.bots.test_work import fault_of, solved
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.gate.bots.contracts import Answer, Challenge, WorkFault
from tidegate.trust.identity.contracts import Role


def client(app: App, token: str = "") -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    transport = httpx.ASGITransport(app=framework_of(app))  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url="http://shop.test", headers=headers)


async def test_a_challenge_needs_a_session(app: App) -> None:
    async with client(app) as nobody:
        assert (await nobody.post("/api/v1/challenges", json={})).status_code == 401


async def test_a_shopper_earns_a_number_and_nobody_but_staff_sees_decisions(app: App) -> None:
    async with app.db.transaction() as tx:
        [shopper] = await app.identity.open_rehearsal_accounts(tx, 1)
    facts = app.identity.session(shopper.session.token)
    assert facts is not None
    async with client(app, shopper.session.token) as browser:
        given = await browser.post("/api/v1/challenges", json={"fingerprint": "traits", "shown_ms": 4_000})
        assert given.status_code == 201, given.text
        body = given.json()
        answer: Answer = solved(Challenge(**body))
        await app.bots.require_work(facts, answer)
        assert await fault_of(app.bots, facts, answer) is WorkFault.USED
        assert (await browser.get("/api/v1/bots")).status_code == 401
        assert (await browser.post("/api/v1/challenges", json={"shown_ms": -1})).status_code == 422


async def test_the_officer_sees_counts_and_reasons_and_undoes(app: App, clock: ManualClock) -> None:
    async with app.db.transaction() as tx:
        [shopper] = await app.identity.open_rehearsal_accounts(tx, 1)
        officer = await app.identity.add_staff(tx, "officer", Role.RISK, "a long password of the tests")
    token = (await app.identity.staff_sign_in("officer", "a long password of the tests", "192.0.2.1")).token
    async with client(app, shopper.session.token) as program:
        given = await program.post("/api/v1/challenges", json={"website": "x", "shown_ms": 10})
        assert given.json()["lane"] == "slow"
    await app.refresh()
    async with client(app, token) as desk:
        [tally] = (await desk.get("/api/v1/bots")).json()
        assert (tally["kind"], tally["lane"], tally["visits"]) == ("honeypot-field", "slow", 1)
        [decision] = (await desk.get("/api/v1/bots/decisions?kind=honeypot-field")).json()
        path = f"/api/v1/bots/decisions/{decision['decision_id']}"
        view = (await desk.get(path)).json()
        assert view["agrees"]
        assert [reason["evidence"] for reason in view["replayed"]["reasons"]] == [
            "honeypot-field",
            "too-fast",
            "no-fingerprint",
        ]
        end = (clock.now() + timedelta(hours=1)).isoformat()
        undone = await desk.post(f"{path}/undo", json={"reason": "a person", "ends_at": end})
        assert undone.json()["staff_id"] == str(officer.staff_id)
    await app.refresh()
    async with client(app, shopper.session.token) as person:
        again = await person.post("/api/v1/challenges", json={"website": "x", "shown_ms": 10})
        assert again.json()["lane"] == "normal"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"page": "x" * 201}, 422),
        ({"page": 7}, 422),
        ({"fingerprint": "x" * 129}, 422),
        ({"website": "x" * 201}, 422),
        ({"shown_ms": 86_400_001}, 422),
        ({"shown_ms": "soon"}, 422),
        ({"automation": "yes"}, 422),
        ({"lane": "normal"}, 422),
        ({"website": "x" * 4_000}, 413),
        ([], 422),
    ],
)
async def test_a_challenge_is_given_for_nothing_that_no_page_says(app: App, body: object, status: int) -> None:
    async with app.db.transaction() as tx:
        [shopper] = await app.identity.open_rehearsal_accounts(tx, 1)
    async with client(app, shopper.session.token) as program:
        assert (await program.post("/api/v1/challenges", json=body)).status_code == status
        assert not app.bots.pending  # nothing was weighed
        given = await program.post("/api/v1/challenges", json={"page": "no stamp of ours", "shown_ms": 4_000})
        assert given.status_code == 201


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/bots?minutes=0",
        "/api/v1/bots?minutes=43201",
        "/api/v1/bots?minutes=many",
        "/api/v1/bots/decisions?kind=%27%3B--",
        "/api/v1/bots/decisions?kind=" + "a" * 41,
    ],
)
async def test_the_officer_s_doors_refuse_what_makes_no_sense(app: App, path: str) -> None:
    async with client(app, await _officer(app)) as desk:
        assert (await desk.get(path)).status_code in {400, 422}
        assert (await desk.get("/api/v1/bots/decisions/not-an-id")).status_code == 404
        assert (await desk.get(f"/api/v1/bots/decisions/{uuid4()}")).status_code == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": ""},
        {"reason": "x" * 501},
        {"ends_at": "2026-11-12T00:00:00"},
        {"ends_at": "soon"},
        {"ends_at": "1999-01-01T00:00:00Z"},
        {"ends_at": "2999-01-01T00:00:00Z"},
        {"forever": True},
    ],
)
async def test_an_undo_that_makes_no_sense_undoes_nothing(
    app: App, clock: ManualClock, changes: dict[str, object]
) -> None:
    token = await _officer(app)
    async with app.db.transaction() as tx:
        [shopper] = await app.identity.open_rehearsal_accounts(tx, 1)
    async with client(app, shopper.session.token) as program:
        await program.post("/api/v1/challenges", json={"website": "x", "shown_ms": 9_000})
    await app.refresh()
    good = {"reason": "a person", "ends_at": (clock.now() + timedelta(hours=1)).isoformat()}
    async with client(app, token) as desk:
        [decision] = (await desk.get("/api/v1/bots/decisions")).json()
        path = f"/api/v1/bots/decisions/{decision['decision_id']}"
        assert (await desk.post(f"{path}/undo", json={**good, **changes})).status_code in {400, 422}
        assert (await desk.get(path)).json()["undo"] is None
        assert (await desk.post(f"{path}/undo", json=good)).status_code == 201


async def _officer(app: App) -> str:
    async with app.db.transaction() as tx:
        await app.identity.add_staff(tx, "officer", Role.RISK, "a long password of the tests")
    return (await app.identity.staff_sign_in("officer", "a long password of the tests", "192.0.2.1")).token


async def test_an_account_is_cleared_by_its_id(app: App, clock: ManualClock) -> None:
    async with app.db.transaction() as tx:
        [shopper] = await app.identity.open_rehearsal_accounts(tx, 1)
        await app.identity.add_staff(tx, "officer", Role.RISK, "a long password of the tests")
    token = (await app.identity.staff_sign_in("officer", "a long password of the tests", "192.0.2.1")).token
    said = {"reason": "a person wrote in", "ends_at": (clock.now() + timedelta(hours=1)).isoformat()}
    path = f"/api/v1/bots/accounts/{shopper.session.account_id}/undo"
    async with client(app, shopper.session.token) as stranger:
        assert (await stranger.post(path, json=said)).status_code == 401
    async with client(app, token) as desk:
        nobody = await desk.post(f"/api/v1/bots/accounts/{UUID(int=7)}/undo", json=said)
        assert (nobody.status_code, nobody.json()["type"]) == (404, "/problems/account-unknown")
        late = {**said, "ends_at": (clock.now() + timedelta(days=31)).isoformat()}
        assert (await desk.post(path, json=late)).status_code == 400
        assert (await desk.get("/api/v1/bots/undos")).json() == []
        undone = (await desk.post(path, json=said)).json()
        assert (undone["account_id"], undone["device"]) == (str(shopper.session.account_id), "")
        assert (await desk.get("/api/v1/bots/undos")).json() == [undone]


async def test_the_officer_sees_bots_over_time_span_by_span(app: App, clock: ManualClock) -> None:
    async with app.db.transaction() as tx:
        shoppers = await app.identity.open_rehearsal_accounts(tx, 3)
        await app.identity.add_staff(tx, "officer", Role.RISK, "a long password of the tests")
    trapped: dict[str, object] = {"website": "http://bot.example"}
    began = int(clock.now().timestamp()) // 60 * 60
    for person, page in zip(shoppers, (trapped, trapped, dict[str, object](shown_ms=9_000)), strict=True):
        told = {"fingerprint": person.session.account_id.hex, **page}
        async with client(app, person.session.token) as browser:
            assert (await browser.post("/api/v1/challenges", json=told)).status_code == 201
        clock.advance(seconds=120)
    await app.refresh()
    token = (await app.identity.staff_sign_in("officer", "a long password of the tests", "192.0.2.1")).token
    async with client(app, token) as desk:
        course = (await desk.get("/api/v1/bots/course?minutes=15")).json()
        hours = (await desk.get("/api/v1/bots/course?minutes=1440")).json()
    assert course["span_seconds"] == 60
    assert [(each["at"], each["kind"], each["lane"], each["visits"]) for each in course["tallies"]] == [
        (began, "honeypot-field", "slow", 1),
        (began + 120, "honeypot-field", "slow", 1),
        (began + 240, "none", "normal", 1),
    ]
    assert hours["span_seconds"] == 900
    assert sum(each["visits"] for each in hours["tallies"]) == 3
    async with client(app, shoppers[0].session.token) as shopper:
        assert (await shopper.get("/api/v1/bots/course")).status_code == 401
