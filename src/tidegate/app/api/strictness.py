"""JSON bodies are taken as they are: a text is not a number, even where it looks like one.

The framework converts bodies leniently ("1" becomes 1). This guard, on every route, first holds the body strictly
against the handler's own type; what passes is then converted without surprise. The price is reading a body twice.
"""

from typing import Any

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.enums import RequestEncodingType
from litestar.exceptions import ClientException, ValidationException
from litestar.handlers import BaseRouteHandler
from litestar.handlers.http_handlers import HTTPRouteHandler
from litestar.params import BodyKwarg

BODY_BYTES_MAX = 1_000_000


async def strict_body(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Guard: refuse a JSON body that is not exactly of the type that the handler documents."""
    if not isinstance(handler, HTTPRouteHandler) or not isinstance(connection, Request):
        return
    field = handler.parsed_data_field
    if field is None or _is_form(field.kwarg_definition):
        return
    body = await connection.body()
    if not body and field.is_optional:
        return
    try:
        msgspec.json.decode(body, type=field.annotation)
    except msgspec.ValidationError as fault:
        raise ValidationException(str(fault)) from fault
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise ClientException(f"The body is not JSON: {fault}") from fault


def _is_form(definition: object) -> bool:
    forms = (RequestEncodingType.URL_ENCODED, RequestEncodingType.MULTI_PART)
    return isinstance(definition, BodyKwarg) and definition.media_type in forms
