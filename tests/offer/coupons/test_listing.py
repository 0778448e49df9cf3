"""Files of codes: read with their lines, and judged with line and reason."""

from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.offer.campaign.contracts import CODE_ALPHABET
from tidegate.offer.coupons.codes import code_of, new_codes
from tidegate.offer.coupons.contracts import CodeFault, CodeLine, CodeWrong
from tidegate.offer.coupons.errors import CodesFaulty
from tidegate.offer.coupons.listing import known_already, read_codes, require_sound

A, B = (code_of("SAVE50", 10, number) for number in (1, 2))


def faults(lines: list[CodeLine], most: int = 10) -> list[CodeFault]:
    """What is wrong with a file of codes for SAVE50."""
    with pytest.raises(CodesFaulty) as refused:
        require_sound(lines, "SAVE50", most)
    found = refused.value.fields["faults"]
    assert isinstance(found, list)
    return found


def test_codes_are_read_with_the_lines_where_they_stand() -> None:
    text = f'state,code\r\nunclaimed,{A}\r\n\r\n"un\nclaimed"," {B.lower()} "\r\nunclaimed\r\n'
    assert read_codes(StringIO(text, newline="")) == [
        CodeLine(2, A),
        CodeLine(5, f" {B.lower()} "),
        CodeLine(6, ""),
    ]


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("", 1, CodeWrong.NO_COLUMN),
        (f"{A}\n{B}\n", 1, CodeWrong.NO_COLUMN),
        (f'code\n{A}\n"{B}\n', 3, CodeWrong.NOT_CSV),
        (f'code\n"{A}\n', 2, CodeWrong.NOT_CSV),
    ],
)
def test_a_file_that_cannot_be_read_says_where(text: str, line: int, why: CodeWrong) -> None:
    with pytest.raises(CodesFaulty, match=f"line {line}: the file .* Nothing was taken") as refused:
        read_codes(StringIO(text, newline=""))
    assert refused.value.fields["faults"] == [CodeFault(line=line, why=why)]


def test_each_fault_has_its_line_and_its_reason() -> None:
    wrong = A[:-1] + next(letter for letter in CODE_ALPHABET if letter != A[-1])
    foreign = code_of("OTHER", 10, 1)
    lines = [CodeLine(2, A), CodeLine(3, f" {A.lower()}"), CodeLine(4, wrong), CodeLine(5, foreign), CodeLine(6, B)]
    assert faults(lines) == [
        CodeFault(line=3, code=A, why=CodeWrong.TWICE),
        CodeFault(line=4, code=wrong, why=CodeWrong.MISTYPED),
        CodeFault(line=5, code=foreign, why=CodeWrong.FOREIGN),
    ]
    assert require_sound([lines[0], lines[-1]], "SAVE50") == [A, B]
    known = known_already(lines, [B], "SAVE50")
    assert known.fields["faults"] == [CodeFault(line=6, code=B, why=CodeWrong.KNOWN)]


def test_no_more_than_ten_faults_are_told_and_long_ones_are_cut() -> None:
    found = faults([CodeLine(line, "X" * 1_000 + str(line)) for line in range(2, 30)], most=100)
    assert len(found) == 10
    assert {len(each.code) for each in found} == {40}


@pytest.mark.parametrize("count", [0, 11])
def test_a_file_has_some_codes_and_not_too_many(count: int) -> None:
    assert faults([CodeLine(2, A)] * count) == [CodeFault(line=count, why=CodeWrong.NUMBER)]


@given(st.from_regex(r"[A-Z0-9][A-Z0-9-]{2,17}", fullmatch=True))
def test_no_spreadsheet_takes_a_code_for_a_formula(name: str) -> None:
    """A code begins as the name of its coupon does, with a letter or digit, and holds no sign that ends a field."""
    [code] = new_codes(name, 10, 1)
    assert code[0].isalnum()
    assert not set(code) & set("=+@\t\r\n\"',;")
