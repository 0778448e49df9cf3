"""The door of passes without a waiting room: given for the asking when the campaign gives them, and never before."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from httpx import ASGITransport, AsyncClient

from tests.app.framework import framework_of
from tests.offer.festivals import definition, offer
from tidegate.app.api.hot import Front
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.base.db import Database
from tidegate.gate.admission.api import Admission
from tidegate.gate.admission.errors import PassRefused
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.campaign.contracts import (
    CampaignDefinition,
    OfferKind,
    Phase,
    PhaseName,
)
from tidegate.trust.identity.api import Identity
from tidegate.trust.identity.contracts import Session


@pytest.fixture
def identity(app: App) -> Identity:
    return app.identity


@pytest.fixture
def db(app: App) -> Database:
    return app.db


@pytest.fixture
def admission(app: App) -> Admission:
    return app.admission


@pytest.fixture
def campaign(app: App) -> Campaign:
    return app.campaign


@pytest.fixture
async def sessions(app: App) -> list[Session]:
    """Two signed-in shoppers."""
    async with app.db.transaction() as tx:
        return [each.session for each in await app.identity.open_rehearsal_accounts(tx, 2)]


@pytest.fixture
async def client(app: App) -> AsyncIterator[AsyncClient]:
    """A client of the whole application's JSON doors."""
    transport = ASGITransport(app=Front(app, framework_of(app)))  # type: ignore[arg-type]  # narrower than httpx's
    async with AsyncClient(transport=transport, base_url="http://shop.example.com") as opened:
        yield opened


async def ask(client: AsyncClient, session: Session) -> tuple[int, dict[str, Any]]:
    answer = await client.post("/api/v1/passes", headers={"Authorization": f"Bearer {session.token}"})
    return answer.status_code, answer.json()


async def test_nobody_gets_a_pass_without_signing_in(client: AsyncClient) -> None:
    answer = await client.post("/api/v1/passes")
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/not-signed-in")


async def test_without_a_campaign_there_is_nothing_to_enter(client: AsyncClient, sessions: list[Session]) -> None:
    status, answer = await ask(client, sessions[0])
    assert (status, answer["type"]) == (404, "/problems/no-campaign")


def festival(opens_at: datetime) -> CampaignDefinition:
    """A festival whose warm-up begins then; burst and wind-down follow, a day each."""
    begins = [opens_at - timedelta(days=1) + timedelta(days=day) for day in range(5)]
    phases = tuple(
        Phase(name=name, starts_at=begins[place], ends_at=begins[place + 1]) for place, name in enumerate(PhaseName)
    )
    return msgspec.structs.replace(definition([offer("A-1", kind=OfferKind.FLASH, quota=10)]), phases=phases)


async def publish(campaign: Campaign, db: Database, opens_at: datetime) -> None:
    async with db.transaction() as tx:
        await campaign.publish(tx, festival(opens_at), "lin.wei")
        await campaign.refresh(tx)


async def test_before_the_warm_up_the_answer_names_the_opening(
    client: AsyncClient, sessions: list[Session], campaign: Campaign, db: Database, clock: ManualClock
) -> None:
    await publish(campaign, db, clock.now() + timedelta(hours=1))
    status, answer = await ask(client, sessions[0])
    assert (status, answer["type"]) == (409, "/problems/phase-not-open")
    assert answer["opens_at"] == "2026-11-10T13:00:00Z"
    assert answer["retry_after"] == 3600
    clock.advance(seconds=3600)
    assert (await ask(client, sessions[0]))[0] == 201


async def test_after_the_wind_down_there_are_no_passes(
    client: AsyncClient, identity: Identity, campaign: Campaign, db: Database, clock: ManualClock
) -> None:
    await publish(campaign, db, clock.now())
    clock.advance(seconds=3 * 86_400 - 60)
    async with db.transaction() as tx:
        [shopper] = await identity.open_rehearsal_accounts(tx, 1)
    status, answer = await ask(client, shopper.session)
    assert (status, answer["expires_at"]) == (201, "2026-11-13T12:00:00Z")
    clock.advance(seconds=60)
    status, answer = await ask(client, shopper.session)
    assert (status, answer["type"]) == (409, "/problems/campaign-over")


async def test_a_pass_admits_its_own_account_and_session_only(
    *,
    client: AsyncClient,
    sessions: list[Session],
    campaign: Campaign,
    admission: Admission,
    db: Database,
    clock: ManualClock,
) -> None:
    await publish(campaign, db, clock.now())
    mine, theirs = sessions
    status, answer = await ask(client, mine)
    assert status == 201
    assert answer["campaign_id"] == "double-11"
    assert answer["expires_at"] == "2026-11-10T12:10:00Z"
    token = answer["token"]
    facts = admission.check_pass(token, mine.account_id, "double-11", clock.now(), device=mine.session_id)
    assert facts.account_id == mine.account_id
    for account, device in (
        (theirs.account_id, theirs.session_id),
        (mine.account_id, theirs.session_id),
        (theirs.account_id, mine.session_id),
    ):
        with pytest.raises(PassRefused):
            admission.check_pass(token, account, "double-11", clock.now(), device=device)
