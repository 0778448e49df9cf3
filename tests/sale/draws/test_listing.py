"""Files of given prizes: read with their lines, and refused with line and reason."""

from io import StringIO

import pytest

from tidegate.sale.draws.contracts import GIVEN_AT_ONCE_MAX, GivenFault, GivenLine, GivenWrong
from tidegate.sale.draws.errors import GivenFaulty
from tidegate.sale.draws.listing import read_given


def test_serials_with_a_note_are_read_and_the_others_passed_over() -> None:
    text = "prize,serial,note\r\nA pot, 7 ,  SF  1 \r\nA mug,8,\r\nA mug,9\r\nA mug,x,SF 2\r\n"
    assert read_given(StringIO(text, newline="")) == [GivenLine(2, 7, "SF 1"), GivenLine(5, -1, "SF 2")]


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("serial\n1\n", 1, GivenWrong.NO_COLUMN),
        ("", 1, GivenWrong.NO_COLUMN),
        ('serial,note\n1,"SF\n', 2, GivenWrong.NOT_CSV),
        ("serial,note\n1,\n", 0, GivenWrong.NUMBER),
        ("serial,note\n" + "1,SF\n" * (GIVEN_AT_ONCE_MAX + 1), GIVEN_AT_ONCE_MAX + 1, GivenWrong.NUMBER),
        ("serial,note\n1,SF 1\n2,SF 2\n1,SF 3\n", 4, GivenWrong.TWICE),
    ],
)
def test_a_file_that_cannot_be_taken_says_where_and_why(text: str, line: int, why: GivenWrong) -> None:
    with pytest.raises(GivenFaulty, match=f"line {line}: .*Nothing was recorded") as refused:
        read_given(StringIO(text, newline=""))
    assert refused.value.fields["faults"] == [GivenFault(line=line, why=why)]
