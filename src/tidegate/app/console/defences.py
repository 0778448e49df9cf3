"""Defences for staff: each rule of the campaign, what its signals read, and starting and ending it by hand."""

from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, Parameter, QueryParameter

from tidegate.app.console.frame import Desk, PageRequest, language
from tidegate.app.console.words import marked, refusal_words
from tidegate.app.pages.answer import see_other
from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.gate.defence.api import Defences
from tidegate.gate.defence.contracts import DefenceStatus, StartDefence, UndoDefence
from tidegate.trust.identity.contracts import Permission, Staff
from tidegate.trust.identity.http import requires

RECORD_SHOWN = 50
_REASON_MIN, _REASON_MAX = 3, 500
_MINUTES_MAX = 1_440

Name = Annotated[str, Parameter(max_length=40)]
Before = Annotated[int | None, QueryParameter(ge=1, le=2**62)]


class Steering(msgspec.Struct, frozen=True, kw_only=True):
    """The form that starts or ends a defence, as it was sent; `confirmed` once a person has read what it does."""

    act: str = ""
    reason: str = ""
    minutes: str = ""
    confirmed: str = ""


@get("/console/defences", include_in_schema=False, dependencies={"staff": requires(Permission.DEFENCE_VIEW)})
async def overview(
    *, request: PageRequest, desk: Desk, staff: Staff, db: Database, defences: Defences, before: Before = None
) -> Response[bytes]:
    """Show every rule, whether it is on, its two signals, and the record, or its lines older than `before`."""
    return await _page(request, desk, staff, db, defences, before=before)


@post(
    "/console/defences/{name:str}",
    include_in_schema=False,
    status_code=303,
    dependencies={"staff": requires(Permission.DEFENCE_STEER)},
    request_max_body_size=4_096,
)
async def steer(
    *,
    request: PageRequest,
    desk: Desk,
    staff: Staff,
    db: Database,
    defences: Defences,
    name: Name,
    data: Annotated[Steering, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[bytes]:
    """Ask once more, then start a defence or end it; what does not fit comes back with its form."""
    words = desk.pages.messages(language(request))
    command = read(data)
    if isinstance(command, tuple):
        fault = (command[0], words.gettext(command[1]))
        return await _page(request, desk, staff, db, defences, name, data, fault)
    if data.confirmed != "yes":
        status = next((each for each in await defences.overview(db) if each.rule.name == name), None)
        if status is not None:
            return await _confirm(request, desk, staff, status, data)
    try:
        async with db.transaction() as tx:
            if isinstance(command, StartDefence):
                await defences.start(tx, staff, name, command)
            else:
                await defences.undo(tx, staff, name, command)
    except Refusal as refusal:
        fault = ("", refusal_words(words, refusal)[1])
        return await _page(request, desk, staff, db, defences, name, data, fault)
    return see_other("/console/defences#record")


def read(form: Steering) -> StartDefence | UndoDefence | tuple[str, str]:
    """Return what a form asks for, or the field that does not fit and what is wrong with it."""
    if form.act not in {"start", "undo"}:
        return "", marked("A defence is started or ended, nothing else. Nothing was changed.")
    reason, minutes = form.reason.strip(), form.minutes.strip()
    if not _REASON_MIN <= len(reason) <= _REASON_MAX:
        return "reason", marked("Give a reason of 3 to 500 characters; it stands in the record. Nothing was changed.")
    fits = minutes.isascii() and minutes.isdigit() and len(minutes) <= len(str(_MINUTES_MAX))
    if not (fits and 1 <= int(minutes) <= _MINUTES_MAX):
        return "minutes", marked("Say for how many minutes: 1 to 1,440. Nothing was changed.")
    if form.act == "start":
        return StartDefence(reason=reason, minutes=int(minutes))
    return UndoDefence(reason=reason, hold_minutes=int(minutes))


async def _confirm(
    request: PageRequest, desk: Desk, staff: Staff, status: DefenceStatus, form: Steering
) -> Response[bytes]:
    return await desk.show(request, staff, "defences", "defence_confirm.html", standing=status, form=form)


async def _page(
    request: PageRequest,
    desk: Desk,
    staff: Staff,
    db: Database,
    defences: Defences,
    name: str = "",
    form: Steering | None = None,
    fault: tuple[str, str] | None = None,
    before: int | None = None,
) -> Response[bytes]:
    """Show the defences; `fault` is the field of the form of `name` that does not fit (or none) and its words."""
    statuses = await defences.overview(db)
    async with db.read() as tx:
        record = await defences.record(tx, before=before, limit=RECORD_SHOWN + 1)
    return await desk.show(
        request,
        staff,
        "defences",
        "defences.html",
        status=422 if fault else 200,
        statuses=statuses,
        record=record[:RECORD_SHOWN],
        before=before,
        older=record[RECORD_SHOWN - 1].record_id if len(record) > RECORD_SHOWN else None,
        named=name if any(each.rule.name == name for each in statuses) else "",
        form=form or Steering(minutes="30"),
        fault=fault,
    )
