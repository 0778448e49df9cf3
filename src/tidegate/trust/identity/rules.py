"""The decisions of identity, pure: phone numbers, codes, waits, addresses, permissions and masks."""

import ipaddress
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv6Address

import msgspec
import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType

from tidegate.trust.identity.contracts import Address, Permission, Role
from tidegate.trust.identity.errors import (
    AddressNotValid,
    CodeTooSoon,
    PasswordTooWeak,
    PhoneNotValid,
    PurposeNotStated,
    StaffNameNotValid,
    TooManyCodes,
)

HOME_REGION = "CN"
CODE_LIFE = timedelta(minutes=5)
CODE_TRIES_MAX = 5
RESEND_WAIT = timedelta(seconds=60)
CODES_A_PHONE_AN_HOUR_MAX = 5
CODES_A_PHONE_A_DAY_MAX = 10
CODES_AN_ADDRESS_AN_HOUR_MAX = 200
TRIES_AN_ADDRESS_AN_HOUR_MAX = 600
STAFF_TRIES_AN_ADDRESS_AN_HOUR_MAX = 100
SESSION_LIFE = timedelta(days=30)
SESSIONS_MAX = 20
STAFF_SESSION_LIFE = timedelta(hours=8)
ADDRESSES_MAX = 20
DEVICE_LENGTH_MAX = 200
DEVICE_TOKEN_LENGTH_MAX = 64
STAFF_FAILURES_FREE = 4
STAFF_LOCK_SECONDS_FIRST = 60
STAFF_LOCK_SECONDS_MAX = 3600
PASSWORD_LENGTH_MIN = 12
PASSWORD_LENGTH_MAX = 128
PURPOSE_LENGTH_MIN = 3
PURPOSE_LENGTH_MAX = 200

_STAFF_NAME = re.compile(r"[a-z][a-z0-9.-]{1,39}", re.ASCII)
_MOBILE = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}


# Phone numbers


def mobile_number(text: str) -> str:
    """Return a mobile number in E.164, `+8613800131234`; without a country code it is Chinese. Raises PhoneNotValid."""
    number = _parsed(text)
    if phonenumbers.number_type(number) not in _MOBILE:
        raise PhoneNotValid("This number cannot receive an SMS; no code was sent. Give a mobile number.")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def contact_number(text: str) -> str:
    """Return any valid number in E.164, mobile or not. Raises PhoneNotValid."""
    return phonenumbers.format_number(_parsed(text), PhoneNumberFormat.E164)


def _parsed(text: str) -> PhoneNumber:
    try:
        number = phonenumbers.parse(text, HOME_REGION)
    except NumberParseException:
        number = PhoneNumber()
    if not phonenumbers.is_valid_number(number):
        raise PhoneNotValid(
            "This is not a phone number that exists; nothing was sent or changed. "
            "Write all its digits, with + and the country code if it is not Chinese."
        )
    return number


# Codes


class CodeVerdict(StrEnum):
    """What becomes of a try with a code."""

    VALID = "valid"
    WRONG = "wrong"
    SPENT = "spent"


class CodeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The newest code of a phone, as far as a decision needs it."""

    matches: bool
    tries: int
    expires_at: datetime
    used: bool


class CodeHistory(msgspec.Struct, frozen=True, kw_only=True):
    """How many codes a phone and a network address asked for lately."""

    phone_last_at: datetime | None
    phone_hour: int
    phone_day: int
    address_hour: int


def judge_code(code: CodeFacts | None, now: datetime) -> CodeVerdict:
    """Return whether a try opens a session; a used, expired or too often tried code stays worthless, even if right."""
    if code is None or code.used or code.tries >= CODE_TRIES_MAX or now >= code.expires_at:
        return CodeVerdict.SPENT
    return CodeVerdict.VALID if code.matches else CodeVerdict.WRONG


def require_code_allowed(history: CodeHistory, now: datetime) -> None:
    """Raise CodeTooSoon or TooManyCodes where another code would exceed a limit."""
    if history.phone_last_at is not None and now < history.phone_last_at + RESEND_WAIT:
        resend_at = history.phone_last_at + RESEND_WAIT
        wait_seconds = seconds_until(resend_at, now)
        raise CodeTooSoon(
            f"A code was sent less than a minute ago. Wait {wait_seconds} s before asking for another.",
            resend_at=resend_at,
            retry_after=wait_seconds,
        )
    if history.phone_hour >= CODES_A_PHONE_AN_HOUR_MAX:
        raise _too_many_codes("this phone", 3600)
    if history.phone_day >= CODES_A_PHONE_A_DAY_MAX:
        raise _too_many_codes("this phone", 86_400)
    if history.address_hour >= CODES_AN_ADDRESS_AN_HOUR_MAX:
        raise _too_many_codes("your network", 3600)


def _too_many_codes(whose: str, window_seconds: int) -> TooManyCodes:
    return TooManyCodes(
        f"Too many codes were sent for {whose}; no further one was sent. Try again later, within "
        f"{window_seconds // 3600} h.",
        retry_after=window_seconds,
    )


def seconds_until(moment: datetime, now: datetime) -> int:
    """Return the whole seconds from `now` to `moment`, rounded up, at least 1."""
    return max(1, -int(-(moment - now).total_seconds() // 1))


def network_of(client_address: str) -> str:
    """Return the network that limits count: an IPv4 address itself, the /64 of an IPv6 address, or `unknown`."""
    try:
        address = ipaddress.ip_address(client_address)
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def device_text(device: str) -> str:
    """Return what a browser or app calls itself, printable and cut to 200 characters."""
    printable = "".join(each for each in device if each.isprintable()).strip()
    return printable[:DEVICE_LENGTH_MAX] or "unknown"


# Staff


_EVERYONE = frozenset({Permission.MONITOR_VIEW, Permission.CAMPAIGN_VIEW, Permission.STOCK_VIEW, Permission.GATE_VIEW})

PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.DIRECTOR: _EVERYONE
    | {
        Permission.COUPONS_VIEW,
        Permission.ORDERS_VIEW,
        Permission.SHOPPERS_VIEW,
        Permission.PAYMENTS_VIEW,
        Permission.RISK_VIEW,
        Permission.DEFENCE_VIEW,
        Permission.STAFF_VIEW,
    },
    Role.CAMPAIGN_MANAGER: _EVERYONE
    | {
        Permission.CAMPAIGN_PUBLISH,
        Permission.SEGMENTS_CHANGE,
        Permission.COUPONS_VIEW,
        Permission.COUPONS_MAKE,
        Permission.COUPONS_EXPORT,
        Permission.COUPONS_REVOKE,
        Permission.PRIZES_GIVE,
        Permission.GATE_STEER,
        Permission.STOCK_ADJUST,
        Permission.ORDERS_VIEW,
        Permission.SHOPPERS_VIEW,
        Permission.PAYMENTS_VIEW,
        Permission.REHEARSAL_RUN,
        Permission.DOCTOR_RUN,
        Permission.DEFENCE_VIEW,
    },
    Role.PAYMENT: _EVERYONE
    | {
        Permission.ORDERS_VIEW,
        Permission.SHOPPERS_VIEW,
        Permission.PAYMENTS_VIEW,
        Permission.PAYMENTS_REFUND,
        Permission.PAYMENTS_CHANNEL_SWITCH,
        Permission.DOCTOR_RUN,
    },
    Role.RISK: _EVERYONE
    | {
        Permission.COUPONS_VIEW,
        Permission.COUPONS_REVOKE,
        Permission.ORDERS_VIEW,
        Permission.SHOPPERS_VIEW,
        Permission.ORDERS_CANCEL,
        Permission.ORDERS_PERSONAL_DATA_VIEW,
        Permission.PAYMENTS_VIEW,
        Permission.RISK_VIEW,
        Permission.RISK_DECIDE,
        Permission.DEFENCE_VIEW,
        Permission.DEFENCE_STEER,
    },
    Role.SUPPORT: _EVERYONE
    | {
        Permission.COUPONS_VIEW,
        Permission.COUPONS_REVOKE,
        Permission.PRIZES_GIVE,
        Permission.ORDERS_VIEW,
        Permission.SHOPPERS_VIEW,
        Permission.ORDERS_CANCEL,
        Permission.ORDERS_PERSONAL_DATA_VIEW,
        Permission.PAYMENTS_VIEW,
        Permission.PAYMENTS_REFUND,
    },
    Role.FULFILMENT: _EVERYONE
    | {
        Permission.PRIZES_GIVE,
        Permission.STOCK_ADJUST,
        Permission.ORDERS_VIEW,
        Permission.ORDERS_PERSONAL_DATA_VIEW,
    },
    Role.COMPLIANCE: _EVERYONE
    | {
        Permission.COUPONS_VIEW,
        Permission.ORDERS_VIEW,
        Permission.SHOPPERS_VIEW,
        Permission.PAYMENTS_VIEW,
        Permission.RISK_VIEW,
        Permission.STAFF_VIEW,
        Permission.VIEWS_AUDIT,
        Permission.DOCTOR_RUN,
    },
    Role.ENGINEER: _EVERYONE
    | {
        Permission.ORDERS_VIEW,
        Permission.PAYMENTS_VIEW,
        Permission.PAYMENTS_CHANNEL_SWITCH,
        Permission.GATE_STEER,
        Permission.REHEARSAL_RUN,
        Permission.DOCTOR_RUN,
        Permission.DEFENCE_VIEW,
        Permission.DEFENCE_STEER,
    },
    Role.ADMINISTRATOR: _EVERYONE | {Permission.STAFF_VIEW, Permission.STAFF_CHANGE, Permission.VIEWS_AUDIT},
}


def may(role: Role, permission: Permission) -> bool:
    """Return whether the role includes the permission."""
    return permission in PERMISSIONS[role]


def lock_seconds(failures: int) -> int:
    """Return how long sign-in stays locked after so many wrong passwords in a row.

    Four are free; the fifth locks for a minute, and each further one doubles the wait, up to an hour.
    """
    beyond = failures - STAFF_FAILURES_FREE - 1
    if beyond < 0:
        return 0
    # The exponent is capped before the power, so that a long attack does not make a huge number.
    return min(STAFF_LOCK_SECONDS_MAX, STAFF_LOCK_SECONDS_FIRST << min(beyond, 16))


def staff_name(text: str) -> str:
    """Return the sign-in name in lower case. Raises StaffNameNotValid."""
    name = text.strip().lower()
    if not _STAFF_NAME.fullmatch(name):
        raise StaffNameNotValid(
            "A name has 2 to 40 letters, digits, dots or dashes and begins with a letter; nobody was added."
        )
    return name


def require_password(password: str, name: str) -> None:
    """Raise PasswordTooWeak where the password is short, endless, the name, or a few characters repeated.

    Length counts, composition does not (NIST SP 800-63B, section 5.1.1.2).
    """
    if not PASSWORD_LENGTH_MIN <= len(password) <= PASSWORD_LENGTH_MAX:
        raise PasswordTooWeak(
            f"A password has {PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX} characters; nothing was changed."
        )
    if len(set(password)) < 5 or name in password.lower():
        raise PasswordTooWeak("This password is easy to guess; nothing was changed. Choose a longer phrase.")


def require_purpose(purpose: str) -> str:
    """Return the stated purpose of a look at personal data, trimmed. Raises PurposeNotStated."""
    stated = purpose.strip()
    if not PURPOSE_LENGTH_MIN <= len(stated) <= PURPOSE_LENGTH_MAX:
        raise PurposeNotStated(
            f"Say in {PURPOSE_LENGTH_MIN} to {PURPOSE_LENGTH_MAX} characters why the data is needed; nothing was shown."
        )
    return stated


# Addresses

_LENGTHS: Mapping[str, tuple[int, int]] = {
    "name": (1, 50),
    "province": (2, 40),
    "city": (2, 40),
    "district": (1, 40),
    "street": (2, 200),
}


def clean_address(address: Address) -> Address:
    """Return the address with its spaces trimmed and its phone in E.164. Raises AddressNotValid with every fault."""
    texts = {field: " ".join(getattr(address, field).split()) for field in _LENGTHS}
    faults = [fault for field, text in texts.items() for fault in _text_faults(field, text)]
    phone = address.phone
    try:
        phone = contact_number(address.phone)
    except PhoneNotValid:
        faults.append({"field": "phone", "detail": "not a phone number that exists"})
    if faults:
        named = "; ".join(f"{fault['field']}: {fault['detail']}" for fault in faults)
        raise AddressNotValid(f"The address was not saved - {named}.", faults=faults)
    return msgspec.structs.replace(address, phone=phone, **texts)


def place_text(address: Address) -> str:
    """Return where goods go, in a form that is the same however it is written: letters and digits only, no case or
    width (Unicode NFKC); without name and number, which differ within a household.
    """
    whole = f"{address.province}|{address.city}|{address.district}|{address.street}"
    plain = unicodedata.normalize("NFKC", whole).casefold()
    return "".join(each for each in plain if each.isalnum() or each == "|")


def _text_faults(field: str, text: str) -> list[dict[str, str]]:
    shortest, longest = _LENGTHS[field]
    if not shortest <= len(text) <= longest:
        return [{"field": field, "detail": f"{shortest} to {longest} characters are needed, not {len(text)}"}]
    if not text.isprintable():
        return [{"field": field, "detail": "contains characters that cannot be printed"}]
    if not any(character.isalnum() for character in text):
        return [{"field": field, "detail": "contains no letter or digit"}]
    return []


# Masks


def mask_phone(number: str) -> str:
    """Return a phone number with its middle hidden: `+8613800131234` is shown as `138****1234`.

    At least four digits are hidden and at most seven shown, whatever the length.
    """
    local = number.removeprefix("+86")
    if len(local) < 8:
        return "*" * len(local)
    return f"{local[:3]}****{local[-4:]}" if len(local) >= 11 else f"{local[:2]}****{local[-2:]}"


def mask_name(name: str) -> str:
    """Return a name of which only the first character is left: `张小三` is shown as `张**`."""
    return name[:1] + "*" * min(len(name) - 1, 5) if name else ""


def mask_address(address: Address) -> Address:
    """Return the address with name and phone masked and the street hidden; province, city and district stay."""
    return msgspec.structs.replace(
        address, name=mask_name(address.name), phone=mask_phone(address.phone), street="****"
    )


def address_for(role: Role, address: Address) -> Address:
    """Return the address as this role may see it: masked unless the role includes `orders.personal-data.view`."""
    return address if may(role, Permission.ORDERS_PERSONAL_DATA_VIEW) else mask_address(address)
