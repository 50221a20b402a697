"""Reading many series at once: exact points, or buckets that keep every spike."""

from __future__ import annotations

from typing import Literal, get_args

from msgspec import Struct

from stele.errors import InvalidParameterValue, shown
from stele.schema.codec import Int64, Message
from stele.schema.columns import Doubles, Integers

__all__ = ["BucketSeries", "GetSeries", "GetSeriesResponse", "PointSeries", "Series", "XAxis", "check_axis"]

XAxis = Literal["step", "time", "relative"]
"""``time`` in milliseconds since 1970, ``relative`` in milliseconds since the start of the run."""


def check_axis(x: str) -> None:
    """Refuse what is no :data:`XAxis`.

    Raises:
        InvalidParameterValue: It is none.
    """
    if x not in get_args(XAxis):
        raise InvalidParameterValue(f"x {shown(x)} is not one of {', '.join(get_args(XAxis))}.")


class GetSeries(Message):
    """Series of 1 to 500 runs and 1 to 200 keys, at most 2 000 pairs.

    Runs that do not exist, keys that a run does not have and series without a point in the range are left out.

    ``start`` and ``end`` bound the points, both ends included, in units of ``x``; without them the range is open.
    With ``buckets`` (1 to 10 000) a series with more points in the range than that is summed up in at most so many
    intervals of one width; pairs times buckets are at most 2 000 000. Without it every point is given, up to
    ``max_points`` (at most 2 000 000) in one answer; ``page_token`` continues behind the answer that gave it.
    """

    run_ids: list[str]
    keys: list[str]
    x: XAxis = "step"
    start: Int64 | None = None
    end: Int64 | None = None
    buckets: Int64 | None = None
    max_points: Int64 = 1_000_000
    page_token: str = ""


class PointSeries(Struct, frozen=True, tag_field="form", tag="points"):
    """Every point of a series in the range, by step, then timestamp, then value.

    ``origin`` is the start of the run, which relative time counts from; times are milliseconds since 1970.
    """

    run_id: str
    key: str
    points: int
    origin: int
    steps: Integers
    timestamps: Integers
    values: Doubles


class BucketSeries(Struct, frozen=True, tag_field="form", tag="buckets"):
    """A series in buckets by ascending x; every point in the range is in exactly one, and no bucket is empty.

    ``first_x`` and ``last_x`` are the least and the greatest x of a bucket's points, ``counts`` their number,
    ``nans`` and ``infinities`` how many of them are no finite numbers. ``min`` and ``max`` are over all but NaN (NaN
    when there is nothing else), ``mean`` is over finite values (NaN likewise), ``last`` is the value with the greatest
    step, then timestamp, and ``timestamps`` has the time of that one.

    Of a series with more than 192 points for each bucket, groups of consecutive points stay together (up to 256, or a
    quarter of a bucket), so two buckets may share a step.
    """

    run_id: str
    key: str
    points: int
    origin: int
    first_x: Integers
    last_x: Integers
    counts: Integers
    nans: Integers
    infinities: Integers
    min: Doubles
    max: Doubles
    mean: Doubles
    last: Doubles
    timestamps: Integers


Series = PointSeries | BucketSeries


class GetSeriesResponse(Message):
    """Series in the order of the request: run by run, and in each run key by key."""

    series: list[Series] = []
    next_page_token: str = ""
