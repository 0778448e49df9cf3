"""The console's room of presales: the list, one reservation, and giving double back with a reason."""

import httpx
import pytest

from tests.app.console.test_pages import enter, visitor
from tests.sale.ordering.conftest import shop as shop  # noqa: PLC0414 fixtures are found by their names
from tests.sale.payment.conftest import harbour as harbour  # noqa: PLC0414
from tests.sale.payment.conftest import lantern as lantern  # noqa: PLC0414
from tests.sale.payment.conftest import two_channels as two_channels  # noqa: PLC0414
from tests.sale.presale.presales_made import SKU, deposited, festival, show
from tests.sale.shop import broken, buyers, publish
from tidegate.app.compose import App
from tidegate.sale.presale.contracts import Reservation, ReservationState
from tidegate.trust.identity.contracts import Role


@pytest.fixture
async def made(shop: App) -> Reservation:
    """A reservation with a paid deposit."""
    await publish(shop, festival())
    [buyer] = await buyers(shop, 1)
    return await deposited(shop, buyer, quantity=2)


async def test_the_list_and_one_reservation(shop: App, made: Reservation) -> None:
    async with visitor(shop) as client:
        await enter(shop, client, Role.SUPPORT)
        page = (await client.get("/console/presales")).text
        for said in (SKU, "Deposit paid", "1 reservation in all", str(made.reservation_id)[:8]):
            assert said in page
        assert "No reservation fits" in (await client.get("/console/presales?state=forfeited")).text
        assert "预售" in (await client.get("/console/presales", headers={"Accept-Language": "zh"})).text
        one = (await client.get(f"/console/presales/{made.reservation_id}")).text
        assert "¥400.00 go back: double the deposit." in one


async def test_double_goes_back_with_a_reason_by_who_may(shop: App, made: Reservation) -> None:
    here = f"/console/presales/{made.reservation_id}"
    async with visitor(shop) as client, visitor(shop) as other:
        await enter(shop, other, Role.FULFILMENT)
        assert (await other.post(f"{here}/cannot-deliver", data={"reason": "no boats"})).status_code == 403
        await enter(shop, client, Role.PAYMENT)
        refused = await client.post(f"{here}/cannot-deliver", data={"reason": " "})
        assert (refused.status_code, "Say why, in words" in refused.text) == (422, True)
        done: httpx.Response = await client.post(f"{here}/cannot-deliver", data={"reason": "no boats"})
        assert (done.status_code, done.headers["location"]) == (303, here)
        page = (await client.get(here)).text
        assert "Returned double" in page
        assert "a.payment: no boats" in page
        again = await client.post(f"{here}/cannot-deliver", data={"reason": "no boats"})
        assert again.status_code == 409
    found = await show(shop, made.reservation_id)
    assert (found.state, found.reason) == (ReservationState.COMPENSATED, "no boats")
    assert await broken(shop) == []
