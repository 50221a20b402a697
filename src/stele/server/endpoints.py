"""Where a request goes: the table of endpoints and the lookup in it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from stele.errors import EndpointNotFound, MethodNotAllowed, shown
from stele.schema.routes import Permission

__all__ = ["Endpoint", "EndpointTable", "Handler"]

Handler = Callable[[Request], Awaitable[Response]]

_PARAMETER = re.compile(r"\{(\w+)(:path)?\}")


class Endpoint(NamedTuple):
    """One address with one verb. ``{name}`` in the path matches a segment, ``{name:path}`` any number of them.

    ``takes_ticket`` says whether a ticket in the query may stand for a token.
    """

    method: str
    path: str
    permission: Permission
    handler: Handler
    name: str
    takes_ticket: bool = False


class EndpointTable:
    """Finds endpoints: by a dictionary for plain paths, by patterns for the few with parameters.

    Raises:
        TypeError: An endpoint has no permission; such a server does not start.
    """

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self.endpoints = tuple(endpoints)
        self._plain: dict[str, dict[str, Endpoint]] = {}
        self._patterns: dict[str, tuple[re.Pattern[str], dict[str, Endpoint]]] = {}
        for endpoint in self.endpoints:
            if not isinstance(endpoint.permission, Permission):
                raise TypeError(f"{endpoint.method} {endpoint.path} has no permission.")
            if _PARAMETER.search(endpoint.path):
                pattern = _compiled(endpoint.path)
                self._patterns.setdefault(endpoint.path, (pattern, {}))[1][endpoint.method] = endpoint
            else:
                self._plain.setdefault(endpoint.path, {})[endpoint.method] = endpoint

    def find(self, method: str, path: str) -> tuple[Endpoint, dict[str, str]]:
        """The endpoint of a request, and the values of the path's parameters.

        Raises:
            EndpointNotFound: No endpoint has this path.
            MethodNotAllowed: It has, but not with this verb.
        """
        by_method, values = self._match(path)
        if by_method is None:
            raise EndpointNotFound(f"There is nothing at {shown(path)}.")
        endpoint = by_method.get("GET" if method == "HEAD" else method)
        if endpoint is None:
            raise MethodNotAllowed(f"{shown(path)} takes {', '.join(sorted(by_method))}, not {method}.")
        return endpoint, values

    def _match(self, path: str) -> tuple[dict[str, Endpoint] | None, dict[str, str]]:
        if path in self._plain:
            return self._plain[path], {}
        for pattern, by_method in self._patterns.values():
            if match := pattern.fullmatch(path):
                return by_method, match.groupdict()
        return None, {}


def _compiled(path: str) -> re.Pattern[str]:
    parts: list[str] = []
    end = 0
    for match in _PARAMETER.finditer(path):
        parts.append(re.escape(path[end : match.start()]))
        parts.append(f"(?P<{match[1]}>{'.*' if match[2] else '[^/]+'})")
        end = match.end()
    return re.compile("".join(parts) + re.escape(path[end:]), re.DOTALL)
