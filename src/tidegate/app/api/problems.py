"""Every failure as a problem document (RFC 9457), or as a page where a person's browser asked."""

import logging
from typing import Any

import psycopg
from litestar import Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException, ValidationException
from litestar.types import ExceptionHandlersMap

from tidegate.base.db import DatabaseUnavailable
from tidegate.base.errors import Refusal
from tidegate.base.http import PROBLEM, problem, refusal_headers
from tidegate.base.metrics import faults, refusals

log = logging.getLogger(__name__)

AnyRequest = Request[Any, Any, Any]


class RequestNotValid(Refusal):
    """A field, parameter or header is missing, of the wrong type or out of range; `errors` names each."""

    code = "request-not-valid"
    status = 422
    title = "The request is not valid"


class RequestMalformed(Refusal):
    """The request cannot be read at all."""

    code = "request-malformed"
    status = 400
    title = "The request cannot be read"


class PlaceUnknown(Refusal):
    """There is nothing at this address."""

    code = "not-found"
    status = 404
    title = "Nothing here"


class MethodUnknown(Refusal):
    """The address exists, but not for this method."""

    code = "method-not-allowed"
    status = 405
    title = "Method not allowed"


class Fault(Refusal):
    """A bug or a broken component of ours."""

    code = "fault"
    status = 500
    title = "Something broke on our side"


def refused(refusal: Refusal) -> Response[bytes]:
    """Return the refusal's problem document as an answer."""
    refusals.labels(refusal.code).inc()
    headers = {"Cache-Control": "no-store", **refusal_headers(refusal)}
    return Response(problem(refusal), status_code=refusal.status, headers=headers, media_type=PROBLEM)


def refusal_of(fault: Exception) -> Refusal:  # noqa: PLR0911  one line a kind of failure
    """Return the refusal that stands for an exception; a failure that is nobody's refusal is a Fault."""
    match fault:
        case Refusal():
            return fault
        case psycopg.OperationalError():
            return DatabaseUnavailable()
        case ValidationException():
            return RequestNotValid(
                "A field is missing, of the wrong type or out of range. Nothing was changed. Mend it and send again.",
                errors=_errors(fault),
            )
        case NotFoundException():
            return PlaceUnknown("There is nothing at this address. Nothing was changed.")
        case MethodNotAllowedException():
            return MethodUnknown("This address does not take that method. Nothing was changed.")
        case HTTPException() if fault.status_code < 500:
            return _client_fault(fault)
        case _:
            return Fault("This is our fault, and it has been recorded. Try again in a moment.")


def _client_fault(fault: HTTPException) -> Refusal:
    refusal = RequestMalformed(f"{fault.detail}. Nothing was changed. Mend the request and send it again.")
    refusal.__dict__["status"] = fault.status_code
    return refusal


def _errors(fault: ValidationException) -> list[dict[str, str]]:
    extra = fault.extra if isinstance(fault.extra, list) else []
    found = [
        {"field": str(each.get("key", "")), "fault": str(each.get("message", ""))}
        for each in extra
        if isinstance(each, dict)
    ]
    return found or [{"field": "", "fault": fault.detail}]


def answer(request: AnyRequest, fault: Exception) -> Response[bytes]:
    """Return the problem document for any exception; what is not a refusal is logged and counted."""
    refusal = refusal_of(fault)
    if isinstance(refusal, Fault):
        log.error("%s %s failed", request.method, request.url.path, exc_info=fault)
        faults.labels("web").inc()
    return refused(refusal)


handlers: ExceptionHandlersMap = {Exception: answer, HTTPException: answer, Refusal: answer}
