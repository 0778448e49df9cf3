"""Faults in Chinese: each message is found by its text around the figures and names, in `faults.zh.txt` beside this.

The file holds pairs of lines, English and Chinese, with `{}` where something stands. A test holds it against every
message in the source. What is not found is told in English: a fault in the dark is worse than one in another language.
"""

import re
from functools import lru_cache
from importlib.resources import files

from tidegate.offer.campaign.contracts import Words

_TERMS = {
    "a number": "数字",
    "a list": "列表",
    "a list of texts in quotes": "带引号的文字列表",
    "a table": "表",
    "a text": "文字",
    "a text in quotes": "带引号的文字",
    "a time": "时间",
    "a whole number": "整数",
    'money in quotes, like "12.00",': '带引号的金额，如 "12.00"，',
    "nothing that is known": "无法识别的内容",
    "true or false": "true 或 false",
    "is missing": "缺失",
    "is not known": "无法识别",
    "stands twice": "出现两次",
    "decimal": " 位小数",
    "decimals": " 位小数",
    "no": "没有",
    "seconds": "秒",
    "minutes": "分钟",
    "ms": "毫秒",
    "goods": "商品",
    "offer": "在售商品",
    "coupon": "优惠券",
    "limit": "限购",
    "are no goods with the SKU": "没有商品 SKU ",
    "lower_limits needs a factor below 100 %": "lower_limits 需要低于 100 % 的 factor",
}
_MEANT = re.compile(r'; did you mean "(.*)"\?')
_MAY_BE = re.compile(r"; (?:it may be|what may stand here:) (.*)")


def fault_words(message: str) -> Words:
    """A message in both languages."""
    for pattern, chinese in _catalogue():
        found = pattern.fullmatch(message)
        if found:
            return Words(zh=chinese.format(*map(_term, found.groups())), en=message)
    return Words(zh=message, en=message)


@lru_cache(maxsize=1)
def _catalogue() -> tuple[tuple[re.Pattern[str], str], ...]:
    """All pairs, those with the most text of their own first, so that the most exact one is found."""
    pairs = sorted(pairs_of_file(), key=lambda pair: -len(pair[0].replace("{}", "")))
    return tuple((_pattern(english), _format(chinese)) for english, chinese in pairs)


def pairs_of_file() -> list[tuple[str, str]]:
    """The pairs of the file: English and Chinese."""
    lines = (files("tidegate.offer.campaign") / "faults.zh.txt").read_text(encoding="utf-8").splitlines()
    return list(zip(lines[::2], lines[1::2], strict=True))


def _pattern(english: str) -> re.Pattern[str]:
    return re.compile(re.escape(english).replace(r"\{\}", "(.*)"), re.DOTALL)


def _format(chinese: str) -> str:
    """The Chinese as a format: braces that hold neither nothing nor a number stand for themselves."""
    return re.sub(r"\{(?!\d*\})([^{}]*)\}", r"{{\1}}", chinese)


def _term(text: str) -> str:
    if text in _TERMS:
        return _TERMS[text]
    if found := _MEANT.fullmatch(text):
        return f"；是否想写“{found[1]}”？"
    if found := _MAY_BE.fullmatch(text):
        return f"；可写：{found[1].replace(' or ', '、')}"
    return text
