"""Words of a campaign: what a festival is, as frozen data. Money is integers of the minor unit, times are aware UTC."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, NewType

from msgspec import Meta, Struct

from tidegate.base.outbox import Event

CampaignId = NewType("CampaignId", str)
"""A slug of the campaign manager's choice, such as ``double-11``."""

AMOUNT_MAX = 100_000_000_000
"""Largest amount of money in a definition, in minor units: with it, no order can overflow a bigint."""
QUANTITY_MAX = 1_000_000_000
GOODS_MAX = 100_000
COUPONS_MAX = 1_000
LIMITS_MAX = 1_000
DEFENCES_MAX = 50
RATE_LIMITS_MAX = 100
LANES_MAX = 8

Amount = Annotated[int, Meta(ge=0, le=AMOUNT_MAX)]
Quantity = Annotated[int, Meta(ge=0, le=QUANTITY_MAX)]


class Words(Struct, frozen=True):
    """One text in both languages of the shop."""

    zh: str
    en: str

    def of(self, locale: str) -> str:
        """The words for a locale such as ``zh``, ``zh_Hans_CN`` or ``en``."""
        return self.zh if locale.lower().startswith("zh") else self.en


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


class GoodsEntry(Struct, frozen=True, kw_only=True):
    """One product of the festival. ``picture`` tells the catalogue what its picture shows; it may be empty."""

    sku: str
    name: Words
    description: Words
    category: str
    brand: str
    list_price: Amount
    picture: str = ""


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


class Coupon(Struct, frozen=True, kw_only=True):
    """From ``threshold`` on, ``off`` less; ``quota`` uses in all, ``per_buyer`` uses each (0 = no limit)."""

    code: str
    threshold: Amount
    off: Amount
    quota: Quantity
    per_buyer: Quantity
    label: Words


class Limit(Struct, frozen=True, kw_only=True):
    """At most ``per_buyer`` units of these SKUs together; no SKUs named means all on offer."""

    name: str
    skus: tuple[str, ...]
    per_buyer: Quantity
    label: Words


class Shipping(Struct, frozen=True, kw_only=True):
    """One fee an order, none from ``free_from`` of payable goods on (``None`` = never free)."""

    fee: Amount
    free_from: Amount | None


class Returns(Struct, frozen=True, kw_only=True):
    """How long goods may be returned without a reason, and the policy in words."""

    days: Quantity
    text: Words


class Defence(StrEnum):
    """What can be done against an attack."""

    WORK_FOR_ALL = "work_for_all"
    """Everybody proves work, not only who is suspect."""
    LOWER_LIMITS = "lower_limits"
    """Every limit is multiplied by the rule's factor."""
    STATIC_ONLY = "static_only"
    """Only what is cached, and the money path."""
    HOOK = "hook"
    """The operator's scrubbing service or CDN is told."""


class Signal(StrEnum):
    """What an attack shows in."""

    REQUESTS = "requests"  # a second
    FAILURES = "failures"  # share of all requests, basis points
    FAILED_SIGN_INS = "failed_sign_ins"  # a minute
    FAILED_PAYMENTS = "failed_payments"  # a minute
    NEW_DEVICES = "new_devices"  # a second


class Threshold(Struct, frozen=True, kw_only=True):
    """A signal speaks of an attack from ``start_at`` on, and of calm below ``stop_below``."""

    signal: Signal
    start_at: Annotated[int, Meta(ge=1, le=QUANTITY_MAX)]
    stop_below: Annotated[int, Meta(ge=1, le=QUANTITY_MAX)]


class DefenceRule(Struct, frozen=True, kw_only=True):
    """When a defence starts by itself, and how long it stays: both signals must agree, as means over the window."""

    name: str
    starts: Defence
    trigger: Threshold
    second: Threshold
    window_seconds: Annotated[int, Meta(ge=5, le=60)]
    stay_seconds: Annotated[int, Meta(ge=10, le=3_600)]
    expiry_seconds: Annotated[int, Meta(ge=10, le=86_400)]
    factor: Annotated[int, Meta(ge=100, le=10_000)] = 10_000  # basis points, of LOWER_LIMITS


class LimitedAct(StrEnum):
    """What can be asked too often."""

    ASK_CODE = "ask_code"
    SIGN_IN = "sign_in"
    TAKE_PLACE = "take_place"
    TAKE_PASS = "take_pass"  # noqa: S105  an act, not a secret
    SEARCH = "search"
    PLACE_ORDER = "place_order"


class LimitScope(StrEnum):
    """Whose acts are counted together."""

    ACCOUNT = "account"
    DEVICE = "device"
    """One sign-in on one device."""
    ADDRESS = "address"
    """One IPv4 address, or one /64 of IPv6: what one line is given."""
    NETWORK = "network"
    """One /24 of IPv4, or one /48 of IPv6."""


class WhenDown(StrEnum):
    """What a limit answers while nobody can count."""

    ALLOW = "allow"
    REFUSE = "refuse"


class RateLimit(Struct, frozen=True, kw_only=True):
    """At most ``quota`` acts a window, evenly spread, and ``burst`` of them at once: quota + burst in any window."""

    name: str
    act: LimitedAct
    scope: LimitScope
    quota: Annotated[int, Meta(ge=1, le=1_000_000)]
    window_seconds: Annotated[int, Meta(ge=1, le=86_400)]
    burst: Annotated[int, Meta(ge=1, le=1_000_000)]
    when_down: WhenDown = WhenDown.ALLOW


class GuardedGoods(StrEnum):
    """What people stand in line for: when none of it can be won any more, the line is told so."""

    FLASH = "flash"
    EVERYTHING = "everything"


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
    ``pass_seconds`` and ``purchases``. ``per_network`` places come from one network (0 = no limit). Beside each 100
    calls at most ``slow_share`` are of the slow lane, in which places stand that look like a program's (0 = none is).
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
    slow_share: Annotated[int, Meta(ge=0, le=20)] = 5


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

    def phase(self, name: PhaseName) -> Phase:
        """The phase of that name (every definition has all four)."""
        return next(phase for phase in self.phases if phase.name is name)


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


class CampaignPublished(Event, frozen=True, kw_only=True):
    """This version is now the current one."""

    campaign_id: str
    version: int
    sha256: str
    published_at: datetime
    published_by: str


class Fault(Struct, frozen=True, kw_only=True):
    """One thing wrong in a definition: where (``offer``, 3, ``price``), what, and the line if it came from a file."""

    path: tuple[str | int, ...]
    message: str
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        """``festival.toml:42: offer.price: ...`` from a file, else ``offer[3].price: ...``."""
        field = self._field(numbered=not self.file)
        where = f"{self.file}:{self.line}: " if self.line else f"{self.file}: " if self.file else ""
        return f"{where}{field}: {self.message}" if field else f"{where}{self.message}"

    def _field(self, *, numbered: bool) -> str:
        text = ""
        for part in self.path:
            if isinstance(part, str):
                text += f".{part}" if text else part
            elif numbered:
                text += f"[{part}]"
        return text
