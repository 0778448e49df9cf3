"""JSON doors of defence, for staff: what is on and why, the record, start by hand, undo."""

from typing import Annotated

from litestar import get, post
from litestar.datastructures import CacheControlHeader
from litestar.params import Parameter, QueryParameter
from litestar.status_codes import HTTP_200_OK

from tidegate.base.db import Database
from tidegate.base.openapi import refuses
from tidegate.gate.defence.api import Defences
from tidegate.gate.defence.contracts import DefenceStatus, RecordEntry, StartDefence, UndoDefence
from tidegate.gate.defence.errors import DefenceIsOn, DefenceUnknown
from tidegate.trust.identity.contracts import Permission, Staff
from tidegate.trust.identity.errors import NotPermitted, StaffNotSignedIn

_NO_STORE = CacheControlHeader(no_store=True)
_BODY_BYTES_MAX = 4_096

Name = Annotated[str, Parameter(max_length=40, description="The name of the rule in the campaign file.")]


@get(
    "/api/v1/defences",
    summary="The defences",
    description="Each rule of the current campaign, where it stands, and what its two signals read over its window.",
    tags=["defence"],
    security=[{"staff": []}],
    operation_id="ListDefences",
    cache_control=_NO_STORE,
    responses=refuses(StaffNotSignedIn, NotPermitted),
)
async def list_defences(defences: Defences, db: Database, staff: Staff) -> list[DefenceStatus]:
    """Return where every defence stands."""
    staff.require(Permission.DEFENCE_VIEW)
    return await defences.overview(db)


@get(
    "/api/v1/defences/record",
    summary="What happened",
    description="Started, ended, undone, hook called: by what, with which signals. Newest first; page with `before`.",
    tags=["defence"],
    security=[{"staff": []}],
    operation_id="DefenceRecord",
    cache_control=_NO_STORE,
    responses=refuses(StaffNotSignedIn, NotPermitted),
)
async def defence_record(
    defences: Defences,
    db: Database,
    staff: Staff,
    before: Annotated[int | None, QueryParameter(ge=1, le=2**62, description="Only lines older than this.")] = None,
) -> list[RecordEntry]:
    """Return lines of the record."""
    staff.require(Permission.DEFENCE_VIEW)
    async with db.read() as tx:
        return await defences.record(tx, before=before)


@post(
    "/api/v1/defences/{name:str}/start",
    status_code=HTTP_200_OK,
    summary="Start a defence by hand",
    description="It takes effect in every process within two seconds, and ends after `minutes` or when it is undone.",
    tags=["defence"],
    security=[{"staff": []}],
    operation_id="StartDefence",
    request_max_body_size=_BODY_BYTES_MAX,
    cache_control=_NO_STORE,
    responses=refuses(StaffNotSignedIn, NotPermitted, DefenceUnknown, DefenceIsOn),
)
async def start_defence(
    data: StartDefence, defences: Defences, db: Database, staff: Staff, name: Name
) -> list[DefenceStatus]:
    """Start a defence, and return where every one stands."""
    async with db.transaction() as tx:
        await defences.start(tx, staff, name, data)
    return await defences.overview(db)


@post(
    "/api/v1/defences/{name:str}/undo",
    status_code=HTTP_200_OK,
    summary="Undo a defence",
    description="It ends in every process within two seconds, and does not start by itself for `hold_minutes`.",
    tags=["defence"],
    security=[{"staff": []}],
    operation_id="UndoDefence",
    request_max_body_size=_BODY_BYTES_MAX,
    cache_control=_NO_STORE,
    responses=refuses(StaffNotSignedIn, NotPermitted, DefenceUnknown),
)
async def undo_defence(
    data: UndoDefence, defences: Defences, db: Database, staff: Staff, name: Name
) -> list[DefenceStatus]:
    """Undo a defence, and return where every one stands."""
    async with db.transaction() as tx:
        await defences.undo(tx, staff, name, data)
    return await defences.overview(db)


routes = [list_defences, defence_record, start_defence, undo_defence]
