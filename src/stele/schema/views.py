"""Saved views: how a page shows the runs of an experiment, kept for the team."""

from __future__ import annotations

from msgspec import Struct

from stele.schema.codec import Message

__all__ = ["CreateView", "ListViews", "ListViewsResponse", "UpdateView", "View", "ViewId", "ViewResponse"]


class View(Struct, kw_only=True, frozen=True):
    """What a page saved under a name.

    ``state`` is the text of a JSON object, which the page alone understands. ``principal`` made the view. Times are
    milliseconds since 1970.
    """

    view_id: str
    experiment_id: str
    name: str
    state: str
    principal: str
    creation_time: int
    last_update_time: int


class ListViews(Message):
    """The views of an experiment."""

    experiment_id: str


class ListViewsResponse(Message):
    """Views by name."""

    views: list[View] = []


class CreateView(Message):
    """A new view. ``name`` has 1 to 250 characters and is the only one in the experiment, ``state`` up to 64 KiB."""

    experiment_id: str
    name: str
    state: str


class UpdateView(Message):
    """Another name or state; what is absent stays."""

    view_id: str
    name: str | None = None
    state: str | None = None


class ViewId(Message):
    """Names a view."""

    view_id: str


class ViewResponse(Message):
    view: View
