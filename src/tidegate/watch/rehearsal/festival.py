"""Makes a festival out of a log: each stock code at each price it ever had is goods of its own, on offer at that price.

A shop's log has several prices for one code - over time, and for large orders. An offer has one price. So the campaign
of a replay offers `85123A.255` and `85123A.295` beside each other, as many units of each as the log sold, and every
line is charged exactly what the log says. The definition depends on the log alone: a second replay publishes nothing.
"""

from datetime import UTC, datetime

from tidegate.offer.campaign.contracts import (
    Audience,
    CampaignDefinition,
    CampaignId,
    GoodsEntry,
    Offer,
    OfferKind,
    Owner,
    Phase,
    PhaseName,
    Returns,
    Shipping,
    Theme,
    Words,
)
from tidegate.watch.rehearsal.contracts import Survey, Variant
from tidegate.watch.rehearsal.errors import LogNotReadable

_YEARS = (2000, 2001, 2002, 2100, 2101)
_NAME_MAX = 200
_UNITS_MAX = 1_000_000_000
"""Of one SKU in one campaign."""


def campaign_id_of(sha256: str) -> CampaignId:
    """Return the id of the campaign that replays the log with this fingerprint."""
    return CampaignId(f"replay-{sha256[:12]}")


def festival_of(survey: Survey, currency: str) -> CampaignDefinition:
    """Return the campaign that sells exactly what the log sold, at the prices of the log, without shipping.

    Raises LogNotReadable where the log sold more of something than a campaign can hold.
    """
    for variant in survey.variants:
        if variant.units > _UNITS_MAX:
            raise LogNotReadable(
                f"The log sells {variant.units:,} units of {variant.code} at one price; a campaign has at most "
                f"{_UNITS_MAX:,} of one SKU. Nothing was sent. Leave lines out of the log, or replay it in parts."
            )
    return CampaignDefinition(
        id=campaign_id_of(survey.sha256),
        title=Words(zh="订单日志重放", en="Replay of an order log"),
        theme=Theme.SHOPPING_FESTIVAL,
        audience=(Audience.EVERYONE,),
        accent="#0b6e4f",
        currency=currency,
        payment_minutes=60,
        phases=_phases(),
        goals=(),
        owners=(Owner(role="engineer", name="Rehearsal", contact="tidegate rehearse replay"),),
        goods=tuple(_goods(variant) for variant in survey.variants),
        offers=tuple(_offer(variant) for variant in survey.variants),
        coupons=(),
        limits=(),
        shipping=Shipping(fee=0, free_from=None),
        returns=Returns(
            days=7, text=Words(zh="按日志中的取消记录退货。", en="Returned as the log's cancellations say.")
        ),
        rules=Words(zh="商品与价格来自订单日志。", en="Goods and prices come from the order log."),
    )


def _phases() -> tuple[Phase, ...]:
    """A burst that is always now: the same dates at every replay, so that the definition stays the same."""
    moments = [datetime(year, 1, 1, tzinfo=UTC) for year in _YEARS]
    names = (PhaseName.PREPARE, PhaseName.WARM_UP, PhaseName.BURST, PhaseName.WIND_DOWN)
    return tuple(
        Phase(name=name, starts_at=moments[place], ends_at=moments[place + 1]) for place, name in enumerate(names)
    )


def _goods(variant: Variant) -> GoodsEntry:
    name = (variant.description or variant.code)[:_NAME_MAX]
    return GoodsEntry(
        sku=variant.sku,
        name=Words(zh=name, en=name),
        description=Words(zh=f"日志编号 {variant.code}", en=f"Code {variant.code} of the log"),
        category="order-log",
        brand="",
        list_price=variant.price,
        picture="",
    )


def _offer(variant: Variant) -> Offer:
    return Offer(
        sku=variant.sku,
        kind=OfferKind.DISCOUNT,
        price=variant.price,
        quota=variant.units,
        per_buyer=0,
        coupons=False,
    )
