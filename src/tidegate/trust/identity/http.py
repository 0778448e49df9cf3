"""The JSON doors of identity, and the dependencies that say who is asking.

`dependencies` gives handlers, by name: `account` (AccountId, else 401), `maybe_account` (AccountId or None), `session`
(SessionFacts, else 401) and `staff` (Staff, else 401). A handler for some staff only replaces the last:
`dependencies={"staff": requires(Permission.ORDERS_VIEW)}`, which is 403 for the others.
"""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.datastructures import CacheControlHeader, Cookie
from litestar.di import Provide
from litestar.status_codes import HTTP_202_ACCEPTED, HTTP_204_NO_CONTENT
from msgspec import Meta

from tidegate.base.db import Database
from tidegate.base.openapi import refuses
from tidegate.trust.identity.api import (
    SESSION_COOKIE,
    SESSION_SECONDS,
    STAFF_COOKIE,
    STAFF_SESSION_SECONDS,
    Identity,
    token_of,
)
from tidegate.trust.identity.contracts import (
    AccountId,
    AccountView,
    Address,
    AddressId,
    CodeSent,
    CodeText,
    Permission,
    PhoneText,
    SavedAddress,
    Session,
    SessionFacts,
    SessionId,
    SessionView,
    Staff,
    StaffSession,
)
from tidegate.trust.identity.errors import (
    AccountUnknown,
    AddressNotValid,
    AddressUnknown,
    CodeNotValid,
    CodeTooSoon,
    NotSignedIn,
    PhoneNotValid,
    SessionUnknown,
    SmsNotSent,
    StaffLocked,
    StaffSignInRefused,
    TooManyAddresses,
    TooManyCodes,
    TooManyTries,
)

_BODY_BYTES_MAX = 8_192
_PRIVATE = CacheControlHeader(no_store=True)

AnyRequest = Request[Any, Any, Any]


# Who is asking


async def provide_session(request: AnyRequest, identity: Identity) -> SessionFacts:
    """Return the asking shopper's session. Raises NotSignedIn."""
    return identity.require_session(token_of(request.scope["headers"]))


async def provide_account(request: AnyRequest, identity: Identity) -> AccountId:
    """Return the asking shopper. Raises NotSignedIn."""
    return identity.require_session(token_of(request.scope["headers"])).account_id


async def provide_maybe_account(request: AnyRequest, identity: Identity) -> AccountId | None:
    """Return the asking shopper, or None where nobody is signed in."""
    facts = identity.session(token_of(request.scope["headers"]))
    return facts.account_id if facts else None


async def provide_staff(request: AnyRequest, identity: Identity, db: Database) -> Staff:
    """Return the asking member of staff. Raises StaffNotSignedIn."""
    # On the primary: a closed or demoted member of staff is out at once, whatever a replica still says.
    async with db.transaction() as tx:
        return await identity.require_staff(tx, token_of(request.scope["headers"], STAFF_COOKIE))


def requires(permission: Permission) -> Provide:
    """Return a provider of `staff` that also raises NotPermitted unless the role includes the permission."""

    async def provide_permitted_staff(request: AnyRequest, identity: Identity, db: Database) -> Staff:
        staff = await provide_staff(request, identity, db)
        staff.require(permission)
        return staff

    return Provide(provide_permitted_staff)


dependencies = {
    "session": Provide(provide_session),
    "account": Provide(provide_account),
    "maybe_account": Provide(provide_maybe_account),
    "staff": Provide(provide_staff),
}


def client_address(request: AnyRequest) -> str:
    """Return the network address that the request came from."""
    return request.client.host if request.client else ""


def session_cookie(identity: Identity, session: Session) -> Cookie:
    """Return the cookie that keeps a shopper signed in: unreadable to scripts, not sent along from other sites."""
    return private_cookie(SESSION_COOKIE, session.token, SESSION_SECONDS, secure=identity.secure_cookies)


def staff_cookie(identity: Identity, session: StaffSession) -> Cookie:
    """Return the cookie that keeps a member of staff signed in."""
    return private_cookie(STAFF_COOKIE, session.token, STAFF_SESSION_SECONDS, secure=identity.secure_cookies)


def no_cookie(identity: Identity, name: str) -> Cookie:
    """Return the cookie that makes a browser forget one of ours."""
    return private_cookie(name, "", 0, secure=identity.secure_cookies)


def private_cookie(name: str, token: str, life_seconds: int, *, secure: bool) -> Cookie:
    """Return a cookie that no script reads and that other sites do not send along."""
    return Cookie(key=name, value=token, path="/", max_age=life_seconds, httponly=True, samesite="lax", secure=secure)


# Shoppers


class AskForCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to send a code to."""

    phone: PhoneText


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A phone and the code that was sent to it."""

    phone: PhoneText
    code: CodeText


class AddressSaved(msgspec.Struct, frozen=True):
    """The id of a remembered address."""

    address_id: AddressId


@post(
    "/api/v1/codes",
    status_code=HTTP_202_ACCEPTED,
    tags=["identity"],
    operation_id="AskForCode",
    summary="Ask for a sign-in code",
    description="Sends six digits by SMS, good for five minutes and five tries. At most one a minute, 5 an hour and 10 "
    "a day for a phone, and 200 an hour for a network address.",
    request_max_body_size=_BODY_BYTES_MAX,
    cache_control=_PRIVATE,
    responses=refuses(PhoneNotValid, CodeTooSoon, TooManyCodes, SmsNotSent),
)
async def ask_for_code(data: AskForCode, request: AnyRequest, identity: Identity) -> CodeSent:
    """Send a sign-in code."""
    return await identity.request_code(data.phone, client_address(request))


@post(
    "/api/v1/sessions",
    tags=["identity"],
    operation_id="SignIn",
    summary="Sign in",
    description="Opens a session with a code; the first sign-in of a phone makes its account. The token comes in the "
    "body and as the cookie `tg_session`.",
    request_max_body_size=_BODY_BYTES_MAX,
    cache_control=_PRIVATE,
    responses=refuses(PhoneNotValid, CodeNotValid, TooManyTries),
)
async def sign_in(data: SignIn, request: AnyRequest, identity: Identity) -> Response[Session]:
    """Open a session."""
    device = request.headers.get("user-agent", "")
    session = await identity.sign_in(data.phone, data.code, device, client_address(request))
    return Response(session, cookies=[session_cookie(identity, session)])


@delete(
    "/api/v1/sessions/current",
    status_code=HTTP_204_NO_CONTENT,
    tags=["identity"],
    operation_id="SignOut",
    summary="Sign out",
    description="Ends the session of this request. Other processes refuse its token within a second.",
    responses=refuses(NotSignedIn),
)
async def sign_out(session: SessionFacts, identity: Identity, db: Database) -> Response[None]:
    """End the session of this request."""
    async with db.transaction() as tx:
        await identity.sign_out(tx, session)
    return Response(None, cookies=[no_cookie(identity, SESSION_COOKIE)])


@get(
    "/api/v1/sessions",
    tags=["identity"],
    operation_id="ListSessions",
    summary="List your sessions",
    description="The open sessions of the signed-in shopper, newest first; at most 20.",
    cache_control=_PRIVATE,
    responses=refuses(NotSignedIn),
)
async def list_sessions(account: AccountId, identity: Identity, db: Database) -> list[SessionView]:
    """Return the shopper's own sessions."""
    async with db.transaction() as tx:
        return await identity.sessions(tx, account)


@delete(
    "/api/v1/sessions/{session_id:uuid}",
    status_code=HTTP_204_NO_CONTENT,
    tags=["identity"],
    operation_id="RevokeSession",
    summary="End one of your sessions",
    description="For a device that was lost or left signed in.",
    responses=refuses(NotSignedIn, SessionUnknown),
)
async def revoke_session(session_id: UUID, account: AccountId, identity: Identity, db: Database) -> None:
    """End one of the shopper's own sessions."""
    async with db.transaction() as tx:
        await identity.revoke_session(tx, account, SessionId(session_id))


@get(
    "/api/v1/me",
    tags=["identity"],
    operation_id="ShowMe",
    summary="Who am I",
    description="The signed-in shopper; the phone number is masked.",
    cache_control=_PRIVATE,
    responses=refuses(NotSignedIn, AccountUnknown),
)
async def me(account: AccountId, identity: Identity, db: Database) -> AccountView:
    """Return the asking shopper."""
    async with db.transaction() as tx:
        return await identity.account(tx, account)


@get(
    "/api/v1/addresses",
    tags=["identity"],
    operation_id="ListAddresses",
    summary="List your addresses",
    description="Newest use first: the first is the one-click address. At most 20.",
    cache_control=_PRIVATE,
    responses=refuses(NotSignedIn),
)
async def list_addresses(account: AccountId, identity: Identity, db: Database) -> list[SavedAddress]:
    """Return the shopper's own addresses."""
    async with db.transaction() as tx:
        return await identity.addresses(tx, account)


@post(
    "/api/v1/addresses",
    tags=["identity"],
    operation_id="RememberAddress",
    summary="Remember an address",
    description="Puts it first. The same address again keeps its id.",
    request_max_body_size=_BODY_BYTES_MAX,
    cache_control=_PRIVATE,
    responses=refuses(NotSignedIn, AddressNotValid, TooManyAddresses),
)
async def remember_address(data: Address, account: AccountId, identity: Identity, db: Database) -> AddressSaved:
    """Remember an address."""
    async with db.transaction() as tx:
        return AddressSaved(await identity.remember_address(tx, account, data))


@delete(
    "/api/v1/addresses/{address_id:uuid}",
    status_code=HTTP_204_NO_CONTENT,
    tags=["identity"],
    operation_id="ForgetAddress",
    summary="Forget an address",
    description="Orders already placed keep their own copy.",
    responses=refuses(NotSignedIn, AddressUnknown),
)
async def forget_address(address_id: UUID, account: AccountId, identity: Identity, db: Database) -> None:
    """Forget an address."""
    async with db.transaction() as tx:
        await identity.forget_address(tx, account, AddressId(address_id))


# Staff


class StaffSignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name and a password."""

    name: Annotated[str, Meta(min_length=1, max_length=40, examples=["lin.wei"])]
    password: Annotated[str, Meta(min_length=1, max_length=128, examples=["a long phrase of your own"])]


@post(
    "/api/v1/staff/sessions",
    tags=["identity"],
    operation_id="StaffSignIn",
    summary="Sign in as staff",
    description="Opens a session of eight hours. After five wrong passwords in a row sign-in is locked for a minute, "
    "and twice as long after each further one, up to an hour. The token comes in the body and as cookie `tg_staff`.",
    request_max_body_size=_BODY_BYTES_MAX,
    cache_control=_PRIVATE,
    responses=refuses(StaffSignInRefused, StaffLocked),
)
async def staff_sign_in(data: StaffSignIn, request: AnyRequest, identity: Identity) -> Response[StaffSession]:
    """Open a staff session."""
    session = await identity.staff_sign_in(data.name, data.password, client_address(request))
    return Response(session, cookies=[staff_cookie(identity, session)])


@delete(
    "/api/v1/staff/sessions/current",
    status_code=HTTP_204_NO_CONTENT,
    tags=["identity"],
    operation_id="StaffSignOut",
    summary="Sign out as staff",
    description="Ends the staff session of this request, in every process at once; without one it changes nothing.",
    responses=refuses(),
)
async def staff_sign_out(request: AnyRequest, identity: Identity, db: Database) -> Response[None]:
    """End the staff session of this request."""
    async with db.transaction() as tx:
        await identity.staff_sign_out(tx, token_of(request.scope["headers"], STAFF_COOKIE))
    return Response(None, cookies=[no_cookie(identity, STAFF_COOKIE)])


routes = [
    ask_for_code,
    sign_in,
    sign_out,
    list_sessions,
    revoke_session,
    me,
    list_addresses,
    remember_address,
    forget_address,
    staff_sign_in,
    staff_sign_out,
]
