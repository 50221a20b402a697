"""Series of many runs at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from stele import limits
from stele.client.calls.base import StoreCalls, integer
from stele.schema.series import GetSeries, Series, XAxis, check_axis

__all__ = ["SeriesCalls"]


class SeriesCalls(StoreCalls):
    """The part of a client that charts and tables read."""

    def get_series(
        self,
        run_ids: Sequence[str],
        keys: Sequence[str],
        x: XAxis = "step",
        start: int | None = None,
        end: int | None = None,
        buckets: int | None = None,
    ) -> Iterator[Series]:
        """Series as columns, however many and however long they are; see :func:`stele.metric_history` for tables.

        Args:
            run_ids: Ids of runs; what does not exist is left out.
            keys: Keys of metrics; what a run does not have is left out.
            x: The axis of the range and of the buckets: ``step``, ``time`` (milliseconds since 1970) or ``relative``
                (milliseconds since the start of the run).
            start: Only points from here on; None is no bound.
            end: Only points up to here.
            buckets: A series with more points than this in the range is summed up in at most so many intervals of one
                width, 1 to 10 000; None gives every point.

        Yields:
            :class:`~stele.schema.series.PointSeries` or :class:`~stele.schema.series.BucketSeries`, whose columns are
            views of 64-bit numbers (``numpy.asarray(series.values.data)``). A long series of points comes in several
            pieces, in their order.

        Raises:
            InvalidParameterValue: An argument is not allowed.
        """
        check_axis(x)
        start, end, buckets = _whole(start, "start"), _whole(end, "end"), _whole(buckets, "buckets")
        keys = list(dict.fromkeys(map(str, keys)))  # numpy's texts are of a type of their own
        run_ids = list(dict.fromkeys(map(str, run_ids)))
        for some_keys in _parts(keys, limits.MAX_SERIES_KEYS):
            for some_runs in _parts(run_ids, _runs_at_once(len(some_keys), buckets)):
                request = GetSeries(run_ids=some_runs, keys=some_keys, x=x, start=start, end=end, buckets=buckets)
                while True:
                    response = self._store.get_series(request)
                    yield from response.series
                    if not response.next_page_token:
                        break
                    request.page_token = response.next_page_token


def _whole(value: Any, path: str) -> int | None:
    return None if value is None else limits.check_int64(integer(value, path), path)


def _runs_at_once(keys: int, buckets: int | None) -> int:
    """How many runs a request may have; at least one, so that a store refuses what is not allowed at all."""
    pairs = min(limits.MAX_SERIES_PAIRS, limits.MAX_SERIES_POINTS // max(buckets or 1, 1))
    return max(1, min(limits.MAX_SERIES_RUNS, pairs // keys))


def _parts(items: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
