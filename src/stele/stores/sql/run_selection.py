"""The runs that a request selects: checked, found, put in order, and remembered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, get_args

import numpy as np
from sqlalchemy import Connection

from stele import settings
from stele.errors import InvalidParameterValue, shown
from stele.limits import MAX_GROUP_COLUMNS
from stele.schema.enums import RunStatus, view_name
from stele.schema.run_table import ARCHIVED_TAG, Archived, Condition, RunSelection
from stele.search.fields import RUNS
from stele.search.grammar import parse_filter, parse_order_by
from stele.search.tree import Compare, Field, Node, OrderKey
from stele.stores.sql import summaries
from stele.stores.sql.changes import Changes
from stele.stores.sql.core import experiment_number, now_ms
from stele.stores.sql.run_columns import RunReader, check_columns
from stele.stores.sql.run_frames import Kept, Mask, Places, frame_of
from stele.stores.sql.run_masks import is_relative, mask_of, uses_metrics
from stele.stores.sql.run_order import in_order
from stele.stores.sql.runs import RunOperations
from stele.stores.sql.search import deadline, set_time_limit, stages_of

__all__ = ["Query", "Selected", "SelectedRuns", "Selection", "statuses_of"]

T = TypeVar("T")

_IS_ARCHIVED = Compare(Field("tag", ARCHIVED_TAG), "=", "true")


@dataclass(frozen=True)
class Query:
    """A :class:`RunSelection`, checked."""

    experiments: tuple[int, ...]
    stages: tuple[int, ...]
    node: Node | None
    order: tuple[OrderKey, ...]
    archived: Archived
    within: tuple[Condition, ...]

    @classmethod
    def of(cls, request: RunSelection) -> Query:
        """The query of a request.

        Raises:
            InvalidParameterValue: Something in it is not allowed.
        """
        if request.archived not in get_args(Archived):
            allowed = ", ".join(get_args(Archived))
            raise InvalidParameterValue(f"archived {shown(request.archived)} is not one of {allowed}.")
        check_columns([each.column for each in request.within], "within", 0, MAX_GROUP_COLUMNS)
        ids = {experiment_number(each, "experiment_ids") for each in request.experiment_ids}
        return cls(
            experiments=tuple(sorted(ids)),
            stages=stages_of(view_name(request.view)),
            node=parse_filter(request.filter, RUNS),
            order=tuple(parse_order_by(request.order_by, RUNS)),
            archived=request.archived,
            within=tuple(request.within),
        )

    @property
    def uses_metrics(self) -> bool:
        """Whether its runs or their order depend on metrics."""
        return uses_metrics(self.node) or any(key.field.entity == "metric" for key in self.order)


@dataclass(frozen=True)
class Selected:
    """The runs that were found.

    Args:
        places: Their places in the frame, in order.
        total: How many there were before the filter.
    """

    places: Places
    total: int

    @property
    def nbytes(self) -> int:
        """The memory it takes."""
        return self.places.nbytes


@dataclass(frozen=True)
class Selection:
    """A query on a frame.

    Args:
        query: What was asked for.
        reader: Reads the frame.
        changes: What the frame depends on.
    """

    query: Query
    reader: RunReader
    changes: Changes

    @property
    def selected(self) -> Selected:
        """The runs that fit, in order."""
        return self.remembered("selected", self._select)

    def remembered(self, what: str, make: Callable[[], T]) -> T:
        """Something that follows from the query and the frame, made once."""
        if is_relative(self.query.node):
            return make()
        return self.reader.kept.get((what, self.query), make, metrics=self.query.uses_metrics)

    def _select(self) -> Selected:
        scope = self.scope()
        places = np.flatnonzero(self.matching(scope))
        return Selected(in_order(self.reader, self.query.order, places), int(np.count_nonzero(scope)))

    def scope(self) -> Mask:
        """The runs before the filter."""
        if self.query.archived == "include":
            return np.ones(len(self.reader.frame), bool)
        archived = mask_of(self.reader, _IS_ARCHIVED)
        return archived if self.query.archived == "only" else ~archived

    def matching(self, scope: Mask) -> Mask:
        """Those of some runs that fit."""
        mask = scope if self.query.node is None else scope & mask_of(self.reader, self.query.node)
        for condition in self.query.within:
            texts = self.reader.texts(condition.column)
            mask = mask & (texts.codes == texts.code(condition.value))
        return mask

    def numbers(self, places: Places) -> list[int]:
        """The values of ``runs.run`` at some places."""
        numbers: list[int] = self.reader.frame.numbers[places].tolist()
        return numbers


class SelectedRuns(RunOperations):
    """What all operations on selected runs begin with."""

    def on_selection(self, request: RunSelection, work: Callable[[Selection], T]) -> T:
        """What ``work`` makes of the runs that a request selects."""
        query = Query.of(request)

        def read(connection: Connection) -> T:
            set_time_limit(connection, int(settings.SEARCH_SECONDS.get() * 1000))
            with deadline():
                frame, changes = frame_of(connection, self.frames, query.experiments, query.stages)
                reader = RunReader(connection, self.keys, frame, Kept(self.frames, frame, changes), now_ms())
                return work(Selection(query, reader, changes))

        if self.db.read(summaries.any_pending):
            self.apply_all()
        return self.db.read(read)


def statuses_of(selection: Selection, places: Places) -> dict[str, int]:
    """How many of the runs at some places have each status, by its name."""
    counts = np.bincount(selection.reader.frame.statuses[places], minlength=max(RunStatus.NAMES) + 1).tolist()
    return {name: counts[number] for number, name in RunStatus.NAMES.items() if counts[number]}
