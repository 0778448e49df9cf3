"""Input that nobody sends by mistake, for tests that send it everywhere: no door may answer it with a fault of ours."""

import re
from collections.abc import Iterator, Mapping
from inspect import getsource
from pathlib import Path
from sys import modules
from typing import Any

import msgspec
from litestar import Litestar
from litestar.handlers.http_handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

import tidegate.app

TEXTS = ("\0", "\U0010ffff\u202e\ufeff", "'\"><%s{{7*7}}\\")
"""As they arrive: a NUL, which neither PostgreSQL nor XML knows; signs that turn or hide text; what might be a code."""
ENCODED = ("%00", "A%00", "%ED%A0%80", "%FF", "%", "99999999999999999999999")
"""Within an address: a NUL, what is no UTF-8 (half of a surrogate pair, a lone byte), half a code, a huge number."""
DEEP = b"[" * 5_000
"""Deeper than any stack, and cheap to send."""
SOME_ID = "01900000-0000-7000-8000-000000000009"

_FIELD = re.compile(r'name="([a-z_]+)"')


class Way(msgspec.Struct, frozen=True):
    """One handler: its method, its address with places such as `{sku}`, the places that take any text, and what its
    address may ask for."""

    method: str
    path: str
    texts: tuple[str, ...]
    queries: tuple[str, ...]
    handler: HTTPRouteHandler

    def at(self, ids: Mapping[str, str], **texts: str) -> str:
        """Return an address of it, with these ids and texts in its places."""
        return filled(self.path, {**dict.fromkeys(self.texts, "A"), **ids, **texts})


def filled(path: str, values: Mapping[str, str]) -> str:
    """Return an address with these values in its places; where none is given, an id of nothing."""
    return re.sub(r"\{([a-z_]+)\}", lambda place: values.get(place[1], SOME_ID), path)


def operations(document: Mapping[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Return path, method and description of all operations of an OpenAPI document."""
    methods = {"get", "post", "put", "patch", "delete"}
    return [
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in methods
    ]


def ways(site: Litestar, method: str) -> Iterator[Way]:
    """Yield all handlers of a method, in the order of their addresses."""
    for route in sorted(site.routes, key=lambda each: each.path):
        if isinstance(route, HTTPRoute) and method in route.route_handler_map:
            handler, model = route.route_handler_map[method]  # type: ignore[index]  # a method as a plain text
            places = [each for each in route.path_components if not isinstance(each, str)]
            yield Way(
                method=method,
                path=route.path_format,
                texts=tuple(each.name for each in places if each.type is str),
                queries=tuple(sorted(each.field_alias for each in model.expected_query_params)),
                handler=handler,
            )


def fields_of(way: Way) -> list[str]:
    """Return the fields of a form that a page's handler reads: those of its type, or those that its module names."""
    data = way.handler.parsed_data_field
    if data is not None:
        return [each.name for each in msgspec.structs.fields(data.annotation)]
    source = getsource(modules[way.handler.fn.__module__])
    return sorted(name for name in _all_fields() if f'"{name}"' in source)


def _all_fields() -> set[str]:
    pages = Path(tidegate.app.__file__).parent.rglob("templates/*.html")
    return {name for page in pages for name in _FIELD.findall(page.read_text(encoding="utf-8"))} | {"csv", "numbers"}


class Example:
    """Good values made from the schemas of the OpenAPI document, and each with one text made hostile."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._schemas: Mapping[str, Any] = document["components"]["schemas"]

    def good(self, schema: Mapping[str, Any]) -> object:
        """Return a value that fits a schema as far as its examples do."""
        schema = self._plain(schema)
        named = [schema.get("const"), schema.get("example"), *schema.get("enum", ()), *schema.get("examples", ())]
        known = next((each for each in named if each is not None), None)
        return known if known is not None else self._made(schema)

    def _made(self, schema: Mapping[str, Any]) -> object:
        match schema.get("type"):
            case "object":
                return {name: self.good(each) for name, each in schema.get("properties", {}).items()}
            case "array":
                return [self.good(schema["items"])]
            case "string":
                texts = {"uuid": SOME_ID, "date-time": "2026-11-11T00:00:00Z"}
                return texts.get(schema.get("format", ""), "x" * schema.get("minLength", 1))
            case kind:
                return kind == "boolean" or max(schema.get("minimum", 1), 1)

    def _plain(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """Follow references, and take the first choice that is not null."""
        while True:
            if "$ref" in schema:
                schema = self._schemas[schema["$ref"].rpartition("/")[2]]
            elif choices := schema.get("oneOf") or schema.get("anyOf"):
                schema = next(each for each in choices if each.get("type") != "null")
            else:
                return schema


def spoiled(value: object, hostile: object) -> Iterator[object]:
    """Yield `value` again and again, each time with another one of its parts replaced; at last all of it."""
    match value:
        case dict():
            for name, part in value.items():
                yield from ({**value, name: bad} for bad in spoiled(part, hostile))
            yield {**value, "surprise": hostile}
        case list():
            for place, part in enumerate(value):
                yield from ([*value[:place], bad, *value[place + 1 :]] for bad in spoiled(part, hostile))
        case _:
            yield hostile
