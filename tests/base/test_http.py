"""Problem documents and validators."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest

from tidegate.base.errors import Refusal
from tidegate.base.http import cookie_of, etag, matches, problem, retry_after, with_mapped


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        ([], None),
        ([b"a=1"], None),
        ([b"tg_place_old=x; my_tg_place=y"], None),
        ([b"tg_place=abc"], "abc"),
        ([b"a=1;tg_place=abc ; b=2"], "abc"),
        ([b"a=1", b"tg_place=abc"], "abc"),
        ([b'tg_place="abc"'], "abc"),
        ([b"tg_place=a=b"], "a=b"),
        ([b"tg_place="], ""),
        ([b";;=; tg_place"], None),
        ([b"tg_place=\xff"], "\xff"),
    ],
)
def test_a_cookie_is_found_by_its_whole_name(sent: list[bytes], found: str | None) -> None:
    headers = [(b"host", b"shop"), *((b"cookie", each) for each in sent), (b"x-cookie", b"tg_place=other")]
    assert cookie_of(headers, "tg_place") == found


class TooLate(Refusal):
    """A refusal to test with."""

    code = "too-late"
    status = 409
    title = "Too late"


def test_a_refusal_is_a_problem_document_with_its_fields_as_members() -> None:
    refusal = TooLate(
        "It is over. Nothing was ordered.",
        order_id=UUID("01900000-0000-7000-8000-000000000001"),
        closed_at=datetime(2026, 11, 11, tzinfo=UTC),
        left=0,
    )
    assert msgspec.json.decode(problem(refusal)) == {
        "type": "/problems/too-late",
        "title": "Too late",
        "status": 409,
        "detail": "It is over. Nothing was ordered.",
        "order_id": "01900000-0000-7000-8000-000000000001",
        "closed_at": "2026-11-11T00:00:00Z",
        "left": 0,
    }


def test_no_field_can_pass_for_a_standard_member() -> None:
    told = msgspec.json.decode(problem(TooLate("Over.", status=200, type="about:blank", title="Fine")))
    assert (told["status"], told["type"], told["title"]) == (409, "/problems/too-late", "Too late")


@pytest.mark.parametrize("missing", ["code", "status", "title"])
def test_a_refusal_must_state_code_status_and_title(missing: str) -> None:
    stated: dict[str, object] = {"code": "a", "status": 409, "title": "A", "__annotations__": {}}
    del stated[missing]
    with pytest.raises(TypeError, match=f"Nameless must state {missing}"):
        type("Nameless", (Refusal,), stated)


def test_retry_after_is_told_where_the_refusal_names_it() -> None:
    assert retry_after({"retry_after": 2}) == "2"
    assert retry_after({"retry_after": 0}) == "0"
    assert retry_after({}) is None


def test_equal_bodies_have_equal_tags() -> None:
    assert etag(b"one") == etag(b"one") != etag(b"two")
    assert etag(b"") == '"e3b0c44298fc1c149afbf4c8996"'


TAG = '"abc"'
CASES = [
    (None, False),
    ("", False),
    ('"abc"', True),
    ('W/"abc"', True),
    ('"x", "abc"', True),
    ('"x",W/"abc" ', True),
    ("*", True),
    ('"ab"', False),
    ("abc", False),
    ('"ABC"', False),
]


@pytest.mark.parametrize(("sent", "held"), CASES)
def test_if_none_match_is_compared_weakly(sent: str | None, held: bool) -> None:
    assert matches(sent, TAG) is held
    assert matches(sent, f"W/{TAG}") is held


def test_a_network_of_ipv4_is_also_named_as_a_socket_of_both_families_does() -> None:
    assert with_mapped(["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"]) == [
        "10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32", "::ffff:10.0.0.0/104", "::ffff:192.0.2.1/128",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="does not appear to be"):
        with_mapped(["proxy.example"])
