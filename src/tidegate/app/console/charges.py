"""Charges of another amount than was asked, for staff: what the channel says that it took, and what becomes of it."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body

from tidegate.app.console.frame import Desk, PageRequest, language
from tidegate.app.console.words import marked, refusal_words
from tidegate.app.pages.answer import see_other
from tidegate.base.errors import Refusal
from tidegate.sale.payment.api import Payment
from tidegate.sale.payment.contracts import Charged, HandRemedy
from tidegate.trust.identity.contracts import Permission, Staff
from tidegate.trust.identity.http import requires

_REASON_MIN, _REASON_MAX = 3, 200
_PATH = "/console/orders/{order_id:uuid}/attempts/{attempt_id:uuid}/settle"
_SETTLES = {"staff": requires(Permission.PAYMENTS_REFUND)}


class Decision(msgspec.Struct, frozen=True):
    """The form as it was sent: what was decided, why, and the amount that was shown."""

    remedy: str = ""
    reason: Annotated[str, msgspec.Meta(max_length=_REASON_MAX)] = ""
    taken: Annotated[str, msgspec.Meta(max_length=13)] = ""


@get(_PATH, include_in_schema=False, dependencies=_SETTLES)
async def look(
    request: PageRequest, desk: Desk, staff: Staff, payment: Payment, order_id: UUID, attempt_id: UUID
) -> Response[bytes]:
    """Ask the channel what it took, and show what can be decided; nothing is changed."""
    return await _show(request, desk, staff, await payment.charged(attempt_id), order_id)


@post(_PATH, include_in_schema=False, status_code=200, dependencies=_SETTLES, request_max_body_size=4_096)
async def settle(
    *,
    request: PageRequest,
    desk: Desk,
    staff: Staff,
    payment: Payment,
    order_id: UUID,
    attempt_id: UUID,
    data: Annotated[Decision, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[bytes]:
    """Do what was decided about the amount that was shown, in this person's name; sent twice, it is done once."""
    words = desk.pages.messages(language(request))
    reason = data.reason.strip()
    if len(reason) < _REASON_MIN or data.remedy not in tuple(HandRemedy) or not data.taken.isdecimal():
        fault = words.gettext(marked("Say why, in three letters or more: it is recorded. Nothing was changed."))
        return await _show(request, desk, staff, await payment.charged(attempt_id), order_id, fault)
    try:
        await payment.settle_by_hand(
            attempt_id, HandRemedy(data.remedy), taken=int(data.taken), reason=reason, by=staff.name
        )
    except Refusal as refusal:
        fault = refusal_words(words, refusal)[1]
        return await _show(request, desk, staff, await payment.charged(attempt_id), order_id, fault)
    return see_other(f"/console/orders/{order_id}")


async def _show(
    request: PageRequest, desk: Desk, staff: Staff, charged: Charged, order_id: UUID, fault: str | None = None
) -> Response[bytes]:
    status = 422 if fault else 200
    return await desk.show(
        request, staff, "orders", "charge.html", status=status, charged=charged, order_id=order_id, fault=fault
    )


routes = [look, settle]
