"""The bots' pages: counts, one decision scored again, undo of a decision and of an account, and who may do it."""

import re
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import httpx
import pytest

from tests.app.console.test_pages import enter, visitor
from tests.sale.shop import publish
from tidegate.app.compose import App
from tidegate.gate.bots.contracts import Decision, Lane, PageSignals, TokenKind
from tidegate.trust.identity.contracts import Role, SessionFacts

UNDO = {"reason": "a screen reader filled the field", "days": "7"}


@pytest.fixture
async def client(app: App) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at the door."""
    await publish(app)
    async with visitor(app) as opened:
        yield opened


async def suspect(app: App) -> SessionFacts:
    """A shopper whose browser filled the hidden field."""
    async with app.db.transaction() as tx:
        [person] = await app.identity.open_rehearsal_accounts(tx, 1)
    session = app.identity.session(person.session.token)
    assert session is not None
    return session


async def decided(app: App, session: SessionFacts) -> Decision:
    """Let the shopper ask for a challenge, and return what was recorded of it."""
    page = PageSignals(fingerprint=session.account_id.hex, website="http://bot.example", shown_ms=100)
    await app.bots.challenge(session, page, "")
    await app.refresh()
    async with app.db.read() as tx:
        return (await app.bots.examples(tx, account_id=session.account_id))[0]


async def test_counts_decisions_and_the_replay_are_shown(app: App, client: httpx.AsyncClient) -> None:
    decision = await decided(app, await suspect(app))
    await enter(app, client, Role.RISK)
    page = (await client.get("/console/bots")).text
    assert "Filled in a field that nobody sees" in page
    assert "Slow lane" in page
    assert f"/console/bots/{decision.decision_id}" in page
    story = (await client.get(f"/console/bots/{decision.decision_id}")).text
    for words in ("75 of 100 points", "Replay agrees", "page shown for 100 ms", "Weights of edition"):
        assert words in story
    assert decision.device not in page
    assert 'data-course="60"' in page, "the chart asks for the same hour"
    assert '"honeypot-field": "Filled in a field that nobody sees"' in page


async def test_an_empty_record_says_what_comes_next(client: httpx.AsyncClient, app: App) -> None:
    await enter(app, client, Role.RISK)
    page = (await client.get("/console/bots")).text
    assert "No visits in this time" in page
    assert "No decision is recorded yet" in page
    assert "Nothing was undone" in page
    assert "None was refused in this time" in page
    assert "while work is asked for" not in page


async def test_refused_tokens_are_shown_by_kind_and_reason(app: App, client: httpx.AsyncClient) -> None:
    for token, reason, times in (
        (TokenKind.PASS, "forged", 3),
        (TokenKind.PASS, "expired", 1),
        (TokenKind.PLACE, "other-device", 2),
        (TokenKind.ANSWER, "used", 1_200),
        (TokenKind.ANSWER, "missing", 9),  # nobody's trick
    ):
        for _ in range(times):
            app.bots.misused(token, reason)
    await app.refresh()
    await enter(app, client, Role.RISK)
    page = (await client.get("/console/bots?minutes=15")).text
    table = page.split('aria-labelledby="misuse"')[1].split("</table>")[0]
    rows = [re.findall(r"<t[dh][^>]*>([^<]*)</t[dh]>", row) for row in table.split("<tr")[2:]]
    assert rows == [
        ["Passes", "3", "0", "0", "1", "0", "4"],
        ["Places in line", "0", "2", "0", "0", "0", "2"],
        ["Answers to the puzzle, and waits", "0", "0", "1,200", "0", "0", "1,200"],
        ["All", "3", "2", "1,200", "1", "0", "1,206"],
    ]
    seen = (await client.get("/api/v1/bots/misuse?minutes=15")).json()
    assert [(each["token"], each["reason"], each["times"]) for each in seen] == [
        ("answer", "used", 1_200),
        ("pass", "expired", 1),
        ("pass", "forged", 3),
        ("place", "shared", 2),
    ]
    chinese = (await client.get("/console/bots", headers={"Accept-Language": "zh-CN"})).text
    assert "被拒绝的通行证、排队位置和答案" in chinese


@pytest.mark.parametrize("query", ["kind=honeypot-field", "minutes=15"])
async def test_the_list_is_narrowed(app: App, client: httpx.AsyncClient, query: str) -> None:
    decision = await decided(app, await suspect(app))
    await enter(app, client, Role.RISK)
    link = f"/console/bots/{decision.decision_id}"
    assert link in (await client.get(f"/console/bots?{query}")).text
    assert link in (await client.get(f"/console/bots?account={decision.account_id}")).text
    for other in (f"account={uuid4()}", "account=nonsense", "kind=datacenter"):
        assert link not in (await client.get(f"/console/bots?{other}")).text


async def test_an_undo_is_recorded_and_clears_the_next_visit(app: App, client: httpx.AsyncClient) -> None:
    session = await suspect(app)
    decision = await decided(app, session)
    assert decision.lane is Lane.SLOW
    await enter(app, client, Role.RISK)
    path = f"/console/bots/{decision.decision_id}"
    done = await client.post(f"{path}/undo", data=UNDO)
    assert (done.status_code, done.headers["location"]) == (303, path)
    story = (await client.get(path)).text
    assert "a screen reader filled the field" in story
    assert "a.risk" in story
    await app.refresh()
    assert (await app.bots.challenge(session, PageSignals(website="x"), "")).lane is Lane.NORMAL


async def test_an_account_is_cleared_on_every_device_without_any_decision(app: App, client: httpx.AsyncClient) -> None:
    session = await suspect(app)
    await enter(app, client, Role.RISK)
    form = {**UNDO, "account_id": f" {session.account_id} "}
    assert (await client.post("/console/bots/accounts", data=form)).headers["location"] == "/console/bots#undos"
    await app.refresh()
    for device in ("one", "two"):
        visit = PageSignals(fingerprint=device, website="x")
        assert (await app.bots.challenge(session, visit, "")).lane is Lane.NORMAL
    stranger = await suspect(app)
    assert (await app.bots.challenge(stranger, PageSignals(fingerprint="one", website="x"), "")).lane is Lane.SLOW
    page = (await client.get("/console/bots")).text
    assert "a screen reader filled the field" in page
    assert str(session.account_id) in page


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"account_id": "nobody"}, "account_id"),
        ({"account_id": str(UUID(int=7))}, "account_id"),
        ({"reason": " "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"days": "0"}, "days"),
        ({"days": "31"}, "days"),
        ({"days": "9" * 5000}, "days"),
        ({"days": "seven"}, "days"),
    ],
)
async def test_what_does_not_fit_is_shown_at_its_field_and_clears_nobody(
    app: App, client: httpx.AsyncClient, form: dict[str, str], field: str
) -> None:
    session = await suspect(app)
    await enter(app, client, Role.RISK)
    answer = await client.post("/console/bots/accounts", data={"account_id": str(session.account_id), **UNDO, **form})
    assert (answer.status_code, f'id="{field}-fault"' in answer.text) in {(422, True), (413, False), (400, False)}
    async with app.db.read() as tx:
        assert await app.bots.undone(tx) == []


async def test_who_may_look_may_not_undo(app: App, client: httpx.AsyncClient) -> None:
    decision = await decided(app, await suspect(app))
    await enter(app, client, Role.DIRECTOR)
    path = f"/console/bots/{decision.decision_id}"
    assert "Ask a risk officer" in (await client.get(path)).text
    assert (await client.post(f"{path}/undo", data=UNDO)).status_code == 403
    client.cookies.clear()
    await enter(app, client, Role.CAMPAIGN_MANAGER)
    assert (await client.get("/console/bots")).status_code == 403
