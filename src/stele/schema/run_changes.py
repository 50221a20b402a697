"""One change of many runs."""

from __future__ import annotations

from typing import Literal

from stele.schema.codec import Message

__all__ = ["ChangeRuns", "ChangeRunsResponse", "RunAction"]

RunAction = Literal["delete", "restore", "archive", "unarchive", "set_tag", "delete_tag"]


class ChangeRuns(Message):
    """1 to 10 000 runs, all or none. ``key`` and ``value`` belong to the actions on a tag."""

    run_ids: list[str]
    action: RunAction
    key: str = ""
    value: str = ""


class ChangeRunsResponse(Message):
    """How many runs are not as they were."""

    changed: int
