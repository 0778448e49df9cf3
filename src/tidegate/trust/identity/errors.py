"""The refusals of identity.

Refusal
├── PhoneNotValid            422  the number cannot receive our SMS
├── CodeTooSoon              429  a code is on its way already
├── TooManyCodes             429  the limit for this phone or network address is reached
├── SmsNotSent               503  the SMS gateway did not take the message
├── CodeNotValid             403  wrong, used, expired or tried too often
├── TooManyTries             429  too many sign-ins from one network address
├── NotSignedIn              401  no valid session
├── SessionUnknown           404
├── AccountUnknown           404
├── AddressNotValid          422
├── AddressUnknown           404
├── TooManyAddresses         409
├── MembersFaulty            422  a file of members, with every fault by its line
├── StaffNotSignedIn         401
├── StaffSignInRefused       401  name or password wrong
├── StaffLocked              429  too many wrong passwords, wait
├── NotPermitted             403  the role does not include it
├── StaffUnknown             404
├── StaffNameTaken           409
├── StaffNameNotValid        422
├── PasswordTooWeak          422
└── PurposeNotStated         422  a look at personal data needs a reason
"""

from tidegate.base.errors import Refusal


class PhoneNotValid(Refusal):
    """The text is not a phone number that can be used here."""

    code, status, title = "phone-not-valid", 422, "Phone number not valid"


class CodeTooSoon(Refusal):
    """A code was sent moments ago. Fields: `resend_at`, `retry_after`."""

    code, status, title = "code-too-soon", 429, "A code is on its way"


class TooManyCodes(Refusal):
    """The limit of codes for a phone or a network address is reached. Field: `retry_after`."""

    code, status, title = "too-many-codes", 429, "Too many codes"


class SmsNotSent(Refusal):
    """The SMS gateway did not take the message; another code can be asked for at once."""

    code, status, title = "sms-not-sent", 503, "SMS not sent"


class CodeNotValid(Refusal):
    """The code is wrong, used, expired or tried too often. Field: `tries_left`."""

    code, status, title = "code-not-valid", 403, "Code not valid"


class TooManyTries(Refusal):
    """Too many tries to sign in from one network address. Field: `retry_after`."""

    code, status, title = "too-many-tries", 429, "Too many tries"


class NotSignedIn(Refusal):
    """The request carries no valid session."""

    code, status, title = "not-signed-in", 401, "Not signed in"


class AccountUnknown(Refusal):
    """There is no account with this id."""

    code, status, title = "account-unknown", 404, "Account not found"


class SessionUnknown(Refusal):
    """The account has no open session with this id."""

    code, status, title = "session-unknown", 404, "Session not found"


class AddressNotValid(Refusal):
    """Some fields of an address are not usable. Field: `faults`, a list of field and detail."""

    code, status, title = "address-not-valid", 422, "Address not valid"


class AddressUnknown(Refusal):
    """The account has no remembered address with this id."""

    code, status, title = "address-unknown", 404, "Address not found"


class TooManyAddresses(Refusal):
    """The account remembers as many addresses as it may. Field: `addresses_max`."""

    code, status, title = "too-many-addresses", 409, "Too many addresses"


class MembersFaulty(Refusal):
    """A file of members cannot be read. Field: `faults`, each with its line."""

    code, status, title = "members-faulty", 422, "The file of members cannot be read"


class TiersNamed(Refusal):
    """A list names tiers of its own, and a tier, other numbers or a removal was asked for with it."""

    code, status, title = "tiers-named", 422, "The list names tiers of its own"


class StaffNotSignedIn(Refusal):
    """The request carries no valid staff session."""

    code, status, title = "staff-not-signed-in", 401, "Staff sign-in needed"


class StaffSignInRefused(Refusal):
    """The name or the password is wrong; which of the two is not said."""

    code, status, title = "staff-sign-in-refused", 401, "Sign-in refused"


class StaffLocked(Refusal):
    """Too many wrong passwords. Fields: `locked_until_at`, `retry_after`."""

    code, status, title = "staff-locked", 429, "Sign-in locked for a while"


class NotPermitted(Refusal):
    """The role of this member of staff does not include the permission. Fields: `permission`, `role`."""

    code, status, title = "not-permitted", 403, "Not permitted"


class StaffUnknown(Refusal):
    """There is no such member of staff."""

    code, status, title = "staff-unknown", 404, "Staff not found"


class StaffNameTaken(Refusal):
    """Another member of staff has this name."""

    code, status, title = "staff-name-taken", 409, "Name taken"


class StaffNameNotValid(Refusal):
    """The sign-in name is not usable."""

    code, status, title = "staff-name-not-valid", 422, "Name not valid"


class PasswordTooWeak(Refusal):
    """The password is too short or too plain."""

    code, status, title = "password-too-weak", 422, "Password too weak"


class PurposeNotStated(Refusal):
    """Personal data is shown only for a stated purpose."""

    code, status, title = "purpose-not-stated", 422, "Purpose not stated"
