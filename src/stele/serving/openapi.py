"""The OpenAPI document of a served model: what it takes and returns, from its signature."""

from __future__ import annotations

import json
from typing import Any

from stele.artifacts.paths import resolve_beneath
from stele.models.examples import SERVING_FILE
from stele.models.schema import Schema, TensorSpec
from stele.models.types import AnyType, Array, DataType, Map, Object
from stele.serving.payloads import CSV, JSON, PARQUET
from stele.serving.served import ServedModel

__all__ = ["describe"]

_TYPES: dict[DataType, dict[str, Any]] = {
    DataType.boolean: {"type": "boolean"},
    DataType.integer: {"type": "integer", "format": "int32"},
    DataType.long: {"type": "integer", "format": "int64"},
    DataType.float: {"type": "number", "format": "float"},
    DataType.double: {"type": "number", "format": "double"},
    DataType.string: {"type": "string"},
    DataType.binary: {"type": "string", "contentEncoding": "base64"},
    DataType.datetime: {"type": "string", "format": "date-time"},
}


def describe(served: ServedModel) -> dict[str, Any]:
    """An OpenAPI 3.1 document of the scoring server."""
    signature = served.model.metadata.signature
    inputs = signature.inputs if signature is not None else None
    outputs = signature.outputs if signature is not None else None
    body: dict[str, Any] = {"oneOf": _forms(inputs)}
    if signature is not None and signature.params is not None:
        parameters = {spec.name: _json_type(spec.dtype) | {"default": spec.default} for spec in signature.params}
        for form in body["oneOf"]:
            form["properties"]["params"] = {
                "type": "object",
                "properties": json.loads(json.dumps(parameters, default=str)),
            }
    content: dict[str, Any] = {JSON: {"schema": body}, CSV: {}, PARQUET: {}}
    if (example := _example(served)) is not None:
        content[JSON]["example"] = example
    predictions = {"type": "object", "required": ["predictions"], "properties": {"predictions": _answer_type(outputs)}}
    refusal = {
        "description": "The input does not fit the model; the message names the column.",
        "content": {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Model {served.uri}", "version": served.version or "0"},
        "paths": {
            "/invocations": {
                "post": {
                    "operationId": "invocations",
                    "summary": "Predict.",
                    "requestBody": {"required": True, "content": content},
                    "responses": {
                        "200": {"description": "The predictions.", "content": {JSON: {"schema": predictions}}},
                        "400": refusal,
                        "413": {"description": "The body is too large."},
                        "415": {"description": "The body is in another format."},
                        "504": {"description": "The model did not answer in time."},
                    },
                }
            },
            **{path: _plain(path) for path in ("/ping", "/health", "/version", "/metrics")},
        },
        "components": {
            "schemas": {
                "Error": {
                    "type": "object",
                    "required": ["error_code", "message"],
                    "properties": {"error_code": {"type": "string"}, "message": {"type": "string"}},
                }
            }
        },
    }


def _plain(path: str) -> dict[str, Any]:
    return {"get": {"operationId": path[1:], "responses": {"200": {"description": "It is there."}}}}


def _example(served: ServedModel) -> Any:
    info, directory = served.model.metadata.saved_input_example_info, served.model.directory
    if not info or directory is None:
        return None
    try:
        path = resolve_beneath(directory, str(info.get("serving_input_path", SERVING_FILE)))
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _form(name: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": [name], "properties": {name: content}}


def _forms(schema: Schema | None) -> list[dict[str, Any]]:
    """The bodies that a model takes, each an object with one form of data."""
    if schema is None:
        rows: dict[str, Any] = {"type": "array", "items": {"type": "array"}}
        records: dict[str, Any] = {"type": "array", "items": {"type": "object"}}
        return [_form("dataframe_split", _split(rows)), _form("dataframe_records", records), _form("inputs", {})]
    if schema.is_tensor_spec():
        tensors = [_tensor(spec) for spec in schema.inputs]
        names = [spec.name for spec in schema.inputs]
        content = tensors[0] if names == [None] else _object(dict(zip(names, tensors, strict=True)), names)
        return [_form("inputs", content), _form("instances", {"type": "array"})]
    columns = {str(name): _json_type(spec.type) for name, spec in zip(schema.input_names(), schema.inputs, strict=True)}
    items = [_json_type(spec.type) for spec in schema.inputs]
    rows = {"type": "array", "items": {"type": "array", "prefixItems": items}}
    split = _split(rows, list(columns) if schema.has_input_names() else None)
    forms = [_form("dataframe_split", split)]
    if schema.has_input_names():
        record = _object(columns, [str(name) for name in schema.required_input_names()])
        forms.append(_form("dataframe_records", {"type": "array", "items": record}))
    return [*forms, _form("instances", {"type": "array"}), _form("inputs", {})]


def _split(rows: dict[str, Any], names: list[str] | None = None) -> dict[str, Any]:
    columns: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
    if names is not None:
        columns["examples"] = [names]
    return {"type": "object", "required": ["data"], "properties": {"columns": columns, "data": rows}}


def _answer_type(schema: Schema | None) -> dict[str, Any]:
    if schema is None:
        return {}
    if schema.is_tensor_spec():
        return _tensor(schema.inputs[0]) if len(schema.inputs) == 1 else {"type": "object"}
    if not schema.has_input_names():
        return {"type": "array", "items": _json_type(schema.inputs[0].type)}
    columns = {str(spec.name): _json_type(spec.type) for spec in schema.inputs}
    return {"type": "array", "items": _object(columns, [])}


def _object(properties: dict[Any, Any], required: list[Any]) -> dict[str, Any]:
    content: dict[str, Any] = {"type": "object", "properties": properties}
    return content | {"required": required} if required else content


def _tensor(spec: TensorSpec) -> dict[str, Any]:
    numbers = {"b": "boolean", "i": "integer", "u": "integer", "f": "number"}
    content: dict[str, Any] = {"type": numbers[spec.type.kind]} if spec.type.kind in numbers else {}
    for length in reversed(spec.shape):
        content = {"type": "array", "items": content} | (
            {"minItems": length, "maxItems": length} if length >= 0 else {}
        )
    return content


def _json_type(kind: Any) -> dict[str, Any]:
    if isinstance(kind, DataType):
        return dict(_TYPES[kind])
    if isinstance(kind, Array):
        return {"type": "array", "items": _json_type(kind.dtype)}
    if isinstance(kind, Map):
        return {"type": "object", "additionalProperties": _json_type(kind.value_type)}
    if isinstance(kind, Object):
        properties = {each.name: _json_type(each.dtype) for each in kind.properties}
        return _object(properties, [each.name for each in kind.properties if each.required])
    return {} if isinstance(kind, AnyType) else {"description": repr(kind)}
