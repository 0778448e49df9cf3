"""Checks of prices: against what was sold before, what was offered before, floor and cost. Pure."""

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from tidegate.base.money import format_money
from tidegate.offer.campaign.api import ReachedPrice, Severity, Way
from tidegate.offer.campaign.contracts import CampaignDefinition, GoodsEntry, Words
from tidegate.offer.history.contracts import NOTHING_KNOWN
from tidegate.offer.law.contracts import Article, Case, Found
from tidegate.offer.law.reductions import below_list, places, taken_off


def _money(definition: CampaignDefinition, amount: int) -> Words:
    return Words(*(format_money(amount, definition.currency, locale) for locale in ("zh", "en")))


def _reduced(case: Case) -> Iterator[tuple[int, GoodsEntry]]:
    """The goods of which one unit costs less than its list price: by its offer, or by what takes off from that.

    What is cheaper only with more of it in the cart is left out: its price is not announced as a reduced one.
    """
    return places(case.definition, below_list(case.definition) | taken_off(case.definition, alone=True))


def _offered(case: Case) -> dict[str, int]:
    return {offer.sku: offer.price for offer in case.definition.offers}


def _columns(offered: int | None, most: int) -> str:
    """What must come down to `most`: the list price, and the price of the SKU's offer where that is above it too."""
    return "list_price, price" if offered is not None and offered > most else "list_price"


def reference_price(case: Case, article: Article) -> Iterator[Found]:
    """The list price beside an offer is at most the lowest price of the days before, or else the last one sold at.

    Where the file states what its list prices are (`list_price_basis`), the details are stated, and what is found is
    told as a notice only.
    """
    days = article.figures["days"]
    known = case.evidence.get(days, {})
    stated = case.definition.list_price_basis is not None
    unproven, offered = [], _offered(case)
    for place, entry in _reduced(case):
        sku, evidence = entry.sku, known.get(entry.sku, NOTHING_KNOWN)
        base = evidence.lowest_deal if evidence.lowest_deal is not None else evidence.last_deal
        if base is None:
            unproven.append(place)
        elif entry.list_price > base:
            compared, sold = _money(case.definition, entry.list_price), _money(case.definition, base)
            within = evidence.lowest_deal is not None
            yield Found(
                path=("goods", place, "list_price"),
                what=Words(
                    zh=f"{sku} 的划线价 {compared.zh} 高于"
                    + (f"活动前 {days} 天内的最低成交价 {sold.zh}" if within else f"最后一次成交价 {sold.zh}"),
                    en=f"the list price of {sku}, {compared.en}, is above "
                    + (
                        f"the lowest price sold at in the {days} days before, "
                        if within
                        else "the last price sold at, "
                    )
                    + sold.en,
                ),
                mend=Words(
                    zh=f"把 {_columns(offered.get(sku), base)} 降到 {sold.zh} 或更低，"
                    "或在 list_price_basis 中说明划线价的含义",
                    en=f"lower {_columns(offered.get(sku), base)} to {sold.en} or less, "
                    "or state in list_price_basis what it is",
                ),
                severity=Severity.NOTICE if stated else None,
            )
    if unproven:
        yield _unproven(unproven, Words("成交记录", "recorded sale"))


def prior_price(case: Case, article: Article) -> Iterator[Found]:
    """The list price beside an offer is the lowest price that was applied in the days before: offered or sold at."""
    days = article.figures["days"]
    known = case.evidence.get(days, {})
    unproven, offered = [], _offered(case)
    for place, entry in _reduced(case):
        sku, evidence = entry.sku, known.get(entry.sku, NOTHING_KNOWN)
        base = min((each for each in (evidence.lowest_deal, evidence.lowest_offered) if each is not None), default=None)
        if base is None:
            unproven.append(place)
        elif entry.list_price > base:
            compared, applied = _money(case.definition, entry.list_price), _money(case.definition, base)
            yield Found(
                path=("goods", place, "list_price"),
                what=Words(
                    zh=f"{sku} 的先前价格标为 {compared.zh}，而降价前 {days} 天内最低曾为 {applied.zh}",
                    en=f"the prior price shown for {sku}, {compared.en}, is above the lowest price applied "
                    f"in the {days} days before, {applied.en}",
                ),
                mend=Words(
                    zh=f"把 {_columns(offered.get(sku), base)} 改为 {applied.zh}，折扣按此计算",
                    en=f"set {_columns(offered.get(sku), base)} to {applied.en}: the reduction counts from it",
                ),
            )
    if unproven:
        yield _unproven(unproven, Words("价格记录", "recorded price"))


def _unproven(places: list[int], what: Words) -> Found:
    return Found(
        path=("goods", places[0], "list_price"),
        what=Words(
            zh=f"{len(places):,} 种减价商品在活动前没有{what.zh}，划线价无从核对",
            en=f"{len(places):,} reduced products have no {what.en} before the sale: not to be checked",
        ),
        mend=Words(
            zh="用 tidegate prices import 导入以往价格；没有以往价格的，保存划线价的依据",
            en="import earlier prices with tidegate prices import; without any, keep evidence of the list price",
        ),
        severity=Severity.NOTICE,
    )


def raised_before(case: Case, article: Article) -> Iterator[Found]:
    """A price that serves as the base of a reduction was not raised in the days before the sale.

    That is the list price of whatever is sold for less, and the offer's price from which coupons and promotions take
    off, in whatever cart they do.
    """
    days = article.figures["days"]
    known = case.evidence.get(days, {})
    offers = {offer.sku: (place, offer.price) for place, offer in enumerate(case.definition.offers)}
    lowered = taken_off(case.definition, alone=False)
    for place, entry in places(case.definition, below_list(case.definition) | lowered):
        evidence = known.get(entry.sku, NOTHING_KNOWN)
        if evidence.lowest_list is not None and evidence.lowest_list < entry.list_price:
            marked = Marked(("goods", place, "list_price"), Words("划线价", "list price"), entry.list_price)
            yield _raised(case, days, entry.sku, marked, evidence.lowest_list)
        elif entry.sku in lowered and evidence.lowest_usual is not None:
            where, price = offers[entry.sku]
            if evidence.lowest_usual < price:
                marked = Marked(("offer", where, "price"), Words("活动价", "price"), price)
                yield _raised(case, days, entry.sku, marked, evidence.lowest_usual)


class Marked(msgspec.Struct, frozen=True):
    """A price from which a reduction counts: where it stands, how it is called, its amount."""

    path: tuple[str | int, ...]
    name: Words
    amount: int


def _raised(case: Case, days: int, sku: str, marked: Marked, before: int) -> Found:
    rise = (marked.amount - before) * 100 // before if before else 100
    old, new = _money(case.definition, before), _money(case.definition, marked.amount)
    key = str(marked.path[-1])
    return Found(
        path=marked.path,
        what=Words(
            zh=f"{sku} 的{marked.name.zh}在活动前 {days} 天内从 {old.zh} 提高到 {new.zh}（{rise}%），"
            "并作为减价的计算基准",
            en=f"the {marked.name.en} of {sku} rose from {old.en} to {new.en} ({rise} %) within the {days} "
            "days before the sale, and a reduction counts from it",
        ),
        mend=Words(
            zh=f"把 {key} 恢复为 {old.zh}，或由有权人员说明涨价理由并豁免",
            en=f"set {key} back to {old.en}, or let a named person state why it rose",
        ),
    )


def reference_stated(case: Case, _: Article) -> Iterator[Found]:
    """The file says what its list prices are."""
    count = len(below_list(case.definition))
    if count and case.definition.list_price_basis is None:
        yield Found(
            path=("campaign",),
            what=Words(
                zh=f"{count:,} 种商品显示划线价，但没有说明划线价是什么",
                en=f"{count:,} products show a list price, and nothing says what it is",
            ),
            mend=Words(
                zh="在 [campaign] 中写 list_price_basis，例如“厂商建议零售价”",
                en='write list_price_basis in [campaign], such as "suggested retail price of the maker"',
            ),
        )


def below_floor(case: Case, _: Article) -> Iterator[Found]:
    """No cart brings a unit under its floor: nobody pays less for it, in whatever way it is bought."""
    for reached in _once(case, lambda each: each.is_below_floor):
        yield _reached(case, reached, Under("floor", reached.floor, Words("底价", "floor")))


def worth_below_floor(case: Case, _: Article) -> Iterator[Found]:
    """The floor is paid, but gifts and earned points that come with the unit are worth so much that it costs less."""
    for reached in _once(case, lambda each: each.is_worth_below_floor):
        yield _reached(case, reached, Under("floor", reached.floor, Words("底价", "floor"), reached.worth))


def below_cost(case: Case, _: Article) -> Iterator[Found]:
    """No cart brings the shop less than a unit and what comes with it cost."""
    under_floor = {reached.sku for reached in case.lowest if reached.is_below_floor}
    for reached in _once(case, lambda each: each.is_below_cost):
        if reached.sku not in under_floor:
            yield _reached(case, reached, Under("cost", reached.cost, Words("成本", "cost"), reached.outlay))


class Under(msgspec.Struct, frozen=True):
    """What a price lies under: the column of the goods, its amount and name, and what is taken off the price first."""

    key: str
    limit: int
    name: Words
    beside: int = 0


def _once(case: Case, is_under: Callable[[ReachedPrice], bool]) -> list[ReachedPrice]:
    """The first one of each SKU and way to buy it, which is the worst."""
    found: dict[tuple[str, Way], ReachedPrice] = {}
    for reached in case.lowest:
        if is_under(reached):
            found.setdefault((reached.sku, reached.way), reached)
    return list(found.values())


_WAYS: Final = {
    Way.OFFER: (
        Words("", ""),
        Words("提高活动价，或限制可叠加的优惠", "raise the offer's price, or restrict what may be combined"),
    ),
    Way.PRESALE: (
        Words("预售", " in presale"),
        Words("提高预售价，或减少定金抵扣额", "raise the presale's price, or let the deposit count for less"),
    ),
    Way.GROUP: (
        Words("拼团", " in a group"),
        Words("提高拼团价，或减少所送积分", "raise the group's price, or let it earn fewer points"),
    ),
}
"""Each way to buy in words, and what to change in it."""


def _reached(case: Case, reached: ReachedPrice, under: Under) -> Found:
    place = next(place for place, entry in enumerate(case.definition.goods) if entry.sku == reached.sku)
    price, least = _money(case.definition, reached.price - under.beside), _money(case.definition, under.limit)
    way, mend = _WAYS[reached.way]
    who, paid, name = _who(reached), _beside(case, reached, under), under.name
    return Found(
        path=("goods", place, under.key),
        what=Words(
            zh=f"{reached.sku} {way.zh}最低可到 {price.zh}，低于{name.zh} {least.zh}{paid.zh}：{who.zh}",
            en=f"{reached.sku} can be brought to {price.en}{way.en}, below its {name.en} of {least.en}{paid.en}: "
            f"{who.en}",
        ),
        mend=mend,
    )


def _who(reached: ReachedPrice) -> Words:
    """The cart, the rules and the buyer."""
    cart = ", ".join(f"{quantity} × {sku}" for sku, quantity in reached.lines)
    rules = ", ".join(reached.promotions)
    zh, en = (f"，使用 {rules}", f" with {rules}") if rules else ("", "")
    if reached.buyer.en:
        zh, en = f"{zh}，{reached.buyer.zh}", f"{en}, for {reached.buyer.en}"
    if reached.at:
        moment = f"{reached.at:%Y-%m-%d %H:%M} UTC"
        zh, en = f"{zh}，{moment}", f"{en}, at {moment}"
    return Words(cart + zh, cart + en)


def _beside(case: Case, reached: ReachedPrice, under: Under) -> Words:
    """What is paid and what gifts and points take off it; nothing where there are none."""
    if not under.beside:
        return Words("", "")
    paid, less = _money(case.definition, reached.price), _money(case.definition, under.beside)
    cost = under.key == "cost"
    return Words(
        zh=f"（支付 {paid.zh}，所赠礼品与积分{'成本' if cost else '价值'} {less.zh}）",
        en=f" ({paid.en} paid, gifts and points {'that cost' if cost else 'worth'} {less.en})",
    )
