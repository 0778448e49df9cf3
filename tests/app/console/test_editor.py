"""The editor of a campaign over HTTP: who may, what it shows, that nothing is lost, and what publishing needs."""

from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest

from tests.app.console.test_pages import enter, visitor
from tests.offer.festivals import coupon, goods, offer
from tests.offer.festivals import definition as festival
from tests.sale.shop import publish
from tidegate.app.compose import App
from tidegate.offer.campaign.api import write_definition
from tidegate.offer.campaign.contracts import CampaignId
from tidegate.trust.identity.contracts import Role

OF = CampaignId("double-11")
PATH = f"/console/campaigns/{OF}/edit"
OFFERED = festival(entries=[goods("A"), goods("B")], offers=[offer("A"), offer("B", 9_000)])
FILES = write_definition(OFFERED)
CART = {"sku": ["A", "B"], "quantity": ["2", "1"]}


def form(**changed: object) -> dict[str, object]:
    """The editor's form as a browser sends it, for the festival below."""
    texts = {"campaign": FILES.campaign, "goods": FILES.goods, "offers": FILES.offers}
    return {**texts, "after": "0", "based_on": "1", "against": "1", "reason": "", **CART, **changed}


@pytest.fixture
async def client(app: App) -> AsyncIterator[httpx.AsyncClient]:
    """A campaign manager at the console of a shop."""
    await publish(app, OFFERED)
    async with visitor(app) as opened:
        await enter(app, opened, Role.CAMPAIGN_MANAGER)
        yield opened


async def revisions(app: App) -> list[tuple[int, str, int]]:
    async with app.db.read() as tx:
        found = await app.campaign.drafts.revisions(tx, OF)
    return [(each.revision, each.saved_by, each.based_on) for each in found]


async def test_only_who_may_publish_may_edit(app: App, client: httpx.AsyncClient) -> None:
    async with visitor(app) as other:
        assert (await other.get(PATH)).status_code == 303
        await enter(app, other, Role.SUPPORT)
        assert (await other.get(PATH)).status_code == 403
        assert (await other.post(f"{PATH}/save", data=form())).status_code == 403
        assert PATH not in (await other.get("/console/campaign")).text
    assert f'href="{PATH}"' in (await client.get("/console/campaign")).text
    foreign = await client.post(f"{PATH}/save", data=form(), headers={"Origin": "http://elsewhere.example"})
    assert foreign.status_code == 403
    assert await revisions(app) == []


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_it_opens_with_what_is_published(app: App, client: httpx.AsyncClient, language: str) -> None:
    page = await client.get(PATH, headers={"Accept-Language": language})
    assert page.status_code == 200
    assert "sku,name_zh,name_en" in page.text
    assert "[phases.burst]\nstarts_at = 2026-11-11T08:00:00+08:00" in page.text
    assert {"en": "No faults", "zh": "没有错误"}[language] in page.text
    assert "style=" not in page.text


async def test_a_campaign_that_nobody_published_begins_from_the_template(client: httpx.AsyncClient) -> None:
    page = (await client.get("/console/campaigns/mid-year/edit")).text
    assert "id = &#34;mid-year&#34;" in page
    assert "all of it is new" in page
    assert (await client.get("/console/campaigns/Mid_Year/edit")).status_code == 400


async def test_without_a_script_check_names_faults_and_keeps_the_text(client: httpx.AsyncClient) -> None:
    wrong = FILES.offers.replace("80.00", "800.00")
    page = await client.post(PATH, data=form(offers=wrong))
    assert page.status_code == 200
    assert "CN¥800.00 is above the list price of A, CN¥100.00" in page.text
    assert 'href="#offers"' in page.text
    assert "A,discount,800.00" in page.text


async def test_the_script_gets_faults_by_line_and_the_price_by_both(client: httpx.AsyncClient) -> None:
    cheaper = FILES.offers.replace("80.00", "70.00")
    body = {"campaign": FILES.campaign, "goods": FILES.goods, "offers": cheaper, **CART}
    answer = (await client.post(f"{PATH}/check", json=body)).json()
    assert answer["faults"] == []
    assert "¥230.00" in answer["html"]  # two at 70.00 and one at 90.00
    assert "¥250.00" in answer["html"]  # by what is published
    assert "offers › A › price" in answer["html"]
    body["campaign"] = FILES.campaign.replace('currency = "CNY"', 'curency = "CNY"')
    answer = (await client.post(f"{PATH}/check", json=body)).json()
    line = FILES.campaign[: FILES.campaign.index("currency")].count("\n") + 1
    message = 'campaign.curency: is not known here; did you mean "currency"?'
    assert answer["faults"] == [{"file": "festival.toml", "line": line, "message": message}]


async def test_a_cart_without_a_price_says_why(client: httpx.AsyncClient) -> None:
    page = (await client.post(PATH, data=form(sku=["Z", ""], quantity=["1", "1"]))).text
    assert "These goods are not in the campaign" in page


async def test_a_save_is_a_revision_and_changes_nothing_for_shoppers(app: App, client: httpx.AsyncClient) -> None:
    answer = await client.post(f"{PATH}/save", data=form(campaign=FILES.campaign + "# more"))
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PATH}?done=saved")
    assert await revisions(app) == [(1, "a.campaign-manager", 1)]
    page = (await client.get(f"{PATH}?done=saved")).text
    assert "# more" in page
    assert 'name="after" value="1"' in page
    current = app.campaign.current()
    assert current is not None
    assert current.version == 1


async def test_who_saves_second_keeps_the_text_and_sees_the_others(app: App, client: httpx.AsyncClient) -> None:
    await client.post(f"{PATH}/save", data=form(campaign="# theirs"))
    refused = await client.post(f"{PATH}/save", data=form(campaign="# mine"))
    assert refused.status_code == 409
    assert "Somebody else was faster" in refused.text
    assert "# mine" in refused.text
    assert f'href="{PATH}?revision=1"' in refused.text
    assert 'name="after" value="1"' in refused.text  # saving again keeps mine after theirs
    assert len(await revisions(app)) == 1
    await client.post(f"{PATH}/save", data=form(campaign="# mine", after="1"))
    assert "# theirs" in (await client.get(f"{PATH}?revision=1")).text
    assert "# mine" in (await client.get(PATH)).text


async def test_publishing_needs_a_reason_and_a_text_without_faults(app: App, client: httpx.AsyncClient) -> None:
    for changed, status, words in (
        ({}, 422, "The reason is missing"),
        ({"reason": "x" * 501}, 422, "The reason is missing"),
        ({"reason": "New prices", "offers": "sku"}, 422, "the text has faults"),
        ({"reason": "New prices", "against": "0"}, 409, "Somebody else was faster"),
        ({"reason": "New prices", "after": "3"}, 409, "Somebody else was faster"),
    ):
        offers = FILES.offers.replace("80.00", "70.00")
        answer = await client.post(f"{PATH}/publish", data=form(**{"offers": offers, **changed}))
        assert (answer.status_code, words in answer.text) == (status, True), words
    await app.refresh()
    current = app.campaign.current()
    assert current is not None
    assert (current.version, await revisions(app)) == (1, [])


async def test_what_is_published_takes_effect_and_is_kept_with_its_reason(app: App, client: httpx.AsyncClient) -> None:
    offers = FILES.offers.replace("80.00", "70.00")
    answer = await client.post(f"{PATH}/publish", data=form(offers=offers, reason="Match the market"))
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PATH}?done=published")
    await app.refresh()
    current = app.campaign.current()
    assert current is not None
    assert (current.version, current.published_by) == (2, "a.campaign-manager")
    assert app.pricing.rules.offers["A"].unit_price == 7_000
    assert await revisions(app) == [(1, "a.campaign-manager", 2)]
    assert "Match the market" in (await client.get("/console/campaign")).text


@pytest.mark.parametrize(
    ("language", "warning", "article"),
    [("en", "is withdrawn", "E-Commerce Law"), ("zh", "被取消", "《电子商务法》")],
)
async def test_what_the_law_says_is_shown_and_a_warning_passes_with_a_reason(
    app: App, client: httpx.AsyncClient, language: str, warning: str, article: str
) -> None:
    with_coupon = write_definition(msgspec.structs.replace(OFFERED, coupons=(coupon("TIDE50"),)))
    started = await client.post(f"{PATH}/publish", data=form(campaign=with_coupon.campaign, reason="A coupon"))
    assert started.status_code == 303
    of = {"against": "2", "after": "1", "reason": "No coupon any more"}
    without = {"campaign": FILES.campaign, "offers": FILES.offers}
    empty = await client.post(f"{PATH}/check", json=without)
    assert [fault["line"] for fault in empty.json()["faults"]] == [2, 3]  # two offers of goods that are not there
    assert empty.json()["faults"][0]["message"] == 'offer.sku: there are no goods with the SKU "A"'
    chinese = await client.post(f"{PATH}/check", json=without, headers={"Accept-Language": "zh"})
    assert chinese.json()["faults"][0]["message"] == "offer.sku: 没有 SKU 为“A”的商品"
    assert "没有 SKU 为“A”的商品" in chinese.json()["html"]
    assert "cn-ecommerce-34" not in empty.json()["html"]
    texts = {"campaign": FILES.campaign, "goods": FILES.goods, "offers": FILES.offers}
    checked = await client.post(f"{PATH}/check", json=texts, headers={"Accept-Language": language})
    assert [word for word in (warning, article, "cn-ecommerce-34") if word not in checked.json()["html"]] == []
    refused = await client.post(f"{PATH}/publish", data=form(**of))
    assert refused.status_code == 422
    assert 'name="waive_law" value="cn-ecommerce-34"' in refused.text
    waived = {"waive_law": "cn-ecommerce-34", "waive_reason": "announced on paper"}
    assert (await client.post(f"{PATH}/publish", data=form(**of, **waived))).status_code == 303
    page = (await client.get("/console/campaign")).text
    assert "a.campaign-manager let the warnings of cn-ecommerce-34 pass" in page
    assert "announced on paper" in page


async def test_what_blocks_is_waived_by_nobody(app: App, client: httpx.AsyncClient) -> None:
    campaign = FILES.campaign.replace("days = 7", "days = 5")
    waived = {"waive_law": "cn-consumer-25", "waive_reason": "I say so"}
    refused = await client.post(f"{PATH}/publish", data=form(campaign=campaign, reason="Shorter", **waived))
    assert refused.status_code == 422
    assert "returns end after 5 days, fewer than 7" in refused.text
    assert 'value="cn-consumer-25"' not in refused.text
    await app.refresh()
    current = app.campaign.current()
    assert current is not None
    assert current.version == 1


async def test_a_version_published_meanwhile_is_not_overwritten_unseen(app: App, client: httpx.AsyncClient) -> None:
    await client.post(f"{PATH}/save", data=form())
    await publish(app, festival(entries=[goods("A")], offers=[offer("A", 6_000)]))
    refused = await client.post(f"{PATH}/publish", data=form(after="1", reason="Mine"))
    assert refused.status_code == 409
    assert "Version 2 was published since this draft was begun" in refused.text
    assert 'name="against" value="2"' in refused.text
    answer = await client.post(f"{PATH}/renew", data=form(campaign="# mine", after="1"))
    assert answer.status_code == 303
    assert [each[0] for each in await revisions(app)] == [3, 2, 1]
    assert "A,discount,60.00" in (await client.get(PATH)).text
    assert "# mine" in (await client.get(f"{PATH}?revision=2")).text


GROUP = """
[[group_buy]]
sku = "C"
price = "55.00"
size = 2
hours = 1
quota = 20
"""


async def test_check_shows_every_way_to_buy_with_who_gets_the_lowest_price(client: httpx.AsyncClient) -> None:
    sold = festival(entries=[goods("A"), goods("C")], offers=[offer("A")], coupons=[coupon("TIDE50", 8_000, 5_000)])
    files = write_definition(sold)
    texts = {"campaign": files.campaign + GROUP, "goods": files.goods, "offers": files.offers}
    page = (await client.post(PATH, data=form(**texts, sku=["A", ""], quantity=["1", "1"]))).text
    assert "Lowest prices that can be reached" in page
    assert "with the coupon TIDE50" in page
    assert "anybody in a group of 2" in page
    assert "Group buying" in page
