"""The errors under the names that MLflow's users catch.

There is one tree, in :mod:`stele.errors`, and its root carries all of MLflow's names: whatever raises, here or on a
server, is caught by ``except MlflowException`` and tells its cause by ``error_code``.
"""

from __future__ import annotations

from stele.errors import (
    AlreadyExists,
    BadRequest,
    Conflict,
    DataLoss,
    DeadlineExceeded,
    DoesNotExist,
    EndpointNotFound,
    InvalidFilter,
    InvalidParameterValue,
    MissingDependency,
    NotImplementedHere,
    PayloadTooLarge,
    PermissionDenied,
    SteleError,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    UntrustedModel,
)

__all__ = [
    "AlreadyExists",
    "BadRequest",
    "Conflict",
    "DataLoss",
    "DeadlineExceeded",
    "DoesNotExist",
    "EndpointNotFound",
    "ExecutionException",
    "InvalidFilter",
    "InvalidParameterValue",
    "InvalidUrlException",
    "MissingConfigException",
    "MissingDependency",
    "MlflowException",
    "MlflowNotImplementedException",
    "NotImplementedHere",
    "PayloadTooLarge",
    "PermissionDenied",
    "RestException",
    "SteleError",
    "SteleException",
    "TooManyRequests",
    "Unauthenticated",
    "Unavailable",
    "UntrustedModel",
]

SteleException = MlflowException = RestException = ExecutionException = MissingConfigException = SteleError
InvalidUrlException = InvalidParameterValue
MlflowNotImplementedException = NotImplementedHere
