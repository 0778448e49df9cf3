"""The gate for staff: who waits, who is inside, why it calls as many as it does, and the acts that steer it."""

from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body

from tidegate.app.console.frame import Desk, PageRequest, language
from tidegate.app.console.gate_words import ACTS, gate_words
from tidegate.app.console.words import marked, refusal_words
from tidegate.app.pages.answer import see_other
from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.gate.queue.api import Queue
from tidegate.gate.queue.contracts import GateAct, GateRecord, GateWatch, SteerGate
from tidegate.gate.queue.errors import NoWaitingRoom
from tidegate.offer.campaign.api import Campaign
from tidegate.trust.identity.contracts import Permission, Staff
from tidegate.trust.identity.http import requires

ACTS_SHOWN = 50
_REASON_MIN, _REASON_MAX, _NOTE_MAX = 3, 500, 500
_FLOW_MAX = 1_000_000


class Steering(msgspec.Struct, frozen=True, kw_only=True):
    """The form of one act, as it was sent; `confirmed` once a person has read what it does."""

    act: str = ""
    reason: str = ""
    per_minute: str = ""
    note: str = ""
    confirmed: str = ""


@get("/console/gate", include_in_schema=False, dependencies={"staff": requires(Permission.GATE_VIEW)})
async def gate(
    request: PageRequest, desk: Desk, staff: Staff, db: Database, queue: Queue, campaign: Campaign
) -> Response[bytes]:
    """Show the line and the gate; the page's script asks for the figures anew each second."""
    return await _page(request, desk, staff, db, queue, campaign)


@post(
    "/console/gate",
    include_in_schema=False,
    status_code=303,
    dependencies={"staff": requires(Permission.GATE_STEER)},
    request_max_body_size=8_192,
)
async def steer(
    *,
    request: PageRequest,
    desk: Desk,
    staff: Staff,
    db: Database,
    queue: Queue,
    campaign: Campaign,
    data: Annotated[Steering, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[bytes]:
    """Ask once more what an act that fits is to do, then record it; what does not fit comes back with its form."""
    words = desk.pages.messages(language(request))
    command = read(data)
    if not isinstance(command, SteerGate):
        field, said = command
        return await _page(request, desk, staff, db, queue, campaign, data, (field, words.gettext(said)))
    if data.confirmed != "yes":
        return await desk.show(
            request, staff, "gate", "gate_confirm.html", said=gate_words(words), command=command, form=data
        )
    try:
        async with db.transaction() as tx:
            await queue.steer(tx, command, staff.name)
    except Refusal as refusal:
        said = refusal_words(words, refusal)[1]
        return await _page(request, desk, staff, db, queue, campaign, data, ("", said))
    return see_other("/console/gate#acts")


def read(form: Steering) -> SteerGate | tuple[str, str]:
    """Return the act that a form asks for, or the field that does not fit and what is wrong with it."""
    if form.act not in ACTS:
        return "", marked("This is no act of the gate. Nothing was changed. Choose one of the buttons.")
    act, reason, flow = GateAct(form.act), form.reason.strip(), form.per_minute.strip()
    if not _REASON_MIN <= len(reason) <= _REASON_MAX:
        return "reason", marked("Give a reason of 3 to 500 characters; it is kept with the act. Nothing was changed.")
    if len(form.note.strip()) > _NOTE_MAX:
        return "note", marked("The words for the line have more than 500 characters. Nothing was changed.")
    if act is not GateAct.SLOW:
        return SteerGate(act=act, reason=reason, note=form.note.strip() if act is GateAct.NOTE else "")
    if not (flow.isascii() and flow.isdigit() and len(flow) <= len(str(_FLOW_MAX)) and 1 <= int(flow) <= _FLOW_MAX):
        return "per_minute", marked("Say how many people a minute are called: 1 to 1,000,000. Nothing was changed.")
    return SteerGate(act=act, reason=reason, per_minute=int(flow))


async def _page(
    request: PageRequest,
    desk: Desk,
    staff: Staff,
    db: Database,
    queue: Queue,
    campaign: Campaign,
    form: Steering | None = None,
    fault: tuple[str, str] | None = None,
) -> Response[bytes]:
    """Show the gate; `fault` is the field of the form that does not fit (or none) and the words for it."""
    watched, acts = await _seen(db, queue)
    version = campaign.current()
    return await desk.show(
        request,
        staff,
        "gate",
        "gate.html",
        status=422 if fault else 200,
        watched=watched,
        acts=acts,
        waiting_room=version.definition.waiting_room if version else None,
        said=gate_words(desk.pages.messages(language(request))),
        form=form or Steering(),
        fault=fault,
    )


async def _seen(db: Database, queue: Queue) -> tuple[GateWatch | None, list[GateRecord]]:
    """Return what is watched of the line and what staff did; nothing where there is no line yet."""
    async with db.read() as tx:
        try:
            return await queue.watch(tx), await queue.acts(tx, ACTS_SHOWN)
        except NoWaitingRoom:
            return None, []
