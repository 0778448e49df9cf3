"""How the cost of a promise was reckoned, in words beside its figure; and where a log cannot tell, that it cannot."""

from collections.abc import Callable, Iterator

from tidegate.base.money import format_money
from tidegate.offer.campaign.contracts import Words
from tidegate.watch.rehearsal.cost_contracts import Method, PromisedCost

_NAMES = {
    Method.PRESALE: Words("预售", "Presale"),
    Method.GROUP_BUY: Words("拼团", "Group buy"),
    Method.PRICE_PROTECTION: Words("价格保护", "Price protection"),
}
_HOW = {
    Method.PRESALE: Words(
        "假定购买者都付定金并付清尾款；每件的成本为定金抵扣额超出定金的部分。",
        "Everybody who bought it is taken to reserve it and to pay the balance; a unit costs what its deposit counts "
        "for beyond itself.",
    ),
    Method.GROUP_BUY: Words(
        "按日志中的购买先后组团：每位买家加入最早开启、自己尚未参加的团，没有则开团；限时内人满的团，每件成本为原价减拼团价，"
        "未满的团全额退款，不计成本。",
        "Groups are formed of who bought it, as they came: each buyer joins the oldest open group in which they are "
        "not yet, or opens one. In a group that is full within its time a unit costs the list price less the group "
        "price; any other is refunded and costs nothing.",
    ),
}


def promised_name(cost: PromisedCost) -> Words:
    """What was promised, with its SKU where it is about one."""
    name = _NAMES[cost.method]
    return Words(f"{name.zh} {cost.sku}".strip(), f"{name.en} {cost.sku}".strip())


def promised_words(cost: PromisedCost, currency: str) -> Words:
    """The method of a figure in sentences, with what the log does not tell and the most that it could be."""
    said = list(_sentences(cost, currency))
    return Words("".join(each.zh for each in said), " ".join(each.en for each in said))


def _sentences(cost: PromisedCost, currency: str) -> Iterator[Words]:
    if cost.method is Method.PRICE_PROTECTION:
        yield from _of_protection(cost)
        return
    if cost.asked:
        yield _HOW[cost.method]
    else:
        yield Words(
            "日志中没有：无人购买该商品，无法推算。", "Not in the log: nobody bought it, so nothing can be reckoned."
        )
    if cost.groups:
        yield Words(
            f"共开 {cost.groups:,} 团，成团 {cost.groups_filled:,} 团；请求 {cost.asked:,} 件。",
            f"{cost.groups_filled:,} of {_many(cost.groups, 'group')} filled, {_many(cost.asked, 'unit')} asked for.",
        )
    if cost.left_out:
        yield Words(
            f"超出限量或限购的 {cost.left_out:,} 件未计入。",
            f"Left out, beyond the quota or the limit of a buyer: {_many(cost.left_out, 'unit')}.",
        )
    if cost.below_list:
        yield _with_money(
            cost.below_list,
            currency,
            lambda zh, en: Words(
                f"预售价另比原价低 {zh}，不在此数内。", f"Its price is {en} below list prices; that is not in it."
            ),
        )
    yield _with_money(cost.at_most, currency, _MOST[cost.method])


_MOST: dict[Method, Callable[[str, str], Words]] = {
    Method.PRESALE: lambda zh, en: Words(f"全部限量售出时至多 {zh}。", f"With the whole quota sold at most {en}."),
    Method.GROUP_BUY: lambda zh, en: Words(
        f"全部限量售出且每团都成团时至多 {zh}。", f"With the whole quota sold and every group filled at most {en}."
    ),
}


def _of_protection(cost: PromisedCost) -> Iterator[Words]:
    if not cost.asked:
        yield Words(
            "日志中没有：无人购买受保护的商品，无法推算。",
            "Not in the log: nobody bought goods that it is about, so nothing can be reckoned.",
        )
    elif not cost.moments:
        yield Words(
            "售卖期间没有优惠在开卖后开始或结束：本活动的安排中没有更低的后续价格。",
            "No promotion begins or ends within the sale: the campaign's own schedule has no lower price later.",
        )
    else:
        yield Words(
            f"售卖期间有 {cost.moments:,} 个时刻有优惠开始或结束；每笔订单按付款后 {cost.days} 天内的这些时刻重新计价，"
            "每种商品退最大的差额。假定买家都留下商品并都申请；秒杀场次的价格不作比较。",
            f"Each order is priced again wherever a promotion begins or ends within {_many(cost.days, 'day')} after it "
            f"({_many(cost.moments, 'such moment')} in this sale); of each product the largest difference goes back. "
            "Everybody is taken to keep the goods and to ask; the flash price of a slot is not compared with.",
        )
    yield Words(
        "以后的版本和售卖结束后的价格，日志与活动文件都无从得知。",
        "Prices of later versions and after the sale are in no log and not in this file.",
    )


def _many(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def _with_money(amount: int, currency: str, words: Callable[[str, str], Words]) -> Words:
    return words(format_money(amount, currency, "zh"), format_money(amount, currency, "en"))
