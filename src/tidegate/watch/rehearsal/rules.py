"""Decides what each line of a log becomes: part of an order, units given back, or left out, and why. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal

from tidegate.watch.rehearsal.contracts import (
    Invoice,
    Kind,
    LeftOut,
    LogLine,
    LogMoney,
    OrderLimits,
    PlacedLine,
    Placement,
    Reason,
    Step,
    Survey,
    Undoing,
    Variant,
)

_NOT_IN_A_SKU = re.compile(r"[^A-Z0-9._-]+")
_CENTS = 100


def refusal_of(line: LogLine, kind: Kind) -> Reason | None:
    """Say why a line of a sale cannot be sold, or None when it can: a ladder, the first that fits names it."""
    ladder = (
        (kind is Kind.ADJUSTMENT, Reason.ADJUSTMENT),
        (line.price < 0, Reason.NEGATIVE_PRICE),
        (line.quantity < 0, Reason.STOCK_WRITE_OFF),
        (line.quantity == 0, Reason.NO_QUANTITY),
        (line.price == 0, Reason.NO_PRICE),
        (line.price * _CENTS % 1 != 0, Reason.FRACTION_OF_A_CENT),
    )
    return next((reason for fits, reason in ladder if fits), None)


def minor(price: Decimal) -> int:
    """Return an exact amount in minor units; an amount with a fraction of a cent is a fault of the caller."""
    cents = price * _CENTS
    if cents % 1:
        raise ValueError(f"{price} has a fraction of a cent")
    return int(cents)


def goods_code(code: str) -> str:
    """Return the stock code as the catalogue may carry it: upper case, nothing but letters, digits, `-`, `_`, `.`."""
    return _NOT_IN_A_SKU.sub("-", code.upper()).strip("-._") or "UNNAMED"


def variant_sku(code: str, price: int) -> str:
    """Return the SKU of goods at one price (minor units). A log has several prices for one code; each is an offer."""
    return f"{goods_code(code)}.{price}"


def account_of(invoice: Invoice) -> str:
    """Return whose order an invoice is: the customer's, or one made for this invoice alone."""
    return invoice.customer or f"invoice-{invoice.number}"


def survey(log: Iterable[Invoice], sha256: str = "") -> Survey:
    """Read a log once: what must exist before its first order? Memory grows with codes and customers, not lines."""
    gross = cancelled = Decimal(0)
    rows = count = undone_lines = undone_invoices = anonymous = lines_max = quantity_max = 0
    variants: dict[str, Variant] = {}
    accounts: dict[str, None] = {}
    goods: set[tuple[str, str]] = set()
    for invoice in log:
        count += 1
        rows += len(invoice.lines)
        anonymous += sum(not line.customer for line in invoice.lines)
        if invoice.kind is Kind.CANCELLATION:
            undone_invoices += 1
            undone_lines += len(invoice.lines)
            cancelled += sum(line.money for line in invoice.lines)
            goods.update((line.customer, goods_code(line.code)) for line in invoice.lines if line.customer)
            continue
        gross += sum(line.money for line in invoice.lines)
        placed = _offer(variants, [line for line in invoice.lines if refusal_of(line, invoice.kind) is None])
        if placed:
            accounts[account_of(invoice)] = None
            lines_max = max(lines_max, len(placed))
            quantity_max = max(quantity_max, *placed.values())
    return Survey(
        rows=rows,
        invoices=count,
        gross=gross,
        cancelled=cancelled,
        cancelled_lines=undone_lines,
        cancelled_invoices=undone_invoices,
        lines_without_customer=anonymous,
        lines_max=lines_max,
        quantity_max=quantity_max,
        variants=tuple(variants.values()),
        accounts=tuple(accounts),
        cancelled_goods=frozenset(goods),
        sha256=sha256,
    )


def _offer(variants: dict[str, Variant], lines: list[LogLine]) -> dict[str, int]:
    units: dict[str, int] = defaultdict(int)
    for line in lines:
        price = minor(line.price)
        sku = variant_sku(line.code, price)
        units[sku] += line.quantity
        known = variants.get(sku)
        variants[sku] = Variant(
            sku=sku,
            code=goods_code(line.code),
            description=(known.description if known else "") or line.description,
            price=price,
            units=(known.units if known else 0) + line.quantity,
        )
    return units


class Tally:
    """Adds up the money of a log, category by category, while it streams by."""

    def __init__(self) -> None:
        self.gross = self.cancelled = self.sent = self.undone = Decimal(0)
        self.split_invoices = 0
        self._left_out: dict[Reason, tuple[int, Decimal]] = {}

    def leave_out(self, reason: Reason, money: Decimal) -> None:
        """Count a line (or the rest of one) that is not sent."""
        lines, total = self._left_out.get(reason, (0, Decimal(0)))
        self._left_out[reason] = (lines + 1, total + money)

    def money(self) -> LogMoney:
        """Return the totals so far."""
        order = list(Reason)
        found = sorted(self._left_out.items(), key=lambda each: order.index(each[0]))
        return LogMoney(
            gross=self.gross,
            cancelled=self.cancelled,
            sent=self.sent,
            undone=self.undone,
            left_out=tuple(LeftOut(reason=reason, lines=lines, money=money) for reason, (lines, money) in found),
        )


class _Purchase:
    """Units of one SKU in one order that a cancellation may still undo."""

    __slots__ = ("left", "order_key", "price", "sku")

    def __init__(self, order_key: str, line: PlacedLine) -> None:
        self.order_key = order_key
        self.sku = line.sku
        self.price = line.price
        self.left = line.quantity


class Purchases:
    """Remembers what was bought, of those goods only that some cancellation of the log names."""

    def __init__(self, wanted: frozenset[tuple[str, str]]) -> None:
        self._wanted = wanted
        self._bought: dict[tuple[str, str], list[_Purchase]] = defaultdict(list)
        self._untouched: dict[str, int] = {}

    def wants(self, customer: str, code: str) -> bool:
        """Say whether some cancellation of the log names these goods of this customer."""
        return (customer, code) in self._wanted

    def remember(self, customer: str, order: Placement) -> None:
        """Remember the lines of an order that a cancellation may name later."""
        for line in order.lines:
            owner = (customer, line.sku.rpartition(".")[0])
            if owner in self._wanted:
                self._bought[owner].append(_Purchase(order.key, line))
        self._untouched[order.key] = sum(line.quantity for line in order.lines)

    def undo(self, line: LogLine, tally: Tally) -> Iterator[tuple[str, PlacedLine]]:
        """Yield the order and units that a cancelled line gives back: the latest purchase at its price first."""
        bought = [each for each in self._bought.get((line.customer, goods_code(line.code)), ()) if each.left]
        at_price = [each for each in bought if each.price == line.price * _CENTS]
        need = -line.quantity
        for purchase in reversed(at_price):
            units = min(need, purchase.left)
            if not units:
                break
            purchase.left -= units
            need -= units
            yield purchase.order_key, PlacedLine(purchase.sku, units, purchase.price)
        if need:
            tally.leave_out(self._why(line, at_price=bool(at_price)), -need * line.price)

    def _why(self, line: LogLine, *, at_price: bool) -> Reason:
        bought = self._bought.get((line.customer, goods_code(line.code)))
        if not line.customer:
            return Reason.NO_CUSTOMER
        if not bought:
            return Reason.NEVER_BOUGHT
        if at_price or any(each.price == line.price * _CENTS for each in bought):
            return Reason.MORE_THAN_BOUGHT
        return Reason.OTHER_PRICE

    def is_whole(self, order_key: str, units: int) -> bool:
        """Say whether `units` are all of an order of which nothing was given back before; it counts as touched now."""
        return self._untouched.pop(order_key, None) == units


def steps(log: Iterable[Invoice], purchases: Purchases, tally: Tally, limits: OrderLimits) -> Iterator[Step]:
    """Yield what to send, in the log's order, adding up its money in `tally`."""
    for invoice in log:
        if invoice.kind is Kind.CANCELLATION:
            yield from _undoings(invoice, purchases, tally)
        else:
            yield from _placements(invoice, purchases, tally, limits)


def _placements(invoice: Invoice, purchases: Purchases, tally: Tally, limits: OrderLimits) -> Iterator[Placement]:
    units: dict[tuple[str, int], int] = defaultdict(int)
    for line in invoice.lines:
        tally.gross += line.money
        reason = refusal_of(line, invoice.kind)
        if reason is None:
            price = minor(line.price)
            units[variant_sku(line.code, price), price] += line.quantity
            tally.sent += line.money
        else:
            tally.leave_out(reason, line.money)
    parts = parts_of([PlacedLine(sku, quantity, price) for (sku, price), quantity in units.items()], limits)
    tally.split_invoices += len(parts) > 1
    for place, lines in enumerate(parts):
        order = _placement(invoice, lines, place, purchases)
        if order.remembered:
            purchases.remember(invoice.customer, order)
        yield order


def parts_of(lines: list[PlacedLine], limits: OrderLimits) -> list[tuple[PlacedLine, ...]]:
    """Return the lines as the fewest orders that stay within the limits; a SKU stands once in each."""
    rounds: list[list[PlacedLine]] = []
    for line in lines:
        whole, rest = divmod(line.quantity, limits.quantity_max)
        pieces = [limits.quantity_max] * whole + [rest] * (rest > 0)
        for place, quantity in enumerate(pieces):
            if place == len(rounds):
                rounds.append([])
            rounds[place].append(PlacedLine(line.sku, quantity, line.price))
    size = limits.lines_max
    return [tuple(each[start : start + size]) for each in rounds for start in range(0, len(each), size)]


def _placement(invoice: Invoice, lines: tuple[PlacedLine, ...], place: int, purchases: Purchases) -> Placement:
    return Placement(
        key=f"{invoice.key}_{place + 1}" if place else invoice.key,
        account=account_of(invoice),
        at=invoice.at,
        lines=lines,
        total=sum(line.quantity * line.price for line in lines),
        remembered=any(purchases.wants(invoice.customer, line.sku.rpartition(".")[0]) for line in lines),
    )


def _undoings(invoice: Invoice, purchases: Purchases, tally: Tally) -> Iterator[Undoing]:
    by_order: dict[str, dict[tuple[str, int], int]] = {}
    for line in invoice.lines:
        tally.cancelled += line.money
        for order_key, back in purchases.undo(line, tally):
            units = by_order.setdefault(order_key, defaultdict(int))
            units[back.sku, back.price] += back.quantity
            tally.undone += Decimal(back.quantity * back.price) / _CENTS
    for order_key, units in by_order.items():
        lines = tuple(PlacedLine(sku, quantity, price) for (sku, price), quantity in units.items())
        yield Undoing(
            key=f"{invoice.key}-{order_key}",
            account=account_of(invoice),
            at=invoice.at,
            order_key=order_key,
            lines=lines,
            total=sum(line.quantity * line.price for line in lines),
            whole=purchases.is_whole(order_key, sum(line.quantity for line in lines)),
        )
