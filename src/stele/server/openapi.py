"""The OpenAPI 3.1 document of the route table."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import msgspec
from msgspec import Struct

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


def openapi_document() -> bytes:
    """The JSON text of the document."""
    types: list[type[Struct]] = [ErrorBody]
    types += [route.request for route in ROUTES] + [route.response for route in ROUTES]
    schemas, components = msgspec.json.schema_components(
        list(dict.fromkeys(types)), schema_hook=_column_schema, ref_template="#/components/schemas/{name}"
    )
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
