"""The campaign's page shows what the law said and how low its prices can be brought."""

import msgspec

from tests.app.console.test_pages import enter, visitor
from tests.offer.festivals import coupon, definition, goods, offer
from tidegate.app.compose import App
from tidegate.app.console.findings import grouped
from tidegate.app.publication import PublicationDesk
from tidegate.base.clock import ManualClock
from tidegate.offer.campaign.api import Finding, Severity, Waiver
from tidegate.offer.campaign.contracts import Words
from tidegate.trust.identity.contracts import Role


async def test_the_page_shows_review_waiver_and_lowest_prices(app: App, clock: ManualClock) -> None:
    costly = (msgspec.structs.replace(goods("A"), cost=7_500),)
    of = definition([offer("A", 8_000)], entries=costly, coupons=[coupon("TIDE50", 16_000, 2_000)])
    waiver = Waiver(law="cn-price-14", by="Lin Yue", reason="to clear the warehouse")
    await PublicationDesk(app).publish(of, "Lin Yue", [waiver])
    await app.refresh()
    for language, words in (
        (
            "en",
            (
                "Price Law, article 14",
                "can be brought to",
                "Lin Yue let the warnings of cn-price-14 pass",
                "Under cost",
            ),
        ),
        ("zh", ("《价格法》第14条", "最低可到", "Lin Yue 豁免了 cn-price-14 的警告", "低于成本")),
    ):
        async with visitor(app, language) as client:
            if language == "en":
                await enter(app, client, Role.DIRECTOR)
            else:
                await enter(app, client, Role.CAMPAIGN_MANAGER)
            page = (await client.get("/console/campaign")).text
        assert [word for word in words if word not in page] == []
        assert "2 × A · coupon:TIDE50" in page


def test_findings_of_one_article_stand_together() -> None:
    def finding(law: str, what: str, mend: str) -> Finding:
        return Finding(
            law=law,
            severity=Severity.WARNING,
            article=Words(law, law),
            reference="",
            path=(),
            what=Words(what, what),
            mend=Words(mend, mend),
        )

    one, two = grouped([finding("a", "1", "x"), finding("a", "2", "x"), finding("b", "3", "y"), finding("b", "4", "z")])
    assert (one.law, one.mend, [mend for _, mend in one.items]) == ("a", Words("x", "x"), [None, None])
    assert (two.law, two.mend, [mend for _, mend in two.items]) == ("b", None, [Words("y", "y"), Words("z", "z")])
