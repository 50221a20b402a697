"""What happens when a journal is full: neighbouring pieces become one with every second point of each series.

The pieces that were thinned least come first, so that all parts of a series end up equally dense.
"""

from __future__ import annotations

import itertools
from typing import Any

from stele import settings
from stele.stores.journal.journal import Journal
from stele.stores.journal.segments import INDEX_SHIFT, SEGMENT_RECORDS, Segments, packed

__all__ = ["make_room", "thin"]


def make_room(journal: Journal) -> None:
    """Thin the points of a journal until it is within ``STELE_JOURNAL_MAX_BYTES``, and say so the first time."""
    while journal.is_full(settings.JOURNAL_MAX_BYTES.get()):
        if not thin(journal.segments, ((journal.state.stop - 1) >> INDEX_SHIFT) + 1):
            return
        journal.warn_once(
            "full",
            "The journal %s is full (%s). Every second point of each series is dropped, then of those that are left, "
            "until the store takes them.",
            journal.directory or "in memory",
            settings.JOURNAL_MAX_BYTES.name,
        )


def thin(segments: Segments, first: int) -> int:
    """Make one piece of two, if two neighbours can be found.

    Args:
        segments: The pieces of a journal. Nobody may read them meanwhile; others may write to the last one.
        first: Pieces before this one are being sent and stay as they are.

    Returns:
        How many points were dropped; 0 when nothing could be thinned.
    """
    candidates = sorted(index for index in segments.buffers if index >= first)[:-1]  # the last one is being written
    pairs = [
        (segments.strides.get(one, 1), one, two)
        for one, two in itertools.pairwise(candidates)
        if segments.strides.get(one, 1) == segments.strides.get(two, 1)
    ]
    for stride, one, two in sorted(pairs):
        records, _, missing = segments.read(one << INDEX_SHIFT, (one + 1) << INDEX_SHIFT)
        others, _, missing_there = segments.read(two << INDEX_SHIFT, (two + 1) << INDEX_SHIFT)
        if len(missing) or len(missing_there):
            continue  # somebody is still writing to it
        both = _joined(records, others)
        kept = both[_keep(both["series"])] if len(both) else both
        segments.replace([one, two], packed(kept, one), stride * 2)
        return len(both) - len(kept)
    return 0


def _joined(one: Any, two: Any) -> Any:
    import numpy as np

    both = np.concatenate([one, two])
    return both[both["series"] != 0]


def _keep(series: Any) -> Any:
    """Which records stay, in order: first, last and every second of each series, as many as one piece holds."""
    import numpy as np

    order = np.argsort(series, kind="stable")
    grouped = series[order]
    edge = grouped[1:] != grouped[:-1]
    is_first, is_last = np.append(True, edge), np.append(edge, True)
    starts = np.flatnonzero(is_first)
    position = np.arange(len(grouped)) - np.repeat(starts, np.diff([*starts, len(grouped)]))
    ends = np.concatenate([order[is_first], order[is_last & ~is_first]])[:SEGMENT_RECORDS]
    inner = np.sort(order[(position % 2 == 0) & ~is_first & ~is_last])
    room = SEGMENT_RECORDS - len(ends)
    if len(inner) > room:  # a few too many, from series with an odd number of points
        inner = inner[np.linspace(0, len(inner) - 1, room).astype(np.int64)]
    return np.sort(np.concatenate([ends, inner]))
