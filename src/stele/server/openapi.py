"""The OpenAPI 3.1 document of the route table, from which the types of the web page are made as well."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import msgspec
from msgspec import Struct

from stele.limits import INT64_MAX, INT64_MIN
from stele.schema.codec import Message, encode
from stele.schema.columns import Column
from stele.schema.routes import ROUTES, Route, addresses, path_fields

__all__ = ["ErrorBody", "openapi_document"]


class ErrorBody(Message):
    """What went wrong, on every status from 400 on.

    When a filter or a clause of an order cannot be understood, ``clause`` is its text, ``position`` the place of the
    first character at fault, counted from 0, and ``problem`` the message without a picture of that.
    """

    error_code: str
    message: str
    clause: str | None = None
    position: int | None = None
    problem: str | None = None


_DOUBLE = {
    "title": "Double",
    "description": "A number, or what JSON has no number for.",
    "anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}],
}
_DOUBLE_REFERENCE = {"$ref": "#/components/schemas/Double"}
_NULL = {"type": "null"}


def openapi_document() -> bytes:
    """The JSON text of the document."""
    types: list[type[Struct]] = [ErrorBody]
    types += [route.request for route in ROUTES] + [route.response for route in ROUTES]
    schemas, components = msgspec.json.schema_components(
        list(dict.fromkeys(types)), schema_hook=_column_schema, ref_template="#/components/schemas/{name}"
    )
    components = {name: _on_the_wire(schema) for name, schema in components.items()} | {"Double": _DOUBLE}
    references = dict(zip(dict.fromkeys(types), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(addresses(route)[0].replace(":path}", "}"), {})[route.method.lower()] = _operation(
            route, references, components
        )
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Stele",
            "version": version("stele"),
            "description": "Experiment tracking. Every address under /api exists under /ajax-api too.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {"Error": _answer("The request was refused.", references[ErrorBody])},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}, {}],
    }
    return encode(document)


def _column_schema(cls: type) -> dict[str, Any]:
    if issubclass(cls, Column):
        return {"type": "array", "items": cls.json_item}
    raise NotImplementedError


def _on_the_wire(schema: Any) -> Any:
    """A schema of msgspec with the habits of :mod:`stele.schema.codec`.

    Doubles may be one of three strings; integers have 64 bits and are written as numbers; a field that is null by
    default is left out instead.
    """
    if isinstance(schema, list):
        return [_on_the_wire(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {name: _on_the_wire(item) for name, item in schema.items()}
    if result.get("type") == "number" and not {"minimum", "maximum"} & result.keys():
        del result["type"]
        result |= _DOUBLE_REFERENCE
    elif result.get("type") == "integer":
        result["format"] = "int64"
        for bound, limit in (("minimum", INT64_MIN), ("maximum", INT64_MAX)):
            if result.get(bound) == limit:
                del result[bound]
    elif _NULL in result.get("anyOf", ()) and result.get("default", _NULL) is None:
        others = [item for item in result.pop("anyOf") if item != _NULL]
        del result["default"]
        result |= others[0] if len(others) == 1 else {"anyOf": others}
    return result


def _operation(route: Route, references: dict[type[Struct], Any], components: dict[str, Any]) -> dict[str, Any]:
    schema = components[route.request.__name__]
    in_path = path_fields(route)
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": schema["properties"][name]} for name in in_path
    ]
    operation: dict[str, Any] = {
        "operationId": f"{route.operation}_{route.method.lower()}",
        "x-permission": str(route.permission),
        "parameters": parameters,
        "responses": {
            "200": _answer("Done.", references[route.response]),
            "default": {"$ref": "#/components/responses/Error"},
        },
    }
    if route.method == "GET":
        required = set(schema.get("required", ()))
        parameters += [
            {"name": name, "in": "query", "required": name in required, "schema": item}
            for name, item in schema["properties"].items()
            if name not in in_path
        ]
    else:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": references[route.request]}},
        }
    return operation


def _answer(description: str, schema: Any) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
