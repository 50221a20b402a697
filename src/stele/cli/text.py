"""Values as people and programs read them: figures, times, sizes, and names without control characters."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from datetime import UTC, datetime

__all__ = ["ago", "aligned_figures", "clean", "figure", "iso_time", "moment", "short_id", "signed", "size"]

SHORT_ID = 8
"""Characters of a run id on a terminal; every command takes them back."""

_DIGITS = 5
_WHOLE = 1e15
_DAY = 86_400_000
_AGO = ((_DAY, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"))
_RECENT_DAYS = 14
_SIZES = ("kB", "MB", "GB", "TB")


def clean(text: str) -> str:
    """The text on one line, with control characters spelled out, so that a name cannot steer a terminal."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape", "replace").decode()
        for character in text
    )


def short_id(run_id: str) -> str:
    """The beginning of a run id that Stele or MLflow made, any other id whole."""
    made = len(run_id) == 32 and all(character in "0123456789abcdef" for character in run_id)
    return run_id[:SHORT_ID] if made else clean(run_id)


def figure(value: float) -> str:
    """A number with five significant digits."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if value == int(value) and abs(value) < _WHOLE:
        return str(int(value))
    return f"{value:.{_DIGITS}g}"


def signed(value: float) -> str:
    """A difference: :func:`figure` with its sign."""
    return f"+{figure(value)}" if value > 0 else figure(value)


def aligned_figures(texts: Sequence[str]) -> list[str]:
    """Figures of one column, padded on both sides so that their decimal points stand below each other."""
    behind = max((_after_point(text) for text in texts), default=0)
    padded = [text + " " * (behind - _after_point(text)) for text in texts]
    width = max(map(len, padded), default=0)
    return [text.rjust(width) for text in padded]


def _after_point(text: str) -> int:
    """The width of a number behind its whole part."""
    mantissa = text.partition(".")[0].partition("e")[0]
    return len(text) - len(mantissa)


def moment(milliseconds: int) -> datetime | None:
    """The time, None when no calendar has it (any 64-bit integer may have been logged)."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def iso_time(milliseconds: int) -> str:
    """The time in UTC, such as ``2026-03-01T12:00:00.123Z``."""
    found = moment(milliseconds)
    return f"{milliseconds} ms" if found is None else found.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ago(milliseconds: int, now: int | None = None) -> str:
    """How long ago a time was, such as ``3 min ago``; the date when that is more than two weeks.

    Args:
        milliseconds: The time, since 1970.
        now: Milliseconds since 1970; None means now.
    """
    passed = (time.time_ns() // 1_000_000 if now is None else now) - milliseconds
    if not -1_000 < passed <= _RECENT_DAYS * _DAY:
        return iso_time(milliseconds).partition("T")[0]
    for unit, name in _AGO:
        if passed >= unit:
            return f"{passed // unit} {name} ago"
    return "just now"


def size(count: int) -> str:
    """A number of bytes in its largest unit, such as ``1.2 MB``."""
    value = float(count)
    for unit in _SIZES:
        value /= 1000
        if value < 999.95:
            return f"{value:.1f} {unit}" if count >= 1000 else f"{count} B"
    return f"{value:.1f} {_SIZES[-1]}"
