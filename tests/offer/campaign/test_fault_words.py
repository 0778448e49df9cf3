"""Every fault that the campaign can tell is told in Chinese, too, with all its figures and names."""

import re

import pytest

from tests.offer.campaign.fault_messages import messages
from tidegate.offer.campaign.fault_words import fault_words, pairs_of_file

MESSAGES = sorted(messages())


def test_there_are_many_messages() -> None:
    assert len(MESSAGES) > 150


def test_no_message_stands_twice() -> None:
    english = [pair[0] for pair in pairs_of_file()]
    assert len(english) == len(set(english))


@pytest.mark.parametrize("message", MESSAGES)
def test_each_message_is_told_in_chinese_with_its_places(message: str) -> None:
    places = [f"W{number}w" for number in range(message.count("{}"))]
    said = message
    for place in places:
        said = said.replace("{}", place, 1)
    words = fault_words(said)
    assert words.en == said
    assert re.search("[\u4e00-\u9fff]", words.zh), said
    assert [place for place in places if place not in words.zh] == []
    assert "{}" not in words.zh


def test_words_within_a_message_are_told_in_chinese() -> None:
    assert fault_words("is missing; a whole number is needed here").zh == "缺失；此处需要整数"
    assert fault_words('"seasn" is not known; did you mean "season"?').zh == "不认识“seasn”；是否想写“season”？"
    both = fault_words('is one text; write both languages, { zh = "...", en = "..." }')
    assert both.zh == '只有一段文字；请写中英文，{ zh = "...", en = "..." }'
    assert fault_words("something new").zh == "something new"
