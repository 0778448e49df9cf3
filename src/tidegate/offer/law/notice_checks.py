"""The check of notice: what changes in a campaign that was published is announced so long before it works. Pure."""

from collections.abc import Iterator
from datetime import timedelta

import msgspec

from tidegate.offer.campaign.api import Severity
from tidegate.offer.campaign.contracts import CampaignDefinition, Words
from tidegate.offer.law.changing import Change, Path, Worse
from tidegate.offer.law.contracts import Article, Case, Found
from tidegate.offer.law.worse_goods import worse_goods
from tidegate.offer.law.worse_promotions import worse_promotions
from tidegate.offer.law.worse_terms import worse_terms


def rule_change_notice(case: Case, article: Article) -> Iterator[Found]:
    """What is published is not changed to the buyer's disadvantage on shorter notice, whatever id the new rules bear.

    Notice counts from the publication to the moment from which the changed term works, by the old version or the new:
    deposits of presales and claims of coupons begin before the sale, and what is put off was promised for its old time.
    """
    days = article.figures["days"]
    if case.earlier is not None:
        yield from _changed(Change(case.earlier, case.definition, case.at), days)
    if case.running is not None:
        # Draws that are open go on under their own id: whoever has an entry keeps it.
        replaced = msgspec.structs.replace(case.running, draws=())
        for found in _changed(Change(replaced, case.definition, case.at), days):
            yield msgspec.structs.replace(found, what=_in_place_of(case.running, found.what), mend=_AFTER)


_AFTER = Words(
    zh="等原活动结束后再发布，或保持不差于原活动的条件；紧急情形由有权人员说明理由并豁免",
    en="publish it when the other sale is over, or on terms that are no worse; in an emergency a named person states "
    "the reason",
)


def _changed(change: Change, days: int) -> Iterator[Found]:
    """What is worse on too short notice, and what only reads differently shortly before it works."""
    changed = set()
    for worse in (*worse_terms(change), *worse_goods(change), *worse_promotions(change)):
        changed.add(worse.path)
        notice = max(worse.works_at - change.at, timedelta())
        if notice < timedelta(days=days):
            yield _short(worse, notice, days)
    if not change.is_over and change.opens_at - change.at < timedelta(days=days):
        for path, what in _reworded(change):
            if path not in changed:
                yield Found(
                    path=path,
                    what=what,
                    mend=Words(zh="确认改动对买家没有不利", en="make sure that it is not to the buyer's disadvantage"),
                    severity=Severity.NOTICE,
                )


def _in_place_of(running: CampaignDefinition, what: Words) -> Words:
    """Says which campaign, of another id, made the promise."""
    title = running.title
    return Words(
        f"取代已公布的活动“{title.zh}”（{running.id}）：{what.zh}",
        f'in place of the campaign "{title.en}" ({running.id}), which is published: {what.en}',
    )


def _short(worse: Worse, notice: timedelta, days: int) -> Found:
    return Found(
        path=worse.path,
        what=Words(
            zh=f"{worse.what.zh}，距实施只有 {notice.days} 天，少于 {days} 天",
            en=f"{worse.what.en}, {notice.days} days before it takes effect, fewer than {days}",
        ),
        mend=Words(
            zh="恢复原规则，或提前公布；紧急情形由有权人员说明理由并豁免",
            en="put the old rule back, or announce it earlier; in an emergency a named person states the reason",
        ),
    )


def _reworded(change: Change) -> Iterator[tuple[Path, Words]]:
    """What reads differently, or changed without being worse: told, so that somebody looks at it."""
    old, new = change.old, change.new
    if new.rules != old.rules:
        yield ("rules",), Words(zh="活动规则的文字有改动", en="the rules are worded differently")
    if new.returns.text != old.returns.text:
        yield ("returns", "text"), Words(zh="退货政策的文字有改动", en="the policy of returns is worded differently")
    before = {promotion.id: promotion for promotion in old.promotions}
    for place, promotion in enumerate(new.promotions):
        if promotion.id in before and before[promotion.id] != promotion:
            label = promotion.label
            yield ("promotion", place), Words(zh=f"优惠“{label.zh}”有改动", en=f'the promotion "{label.en}" is changed')
