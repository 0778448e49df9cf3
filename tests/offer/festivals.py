"""Small festivals to test with: every argument has a default, so that a test names only what it is about."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from tidegate.offer.campaign.contracts import (
    AmountOff,
    Audience,
    CampaignDefinition,
    CampaignId,
    CampaignVersion,
    Coupon,
    GoodsEntry,
    Limit,
    Offer,
    OfferKind,
    Phase,
    PhaseName,
    Promotion,
    Returns,
    Selection,
    Shipping,
    Step,
    Theme,
    Words,
)

START = datetime(2026, 11, 11, tzinfo=UTC)


def goods(sku: str, list_price: int = 10_000) -> GoodsEntry:
    """One product."""
    return GoodsEntry(
        sku=sku,
        name=Words(f"商品 {sku}", f"Goods {sku}"),
        description=Words("好用。", "Works."),
        category="kitchen",
        brand="Murmur",
        list_price=list_price,
        picture="",
    )


def offer(
    sku: str, price: int = 8_000, *, kind: OfferKind = OfferKind.DISCOUNT, quota: int = 1_000, per_buyer: int = 0
) -> Offer:
    """One offer; a discount takes coupons, a flash offer does not."""
    coupons = kind is OfferKind.DISCOUNT
    return Offer(sku=sku, kind=kind, price=price, quota=quota, per_buyer=per_buyer, coupons=coupons)


def coupon(
    code: str = "TIDE50", threshold: int = 20_000, off: int = 5_000, quota: int = 0, per_buyer: int = 0
) -> Coupon:
    """One threshold reduction."""
    return Coupon(
        code=code, threshold=threshold, off=off, quota=quota, per_buyer=per_buyer, label=Words("满减", "Reduction")
    )


def limit(name: str, skus: Sequence[str] = (), per_buyer: int = 2) -> Limit:
    """One limit."""
    return Limit(name=name, skus=tuple(skus), per_buyer=per_buyer, label=Words("限购", "Limit"))


def phases(start: datetime = START) -> tuple[Phase, ...]:
    """Four phases that follow each other; the burst starts at `start` and lasts three days."""
    days = (-45, -14, 0, 3, 10)
    edges = [start + timedelta(days=day) for day in days]
    return tuple(
        Phase(name=name, starts_at=edges[place], ends_at=edges[place + 1]) for place, name in enumerate(PhaseName)
    )


def for_new_shoppers(sku: str) -> Promotion:
    """12.34 off these goods for shoppers who are new."""
    return Promotion(
        id="new",
        label=Words("新客减", "For new shoppers"),
        benefit=AmountOff(steps=(Step(5_000, 1_234),)),
        goods=Selection(skus=(sku,)),
        audience=(Audience.NEW,),
    )


def definition(
    offers: Sequence[Offer] = (),
    *,
    entries: Sequence[GoodsEntry] | None = None,
    coupons: Sequence[Coupon] = (),
    limits: Sequence[Limit] = (),
    shipping: Shipping | None = None,
    campaign_id: str = "double-11",
    start: datetime = START,
) -> CampaignDefinition:
    """A festival of these offers (of one kettle, if none are given), with goods to match."""
    offers = tuple(offers) or (offer("KTL-1"),)
    return CampaignDefinition(
        id=CampaignId(campaign_id),
        title=Words("双十一", "Double 11"),
        theme=Theme.SHOPPING_FESTIVAL,
        audience=(Audience.EVERYONE,),
        accent="#b3122f",
        currency="CNY",
        payment_minutes=15,
        phases=phases(start),
        goals=(),
        owners=(),
        goods=tuple(entries) if entries is not None else tuple(goods(each.sku) for each in offers),
        offers=tuple(offers),
        coupons=tuple(coupons),
        limits=tuple(limits),
        shipping=shipping or Shipping(fee=0, free_from=None),
        returns=Returns(days=7, text=Words("可退。", "Returnable.")),
        rules=Words("规则。", "Rules."),
    )


def version(of: CampaignDefinition, number: int = 1) -> CampaignVersion:
    """That definition as if it were published."""
    return CampaignVersion(
        campaign_id=of.id, version=number, definition=of, published_at=START, published_by="test", sha256="0" * 64
    )
