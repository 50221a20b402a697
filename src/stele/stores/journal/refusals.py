"""What the answer of a store means for a batch: try again later, or somebody is at fault, and who."""

from __future__ import annotations

import re
from collections.abc import Sequence

from stele import settings
from stele.errors import (
    DeadlineExceeded,
    EndpointNotFound,
    MethodNotAllowed,
    NotImplementedHere,
    SteleError,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)
from stele.stores.journal.batches import Points

__all__ = ["Refusal", "culprits", "is_over_limit", "is_temporary", "is_unknown_operation"]

_SERIES = re.compile(r"series\[(\d+)\](?:\.(\w+))?")
_ABOUT_POINTS = frozenset({"steps", "timestamps", "values"})
_CLIENT_ERROR, _SERVER_ERROR = 400, 500


def is_over_limit(error: SteleError) -> bool:
    """Whether a run has as many points as the store takes of one."""
    return settings.MAX_POINTS_PER_RUN.name in error.message


class Refusal:
    """Why something was not stored, and whether somebody was told."""

    def __init__(self, error: SteleError) -> None:
        self.error = error
        self.told = False


def is_temporary(error: SteleError) -> bool:
    """Whether the same request may succeed later: nobody answers, the server is busy or broken, a token expired."""
    if isinstance(error, Unavailable | DeadlineExceeded | TooManyRequests | Unauthenticated):
        return True
    return not _CLIENT_ERROR <= error.get_http_status_code() < _SERVER_ERROR and not is_unknown_operation(error)


def is_unknown_operation(error: SteleError) -> bool:
    """Whether the server does not have this operation, as one of MLflow."""
    return isinstance(error, EndpointNotFound | MethodNotAllowed | NotImplementedHere)


def culprits(error: SteleError, batch: Sequence[Points]) -> list[int]:
    """The numbers of the series that cannot be stored whatever their points are; empty when the error names none.

    An error about a run is one about all series of that run.
    """
    match = _SERIES.search(error.message)
    if match is not None and match[2] in _ABOUT_POINTS:
        return []
    if match is not None and match[2] != "run_id" and int(match[1]) < len(batch):
        return [batch[int(match[1])].series]
    runs = {item.run_id for item in batch if item.run_id in error.message}
    if match is not None and int(match[1]) < len(batch):
        runs.add(batch[int(match[1])].run_id)
    return [item.series for item in batch if item.run_id in runs]
