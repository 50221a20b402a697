"""Finding things by a part of their name, of all kinds at once."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from stele.schema.codec import Int64, Message

__all__ = ["FindByName", "FindByNameResponse", "FoundExperiment", "FoundKey", "FoundModel", "FoundRun"]


class FindByName(Message):
    """What has ``text`` (1 to 250 characters) in its name, in any case; ``%`` and ``_`` stand for others, as in ILIKE.

    At most ``max_results`` (1 to 50) of each kind are given.
    """

    text: str
    max_results: Int64 = 10


class FoundExperiment(Struct, frozen=True):
    experiment_id: str
    name: str


class FoundRun(Struct, frozen=True):
    """``start_time`` in milliseconds since 1970."""

    run_id: str
    run_name: str
    experiment_id: str
    status: str
    start_time: int


class FoundModel(Struct, frozen=True):
    name: str


class FoundKey(Struct, frozen=True):
    """The name of metrics or params; ``experiment_id`` is the latest of the ``experiments`` that have it."""

    kind: Literal["metric", "param"]
    name: str
    experiments: int
    experiment_id: str


class FindByNameResponse(Message):
    """What was found, of each kind.

    Experiments and registered models are in use, the last changed first. Runs are in use, those whose id begins with
    the text first, then the newest, of the first 256 characters of their names. Keys are by name.
    """

    experiments: list[FoundExperiment] = []
    runs: list[FoundRun] = []
    models: list[FoundModel] = []
    keys: list[FoundKey] = []
