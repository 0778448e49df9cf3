"""What the published rules say of the line: draw, lanes, what a place costs, the slow lane, the public number."""

from datetime import datetime

from tidegate.offer.campaign.contracts import Audience, NumberSource, QueueLane, WaitingRoom, Words, WorkAsked

_AUDIENCE_WORDS = {
    Audience.NEW: Words(zh="仅限未付过款的新顾客", en="for who has paid for nothing here before"),
    Audience.RETURNING: Words(zh="仅限付过款的老顾客", en="for who has paid for an order here before"),
    Audience.MEMBERS: Words(zh="仅限会员", en="for members"),
}


def queue_words(room: WaitingRoom) -> Words:
    """How the line is ordered: the draw, the lanes and their shares, how long a called shopper has."""
    shares_zh = "、".join(_lane_words(lane).zh for lane in room.lanes)
    shares_en = ", ".join(_lane_words(lane).en for lane in room.lanes)
    number = _number_words(room)
    slow = _slow_statement(room.slow_share) if room.slow_share else Words(zh="", en="")
    persons, work = _persons_statement(room), _WORK_WORDS[room.work]
    return Words(
        zh=f"开售前取得的排队位置由抽签定先后，随机种子的摘要和名单的根值事先公布，开售时公布种子，人人可验算；{number.zh}"
        f"之后取得的位置按先后排在其后。各通道的放行比例：{shares_zh}。顾客进入第一个符合条件的通道，以取得位置时为准。"
        f"轮到后请在 {room.claim_seconds} 秒内进入；错过一次仍可返回一次；"
        "轮到时页面已关闭一分钟以上者先跳过，同样可返回一次。"
        f"{persons.zh}{work.zh}{slow.zh}",
        en="Places taken before the list is sealed are put in order by a draw: the hash of its seed and the root of "
        f"the list are published before, the seed at the opening, so that anyone can check it. {number.en}Later places "
        f"follow in the order in which they were taken. Shares of the lanes: {shares_en}. A shopper stands in the "
        "first lane that is for him when he takes the place. Who is called enters within "
        f"{room.claim_seconds} seconds, and may return once after missing that; whose page was closed for more than a "
        f"minute when his turn came is passed over, and may return once as well. {persons.en}{work.en}{slow.en}",
    )


_ATTACK_WORDS = Words(
    zh="遭受攻击期间，每个位置都需先完成一道计算题或等待约一分钟。",
    en=" While the shop is under attack every place costs a small puzzle, or a wait of about a minute.",
)
_WORK_WORDS = {
    WorkAsked.ATTACK: _ATTACK_WORDS,
    WorkAsked.SUSPECTS: Words(
        zh=f"看起来由程序发出的请求，需先完成一道计算题或等待约两分钟，才能取得位置。{_ATTACK_WORDS.zh}",
        en=" A visit that looks like a program's gets a place for a small puzzle, or a wait of about two minutes."
        f"{_ATTACK_WORDS.en}",
    ),
    WorkAsked.ALWAYS: Words(
        zh="每个位置都需先完成一道计算题（由浏览器自动完成）或等待约一分钟；看起来由程序发出的请求，题目更难，等待约两分钟。",
        en=" Every place costs a small puzzle, which the browser solves by itself, or a wait of about a minute; for a "
        "visit that looks like a program's the puzzle is harder and the wait about two minutes.",
    ),
}


def _persons_statement(room: WaitingRoom) -> Words:
    """What one person may hold: places an account, a browser, a way to pay and a network."""
    zh = "每个账号、每个浏览器、每个付款账户（曾在本店付款者）一个位置。"
    en = "One place an account, a browser, and an account that paid here before."
    if not room.per_network:
        return Words(zh=zh, en=en)
    beyond_zh = "超出的位置排在所有抽签位置之后，按慢速通道的比例放行" if room.places_behind else "超出的不再发放"
    beyond_en = (
        "more of them stand behind all that are drawn, at the share of the slow lane"
        if room.places_behind
        else "more are not given"
    )
    return Words(
        zh=f"{zh}同一网络（IPv4 前 24 位或 IPv6 前 48 位）不超过 {room.per_network} 个，{beyond_zh}；"
        "曾在本店付款且付款账户可知的账号不计入。",
        en=f"{en} Of one network (the first 24 bits of an IPv4 address, 48 of an IPv6 address) at most "
        f"{room.per_network}: {beyond_en}. Whose paying account is known from before does not count in it.",
    )


def _slow_statement(share: int) -> Words:
    """What becomes of places that look like a program's, and how that is taken back."""
    return Words(
        zh=f"看起来由程序取得的位置进入慢速通道：每放行其他通道 100 个位置，慢速通道最多放行 {share} 个，"
        "次序仍按同一抽签，且不会早于其他通道中排在其前的位置。对此有异议可投诉；核实为误判的，位置按原有次序恢复。",
        en=" Places that look as if a program took them stand in the slow lane: beside each 100 calls of the other "
        f"lanes at most {share} are of it, in the order of the same draw, and none before those of the other lanes "
        "that stand before it. Whoever objects can complain; where it was a mistake, the place goes back to where its "
        "rank was.",
    )


def _lane_words(lane: QueueLane) -> Words:
    whom = _AUDIENCE_WORDS.get(lane.audience)
    return Words(
        zh=f"{lane.label.zh} {lane.share}%" + (f"（{whom.zh}）" if whom else ""),
        en=f"{lane.label.en} {lane.share} %" + (f" ({whom.en})" if whom else ""),
    )


def _number_words(room: WaitingRoom) -> Words:
    """What the draw uses beside its seed, and what happens where it cannot be had."""
    number = room.public_number
    if number is None:
        return Words(zh="", en="")
    zh, en = number.label.zh, number.label.en
    if number.source is NumberSource.DRAND:
        zh, en = f"{zh}（链 {number.chain[:16]}…，该时刻起第一轮）", f"{en} (chain {number.chain[:16]}..., first round)"
    return Words(
        zh=f"名次同时取决于名单封存之后才产生的公开数字：{zh}，产生时间为 {_moment_zh(number.drawn_at)}；"
        f"开售后 {number.patience_seconds} 秒仍无法取得时，仅用已公布摘要的种子抽签，并予公示；",
        en=f"The order also follows from a public number that is drawn after the sealing: {en}, from "
        f"{number.drawn_at:%Y-%m-%d %H:%M:%S} UTC on. If it cannot be had within {number.patience_seconds} seconds of "
        "the opening, the seed alone decides, and that is shown. ",
    )


def _moment_zh(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}（协调世界时）"
