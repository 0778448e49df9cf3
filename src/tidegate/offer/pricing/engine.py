"""Prices a cart with promotions: unit prices, match, choose, apply, shipping, points. Pure, without I/O or clock.

`settle` decides and `price_with_promotions` writes it down; `tracing` asks `settle` too, so that what is explained is
what is charged.
"""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

import msgspec

from tidegate.base.money import allocate_within
from tidegate.offer.campaign.contracts import PointsOff
from tidegate.offer.coupons.contracts import coupon_name, tidy
from tidegate.offer.pricing.applying import PAID_MIN, Applied, Chosen, Frame, borne
from tidegate.offer.pricing.book import Book, Rule, Stage, bits_of
from tidegate.offer.pricing.carts import in_key_order, offer_uses, shares_of
from tidegate.offer.pricing.choosing import choose
from tidegate.offer.pricing.contracts import (
    Cart,
    Facts,
    GivenGift,
    OfferRule,
    PricedLine,
    PricedOrder,
    PriceStep,
    Reduction,
    RuleSet,
    Share,
    StepKind,
)
from tidegate.offer.pricing.errors import CouponNotApplicable, CouponNotValid, ThresholdNotMet
from tidegate.offer.pricing.matching import allowed, is_left, least_of, own_uses, rows_of, shared_uses
from tidegate.offer.pricing.words import LIST_PRICE, POINTS

TRACE_FORMAT = "tidegate-price-2"
"""Names the encoding behind the trace hash of orders with promotions; a change of the encoding is a new name."""

Taken = Sequence[tuple[OfferRule, int]]


class Use(NamedTuple):
    """A rule with counters, the money that it takes off, and the units that it is a price for."""

    rule: Rule
    money: int
    units: int = 0


class Settled:
    """All that was decided about a cart."""

    __slots__ = (
        "barred",
        "done",
        "fee",
        "frame",
        "gifts",
        "left",
        "member",
        "points",
        "points_used",
        "prices",
        "regret",
        "rows",
        "shipping",
        "wanted",
    )

    def __init__(self, frame: Frame, prices: list[int], member: dict[int, Rule]) -> None:
        self.frame = frame
        self.prices = prices
        self.member = member
        """Whose member or flash price stands, by line."""
        self.wanted: list[Use] = []
        """The most that each such price could take off."""
        self.rows: dict[Rule, list[int]] = {}
        """The lines that each allowed rule counts."""
        self.barred: frozenset[str] = frozenset()
        self.done: list[Applied] = []
        self.left: list[int] = []
        self.gifts: list[Applied] = []
        self.fee = 0
        self.shipping: Rule | None = None
        """Which rule made shipping free."""
        self.points: Applied | None = None
        self.points_used = 0
        self.regret = 0


def settle(rules: RuleSet, book: Book, taken: Taken, cart: Cart, facts: Facts) -> Settled:
    """Decide what applies. Raises CouponNotValid, CouponNotApplicable and ThresholdNotMet for the cart's coupon."""
    mask = allowed(book, facts, cart.coupon)
    settled = _frame(book, taken, facts, mask)
    frame = settled.frame
    settled.rows = rows = rows_of(book, frame.skus, mask)
    if settled.member:
        _withhold(book, settled, mask)
    if cart.coupon is not None:
        _require_coupon(book, frame, rows, cart.coupon)
    if facts.left or facts.barred:
        settled.barred |= _barred(frame, rows, facts)
    goods, freeing, points = [], [], []
    for rule in sorted(rows, key=_bit) if len(rows) > 1 else rows:
        if rule.id in settled.barred:
            continue
        if rule.stage <= Stage.PLATFORM:
            goods.append((rule, rows[rule]))
        elif rule.stage is Stage.SHIPPING:
            freeing.append((rule, rows[rule]))
        else:
            points.append((rule, rows[rule]))
    shipping = _Shipping(rules, book, frame, freeing)
    choice = choose(book, frame, goods, shipping.fee, rules.shipping.amount)
    done, settled.left = choice.done, choice.left
    settled.done = [each for each in done if not each.rule.gift]
    settled.gifts = [each for each in done if each.rule.gift]
    settled.regret = choice.regret
    settled.fee, settled.shipping = shipping.settle(settled.left, [(each.rule, each.places) for each in done])
    if facts.points and points:
        _spend_points(settled, points, facts, book)
    return settled


def _bit(rule: Rule) -> int:
    return rule.bit


def _frame(book: Book, taken: Taken, facts: Facts, mask: int) -> Settled:
    """The goods at their lowest unit price: the offer's, a member price or that of the slot that is on."""
    kept = book.kept
    skus = [offer.sku for offer, _ in taken]
    units = [quantity for _, quantity in taken]
    prices = [offer.unit_price for offer, _ in taken]
    member: dict[int, Rule] = {}
    barred: set[str] = set()
    wanted: list[Use] = []
    if book.price_masks:
        listed = [
            [each for each in book.prices_of(sku, mask) if each[0] < price]
            for sku, price in zip(skus, prices, strict=True)
        ]
        wanted = _wanted(listed, prices, units)
        barred |= {
            rule.id
            for rule, less, pieces in wanted
            if rule.id in facts.barred or not is_left(rule, facts, less, pieces)
        }
        for place, offered in enumerate(listed):
            for price, rule in offered:
                if rule.id not in barred:
                    prices[place] = price
                    member[place] = rule
                    break
    base = [price * quantity for price, quantity in zip(prices, units, strict=True)]
    own = [kept[sku] for sku in skus]
    floors = [each.floor * quantity for each, quantity in zip(own, units, strict=True)]
    settled = Settled(Frame(skus, base, units, floors, [each.shop for each in own]), prices, member)
    settled.barred = frozenset(barred)
    settled.wanted = wanted
    return settled


def _wanted(listed: Sequence[Sequence[tuple[int, Rule]]], prices: Sequence[int], units: Sequence[int]) -> list[Use]:
    """The most that each price of its own could take off: it stands for all its lines or for none."""
    money: dict[Rule, int] = {}
    pieces: dict[Rule, int] = {}
    for place, offered in enumerate(listed):
        for price, rule in offered:
            money[rule] = money.get(rule, 0) + (prices[place] - price) * units[place]
            pieces[rule] = pieces.get(rule, 0) + units[place]
    return [Use(rule, less, pieces[rule]) for rule, less in money.items()]


def _withhold(book: Book, settled: Settled, mask: int) -> None:
    """Leave goods at a price of their own out of the rules that do not go together with it."""
    rows = settled.rows
    for place, rule in settled.member.items():
        for bit in bits_of(book.kept_from(rule) & book.masks.get(settled.frame.skus[place], 0) & mask):
            other = book.rules[bit]
            rows[other] = [each for each in rows[other] if each != place]
            if not rows[other]:
                del rows[other]


def _barred(frame: Frame, rows: dict[Rule, list[int]], facts: Facts) -> frozenset[str]:
    """The rules that nothing is left of."""
    barred = set(facts.barred)
    for rule, places in rows.items():
        if facts.left and rule.counters and not is_left(rule, facts, _money_of(frame, rule, places)):
            barred.add(rule.id)
    return frozenset(barred)


def _require_coupon(book: Book, frame: Frame, rows: dict[Rule, list[int]], code: str) -> None:
    """Refuse a coupon that opens nothing, counts nothing, or cannot be reached even before other reductions."""
    known = book.gates.coupons[1]
    name = tidy(code) if tidy(code) in known else coupon_name(code)
    bits = known.get(name, 0)
    if not bits:
        raise CouponNotValid(
            "No coupon of this campaign has this code. Nothing was ordered; check the code or order without it."
        )
    opened = [(rule, rows[rule]) for rule in rows if bits >> rule.bit & 1]
    if not opened and not any(rule.stage is Stage.PRICE for rule in map(book.rules.__getitem__, bits_of(bits))):
        raise CouponNotApplicable(
            "None of these goods takes this coupon now. Nothing was ordered; order without the coupon.", coupon=name
        )
    if opened and not any(_reaches(frame, rule, places) for rule, places in opened):
        rule, places = min(opened, key=lambda each: each[0].bit)
        _refuse_threshold(frame, rule, places, name)


def _reaches(frame: Frame, rule: Rule, places: Sequence[int]) -> bool:
    return rule.reckoner is None or frame.reckon(rule, places, frame.base)[0] > 0


def _refuse_threshold(frame: Frame, rule: Rule, places: Sequence[int], name: str) -> None:
    """Say how much is missing."""
    assert rule.reckoner is not None
    measure, missing, _ = rule.reckoner.missing(places, frame.base, frame.units)
    counted = sum((frame.base if measure == "amount" else frame.units)[place] for place in places)
    raise ThresholdNotMet(
        "The goods that count towards this coupon do not reach its threshold. Nothing was ordered; "
        "add goods or order without the coupon.",
        coupon=name,
        threshold=counted + missing,
        missing=missing,
    )


class _Shipping:
    """What shipping costs, and why it is free: a rule that excludes others is out where one of them has its lines."""

    def __init__(self, rules: RuleSet, book: Book, frame: Frame, freeing: Sequence[tuple[Rule, list[int]]]) -> None:
        self._full = rules.shipping.amount
        self._free_from = rules.free_from
        self._frame = frame
        self._book = book
        self._freeing = freeing

    def fee(self, left: Sequence[int], chosen: Chosen) -> int:
        """The fee when the lines have so much left to pay after these rules."""
        return self.settle(left, chosen)[0]

    def settle(self, left: Sequence[int], chosen: Chosen) -> tuple[int, Rule | None]:
        """The fee, and the rule that made it none."""
        if not self._full or (self._free_from is not None and sum(left) >= self._free_from):
            return 0, None
        for rule, places in self._freeing:
            if self._is_blocked(rule, places, chosen):
                continue
            if rule.reckoner and rule.reckoner.reckon(places, left, self._frame.units)[0]:
                return 0, rule
        return self._full, None

    def _is_blocked(self, rule: Rule, places: Sequence[int], chosen: Chosen) -> bool:
        foes = self._book.foes(rule)
        if not foes:
            return False
        mine = set(places)
        return any(foes >> other.bit & 1 and not mine.isdisjoint(at) for other, at in chosen)


def _spend_points(settled: Settled, rows: Sequence[tuple[Rule, list[int]]], facts: Facts, book: Book) -> None:
    """Pay a part of the goods with points by the first rule that can; never a line's floor or the last minor unit."""
    left, frame = settled.left, settled.frame
    for rule, places in rows:
        benefit = rule.promotion.benefit
        foes = book.foes(rule)
        if not isinstance(benefit, PointsOff) or any(foes >> other.rule.bit & 1 for other in settled.done):
            continue
        weights = [left[place] for place in places]
        caps = [max(left[place] - frame.floors[place], 0) for place in places]
        most = min(sum(weights) * benefit.share // 10_000, facts.points // benefit.points, sum(left) - PAID_MIN)
        if most <= 0 or not is_left(rule, facts, most):
            continue
        parts = allocate_within(most, weights, caps)
        off = sum(parts)
        if off:
            for place, part in zip(places, parts, strict=True):
                left[place] -= part
            settled.points = Applied(rule, places, off, 1, parts, 0)
            settled.points_used = off * benefit.points
            return


class Written:
    """A settled cart as it is written down, whoever buys it."""

    __slots__ = ("least", "order", "own_concerned", "own_limited", "settled")

    def __init__(self, rules: RuleSet, book: Book, taken: Taken, settled: Settled) -> None:
        paying = [*settled.done, settled.points] if settled.points else settled.done
        reductions = tuple(_reduction(settled.frame, each) for each in paying)
        gifts = tuple(_gift(book, settled.frame, each) for each in settled.gifts)
        lines = _lines(taken, settled, gifts)
        goods_total, paid = sum(settled.frame.base), sum(settled.left)
        limited, concerned = _limited(rules, taken, settled), _concerned(settled)
        shared = {use.key: use for rule, money, units in limited for use in shared_uses(rule, money, units)}
        self.settled = settled
        self.order = PricedOrder(
            lines=lines,
            steps=_steps(rules, taken, settled),
            goods_total=goods_total,
            discount_total=goods_total - paid,
            shipping=settled.fee,
            total=paid + settled.fee,
            currency=rules.currency,
            counters=in_key_order(list(shared.values())),
            rules_version=rules.version,
            trace_hash=_trace_hash(rules, lines, reductions, gifts, settled),
            reductions=reductions,
            gifts=gifts,
            points_used=settled.points_used,
            regret=settled.regret,
            price_ends_at=_first_end(settled),
        )
        """With what whoever buys uses of counters for everybody, and without the facts."""
        self.own_limited = [each for each in limited if each.rule.counts_accounts]
        self.least = [
            (use.key, least_of(rule, use))
            for rule, money, units in concerned
            for use in shared_uses(rule, money, units)
        ]
        """What must be left of the counters for everybody, for all rules that could apply to stay open."""
        self.own_concerned = [each for each in concerned if each.rule.counts_accounts]


def price_with_promotions(rules: RuleSet, book: Book, taken: Taken, cart: Cart, facts: Facts) -> PricedOrder:
    """The priced order of a cart, by the rules and what is known. Refusals: see `rules.price_order`.

    A cart that was priced lately for somebody to whom the same rules are open is not settled again.
    """
    uses = offer_uses(taken, facts.buyer.hex if facts.buyer else None)
    plain = not (facts.points or facts.barred)
    key = (allowed(book, facts, cart.coupon), cart.coupon, tuple([(offer.sku, n) for offer, n in taken]))
    written = book.memory.get(key) if plain else None
    if not isinstance(written, Written) or (facts.left and not _is_all_left(written, facts)):
        written = Written(rules, book, taken, settle(rules, book, taken, cart, facts))
        if plain and not written.settled.barred:
            book.remember(key, written)
    if written.own_limited:
        own = {use.key: use for each in written.own_limited for use in own_uses(each.rule, facts, each.units)}
        uses += own.values()
    counters = in_key_order([*uses, *written.order.counters]) if uses else written.order.counters
    return msgspec.structs.replace(written.order, counters=counters, facts=_evidence(facts, written.settled))


def _first_end(settled: Settled) -> datetime | None:
    """The end of the slots whose price stands, the first of them; None without one."""
    return min((rule.slot.ends_at for rule in settled.member.values() if rule.slot), default=None)


def _is_all_left(written: Written, facts: Facts) -> bool:
    """Whether the counters bar none of the rules that the cart was settled with."""
    left = facts.left
    for key, least in written.least:
        if left.get(key, least) < least:
            return False
    return all(is_left(rule, facts, money, units) for rule, money, units in written.own_concerned)


def _concerned(settled: Settled) -> list[Use]:
    """Every rule with counters that could apply, with the most that it would take off."""
    frame = settled.frame
    concerned = [Use(rule, _money_of(frame, rule, places)) for rule, places in settled.rows.items() if rule.counters]
    return concerned + [each for each in settled.wanted if each.rule.counters]


def _money_of(frame: Frame, rule: Rule, places: Sequence[int]) -> int:
    """The most that a rule could take off its lines; gifts and free shipping are not counted in money here."""
    if rule.reckoner is None or rule.gift or rule.stage is Stage.SHIPPING:
        return 0
    return frame.reckon(rule, places, frame.base)[0]


def _evidence(facts: Facts, settled: Settled) -> Facts:
    """The facts that an order keeps, to be priced again: without the buyer, and without anybody's counters."""
    if facts.buyer is None and not facts.left and settled.barred == facts.barred:
        return facts
    return msgspec.structs.replace(facts, buyer=None, left={}, barred=settled.barred)


def _reduction(frame: Frame, applied: Applied) -> Reduction:
    parts = zip(applied.places, applied.parts, strict=True)
    return Reduction(
        promotion=applied.rule.id,
        amount=applied.off,
        lines=tuple([(frame.skus[place], part) for place, part in parts if part]),
        borne=borne(frame, applied),
        times=applied.times,
        given_up=applied.given_up,
    )


def _gift(book: Book, frame: Frame, applied: Applied) -> GivenGift:
    gift = applied.rule.gift
    assert gift is not None
    earned_by = tuple([frame.skus[place] for place in applied.places])
    return GivenGift(applied.rule.id, gift.sku, applied.off, book.values[gift.sku], earned_by)


def _lines(taken: Taken, settled: Settled, gifts: Sequence[GivenGift]) -> tuple[PricedLine, ...]:
    """The lines in the order of their SKUs; gifts of a SKU that is bought too stand on its line."""
    base, left = settled.frame.base, settled.left
    free: dict[str, int] = {}
    for gift in gifts:
        free[gift.sku] = free.get(gift.sku, 0) + gift.units
    lines = []
    for place, (offer, quantity) in enumerate(taken):
        given = free.pop(offer.sku, 0) if free else 0
        payable = left[place]
        shares = shares_of(payable, quantity)
        if given:
            shares = (*shares, Share(given, 0))
        lines.append(
            PricedLine(
                offer.sku,
                quantity + given,
                offer.list_price,
                settled.prices[place],
                base[place] - payable,
                payable,
                shares,
                given,
            )
        )
    if free:
        values = {gift.sku: gift.value for gift in gifts}
        lines += [PricedLine(sku, n, values[sku], 0, 0, 0, (Share(n, 0),), n) for sku, n in free.items()]
        lines.sort(key=_sku)
    return tuple(lines)


def _sku(line: PricedLine) -> str:
    return line.sku


def _steps(rules: RuleSet, taken: Taken, settled: Settled) -> tuple[PriceStep, ...]:
    list_total = 0
    steps: list[PriceStep] = []
    for place, (offer, quantity) in enumerate(taken):
        list_total += offer.list_price * quantity
        less = (settled.prices[place] - offer.list_price) * quantity
        if less:
            rule = settled.member.get(place)
            if rule:
                kind = StepKind.FLASH_PRICE if rule.slot else StepKind.MEMBER_PRICE
                steps.append(PriceStep(kind, rule.id, rule.label, less))
            else:
                steps.append(PriceStep(StepKind.OFFER, offer.sku, offer.label, less))
    for each in settled.done:
        kind = StepKind.COUPON if each.rule.promotion.coupon else StepKind.PROMOTION
        steps.append(PriceStep(kind, each.rule.id, each.rule.promotion.label, -each.off))
    steps.append(_shipping_step(rules, settled))
    if settled.points:
        steps.append(PriceStep(StepKind.POINTS, settled.points.rule.id, POINTS, -settled.points.off))
    return (PriceStep(StepKind.LIST_PRICE, "list", LIST_PRICE, list_total), *steps)


def _shipping_step(rules: RuleSet, settled: Settled) -> PriceStep:
    if settled.shipping:
        return PriceStep(StepKind.SHIPPING, settled.shipping.id, settled.shipping.promotion.label, 0)
    return rules.shipping if settled.fee == rules.shipping.amount else rules.free_shipping


def _limited(rules: RuleSet, taken: Taken, settled: Settled) -> list[Use]:
    """The applied rules that have counters, each with the money that it takes off."""
    money: dict[Rule, int] = {each.rule: each.off for each in settled.done}
    pieces: dict[Rule, int] = {}
    money |= dict.fromkeys((each.rule for each in settled.gifts), 0)
    for place, rule in settled.member.items():
        offer, quantity = taken[place]
        money[rule] = money.get(rule, 0) + (offer.unit_price - settled.prices[place]) * quantity
        pieces[rule] = pieces.get(rule, 0) + quantity
    if settled.shipping:
        money[settled.shipping] = rules.shipping.amount
    if settled.points:
        money[settled.points.rule] = settled.points.off
    return [Use(rule, amount, pieces.get(rule, 0)) for rule, amount in money.items() if rule.counters]


def _trace_hash(
    rules: RuleSet,
    lines: Sequence[PricedLine],
    reductions: Sequence[Reduction],
    gifts: Sequence[GivenGift],
    settled: Settled,
) -> str:
    """SHA-256 of everything that made the price, without its words and without the buyer."""
    parts = [f"{TRACE_FORMAT}\n{rules.campaign_id} {rules.version} {rules.currency}"]
    parts += [f"{x.sku} {x.quantity} {x.gifts} {x.list_price} {x.unit_price} {x.payable}" for x in lines]
    for each in reductions:
        parts.append(f"promotion {each.promotion} {each.amount} {each.times} {each.given_up}")
        parts += [f"of {sku} {amount}" for sku, amount in each.lines]
        parts += [f"by {part.bearer} {part.shop} {part.amount}" for part in each.borne]
    parts += [f"gift {each.promotion} {each.sku} {each.units}" for each in gifts]
    parts += [f"price {rule.id} {place}" for place, rule in settled.member.items()]
    parts.append(f"shipping {settled.fee} {settled.shipping.id if settled.shipping else ''}")
    parts.append(f"points {settled.points_used}")
    return sha256("\n".join(parts).encode()).hexdigest()
