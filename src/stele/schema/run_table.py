"""The runs of experiments as one table: any part of it, in groups, as whole columns, or summed up.

Every request names the same thing first, a :class:`RunSelection`: which runs, in which order.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from stele.schema.codec import Int64, Message
from stele.schema.enums import ViewTypeName

__all__ = [
    "ARCHIVED_TAG",
    "EXPERIMENT_ARCHIVED_TAG",
    "OWNER_TAG",
    "PARENT_TAG",
    "Archived",
    "Cell",
    "ColumnAggregate",
    "ColumnKind",
    "Condition",
    "DescribeValues",
    "DescribeValuesResponse",
    "DifferingColumns",
    "DifferingColumnsResponse",
    "GroupFigures",
    "GroupRuns",
    "GroupRunsResponse",
    "Histogram",
    "KeyKind",
    "ListRunKeys",
    "ListRunKeysResponse",
    "QueryRunsTable",
    "QueryRunsTableResponse",
    "ReadColumns",
    "ReadColumnsResponse",
    "RunColumn",
    "RunGroup",
    "RunKey",
    "RunSelection",
    "TableRow",
    "ValueCount",
]

ARCHIVED_TAG, OWNER_TAG, PARENT_TAG = "stele.archived", "stele.owner", "mlflow.parentRunId"
"""A run is archived when the first is ``true``; the last holds the id of the run above."""

EXPERIMENT_ARCHIVED_TAG = "stele.archived_at"
"""When an experiment was archived, see ``stele.archive_experiment``."""

Archived = Literal["exclude", "include", "only"]
ColumnKind = Literal["attribute", "metric", "param", "tag"]
KeyKind = Literal["metric", "param", "tag"]
ColumnAggregate = Literal["last", "first", "min", "max", "mean", "count"]

Cell = float | str | None
"""A number, a text, or nothing. Numbers that are not finite are ``NaN``, ``Infinity`` and ``-Infinity``."""


class RunColumn(Struct, frozen=True, omit_defaults=True):
    """One column.

    ``key`` of an attribute is ``run_name``, ``status``, ``user_id``, ``start_time``, ``end_time`` or ``duration``
    (milliseconds). ``aggregate`` says which value of a metric's series is meant; others have one value.
    """

    kind: ColumnKind
    key: str
    aggregate: ColumnAggregate = "last"


class Condition(Struct, frozen=True, omit_defaults=True):
    """The runs whose text in a column is this; ``null`` for those that have none."""

    column: RunColumn
    value: str | None = None


class RunSelection(Message):
    """Which runs, in which order.

    ``filter`` and ``order_by`` are those of a search for runs; a param whose values are all numbers is ordered by
    number. ``archived`` says what becomes of runs with the tag ``stele.archived`` = ``true``. ``within`` narrows the
    runs to those of one group, one condition for each column of the group.
    """

    experiment_ids: list[str] = []
    filter: str = ""
    order_by: list[str] = []
    view: ViewTypeName = "ACTIVE_ONLY"
    archived: Archived = "exclude"
    within: list[Condition] = []


class QueryRunsTable(RunSelection):
    """Rows ``offset`` to ``offset + max_rows``: 0 to 1 000 of them, 0 for the counts alone; up to 200 ``columns``.

    With ``run_ids`` (up to 1 000) the rows are these runs in this order, wherever they are, and unknown ones are left
    out. With ``tree`` runs stand below the run that their tag ``mlflow.parentRunId`` names; children of those in
    ``expanded`` are rows as well.
    """

    offset: Int64 = 0
    max_rows: Int64 = 100
    columns: list[RunColumn] = []
    run_ids: list[str] = []
    tree: bool = False
    expanded: list[str] = []


class TableRow(Struct, kw_only=True, frozen=True):
    """One run. Times are milliseconds since 1970; ``values`` are in the order of the columns asked for.

    In a tree ``depth`` counts the runs above, ``children`` those directly below, ``matching_children`` those of them
    that match or have a match below. ``matched`` is false for a run that is shown for the sake of those below it.
    """

    run_id: str
    experiment_id: str
    name: str
    status: str
    start_time: int
    end_time: int | None
    user_id: str
    lifecycle_stage: str
    archived: bool
    parent_run_id: str
    values: list[Cell]
    depth: int
    children: int
    matching_children: int
    matched: bool
    expanded: bool


class QueryRunsTableResponse(Message):
    """A part of the table.

    ``total`` counts the runs of the experiments in this view, archived ones by the same rule; ``matched`` those that
    the filter and ``within`` leave, ``statuses`` these by status. ``rows_total`` is the length of the whole list that
    ``offset`` counts in: ``matched``, in a tree what is unfolded. ``version`` is another one when anything that the
    list depends on has changed. ``milliseconds`` is what the answer took.
    """

    total: int
    matched: int
    statuses: dict[str, int]
    rows: list[TableRow]
    rows_total: int
    version: str
    milliseconds: float


class GroupRuns(RunSelection, kw_only=True):
    """Groups of equal values in 1 to 4 columns of texts, ``offset`` to ``offset + max_groups`` (1 to 10 000) of them.

    ``aggregates`` are up to 50 columns of numbers to be summed up in each group.
    """

    group_by: list[RunColumn]
    aggregates: list[RunColumn] = []
    max_groups: Int64 = 1000
    offset: Int64 = 0


class GroupFigures(Struct, frozen=True):
    """What one column is in a group.

    ``count`` runs have a number in it. ``mean`` is over finite ones, ``min`` and ``max`` are over all but NaN; each is
    ``null`` when there is none.
    """

    count: int
    mean: float | None
    min: float | None
    max: float | None


class RunGroup(Struct, frozen=True):
    """The runs with these values in the columns of ``group_by``; ``null`` where they have none."""

    key: list[str | None]
    count: int
    statuses: dict[str, int]
    aggregates: list[GroupFigures]


class GroupRunsResponse(Message):
    """Groups by the place of their first run in the order; ``total`` counts all."""

    groups: list[RunGroup]
    total: int


class ListRunKeys(Message):
    """The keys of active runs; ``contains`` in any case. ``max_results`` 1 to 50 000."""

    experiment_ids: list[str] = []
    kinds: list[KeyKind] = []
    contains: str = ""
    max_results: Int64 = 1000


class RunKey(Struct, frozen=True):
    """One key, and how many active runs have it; ``numeric`` when all its values are numbers."""

    kind: KeyKind
    name: str
    runs: int
    numeric: bool


class ListRunKeysResponse(Message):
    """Keys by kind, then the most frequent first, then by name; ``total`` counts all."""

    keys: list[RunKey]
    total: int


class DescribeValues(RunSelection, kw_only=True):
    """One column of the selected runs, summed up."""

    column: RunColumn


class Histogram(Struct, frozen=True):
    """``counts[i]`` numbers lie from ``edges[i]`` to ``edges[i + 1]``, the last edge included.

    Bins are equally wide, or equally wide in the logarithm when ``log`` is set.
    """

    edges: list[float]
    counts: list[int]
    log: bool


class ValueCount(Struct, frozen=True):
    """How many runs have a value."""

    value: Annotated[Cell, Meta(description="Never null.")]
    runs: int


class DescribeValuesResponse(Message, kw_only=True):
    """``runs`` have a value, ``distinct`` values there are; the ten most frequent are ``common``.

    ``min`` and ``max`` are over finite numbers. A column of texts is ``numeric`` when each one is a number.
    """

    runs: int
    distinct: int
    numeric: bool
    min: float | None = None
    max: float | None = None
    histogram: Histogram | None = None
    common: list[ValueCount]


class ReadColumns(RunSelection):
    """Whole columns, up to 200, of the first ``max_runs`` runs: 1 to 100 000."""

    columns: list[RunColumn] = []
    max_runs: Int64 = 100_000


class ReadColumnsResponse(Message):
    """Lists of one length, one item for each run in order; ``columns`` in the order of the request."""

    run_ids: list[str]
    names: list[str]
    statuses: list[str]
    columns: list[list[Cell]]
    matched: int


class DifferingColumns(RunSelection):
    """Which params, tags and last values of metrics are not the same in all selected runs; missing is a value."""


class DifferingColumnsResponse(Message):
    """Columns by kind and key; ``equal`` counts the others that at least one of the runs has."""

    differing: list[RunColumn]
    equal: int
