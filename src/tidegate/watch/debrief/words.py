"""The debrief's words in Chinese and English, and how it writes numbers, money and times."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.numbers import format_decimal, format_percent

from tidegate.base.money import format_money
from tidegate.watch.debrief.contracts import Finding, FindingKind, GoalResult

ZONE = ZoneInfo("Asia/Shanghai")
LOCALES = ("zh", "en")
_NONE = "–"

_SENTENCES: dict[FindingKind, tuple[str, str]] = {
    FindingKind.NOTHING_SOLD: ("没有收到订单。", "No orders were placed."),
    FindingKind.SALES: (
        "已付款订单 {paid} 笔，成交额 {value}；下单后付款的占 {share}，平均每笔 {basket}。",
        "{paid} orders were paid, worth {value}: {share} of all orders placed, {basket} on average.",
    ),
    FindingKind.PEAK: (
        "高峰时每秒下单 {orders} 笔，在 {at}。",
        "At the peak, at {at}, {orders} orders a second were placed.",
    ),
    FindingKind.NO_OUTAGE: ("支付通道全程可用。", "Every payment channel answered all the time."),
    FindingKind.OUTAGE: (
        "通道 {channel} 中断 {seconds} 秒（{failed} 次无应答），未损失订单：期间付款 {conversion}，平时 {usual}。",
        (
            "Channel {channel} failed for {seconds} s ({failed} attempts unanswered) and cost no orders: of those"
            " placed meanwhile {conversion} were paid, {usual} at other times."
        ),
    ),
    FindingKind.OUTAGE_COST: (
        "通道 {channel} 中断 {seconds} 秒，约损失 {orders} 笔订单（{value}）：期间付款 {conversion}，平时 {usual}。",
        (
            "Channel {channel} failed for {seconds} s and cost about {orders} orders ({value}): of the orders placed"
            " meanwhile {conversion} were paid, {usual} at other times."
        ),
    ),
    FindingKind.SOLD_OUT: (
        "{count} 种商品售罄；最先售罄的是“{name_zh}”（{units} 件），开售后 {seconds} 秒。",
        "{count} of the goods sold out; the first was “{name_en}” ({units} units), {seconds} s after the opening.",
    ),
    FindingKind.NOT_SOLD_OUT: ("没有商品售罄。", "Nothing sold out."),
    FindingKind.FARM: (
        (
            "刷号团伙用 {accounts} 个账号排队（实有 {persons} 人的身份），得到 {placed} 个排位、{units} 件热门商品："
            "人均为公平份额的 {shares} 倍（上限 {bar} 倍）。"
        ),
        (
            "The bot farm's {accounts} accounts, with the means of {persons} persons, got {placed} places and {units}"
            " units of what all wanted: {shares} fair shares for each of its persons (at most {bar})."
        ),
    ),
    FindingKind.DRAW_HOLDS: (
        "抽签已重新计算：种子、名单根与全部次序一致（共 {places} 项）。",
        "The draw was recomputed: seed, root, every rank and the order of calls agree ({places} examined).",
    ),
    FindingKind.DRAW_BROKEN: (
        "抽签重新计算后不一致：{broken}。",
        "The draw was recomputed and does not agree: {broken}.",
    ),
    FindingKind.LATENCY: (
        "{requests} 次下单请求中，一半在 {p50} 毫秒内、99% 在 {p99} 毫秒内得到答复。",
        "Of {requests} requests to place an order, half were answered within {p50} ms and 99 % within {p99} ms.",
    ),
    FindingKind.GOALS_MET: (
        "已测量的 {measured} 项目标全部达成。",
        "All {measured} goals that were measured were met.",
    ),
    FindingKind.GOALS_MISSED: (
        "已测量的 {measured} 项目标达成 {met} 项；未达成：{missed}。",
        "{met} of the {measured} goals that were measured were met; missed: {missed}.",
    ),
    FindingKind.CHECKS_HOLD: (
        "{count} 项不变量全部成立（共检查 {examined} 项记录）。",
        "All {count} invariants hold ({examined} records examined).",
    ),
    FindingKind.CHECKS_BROKEN: ("有不变量不成立：{broken}。", "Invariants are broken: {broken}."),
}

_GOALS: dict[str, tuple[str, str]] = {
    "gmv": ("成交额", "GMV (paid)"),
    "orders": ("已付款订单", "Paid orders"),
    "conversion": ("转化率（付款买家 / 访客）", "Conversion (paying buyers / visitors)"),
    "repurchase_growth": ("复购增长", "Repurchase growth"),
    "gmv_growth": ("成交额增长", "GMV growth"),
    "page_load": ("页面答复 p99", "Page answer, p99"),
    "search": ("搜索答复 p99", "Search answer, p99"),
    "payment_success": ("支付成功率", "Payment success"),
    "shipped_in_24_hours": ("24 小时发货率", "Shipped within 24 h"),
    "disputes": ("争议率", "Dispute rate"),
    "data_breaches": ("数据泄露", "Data breaches"),
    "safety_incidents": ("安全事件率", "Safety incidents"),
    "incident_response": ("事件响应", "Incident response"),
}

_LABELS: dict[str, tuple[str, str]] = {
    "title": ("复盘", "Debrief"),
    "of": (
        "{title}（第 {version} 版），{start} 至 {end}（{zone}）",
        "{title} (version {version}), {start} to {end} ({zone})",
    ),
    "made": ("生成于 {at}", "Made at {at}"),
    "summary": ("一分钟读完", "In a minute"),
    "goals": ("目标与结果", "Goals and results"),
    "goal": ("目标项", "Goal"),
    "target": ("目标", "Target"),
    "result": ("结果", "Result"),
    "state": ("状态", "State"),
    "met": ("达成", "Met"),
    "missed": ("未达成", "Missed"),
    "not-measured": ("未测量", "Not measured"),
    "no-goals": ("活动没有设定目标。", "The campaign sets no goals."),
    "orders": ("订单", "Orders"),
    "orders-axis": ("笔 / 秒", "orders / s"),
    "placed": ("下单", "Placed"),
    "paid": ("付款", "Paid"),
    "paid-of-placed": ("其中已付款", "Of these, paid"),
    "cancelled": ("取消", "Cancelled"),
    "expired": ("超时未付", "Expired"),
    "value": ("成交额", "GMV"),
    "basket": ("平均每笔", "Mean order"),
    "time": ("时间", "Time"),
    "channels": ("支付通道", "Payment channels"),
    "channel": ("通道", "Channel"),
    "attempts": ("请求", "Attempts"),
    "attempts-axis": ("次 / 秒", "captured / s"),
    "captured": ("成功", "Captured"),
    "refused": ("被拒", "Refused"),
    "failed": ("失败", "Failed"),
    "unknown": ("未知", "Unknown"),
    "success": ("成功率", "Success"),
    "payment-success": ("支付成功率（按订单）", "Payment success (by order)"),
    "refunded": ("已退款", "Refunded"),
    "outages": ("通道中断及其代价", "Outages and what they cost"),
    "outage": ("中断", "outage"),
    "lasted": ("时长", "Lasted"),
    "still-out": ("直到结束", "until the end"),
    "conversion": ("期间付款率", "Paid meanwhile"),
    "usual": ("其余时间", "Other times"),
    "lost": ("损失订单（估计）", "Orders lost (estimate)"),
    "latency": ("答复时间", "Response times"),
    "latency-note": ("（模拟顾客所见，毫秒）。", ", as the simulated shoppers saw them, in milliseconds."),
    "class": ("请求", "Requests"),
    "count": ("次数", "Count"),
    "faults": ("失败", "Failed"),
    "sold-out": ("售罄", "Sold out"),
    "goods": ("商品", "Goods"),
    "units": ("件数", "Units"),
    "after": ("开售后", "After opening"),
    "line": ("排队：各人群所得", "The line: what each group got"),
    "line-note": (
        "大家都想要“{name}”，共 {units} 件。公平份额：参加抽签者人均件数；刷号团伙按实有人数计，上限 {bar} 倍。",
        (
            "All wanted “{name}”, {units} units. A fair share is the units for each person in the draw; the bot farm"
            " counts by the persons whose means it has, and may get {bar} shares."
        ),
    ),
    "group": ("人群", "Group"),
    "group-shopper": ("普通顾客", "Shoppers"),
    "group-member": ("会员", "Members"),
    "group-latecomer": ("迟到者", "Latecomers"),
    "group-farm": ("刷号团伙", "Bot farm"),
    "persons": ("人数", "Persons"),
    "accounts": ("账号", "Accounts"),
    "places": ("排位", "Places"),
    "suspected": ("判为程序", "Suspected"),
    "called": ("叫到", "Called"),
    "entered": ("入场", "Let in"),
    "orders-of": ("下单", "Orders placed"),
    "units-of": ("热门件数", "Hot units"),
    "fair-shares": ("公平份额倍数", "Fair shares"),
    "wait": ("等待中位数", "Median wait"),
    "refused-share": ("未得排位", "No place"),
    "checks": ("不变量", "Invariants"),
    "check": ("不变量", "Invariant"),
    "examined": ("检查记录", "Examined"),
    "holds": ("成立", "Holds"),
    "broken": ("不成立", "Broken"),
    "detail": ("说明", "Detail"),
    "nothing": ("无", "None"),
    "other-language": ("English", "中文"),
    "figures-behind": ("图表数据", "The figures behind the chart"),
    "seconds": ("{n} 秒", "{n} s"),
    "buyers": ("付款买家", "Paying buyers"),
    "chart-orders": (
        "每秒下单与其中已付款的订单；阴影为支付通道中断。",
        "Orders placed each second and how many of them were paid; shaded: a payment channel was out.",
    ),
    "chart-attempts": ("各通道每秒成功的支付。", "Payments captured each second, by channel."),
    "chart-latency": ("p50、p95、p99 答复时间", "Response times p50, p95 and p99"),
}


class Writer:
    """Writes words, numbers, money and times in one language."""

    def __init__(self, locale: str, currency: str) -> None:
        self.locale = "zh" if locale.startswith("zh") else "en"
        self._place = LOCALES.index(self.locale)
        self._currency = currency

    def label(self, key: str, **facts: object) -> str:
        """The label of that name."""
        return _LABELS[key][self._place].format(**facts)

    def number(self, value: float | None) -> str:
        """A whole number with its separators."""
        return _NONE if value is None else str(format_decimal(round(value), locale=self.locale))

    def money(self, minor: int | None) -> str:
        """An amount of minor units."""
        return _NONE if minor is None else format_money(minor, self._currency, self.locale)

    def share(self, value: float | None) -> str:
        """A share as per cent with one decimal, never rounded up to a hundred."""
        if value is None:
            return _NONE
        shown = min(value, 0.9999) if value < 1 else value
        return str(format_percent(shown, format="#,##0.0#%", locale=self.locale))

    def times(self, value: float | None) -> str:
        """How many times, with up to two decimals."""
        return _NONE if value is None else str(format_decimal(value, format="#,##0.0#", locale=self.locale))

    def clock(self, moment: datetime | None) -> str:
        """The time of the day, in the shop's zone."""
        return _NONE if moment is None else f"{moment.astimezone(ZONE):%H:%M:%S}"

    def day(self, moment: datetime) -> str:
        """Day and time, in the shop's zone."""
        return f"{moment.astimezone(ZONE):%Y-%m-%d %H:%M:%S}"

    def zone(self, moment: datetime) -> str:
        """The shop's zone, as an offset."""
        return f"UTC{moment.astimezone(ZONE):%z}"[:6]

    def seconds(self, value: float) -> str:
        """A length of time in seconds."""
        return self.label("seconds", n=self.number(value))

    def goal(self, kind: str) -> str:
        """The name of a goal; a kind that has no name yet is shown as it is."""
        return _GOALS.get(kind, (kind, kind))[self._place]

    def amount(self, value: int | None, unit: str) -> str:
        """A goal's target or result in its unit."""
        if value is None:
            return self.label("not-measured")
        match unit:
            case "money":
                return self.money(value)
            case "basis_points":
                return self.share(value / 10_000)
            case "milliseconds":
                return f"{self.number(value)} ms"
            case "minutes":
                return f"{self.number(value)} min"
            case _:
                return self.number(value)

    def target(self, goal: GoalResult) -> str:
        """A goal's target with the side on which success lies."""
        sign = "≥" if goal.goal.at_least else "≤"
        return f"{sign} {self.amount(goal.goal.target, goal.goal.unit)}"

    def met(self, goal: GoalResult) -> str:
        """Whether a goal was met, as a word."""
        return self.label({True: "met", False: "missed", None: "not-measured"}[goal.met])

    def finding(self, finding: Finding) -> str:
        """The finding as a sentence."""
        return _SENTENCES[finding.kind][self._place].format(**self._facts(finding.facts))

    def _facts(self, facts: Mapping[str, str | int | float | None]) -> dict[str, str]:
        written = {}
        for name, value in facts.items():
            if name in {"value", "basket"}:
                written[name] = self.money(int(value) if value is not None else None)
            elif name in {"shares", "bar"}:
                written[name] = self.times(float(value) if value is not None else None)
            elif name in {"share", "conversion", "usual"}:
                written[name] = self.share(float(value) if value is not None else None)
            elif name == "at":
                written[name] = self.clock(datetime.fromisoformat(str(value)) if value else None)
            elif name == "missed":
                kinds = [self.goal(kind) for kind in str(value).split(",")]
                written[name] = ("、" if self.locale == "zh" else ", ").join(kinds)
            else:
                written[name] = self.number(value) if isinstance(value, int | float) else str(value)
        return written
