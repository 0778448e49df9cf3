"""The frozen values of a rehearsal: the log's dialect and lines, what is sent, what is left out, what the books say."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import msgspec


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """How a shop writes its order log: the names of its columns, and how it marks what is not a sale."""

    invoice: str = "InvoiceNo"
    code: str = "StockCode"
    description: str = "Description"
    quantity: str = "Quantity"
    at: str = "InvoiceDate"
    price: str = "UnitPrice"
    customer: str = "CustomerID"
    cancellation_prefix: str = "C"
    adjustment_prefix: str = "A"
    encoding: str = "utf-8-sig"


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the log. The unit price is the exact decimal that the log writes, in the currency's major unit."""

    row: int
    invoice: str
    code: str
    description: str
    quantity: int
    price: Decimal
    at: datetime
    customer: str

    @property
    def money(self) -> Decimal:
        """Quantity times unit price, exact."""
        return self.quantity * self.price


class Kind(StrEnum):
    """What an invoice of the log is."""

    SALE = "sale"
    CANCELLATION = "cancellation"
    ADJUSTMENT = "adjustment"


class Invoice(msgspec.Struct, frozen=True, kw_only=True):
    """Adjacent lines of the log with one invoice number. `part` counts up when a number comes back later."""

    number: str
    part: int
    kind: Kind
    customer: str
    at: datetime
    lines: tuple[LogLine, ...]

    @property
    def key(self) -> str:
        """The name of this invoice in idempotency keys: the same at every replay of the same log."""
        return self.number if self.part == 1 else f"{self.number}_again{self.part}"


class Reason(StrEnum):
    """Why a line of the log is not sent."""

    ADJUSTMENT = "adjustment"
    STOCK_WRITE_OFF = "stock-write-off"
    NO_QUANTITY = "no-quantity"
    NO_PRICE = "no-price"
    NEGATIVE_PRICE = "negative-price"
    FRACTION_OF_A_CENT = "fraction-of-a-cent"
    NO_CUSTOMER = "no-customer"
    NEVER_BOUGHT = "never-bought"
    OTHER_PRICE = "bought-at-another-price"
    MORE_THAN_BOUGHT = "more-than-bought"


SALE_REASONS = (
    Reason.ADJUSTMENT,
    Reason.STOCK_WRITE_OFF,
    Reason.NO_QUANTITY,
    Reason.NO_PRICE,
    Reason.NEGATIVE_PRICE,
    Reason.FRACTION_OF_A_CENT,
)

REASON_TEXT: dict[Reason, str] = {
    Reason.ADJUSTMENT: "an entry of the shop's own bookkeeping, not a sale",
    Reason.STOCK_WRITE_OFF: "units below zero outside a cancellation: a stock correction",
    Reason.NO_QUANTITY: "no units",
    Reason.NO_PRICE: "no price: nothing was paid",
    Reason.NEGATIVE_PRICE: "a price below zero",
    Reason.FRACTION_OF_A_CENT: "a price with a fraction of a cent",
    Reason.NO_CUSTOMER: "a cancellation that names no customer: nobody's order to undo",
    Reason.NEVER_BOUGHT: "a cancellation of something this customer never bought in this log",
    Reason.OTHER_PRICE: "a cancellation at a price at which this customer did not buy",
    Reason.MORE_THAN_BOUGHT: "units cancelled beyond those bought before",
}


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """Goods of the log at one of its prices: what the replay campaign offers. `price` is in minor units."""

    sku: str
    code: str
    description: str
    price: int
    units: int


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """What the first reading of a log found: everything that must exist before the first order is sent."""

    rows: int
    invoices: int
    gross: Decimal
    cancelled: Decimal
    cancelled_lines: int
    cancelled_invoices: int
    lines_without_customer: int
    lines_max: int
    quantity_max: int
    variants: tuple[Variant, ...]
    accounts: tuple[str, ...]
    cancelled_goods: frozenset[tuple[str, str]]
    sha256: str

    @property
    def net(self) -> Decimal:
        """Gross less cancelled."""
        return self.gross + self.cancelled


class OrderLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one order may hold at most: an invoice beyond that is sent as several orders."""

    lines_max: int = 200
    quantity_max: int = 9_999


class ReplayManner(msgspec.Struct, frozen=True, kw_only=True):
    """How a log is replayed: the first `limit` invoices (None: all), `speed` times as fast as the log's own time.

    Without a speed it goes as fast as the system takes it. The log names no currency, so `currency` does.
    """

    dialect: Dialect = Dialect()
    limit: int | None = None
    speed: float | None = None
    currency: str = "GBP"
    workers: int = 12
    limits: OrderLimits = OrderLimits()


class PlacedLine(msgspec.Struct, frozen=True):
    """One line of an order to send: all units of a SKU, at `price` minor units each."""

    sku: str
    quantity: int
    price: int


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """An order to send. `total` is in minor units; `remembered` says that a later cancellation may undo it."""

    key: str
    account: str
    at: datetime
    lines: tuple[PlacedLine, ...]
    total: int
    remembered: bool


class Undoing(msgspec.Struct, frozen=True, kw_only=True):
    """Units of an earlier order to give back. `whole` says: all of an order that nothing was given back of before."""

    key: str
    account: str
    at: datetime
    order_key: str
    lines: tuple[PlacedLine, ...]
    total: int
    whole: bool


Step = Placement | Undoing


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of the log that were not sent for one reason. A line half sent counts here with its rest."""

    reason: Reason
    lines: int
    money: Decimal


class LogMoney(msgspec.Struct, frozen=True, kw_only=True):
    """The money of a log, category by category, in exact decimals of the major unit."""

    gross: Decimal
    cancelled: Decimal
    sent: Decimal
    undone: Decimal
    left_out: tuple[LeftOut, ...]

    @property
    def net(self) -> Decimal:
        """Gross less cancelled."""
        return self.gross + self.cancelled

    @property
    def adds_up(self) -> bool:
        """Whether what was sent and what was left out make up the whole log."""
        sales = sum((each.money for each in self.left_out if each.reason in SALE_REASONS), Decimal(0))
        rest = sum((each.money for each in self.left_out if each.reason not in SALE_REASONS), Decimal(0))
        return self.gross == self.sent + sales and self.cancelled == -self.undone + rest


class BookMoney(msgspec.Struct, frozen=True, kw_only=True):
    """The same money as the books have it, in minor units: orders on one side, the payment ledger on the other."""

    orders: int
    ordered: int
    paid: int
    captured: int
    refunded: int
    given_back: int


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A figure of the log that the books do not confirm. Both in minor units."""

    what: str
    log: int
    books: int


class SystemRefusal(msgspec.Struct, frozen=True, kw_only=True):
    """A step that the system refused: which, and in its own words why."""

    key: str
    status: int
    code: str
    detail: str


class ReplayReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay did, and whether the books confirm it."""

    log: str
    campaign_id: str
    currency: str
    rows: int
    invoices: int
    orders: int
    split_invoices: int
    whole_cancellations: int
    partial_refunds: int
    seconds: float
    money: LogMoney
    books: BookMoney
    differences: tuple[Difference, ...]
    refused: tuple[SystemRefusal, ...]
    refused_count: int

    @property
    def holds(self) -> bool:
        """Whether every cent of the log is in the books or accounted for as left out."""
        return self.money.adds_up and not self.differences and not self.refused_count


class JournalEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An order that a shopper asks for, written before it is sent; then again with its id and `total` (minor units)
    when the system acknowledged it, or as `refused`.
    """

    buyer_id: UUID
    idempotency_key: str
    order_id: UUID | None = None
    total: int | None = None
    refused: bool = False


class KnownOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order as the database has it. `total` is in minor units."""

    order_id: UUID
    buyer_id: UUID
    idempotency_key: str
    total: int


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """How long one class of requests took: counts by response time in milliseconds."""

    name: str
    requests: int
    failures: int
    histogram: dict[int, int]

    def percentile(self, share: float) -> int:
        """The response time in ms that `share` (0 to 1) of the requests did not exceed; 0 without requests."""
        wanted = share * sum(self.histogram.values())
        seen = 0
        for milliseconds in sorted(self.histogram):
            seen += self.histogram[milliseconds]
            if seen >= wanted:
                return milliseconds
        return 0


class BotFarm(msgspec.Struct, frozen=True, kw_only=True):
    """One operator with many accounts: how many people's means (cards, addresses) stand behind them, and in how many
    networks his machines are.
    """

    accounts: int
    persons: int
    networks: int


LOOK_SECONDS = 2.5
"""A shopper looks at the line after so long at the latest: by so much a wait may differ by chance."""


class LinePlan(msgspec.Struct, frozen=True, kw_only=True):
    """How shoppers stand in the campaign's waiting room. Shares are of shoppers, times in seconds.

    All want one product first, `wanted_sku`. `member_lanes` are the names of the lanes that are for members.
    """

    wanted_sku: str
    opens_at: datetime
    claim_seconds: float
    member_lanes: tuple[str, ...] = ()
    member_share: float = 0.2
    early_share: float = 0.75
    leave_share: float = 0.02
    sleep_share: float = 0.04
    poll_seconds: tuple[float, float] = (1.5, LOOK_SECONDS)
    sign_seconds: float = 25.0


class FloodPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a flood is to be. Shares are of visits; files are paths; before `opens_at` shoppers only look around.

    Where the campaign has a waiting room, `line` says how they stand in it, and `farm` that a bot farm is among them;
    `shoppers` are all of them, the farm's accounts included.
    """

    url: str
    shoppers: int
    seconds: float
    sessions: str
    results: str
    journal: str
    opens_at: datetime
    hot_skus: tuple[str, ...]
    skus: tuple[str, ...]
    coupons: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    seed: int = 1
    pause_seconds: tuple[float, float] = (1.0, 6.0)
    search_share: float = 0.25
    hot_share: float = 0.3
    coupon_share: float = 0.2
    abandon_share: float = 0.06
    cancel_share: float = 0.05
    return_share: float = 0.02
    line: LinePlan | None = None
    farm: BotFarm | None = None
    journeys: str = ""


class FloodSession(msgspec.Struct, frozen=True, kw_only=True):
    """A simulated shopper's session, handed over in a file, one line of JSON each.

    `client` is the network address that the shopper is said to have, where one is; `farm` says that a bot farm's
    program uses the account, `member` that it is a member's.
    """

    token: str
    account_id: UUID
    address_id: UUID
    client: str = ""
    farm: bool = False
    member: bool = False


FAIR_SHARES_MAX = 1.5
"""A bot farm may get this many times a fair share for each distinct person that it has."""


class Group(StrEnum):
    """As whom an account stood in line: by its first place, the farm's accounts apart."""

    SHOPPER = "shopper"  # in time for the draw
    MEMBER = "member"  # in time for the draw, in a lane for members
    LATECOMER = "latecomer"  # behind the draw, or no place at all
    FARM = "farm"


class Journey(msgspec.Struct, frozen=True, kw_only=True):
    """How one account came through the line, as it saw it. `wait_seconds`: from its first place, or from the opening
    where that is later, until its first pass; None without one. `suspected`: it was taken for a program. `member`: it
    is a member's account, wherever it stood.
    """

    account_id: UUID
    group: Group
    member: bool = False
    placed: bool = False
    suspected: bool = False
    called: bool = False
    entered: bool = False
    wait_seconds: float | None = None


class GroupResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one group got. All but persons, orders and units count accounts, each once; `units` are those of the wanted
    product that were paid and kept, from the books. `wait_seconds` is the median of those who got in. `fair_shares`:
    units for each distinct person, over those for each person of all groups that were in the draw; None without any.
    """

    group: Group
    accounts: int
    persons: int
    placed: int
    suspected: int
    called: int
    entered: int
    orders: int
    units: int
    wait_seconds: float | None
    fair_shares: float | None = None
    members: int = 0

    @property
    def refused_share(self) -> float | None:
        """Share of the accounts that were never given a place."""
        return 1 - self.placed / self.accounts if self.accounts else None


class FloodProgress(msgspec.Struct, frozen=True, kw_only=True):
    """What the flood tells each second. `order_p99_ms` is over the whole flood so far."""

    elapsed: float
    shoppers: int
    requests: int
    failures: int
    requests_per_second: float
    placed: int
    paid: int
    order_p99_ms: int
    in_line: int = 0


class FloodReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a flood did: its shape, its latencies by class of request, and what the shoppers met."""

    shoppers: int
    seconds: float
    started_at: datetime
    ended_at: datetime
    latencies: tuple[Latency, ...]
    outcomes: dict[str, int]
    journal: str
    wanted_sku: str = ""
    groups: tuple[GroupResult, ...] = ()

    @property
    def requests(self) -> int:
        """All requests of all classes."""
        return sum(each.requests for each in self.latencies)

    @property
    def failures(self) -> int:
        """Requests that failed: no answer, or a 5xx."""
        return sum(each.failures for each in self.latencies)
