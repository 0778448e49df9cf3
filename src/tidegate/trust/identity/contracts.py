"""The words of identity: accounts, sessions, addresses, staff, and what a role may do.

A *shopper* has an account, known by its phone number. A *session* is one sign-in on one device; its
token is signed and checked without I/O. *Staff* have a name, a role and sessions of their own.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, NewType
from uuid import UUID

import msgspec
from msgspec import Meta

from tidegate.trust.identity.errors import NotPermitted

AccountId = NewType("AccountId", UUID)
SessionId = NewType("SessionId", UUID)
AddressId = NewType("AddressId", UUID)
StaffId = NewType("StaffId", UUID)

PhoneText = Annotated[
    str,
    Meta(
        min_length=5,
        max_length=32,
        description="A phone number as a person writes it; without a country code it is Chinese.",
        examples=["138 0013 1234", "+8613800131234"],
    ),
]
CodeText = Annotated[
    str,
    Meta(
        min_length=6,
        max_length=6,  # the pattern alone would let a line feed follow: that is what $ means in Python
        pattern=r"^[0-9]{6}$",
        description="The six digits of the SMS.",
        examples=["402913"],
    ),
]


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A session just opened. The token is shown once and never stored."""

    token: Annotated[str, Meta(description="Send it as `Authorization: Bearer <token>`.")]
    account_id: AccountId
    session_id: SessionId
    expires_at: datetime


class SessionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a valid, unexpired, unrevoked session token says; `known_device`: the browser, where it was here before."""

    account_id: AccountId
    session_id: SessionId
    expires_at: datetime
    known_device: UUID | None = None

    @property
    def device(self) -> UUID:
        """The browser that signed in: what limits, places and promotions count as one device."""
        return self.known_device or self.session_id


class SimulatedShopper(msgspec.Struct, frozen=True, kw_only=True):
    """A shopper of a rehearsal: signed in, with an address, and with a number that no telephone has."""

    session: Session
    address_id: AddressId


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """One of a shopper's own sessions, as listed to that shopper."""

    session_id: SessionId
    device: Annotated[str, Meta(description="The browser or app, as it named itself.")]
    opened_at: datetime
    expires_at: datetime


class CodeSent(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in code is on its way."""

    phone: Annotated[str, Meta(description="The number, masked.", examples=["138****1234"])]
    expires_at: Annotated[datetime, Meta(description="The code is worth nothing from then on.")]
    resend_at: Annotated[datetime, Meta(description="Another code can be asked for from then on.")]


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """A shopper as shown to that shopper: the phone number is masked."""

    account_id: AccountId
    phone: Annotated[str, Meta(examples=["138****1234"])]
    opened_at: datetime


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A member by his phone number in E.164, and the tier."""

    phone: str
    tier: str


class Standing(msgspec.Struct, frozen=True):
    """Who an account is to the shop: its tier, empty for one who is not a member, and its segments."""

    tier: str = ""
    segments: frozenset[str] = frozenset()


class ListHow(StrEnum):
    """What a change of a segment or tier does with the numbers that it names."""

    ADD = "add"
    REMOVE = "remove"
    REPLACE = "replace"
    """The segment or tier is exactly these."""


class SegmentChange(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a segment: of `numbers` named, how many are new in it, and how many are in it no more."""

    change_id: UUID
    segment: str
    how: ListHow
    numbers: int
    added: int
    ended: int
    changed_by: str
    reason: str
    changed_at: datetime


class TierChange(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a tier by staff: of `numbers` named, how many are new members, and how many come from another tier.

    `ended` were in the tier and are no members any more.
    """

    change_id: UUID
    tier: str
    how: ListHow
    numbers: int
    added: int
    moved: int
    ended: int
    changed_by: str
    reason: str
    changed_at: datetime


class SegmentCount(msgspec.Struct, frozen=True):
    """How many numbers a segment holds, and how many of them have an account."""

    name: str
    numbers: int
    accounts: int


class Address(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where goods go, and whom the courier calls."""

    name: Annotated[str, Meta(min_length=1, max_length=50, examples=["张三"])]
    phone: PhoneText
    province: Annotated[str, Meta(min_length=2, max_length=40, examples=["浙江省"])]
    city: Annotated[str, Meta(min_length=2, max_length=40, examples=["杭州市"])]
    district: Annotated[str, Meta(min_length=1, max_length=40, examples=["西湖区"])]
    street: Annotated[str, Meta(min_length=2, max_length=200, examples=["文三路 90 号 2 幢 301"])]


class SavedAddress(msgspec.Struct, frozen=True, kw_only=True):
    """A remembered address. The list is newest use first: the first is the one-click address."""

    address_id: AddressId
    address: Address
    remembered_at: datetime


class Role(StrEnum):
    """What a member of staff is here for. What each may do: `rules.PERMISSIONS`."""

    DIRECTOR = "director"
    CAMPAIGN_MANAGER = "campaign-manager"
    PAYMENT = "payment"
    RISK = "risk"
    SUPPORT = "support"
    FULFILMENT = "fulfilment"
    COMPLIANCE = "compliance"
    ENGINEER = "engineer"
    ADMINISTRATOR = "administrator"


class Permission(StrEnum):
    """One thing that a role may see or do."""

    MONITOR_VIEW = "monitor.view"
    CAMPAIGN_VIEW = "campaign.view"
    CAMPAIGN_PUBLISH = "campaign.publish"
    COUPONS_VIEW = "coupons.view"
    COUPONS_MAKE = "coupons.make"
    COUPONS_EXPORT = "coupons.export"
    COUPONS_REVOKE = "coupons.revoke"
    PRIZES_GIVE = "prizes.give"
    STOCK_VIEW = "stock.view"
    STOCK_ADJUST = "stock.adjust"
    ORDERS_VIEW = "orders.view"
    ORDERS_CANCEL = "orders.cancel"
    ORDERS_PERSONAL_DATA_VIEW = "orders.personal-data.view"
    PAYMENTS_VIEW = "payments.view"
    PAYMENTS_REFUND = "payments.refund"
    PAYMENTS_CHANNEL_SWITCH = "payments.channel.switch"
    RISK_VIEW = "risk.view"
    RISK_DECIDE = "risk.decide"
    GATE_VIEW = "gate.view"
    GATE_STEER = "gate.steer"
    DEFENCE_VIEW = "defence.view"
    DEFENCE_STEER = "defence.steer"
    REHEARSAL_RUN = "rehearsal.run"
    DOCTOR_RUN = "doctor.run"
    SHOPPERS_VIEW = "shoppers.view"
    SEGMENTS_CHANGE = "segments.change"
    STAFF_VIEW = "staff.view"
    STAFF_CHANGE = "staff.change"
    VIEWS_AUDIT = "personal-data.views.audit"


class Staff(msgspec.Struct, frozen=True, kw_only=True):
    """A member of staff, with what the role permits."""

    staff_id: StaffId
    name: str
    role: Role
    permissions: frozenset[Permission]

    def may(self, permission: Permission) -> bool:
        """Return whether the role of this person includes the permission."""
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raise NotPermitted unless the role of this person includes the permission."""
        if permission not in self.permissions:
            raise NotPermitted(
                f"The role {self.role} does not include {permission}; nothing was shown or changed. "
                "Ask an administrator if your work needs it.",
                permission=permission,
                role=self.role,
            )


class StaffSession(msgspec.Struct, frozen=True, kw_only=True):
    """A staff session just opened. The token is shown once and never stored."""

    token: str
    staff: Staff
    session_id: SessionId
    expires_at: datetime


class StaffView(msgspec.Struct, frozen=True, kw_only=True):
    """A member of staff as listed to an administrator."""

    staff: Staff
    added_at: datetime
    closed_at: datetime | None
    locked_until_at: datetime | None


class PersonalDataView(msgspec.Struct, frozen=True, kw_only=True):
    """One recorded look at personal data: who looked at whose data, why and when."""

    view_id: UUID
    staff_id: StaffId
    staff_name: str
    subject: str
    purpose: str
    viewed_at: datetime
