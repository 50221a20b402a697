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
        kept = both[_keep(both["series"])]
        segments.replace([one, two], packed(kept, one), stride * 2)
        return len(both) - len(kept)
    return 0


def _joined(one: Any, two: Any) -> Any:
    import numpy as np

    both = np.concatenate([one, two])
    return both[both["series"] != 0]


def _keep(series: Any) -> Any:
    """Which records stay, in order: every second of each series and its last, as many as one piece holds."""
    import numpy as np

    order = np.argsort(series, kind="stable")
    grouped = series[order]
    is_first = np.concatenate([[True], grouped[1:] != grouped[:-1]]) if len(grouped) else np.zeros(0, bool)
    starts = np.flatnonzero(is_first)
    position = np.arange(len(grouped)) - np.repeat(starts, np.diff([*starts, len(grouped)]))
    chosen = order[position % 2 == 0]
    is_last = np.concatenate([is_first[1:], [True]]) if len(grouped) else is_first
    lasts = order[is_last & (position % 2 == 1)]
    if len(chosen) > SEGMENT_RECORDS:  # more series than points in each: nothing but their order is left to go by
        return np.arange(0, len(series), 2)
    return np.sort(np.concatenate([chosen, lasts[: SEGMENT_RECORDS - len(chosen)]]))
