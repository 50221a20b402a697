"""Every error that Stele raises, with its wire code and HTTP status.

    SteleError                      INTERNAL_ERROR            500
    |- InvalidParameterValue        INVALID_PARAMETER_VALUE   400  (also ValueError)
    |  `- InvalidFilter             INVALID_PARAMETER_VALUE   400
    |- AlreadyExists                RESOURCE_ALREADY_EXISTS   400
    |- BadRequest                   BAD_REQUEST               400
    |  |- MethodNotAllowed          BAD_REQUEST               405
    |  `- UnsupportedMediaType      BAD_REQUEST               415
    |- Unauthenticated              UNAUTHENTICATED           401
    |- PermissionDenied             PERMISSION_DENIED         403
    |  `- UntrustedModel            PERMISSION_DENIED         403
    |- DoesNotExist                 RESOURCE_DOES_NOT_EXIST   404  (also LookupError)
    |- EndpointNotFound             ENDPOINT_NOT_FOUND        404
    |- Conflict                     RESOURCE_CONFLICT         409
    |- PayloadTooLarge              INVALID_PARAMETER_VALUE   413
    |- TooManyRequests              REQUEST_LIMIT_EXCEEDED    429
    |- NotImplementedHere           NOT_IMPLEMENTED           501
    |- Unavailable                  TEMPORARILY_UNAVAILABLE   503
    |- DeadlineExceeded             DEADLINE_EXCEEDED         504
    |- DataLoss                     DATA_LOSS                 500
    `- MissingDependency            INTERNAL_ERROR            500  (also ImportError)

The codes and statuses are MLflow's (its REST error table); a client of either
product sees the same class for the same cause, locally and over HTTP.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

__all__ = [
    "BY_CODE",
    "AlreadyExists",
    "BadRequest",
    "Conflict",
    "DataLoss",
    "DeadlineExceeded",
    "DoesNotExist",
    "EndpointNotFound",
    "InvalidFilter",
    "InvalidParameterValue",
    "MethodNotAllowed",
    "MissingDependency",
    "NotImplementedHere",
    "PayloadTooLarge",
    "PermissionDenied",
    "SteleError",
    "TooManyRequests",
    "Unauthenticated",
    "Unavailable",
    "UnsupportedMediaType",
    "UntrustedModel",
    "from_wire",
    "shown",
]

_SHOWN_CHARACTERS = 80

# Third-party code raises MLflow's exceptions with these numbers.
_NUMBERED = {
    1: "INTERNAL_ERROR",
    2: "TEMPORARILY_UNAVAILABLE",
    4: "BAD_REQUEST",
    7: "DEADLINE_EXCEEDED",
    8: "CANCELLED",
    9: "RESOURCE_EXHAUSTED",
    10: "ABORTED",
    11: "NOT_FOUND",
    12: "ALREADY_EXISTS",
    13: "UNAUTHENTICATED",
    1000: "INVALID_PARAMETER_VALUE",
    1001: "ENDPOINT_NOT_FOUND",
    1003: "INVALID_STATE",
    1004: "PERMISSION_DENIED",
    1006: "CUSTOMER_UNAUTHORIZED",
    1007: "REQUEST_LIMIT_EXCEEDED",
    1008: "RESOURCE_CONFLICT",
    1010: "NOT_IMPLEMENTED",
    1011: "DATA_LOSS",
    3001: "RESOURCE_ALREADY_EXISTS",
    3002: "RESOURCE_DOES_NOT_EXIST",
}


def shown(value: object) -> str:
    """The value as it may stand in a message: its ``repr``, cut to 80 characters."""
    text = repr(value if not isinstance(value, str) else value[: _SHOWN_CHARACTERS + 1])
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 3]}..."


class SteleError(Exception):
    """The root. ``error_code`` is the name on the wire, ``status`` the HTTP status.

    ``retry_after_seconds`` is when a server wants to be asked again, None when it did not say.
    """

    code: ClassVar[str] = "INTERNAL_ERROR"
    status: ClassVar[int] = 500
    retry_after_seconds: float | None = None

    def __init__(self, message: str = "", error_code: str | int | None = None, **_details: object) -> None:
        super().__init__(message)
        self.message = message
        code = _NUMBERED.get(error_code) if isinstance(error_code, int) else error_code
        self.error_code: str = code or self.code

    @classmethod
    def invalid_parameter_value(cls, message: str, **_details: object) -> SteleError:
        """An error of this class with the code for a bad argument."""
        return cls(message, "INVALID_PARAMETER_VALUE")

    def get_http_status_code(self) -> int:
        """The HTTP status that a server answers with."""
        return self.status if self.error_code == self.code else BY_CODE.get(self.error_code, type(self)).status

    def serialize_as_json(self) -> str:
        """The body of an error answer as JSON text."""
        return json.dumps(self.to_wire())

    def to_wire(self) -> dict[str, Any]:
        """The JSON body of an error answer."""
        return {"error_code": self.error_code, "message": self.message}


class InvalidParameterValue(SteleError, ValueError):
    """An argument is outside what is allowed."""

    code = "INVALID_PARAMETER_VALUE"
    status = 400


class InvalidFilter(InvalidParameterValue):
    """A filter or an order_by clause cannot be understood.

    Args:
        problem: What is wrong and what is allowed, one sentence.
        text: The whole clause as it was given.
        position: Index in ``text`` of the first character at fault.
    """

    def __init__(self, problem: str, text: str = "", position: int | None = None) -> None:
        self.problem = problem
        self.text = text
        self.position = position
        super().__init__(problem if position is None else _with_caret(problem, text, position))

    def to_wire(self) -> dict[str, Any]:
        """The JSON body, with the clause, what is wrong with it and where, so that a page can point at it."""
        if self.position is None:
            return super().to_wire()
        return super().to_wire() | {"problem": self.problem, "clause": self.text, "position": self.position}


def _with_caret(problem: str, text: str, position: int) -> str:
    start = max(0, position - 60)
    line = text[start : position + 40].replace("\n", " ").replace("\t", " ")
    return f"{problem} (at character {position + 1})\n  {line}\n  {' ' * (position - start)}^"


class AlreadyExists(SteleError):
    """A name is taken."""

    code = "RESOURCE_ALREADY_EXISTS"
    status = 400


class BadRequest(SteleError):
    """The request is not what the address expects."""

    code = "BAD_REQUEST"
    status = 400


class Unauthenticated(SteleError):
    """No valid credentials were sent."""

    code = "UNAUTHENTICATED"
    status = 401


class PermissionDenied(SteleError):
    """The principal may not do this, or the request came from a foreign host or origin."""

    code = "PERMISSION_DENIED"
    status = 403


class UntrustedModel(PermissionDenied):
    """Loading a model would run code that nobody vouched for; the message says what, and how to allow it."""


class DoesNotExist(SteleError, LookupError):
    """The named thing does not exist."""

    code = "RESOURCE_DOES_NOT_EXIST"
    status = 404

    __str__ = SteleError.__str__


class EndpointNotFound(SteleError):
    """No route has this address."""

    code = "ENDPOINT_NOT_FOUND"
    status = 404


class MethodNotAllowed(BadRequest):
    """The address exists, but not with this verb."""

    status = 405


class UnsupportedMediaType(BadRequest):
    """The body is in a format that is not read here."""

    status = 415


class Conflict(SteleError):
    """The state changed meanwhile, or does not allow the operation."""

    code = "RESOURCE_CONFLICT"
    status = 409


class PayloadTooLarge(SteleError):
    """The request body is larger than the server accepts."""

    code = "INVALID_PARAMETER_VALUE"
    status = 413


class TooManyRequests(SteleError):
    """Slow down; ``Retry-After`` says how long."""

    code = "REQUEST_LIMIT_EXCEEDED"
    status = 429


class NotImplementedHere(SteleError):
    """This store or scheme cannot do it."""

    code = "NOT_IMPLEMENTED"
    status = 501


class Unavailable(SteleError):
    """The store or server cannot be reached now; trying again may help."""

    code = "TEMPORARILY_UNAVAILABLE"
    status = 503


class DeadlineExceeded(SteleError):
    """A time limit ran out."""

    code = "DEADLINE_EXCEEDED"
    status = 504


class DataLoss(SteleError):
    """What is stored is damaged; the message says where."""

    code = "DATA_LOSS"


class MissingDependency(SteleError, ImportError):
    """An optional package is not installed.

    Args:
        package: The distribution that is missing.
        purpose: What it is needed for, as in "to log a figure".
        extra: The extra of Stele that brings it, if there is one.
    """

    def __init__(self, package: str, purpose: str, extra: str | None = None) -> None:
        command = f"pip install 'stele[{extra}]'" if extra else f"pip install {package}"
        super().__init__(f"{package} is needed {purpose}. Install it with: {command}")


_CLASSES: tuple[type[SteleError], ...] = (
    InvalidParameterValue,
    AlreadyExists,
    BadRequest,
    Unauthenticated,
    PermissionDenied,
    DoesNotExist,
    EndpointNotFound,
    Conflict,
    TooManyRequests,
    NotImplementedHere,
    Unavailable,
    DeadlineExceeded,
    DataLoss,
    SteleError,
)

BY_CODE: dict[str, type[SteleError]] = {cls.code: cls for cls in _CLASSES} | {
    "ALREADY_EXISTS": AlreadyExists,
    "NOT_FOUND": DoesNotExist,
    "CUSTOMER_UNAUTHORIZED": Unauthenticated,
    "RESOURCE_EXHAUSTED": TooManyRequests,
    "ABORTED": Conflict,
}
"""Wire code -> class, for a client that reads an error body."""

_BY_STATUS: dict[int, type[SteleError]] = {
    400: BadRequest,
    401: Unauthenticated,
    403: PermissionDenied,
    404: EndpointNotFound,
    405: MethodNotAllowed,
    409: Conflict,
    413: PayloadTooLarge,
    415: UnsupportedMediaType,
    429: TooManyRequests,
    501: NotImplementedHere,
    503: Unavailable,
    504: DeadlineExceeded,
}


def from_wire(status: int, code: str | None, message: str) -> SteleError:
    """The error that an HTTP answer stands for.

    Args:
        status: HTTP status, 400 to 599.
        code: ``error_code`` of the body, None when the body was not JSON.
        message: The text to show.
    """
    if code is None:
        return _BY_STATUS.get(status, SteleError)(message)
    by_status = _BY_STATUS.get(status)
    # A code may have several statuses; the one whose class has both is meant.
    cls = by_status if by_status is not None and by_status.code == code else BY_CODE.get(code, SteleError)
    return cls(message, error_code=code)
