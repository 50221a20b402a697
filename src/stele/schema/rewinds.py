"""Messages about rewinding a run: hiding the points behind a step, so that training can log those steps again."""

from __future__ import annotations

from msgspec import Struct

from stele.schema.codec import Int64, Message
from stele.schema.runs import RunRequest

__all__ = ["ListRewinds", "ListRewindsResponse", "Rewind", "RewindResponse", "RewindRun", "UndoRewind"]


class RewindRun(RunRequest, kw_only=True):
    """Points with a greater step than ``step`` are hidden: kept, but no longer read."""

    step: Int64


class UndoRewind(RunRequest):
    """What the last rewind hid is shown again; what was logged in its place is hidden instead."""


class RewindResponse(Message):
    """How many points are hidden now that were not, and how many are shown again."""

    hidden_points: int = 0
    restored_points: int = 0


class ListRewinds(RunRequest):
    pass


class Rewind(Struct, omit_defaults=True, frozen=True, gc=False):
    """One rewind: to which step, by whom, and when it was done and undone (milliseconds since 1970)."""

    step: int
    principal: str
    creation_time: int
    undone_time: int | None = None


class ListRewindsResponse(Message):
    rewinds: list[Rewind] = []
