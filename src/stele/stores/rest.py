"""A store behind an HTTP server: every operation of the route table as one request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from urllib.parse import quote

from msgspec import Struct

from stele.errors import InvalidParameterValue, SteleError
from stele.schema.codec import decode, encode, to_builtins, to_query
from stele.schema.routes import Route, addresses, by_operation, fill_path, path_fields
from stele.transport import Request, Transport

__all__ = ["RestStore"]

_UNREPEATABLE = frozenset(
    {
        "approve_request",
        "comment_on_request",
        "create_approval_request",
        "create_experiment",
        "create_logged_model",
        "create_model_version",
        "create_registered_model",
        "create_run",
        "create_view",
        "create_webhook",
        "delete_experiment",
        "delete_experiment_tag",
        "delete_model_version",
        "delete_registered_model",
        "delete_tag",
        "delete_view",
        "delete_webhook",
        "reject_request",
        "rename_registered_model",
        "restore_experiment",
        "rewind_run",
        "test_webhook",
        "undo_rewind",
        "withdraw_request",
    }
)
"""Operations that make a second thing, or fail, when they are done a second time after an answer was lost."""

_Operations: Any = object  # type checkers see methods of any name; assign to a TrackingStore for exact types


class RestStore(_Operations):  # type: ignore[misc]  # the methods come from the route table
    """A :class:`~stele.stores.base.TrackingStore` that asks a server; it has a method for every operation of the table.

    Args:
        transport: To the server. It is closed with the store.
        prefix: What stands in front of ``/api`` on the server, such as ``/tracking``.
    """

    def __init__(self, transport: Transport, prefix: str = "") -> None:
        self.transport = transport
        self._prefix = prefix.rstrip("/")

    def call(self, route: Route, request: Struct) -> Struct:
        """One operation.

        Raises:
            SteleError: As the server tells, or its answer cannot be understood.
        """
        path = self._prefix + addresses(route)[0]
        if path_fields(route):
            path = fill_path(path, to_builtins(request), lambda value: quote(value, safe=""))
        repeatable = route.operation not in _UNREPEATABLE
        headers = dict(_ACCEPT)
        if route.response_formats:
            headers["Accept"] = f"{route.response_formats[0].media_type}, {_JSON}"
        if route.method == "GET":
            message = Request("GET", path, query=to_query(request), headers=headers, repeatable=repeatable)
        else:
            headers["Content-Type"], body = _written(route, request)
            message = Request(route.method, path, headers=headers, body=body, repeatable=repeatable)
        response = self.transport.send(message)
        try:
            return _read(route, response.headers.get("content-type", _JSON), response.read())
        except InvalidParameterValue as e:
            raise SteleError(
                f"{self.transport.address} does not answer {route.operation} like a tracking server: {e.message}"
            ) from e

    def close(self) -> None:
        """Give back the connections."""
        self.transport.close()


_JSON = "application/json"
_ACCEPT = {"Accept": _JSON, "Accept-Encoding": "gzip"}


def _written(route: Route, request: Struct) -> tuple[str, bytes]:
    """Media type and bytes of a request."""
    for item in route.request_formats:
        return item.media_type, item.encode(request)
    return _JSON, encode(request)


def _read(route: Route, content_type: str, body: bytes) -> Struct:
    for item in route.response_formats:
        if content_type.partition(";")[0].strip() == item.media_type:
            return cast("Struct", item.decode(body))
    return decode(body, route.response)


def _method(route: Route) -> Callable[[RestStore, Struct], Struct]:
    def operation(self: RestStore, request: Struct) -> Struct:
        return self.call(route, request)

    operation.__name__ = route.operation
    operation.__qualname__ = f"RestStore.{route.operation}"
    operation.__doc__ = f"``{route.method} {route.path}``."
    return operation


for _route in by_operation().values():
    setattr(RestStore, _route.operation, _method(_route))
