"""Identity's decisions: numbers, codes, waits, passwords, addresses, permissions and masks."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.trust.identity import rules
from tidegate.trust.identity.contracts import Address, Permission, Role, Staff, StaffId
from tidegate.trust.identity.errors import (
    AddressNotValid,
    CodeTooSoon,
    NotPermitted,
    PasswordTooWeak,
    PhoneNotValid,
    PurposeNotStated,
    StaffNameNotValid,
    TooManyCodes,
)

NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("13800131234", "+8613800131234"),
        ("138 0013 1234", "+8613800131234"),
        ("+86 138-0013-1234", "+8613800131234"),
        ("0086 13800131234", "+8613800131234"),
        ("１３８００１３１２３４", "+8613800131234"),
        ("+44 7400 123456", "+447400123456"),
        ("+852 5123 4567", "+85251234567"),
    ],
)
def test_one_number_has_one_spelling(text: str, number: str) -> None:
    assert rules.mobile_number(text) == number


@pytest.mark.parametrize(
    "text", ["", "hello", "138", "1380013123", "138001312345", "+999000000000001", "+1", "\x00" * 20]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(PhoneNotValid):
        rules.mobile_number(text)


def test_a_landline_gets_goods_but_no_sms() -> None:
    assert rules.contact_number("010-6552 9988") == "+861065529988"
    with pytest.raises(PhoneNotValid, match="cannot receive an SMS"):
        rules.mobile_number("010-6552 9988")


@given(st.text(max_size=32))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    try:
        number = rules.mobile_number(text)
    except PhoneNotValid:
        return
    assert rules.mobile_number(number) == number


@given(
    matches=st.booleans(),
    tries=st.integers(0, 10),
    life_seconds=st.integers(-600, 600),
    used=st.booleans(),
)
def test_a_code_is_valid_only_if_right_fresh_unused_and_tried_less_than_five_times(
    *, matches: bool, tries: int, life_seconds: int, used: bool
) -> None:
    code = rules.CodeFacts(matches=matches, tries=tries, expires_at=NOW + timedelta(seconds=life_seconds), used=used)
    verdict = rules.judge_code(code, NOW)
    usable = tries < 5 and life_seconds > 0 and not used
    assert (verdict is rules.CodeVerdict.VALID) == (usable and matches)
    assert (verdict is rules.CodeVerdict.WRONG) == (usable and not matches)


def test_without_a_code_there_is_nothing_to_try() -> None:
    assert rules.judge_code(None, NOW) is rules.CodeVerdict.SPENT


def history(**changes: Any) -> rules.CodeHistory:
    quiet = rules.CodeHistory(phone_last_at=None, phone_hour=0, phone_day=0, address_hour=0)
    return msgspec.structs.replace(quiet, **changes)


def test_a_second_code_waits_a_minute() -> None:
    with pytest.raises(CodeTooSoon) as refusal:
        rules.require_code_allowed(history(phone_last_at=NOW - timedelta(seconds=12.5)), NOW)
    assert refusal.value.fields == {"resend_at": NOW + timedelta(seconds=47.5), "retry_after": 48}
    rules.require_code_allowed(history(phone_last_at=NOW - timedelta(seconds=60)), NOW)


@pytest.mark.parametrize(
    ("changes", "wait_seconds"),
    [({"phone_hour": 5}, 3600), ({"phone_day": 10}, 86_400), ({"address_hour": 200}, 3600)],
)
def test_codes_have_limits(changes: dict[str, int], wait_seconds: int) -> None:
    rules.require_code_allowed(history(**{name: most - 1 for name, most in changes.items()}), NOW)
    with pytest.raises(TooManyCodes) as refusal:
        rules.require_code_allowed(history(**changes), NOW)
    assert refusal.value.fields["retry_after"] == wait_seconds


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("", "unknown"),
        ("a unix socket", "unknown"),
    ],
)
def test_limits_count_networks(address: str, network: str) -> None:
    assert rules.network_of(address) == network


def test_a_device_is_named_printably_and_briefly() -> None:
    assert rules.device_text("Firefox\r\nSet-Cookie: x") == "FirefoxSet-Cookie: x"
    assert rules.device_text("x" * 500) == "x" * 200
    assert rules.device_text("\x00 ") == "unknown"


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (4, 0), (5, 60), (6, 120), (7, 240), (10, 1920), (11, 3600), (10_000, 3600)]
)
def test_each_wrong_password_beyond_four_doubles_the_wait(failures: int, seconds: int) -> None:
    assert rules.lock_seconds(failures) == seconds


@given(st.integers(0, 1000))
def test_waits_never_shrink(failures: int) -> None:
    assert rules.lock_seconds(failures) <= rules.lock_seconds(failures + 1) <= 3600


@pytest.mark.parametrize("name", ["", "a", "9lives", "lin wei", "林伟", "x" * 41, "lin_wei", "lin\nwei"])
def test_unusable_staff_names_are_refused(name: str) -> None:
    with pytest.raises(StaffNameNotValid):
        rules.staff_name(name)


def test_staff_names_are_lower_case() -> None:
    assert rules.staff_name(" Lin.Wei ") == "lin.wei"


@pytest.mark.parametrize("password", ["", "short", "x" * 129, "aaaaaaaaaaaaaaaa", "lin.wei-2026-11-11"])
def test_weak_passwords_are_refused(password: str) -> None:
    with pytest.raises(PasswordTooWeak):
        rules.require_password(password, "lin.wei")


def test_a_long_phrase_is_a_good_password() -> None:
    rules.require_password("three boats at the quay", "lin.wei")


def test_a_look_needs_a_purpose() -> None:
    assert rules.require_purpose("  the parcel came back ") == "the parcel came back"
    for purpose in ("", "  ", "ab", "x" * 201):
        with pytest.raises(PurposeNotStated):
            rules.require_purpose(purpose)


# Permissions


def test_every_role_has_rights_and_every_right_has_a_role() -> None:
    assert set(rules.PERMISSIONS) == set(Role)
    assert frozenset().union(*rules.PERMISSIONS.values()) == frozenset(Permission)


def test_personal_data_is_for_those_who_serve_the_shopper() -> None:
    seeing = {role for role in Role if rules.may(role, Permission.ORDERS_PERSONAL_DATA_VIEW)}
    assert seeing == {Role.RISK, Role.SUPPORT, Role.FULFILMENT}


def test_no_role_both_appoints_staff_and_moves_money_or_sees_orders() -> None:
    for role in Role:
        if rules.may(role, Permission.STAFF_CHANGE):
            assert not rules.may(role, Permission.PAYMENTS_REFUND)
            assert not rules.may(role, Permission.ORDERS_VIEW)
        if rules.may(role, Permission.CAMPAIGN_PUBLISH):
            assert not rules.may(role, Permission.PAYMENTS_REFUND)


def test_a_right_that_the_role_lacks_is_refused_by_name() -> None:
    payment = Staff(
        staff_id=StaffId(msgspec.convert("0190f5a0-0000-7000-8000-000000000000", StaffId)),
        name="lin.wei",
        role=Role.PAYMENT,
        permissions=rules.PERMISSIONS[Role.PAYMENT],
    )
    payment.require(Permission.PAYMENTS_REFUND)
    assert not payment.may(Permission.CAMPAIGN_PUBLISH)
    with pytest.raises(NotPermitted) as refusal:
        payment.require(Permission.CAMPAIGN_PUBLISH)
    assert refusal.value.fields == {"permission": Permission.CAMPAIGN_PUBLISH, "role": Role.PAYMENT}


# Addresses


def test_an_address_is_cleaned(address: Address) -> None:
    untidy = msgspec.structs.replace(address, name="  张三 ", phone="138 0013 1234", street="文三路  90 号 2 幢\t301")
    assert rules.clean_address(untidy) == address


def test_every_fault_of_an_address_is_named(address: Address) -> None:
    bad = msgspec.structs.replace(address, name="", phone="12", city="x", street="\x07\x07\x07", province="。。")
    with pytest.raises(AddressNotValid) as refusal:
        rules.clean_address(bad)
    assert refusal.value.fields["faults"] == [
        {"field": "name", "detail": "1 to 50 characters are needed, not 0"},
        {"field": "province", "detail": "contains no letter or digit"},
        {"field": "city", "detail": "2 to 40 characters are needed, not 1"},
        {"field": "street", "detail": "contains characters that cannot be printed"},
        {"field": "phone", "detail": "not a phone number that exists"},
    ]


@given(st.builds(Address, **dict.fromkeys(Address.__struct_fields__, st.text(max_size=220))))
def test_a_clean_address_stays_as_it_is(raw: Address) -> None:
    try:
        clean = rules.clean_address(raw)
    except AddressNotValid:
        return
    assert rules.clean_address(clean) == clean
    assert msgspec.json.decode(msgspec.json.encode(clean), type=Address) == clean


# Masks


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("+8613800131234", "138****1234"),
        ("+447400123456", "+44****3456"),
        ("+6591234567", "+65****4567"),
        ("+9912345", "+9****45"),
        ("+861234", "****"),
        ("", ""),
    ],
)
def test_numbers_are_masked(number: str, masked: str) -> None:
    assert rules.mask_phone(number) == masked


@pytest.mark.parametrize(
    ("name", "masked"),
    [("张三", "张*"), ("欧阳小明", "欧***"), ("Ann", "A**"), ("A", "A"), ("", ""), ("x" * 50, "x*****")],
)
def test_names_are_masked(name: str, masked: str) -> None:
    assert rules.mask_name(name) == masked


@given(st.from_regex(r"\+[1-9][0-9]{4,14}", fullmatch=True))
def test_a_mask_hides_at_least_four_digits_of_a_real_number(number: str) -> None:
    shown = sum(character.isdigit() for character in rules.mask_phone(number))
    digits = sum(character.isdigit() for character in number.removeprefix("+86"))
    assert shown <= max(0, digits - 4) or digits < 4


def test_roles_without_the_right_see_a_masked_address(address: Address) -> None:
    assert rules.address_for(Role.FULFILMENT, address) == address
    seen = rules.address_for(Role.DIRECTOR, address)
    assert (seen.name, seen.phone, seen.street) == ("张*", "138****1234", "****")
    assert (seen.province, seen.city, seen.district) == ("浙江省", "杭州市", "西湖区")
