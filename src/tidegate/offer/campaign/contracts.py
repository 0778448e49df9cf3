# ruff: noqa: PLC0414
"""Words of a campaign: what a festival is, as frozen data. Money is integers of the minor unit, times are aware UTC."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, NewType

from msgspec import Meta, Struct

from tidegate.base.outbox import Event
from tidegate.offer.campaign.aftersale import PROTECTION_DAYS_MAX as PROTECTION_DAYS_MAX
from tidegate.offer.campaign.aftersale import GiftPolicy as GiftPolicy
from tidegate.offer.campaign.aftersale import PriceProtection as PriceProtection

# The rest of these words, told to all from here.
from tidegate.offer.campaign.draw_contracts import DRAWS_MAX as DRAWS_MAX
from tidegate.offer.campaign.draw_contracts import Draw as Draw
from tidegate.offer.campaign.draw_contracts import Prize as Prize
from tidegate.offer.campaign.faults import Fault as Fault
from tidegate.offer.campaign.group_contracts import GROUP_BUYS_MAX as GROUP_BUYS_MAX
from tidegate.offer.campaign.group_contracts import GroupBuy as GroupBuy
from tidegate.offer.campaign.guarding import QUANTITY_MAX as QUANTITY_MAX
from tidegate.offer.campaign.guarding import Defence as Defence
from tidegate.offer.campaign.guarding import DefenceRule as DefenceRule
from tidegate.offer.campaign.guarding import LimitedAct as LimitedAct
from tidegate.offer.campaign.guarding import LimitScope as LimitScope
from tidegate.offer.campaign.guarding import RateLimit as RateLimit
from tidegate.offer.campaign.guarding import Signal as Signal
from tidegate.offer.campaign.guarding import Threshold as Threshold
from tidegate.offer.campaign.guarding import WhenDown as WhenDown
from tidegate.offer.campaign.guarding import WorkAsked as WorkAsked
from tidegate.offer.campaign.presale_contracts import PRESALES_MAX as PRESALES_MAX
from tidegate.offer.campaign.presale_contracts import Presale as Presale
from tidegate.offer.campaign.public_numbers import DRAND_KEYS as DRAND_KEYS
from tidegate.offer.campaign.public_numbers import NumberSource as NumberSource
from tidegate.offer.campaign.public_numbers import PublicNumber as PublicNumber
from tidegate.offer.campaign.selection import Selection as Selection
from tidegate.offer.campaign.slot_contracts import SHOP_ZONE as SHOP_ZONE
from tidegate.offer.campaign.slot_contracts import SLOTS_MAX as SLOTS_MAX
from tidegate.offer.campaign.slot_contracts import FlashPrice as FlashPrice
from tidegate.offer.campaign.slot_contracts import Slot as Slot
from tidegate.offer.campaign.texts import Words as Words

CampaignId = NewType("CampaignId", str)
"""A slug of the campaign manager's choice, such as ``double-11``."""
REPLAYS = "^replay-[0-9a-f]{12}$"
"""Ids, as a regular expression, that replays of order logs bear, and no campaign of a file: they promise nothing."""

AMOUNT_MAX = 100_000_000_000
POINTS_EARNED_MAX = 1_000_000
"""Largest amount of money in a definition, in minor units: with it, no order can overflow a bigint."""
GOODS_MAX = 100_000
COUPONS_MAX = 1_000
CODES_MAX = 10_000_000
CODE_ALPHABET = "34679ACDEFGHJKMNPQRTWXY"
"""Letters and digits of unique codes: none looks like another; 23 of them, a prime, so that a check letter works."""
LIMITS_MAX = 1_000
DEFENCES_MAX = 50
RATE_LIMITS_MAX = 100
LANES_MAX = 8
PROMOTIONS_MAX = 2_000
PROMOTION_STEPS_MAX = 20

Amount = Annotated[int, Meta(ge=0, le=AMOUNT_MAX)]
Quantity = Annotated[int, Meta(ge=0, le=QUANTITY_MAX)]


class PhaseName(StrEnum):
    """The four phases, in the only order in which they can come."""

    PREPARE = "prepare"
    WARM_UP = "warm_up"
    BURST = "burst"
    WIND_DOWN = "wind_down"


class Phase(Struct, frozen=True, kw_only=True):
    """From ``starts_at`` on and before ``ends_at``."""

    name: PhaseName
    starts_at: datetime
    ends_at: datetime


class Theme(StrEnum):
    """Why there is a festival."""

    SHOPPING_FESTIVAL = "shopping-festival"
    ANNIVERSARY = "anniversary"
    LAUNCH = "launch"
    SEASON = "season"
    CLEARANCE = "clearance"


class Audience(StrEnum):
    """Whom the festival is for."""

    EVERYONE = "everyone"
    NEW = "new"
    RETURNING = "returning"
    MEMBERS = "members"


class GoalUnit(StrEnum):
    """How a goal's target is counted."""

    MONEY = "money"  # minor units
    BASIS_POINTS = "basis_points"  # 9950 = 99.5 %
    MILLISECONDS = "milliseconds"
    MINUTES = "minutes"
    COUNT = "count"


class GoalKind(StrEnum):
    """What a campaign can be measured by."""

    GMV = "gmv"
    ORDERS = "orders"
    CONVERSION = "conversion"
    REPURCHASE_GROWTH = "repurchase_growth"
    GMV_GROWTH = "gmv_growth"
    PAGE_LOAD = "page_load"
    SEARCH = "search"
    PAYMENT_SUCCESS = "payment_success"
    SHIPPED_IN_24_HOURS = "shipped_in_24_hours"
    DISPUTES = "disputes"
    DATA_BREACHES = "data_breaches"
    SAFETY_INCIDENTS = "safety_incidents"
    INCIDENT_RESPONSE = "incident_response"


class Goal(Struct, frozen=True, kw_only=True):
    """A target; ``at_least`` says on which side of it success lies."""

    kind: GoalKind
    target: int
    unit: GoalUnit
    at_least: bool


class Owner(Struct, frozen=True, kw_only=True):
    """Who answers for what."""

    role: str
    name: str
    contact: str


class GoodsEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One product of the festival. ``picture`` tells the catalogue what its picture shows; it may be empty.

    ``shop`` is who sells it ("" = the house). Nobody may get a unit for less than ``floor``, and ``cost`` is what one
    costs the shop: both are for staff only, and 0 means unknown.
    """

    sku: str
    name: Words
    description: Words
    category: str
    brand: str
    list_price: Amount
    picture: str
    shop: str = ""
    floor: Amount = 0
    cost: Amount = 0


class OfferKind(StrEnum):
    """``flash``: few units at a special price, coupons do not apply. ``discount``: an ordinary festival price."""

    FLASH = "flash"
    DISCOUNT = "discount"


class Offer(Struct, frozen=True, kw_only=True):
    """One SKU on sale: its price, how many units in all, and how many one buyer may take (0 = no limit)."""

    sku: str
    kind: OfferKind
    price: Amount
    quota: Quantity
    per_buyer: Quantity
    coupons: bool


class UniqueCodes(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A coupon that shoppers claim: every claim is a code of its own, of the coupon's code and ``letters`` at random.

    ``count`` codes in all, ``per_account`` claims each (0 = no limit). Claims are open from ``claims_open_at`` (None:
    the warm-up) and before ``claims_close_at`` (None: the end of the sale). A claimed coupon is valid before
    ``valid_until_at`` (None: the end of the sale) and, with ``valid_days``, for so many days from its claim.
    """

    count: Annotated[int, Meta(ge=1, le=CODES_MAX)]
    per_account: Quantity = 1
    claims_open_at: datetime | None = None
    claims_close_at: datetime | None = None
    valid_until_at: datetime | None = None
    valid_days: Annotated[int, Meta(ge=0, le=366)] = 0
    audience: tuple[Audience, ...] = ()
    """() = everyone."""
    letters: Annotated[int, Meta(ge=4, le=12)] = 10
    button: bool = True
    """Whether the shop's pages offer it; without, only those who were given a code can claim it."""
    back_on_refund: bool = True
    """Whether it comes back when all of a paid order is refunded."""


class Coupon(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """From ``threshold`` on, ``off`` less; ``quota`` uses in all, ``per_buyer`` uses each (0 = no limit).

    Without ``unique``, ``code`` is what all shoppers write; with it, the head of every unique code.
    """

    code: str
    threshold: Amount
    off: Amount
    quota: Quantity
    per_buyer: Quantity
    label: Words
    unique: UniqueCodes | None = None


class Limit(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """At most so many units of these SKUs together (0 = no limit); no SKUs named means all on offer."""

    name: str
    skus: tuple[str, ...]
    per_buyer: Quantity = 0
    per_device: Quantity = 0
    per_address: Quantity = 0
    per_instrument: Quantity = 0
    label: Words


class Shipping(Struct, frozen=True, kw_only=True):
    """One fee an order, none from ``free_from`` of payable goods on (``None`` = never free)."""

    fee: Amount
    free_from: Amount | None


class Returns(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How long goods may be returned without a reason, what becomes of their gifts, and the policy in words."""

    days: Quantity
    text: Words
    gifts: GiftPolicy = GiftPolicy.KEEP


class GuardedGoods(StrEnum):
    """What people stand in line for: when none of it can be won any more, the line is told so."""

    FLASH = "flash"
    EVERYTHING = "everything"


class BeyondNetwork(StrEnum):
    """What becomes of places beyond their network's number."""

    BEHIND = "behind"  # given, behind all that are drawn, at the share of the slow lane; refused without one
    REFUSED = "refused"


class QueueLane(Struct, frozen=True, kw_only=True):
    """A part of the line: whom it is for, and its share of the calls in percent while all lanes have somebody."""

    name: str
    label: Words
    share: Annotated[int, Meta(ge=1, le=100)]
    audience: Audience


class WaitingRoom(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the line is let in. Places taken from ``opens_at`` on and before ``seals_at`` are drawn; calls begin with
    the burst. ``cap`` shoppers are inside at most, ``per_minute`` are called at most, at first fewer: over
    ``ramp_seconds`` the flow rises to that. Who is called comes within ``claim_seconds``, with a pass for
    ``pass_seconds`` and ``purchases``. ``per_network`` places of one network stand where all do, and any others
    as ``beyond_network`` says (0 = no limit); whose way to pay is known does not count. Beside each 100 calls at most
    ``slow_share`` are of the slow lane, in which places stand that look like a program's or are too many of one network
    (0 = none is). ``work`` says of whom work, or a wait, is asked for a place.
    """

    opens_at: datetime
    seals_at: datetime
    cap: Annotated[int, Meta(ge=1, le=1_000_000)]
    per_minute: Annotated[int, Meta(ge=1, le=1_000_000)]
    ramp_seconds: Annotated[int, Meta(ge=0, le=86_400)]
    claim_seconds: Annotated[int, Meta(ge=10, le=3_600)]
    pass_seconds: Annotated[int, Meta(ge=30, le=3_600)]
    purchases: Annotated[int, Meta(ge=1, le=100)]
    per_network: Quantity
    goods: GuardedGoods
    lanes: tuple[QueueLane, ...]
    public_number: PublicNumber | None = None
    slow_share: Annotated[int, Meta(ge=0, le=20)] = 5
    beyond_network: BeyondNetwork = BeyondNetwork.BEHIND
    work: WorkAsked = WorkAsked.SUSPECTS

    @property
    def places_behind(self) -> bool:
        """Whether places beyond their network's number are given, behind the others."""
        return self.slow_share > 0 and self.beyond_network is BeyondNetwork.BEHIND


class Layer(StrEnum):
    """In which order promotions apply: each layer reckons with what the one before it left to pay."""

    SHOP = "shop"
    """On goods or within one shop: N for M, nth piece, bundles, a shop's thresholds, percentages and coupons."""
    PLATFORM = "platform"
    """Across shops: thresholds and coupons of the whole festival."""
    POINTS = "points"
    SHIPPING = "shipping"


class Measure(StrEnum):
    """By what a threshold is reached."""

    AMOUNT = "amount"  # minor units still to pay for the goods that count
    PIECES = "pieces"


class Step(Struct, frozen=True):
    """From ``reach`` on, ``off`` less: minor units of an amount, basis points of a percentage."""

    reach: Annotated[int, Meta(ge=0, le=AMOUNT_MAX)]
    off: Amount


class AmountOff(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="amount_off"):
    """满减. One step: once. Several: the highest that is reached.

    ``every``: the only step again and again, up to ``cap`` in all (0 = no cap).
    """

    steps: tuple[Step, ...]
    measure: Measure = Measure.AMOUNT
    every: bool = False
    cap: Amount = 0


class PercentOff(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="percent_off"):
    """满折: the highest step that is reached, in basis points of the goods that count; at most ``cap`` off (0 = none).

    Rounded in the buyer's favour: a part of a minor unit is taken off as a whole one.
    """

    steps: tuple[Step, ...]
    measure: Measure = Measure.PIECES
    cap: Amount = 0


class NForM(Struct, frozen=True, kw_only=True, tag="n_for_m"):
    """Of every ``take`` pieces ``pay`` are paid: the cheapest of those are free. Pieces are grouped dearest first."""

    take: Annotated[int, Meta(ge=2, le=100)]
    pay: Annotated[int, Meta(ge=1, le=99)]


class NthPiece(Struct, frozen=True, kw_only=True, tag="nth_piece"):
    """Of every ``nth`` pieces, dearest first, the last is ``off`` basis points cheaper (第二件半价: 2 and 5000)."""

    nth: Annotated[int, Meta(ge=2, le=100)]
    off: Annotated[int, Meta(ge=1, le=10_000)]


class Part(Struct, frozen=True):
    """So many units of one SKU in a bundle."""

    sku: str
    quantity: Annotated[int, Meta(ge=1, le=100)]


class Bundle(Struct, frozen=True, kw_only=True, tag="bundle"):
    """These parts together cost ``price``, as many times as the cart holds them and it is less than they cost alone."""

    parts: tuple[Part, ...]
    price: Amount


class MemberPrice(Struct, frozen=True, kw_only=True, tag="member_price"):
    """These units cost this much each, for the promotion's audience; the lower of it and the offer's price stands."""

    prices: tuple[tuple[str, Amount], ...]


class Gift(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="gift"):
    """From ``reach`` on, ``quantity`` units of ``sku`` come free while its stock lasts; ``every``: for each reach."""

    sku: str
    reach: Annotated[int, Meta(ge=0, le=AMOUNT_MAX)]
    quantity: Annotated[int, Meta(ge=1, le=100)] = 1
    measure: Measure = Measure.AMOUNT
    every: bool = False


class FreeShipping(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="free_shipping"):
    """No fee from ``reach`` on."""

    reach: Annotated[int, Meta(ge=0, le=AMOUNT_MAX)] = 0
    measure: Measure = Measure.AMOUNT


class PointsOff(Struct, frozen=True, kw_only=True, tag="points_off"):
    """``points`` points pay one minor unit, for at most ``share`` basis points of what is to pay."""

    points: Annotated[int, Meta(ge=1, le=1_000_000)]
    share: Annotated[int, Meta(ge=1, le=10_000)]


Benefit = (
    AmountOff | PercentOff | NForM | NthPiece | Bundle | MemberPrice | FlashPrice | Gift | FreeShipping | PointsOff
)


class Bearer(Struct, frozen=True):
    """Who pays for a part of what is taken off: ``shop`` (each its own part), ``platform``, ``channel:NAME`` ..."""

    name: str
    share: Annotated[int, Meta(ge=1, le=10_000)]  # basis points


class PromotionLimits(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How often, and for how much, a promotion may be used; 0 = no limit. Exact under any race."""

    per_order: Quantity = 0  # times: groups of N for M, bundles, steps of `every`
    per_account: Quantity = 0  # orders
    per_period: Quantity = 0  # orders of one account in each `period_days` from the start on
    period_days: Annotated[int, Meta(ge=0, le=366)] = 0
    total: Quantity = 0  # orders
    budget: Amount = 0  # minor units taken off in all


class Promotion(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One rule that lowers what an order costs.

    On one line at most one promotion of a ``group`` applies ("" = in no group); with ``stacks_with`` it shares a line
    only with the promotions and groups named there. Within a layer the lower ``priority`` applies first, then the id.
    ``coupon`` names the coupon that a shopper must show; "" = it applies by itself. ``condition`` is a CEL expression
    over the facts in ``facts``. No times: the burst.
    """

    id: str
    label: Words
    benefit: Benefit
    layer: Layer = Layer.SHOP
    goods: Selection = Selection()
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    audience: tuple[Audience, ...] = ()
    tiers: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    condition: str = ""
    condition_words: Words | None = None
    """What the condition asks, as the published rules say it; there where there is a condition."""
    facts: tuple[str, ...] = ()
    group: str = ""
    priority: Annotated[int, Meta(ge=0, le=1_000_000)] = 100
    stacks_with: tuple[str, ...] | None = None
    coupon: str = ""
    limits: PromotionLimits = PromotionLimits()
    bearers: tuple[Bearer, ...] = ()
    """() = the shop of each line bears its own part."""


class Earning(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Points for paying: each whole ``paid`` paid for goods earns ``points``, an order ``per_order`` at most."""

    paid: Annotated[int, Meta(ge=1, le=AMOUNT_MAX)]
    points: Annotated[int, Meta(ge=1, le=POINTS_EARNED_MAX)]
    per_order: Quantity = 0  # 0: no cap


class CampaignDefinition(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A whole festival as data: what the file says, with every time absolute and every price in minor units.

    Defaults are left out of its JSON, so that a field that is added later changes the hash of no earlier version.
    """

    id: CampaignId
    title: Words
    theme: Theme
    audience: tuple[Audience, ...]
    accent: str
    currency: str
    payment_minutes: Annotated[int, Meta(ge=1, le=1440)]
    phases: tuple[Phase, ...]
    goals: tuple[Goal, ...]
    owners: tuple[Owner, ...]
    goods: tuple[GoodsEntry, ...]
    offers: tuple[Offer, ...]
    coupons: tuple[Coupon, ...]
    limits: tuple[Limit, ...]
    shipping: Shipping
    returns: Returns
    rules: Words
    defences: tuple[DefenceRule, ...] | None = None
    """None: the file says nothing, and the default defences stand."""
    rate_limits: tuple[RateLimit, ...] | None = None
    """None: the file says nothing, and the default rate limits stand."""
    waiting_room: WaitingRoom | None = None
    promotions: tuple[Promotion, ...] = ()
    presales: tuple[Presale, ...] = ()
    earning: Earning | None = None
    """None: paying earns no points."""
    list_price_basis: Words | None = None
    """What a list price is, shown beside it: "suggested retail price of the maker". None: nobody says."""
    group_buys: tuple[GroupBuy, ...] = ()
    draws: tuple[Draw, ...] = ()
    price_protection: PriceProtection | None = None

    def phase(self, name: PhaseName) -> Phase:
        """The phase of that name (every definition has all four)."""
        return next(phase for phase in self.phases if phase.name is name)

    def quotas(self) -> dict[str, int]:
        """Units of each SKU that the campaign may sell: alone, in presale or to groups."""
        sold: tuple[Offer | Presale | GroupBuy, ...] = (*self.offers, *self.presales, *self.group_buys)
        return {each.sku: each.quota for each in sold}


class CampaignVersion(Struct, frozen=True, kw_only=True):
    """A definition as it was published: never changed, never deleted."""

    campaign_id: CampaignId
    version: int
    definition: CampaignDefinition
    published_at: datetime
    published_by: str
    sha256: str


class VersionSummary(Struct, frozen=True, kw_only=True):
    """One line of a campaign's history."""

    campaign_id: CampaignId
    version: int
    title: Words
    published_at: datetime
    published_by: str
    sha256: str
    current: bool
    reason: str = ""
    """Why it was published last."""


class CampaignPublished(Event, frozen=True, kw_only=True):
    """This version is now the current one."""

    campaign_id: str
    version: int
    sha256: str
    published_at: datetime
    published_by: str
