"""The debrief as people see it: both languages, nothing unescaped, nothing loaded from elsewhere."""

import io
import re

import msgspec
import pytest
from rich.console import Console
from tests.watch.debrief.test_rules import FACTS, IN_LINE, at

from tidegate.base.invariant import Check
from tidegate.watch.debrief.charts import nice_ceiling
from tidegate.watch.debrief.rendering import page, terminal
from tidegate.watch.debrief.rules import debrief
from tidegate.watch.debrief.words import Writer

MADE = debrief(FACTS, at(60))
EMPTY = debrief(
    msgspec.structs.replace(FACTS, sales=(), attempts=(), sold_out=(), targets=(), latencies=(), checks=()), at(60)
)


def test_the_page_says_its_findings_in_both_languages() -> None:
    english, chinese = page(MADE, "en"), page(MADE, "zh")
    assert "Channel harbour failed for 3 s and cost about 90 orders (CN¥1,800.00)" in english
    assert "通道 harbour 中断 3 秒，约损失 90 笔订单（¥1,800.00）" in chinese
    assert "Double 11 (version 3), 2026-11-11 00:00:00 to 2026-11-11 00:00:10 (UTC+08)" in english
    assert '<html lang="zh-CN">' in chinese


def test_the_page_carries_everything_with_it() -> None:
    text = page(MADE, "en")
    assert not re.findall(r"(?:src|href)=", text)
    assert "<script" not in text
    assert text.count("<svg") == 3
    assert len(text) < 100_000


def test_an_empty_debrief_is_a_page_too() -> None:
    text = page(EMPTY, "en")
    assert "No orders were placed." in text
    assert "<svg" not in text


def test_what_others_wrote_is_escaped() -> None:
    nasty = msgspec.structs.replace(
        FACTS, title_en="<script>alert(1)</script>", checks=(Check(name="x", holds=False, examined=1, detail="<b>"),)
    )
    text = page(debrief(nasty, at(60)), "en", other="/console/debrief?language=zh")
    assert "<script" not in text
    assert "&lt;b&gt;" in text
    assert 'href="/console/debrief?language=zh"' in text


@pytest.mark.parametrize(("locale", "words"), [("en", "Payment success"), ("zh", "支付成功率")])
def test_the_terminal_shows_the_same(locale: str, words: str) -> None:
    sink = io.StringIO()
    Console(file=sink, width=120).print(terminal(MADE, locale))
    text = sink.getvalue()
    assert words in text
    assert "stock adds up" in text
    assert "95.29%" in text


def test_what_each_group_got_is_shown_on_the_page_and_in_the_terminal() -> None:
    made = debrief(IN_LINE, at(60))
    english, chinese = page(made, "en"), page(made, "zh")
    for text, words in (
        (english, ("Bot farm", "14 s", "80.0%", "All wanted “Kettle”, 100 units", "1.0 fair shares for each")),
        (chinese, ("刷号团伙", "14 秒", "80.0%", "大家都想要“壶”，共 100 件", "抽签已重新计算")),
    ):
        assert [word for word in words if word not in text] == []
    assert "Bot farm" not in page(MADE, "en")
    sink = io.StringIO()
    Console(file=sink, width=80).print(terminal(made))
    shown = sink.getvalue()
    assert re.search(r"Hot units +│ +95 │ +5 ", shown)
    assert re.search(r"Median wait +│ +14 s │ +– ", shown)
    assert "The draw was recomputed" in shown


def test_shares_and_scales_do_not_flatter() -> None:
    writer = Writer("en", "CNY")
    assert writer.share(0.99999) == "99.99%"
    assert writer.share(1.0) == "100.0%"
    assert writer.share(None) == "–"
    assert [nice_ceiling(value) for value in (0, 0.7, 1, 11, 26, 501)] == [1, 1, 1, 20, 50, 1000]
