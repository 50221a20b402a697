"""Ids of new runs and logged models.

A page shows a run in one of twelve colours, everywhere the same, and takes it from the last four digits of the run's id
(``ui/src/format/colors.ts``). Ids that are made one after the other take the colours in turn, so that runs which are
compared seldom share one.
"""

from __future__ import annotations

import random
import uuid
from itertools import count

__all__ = ["RUN_COLORS", "is_model_id", "new_model_id", "new_run_id"]

RUN_COLORS = 12
"""As many as the palette of the page has."""

_TAILS = 0x10000 // RUN_COLORS
_turns = count()
_MODEL = "m-"


def new_run_id() -> str:
    """32 hexadecimal digits, of which all but the colour's share are random."""
    tail = random.randrange(_TAILS) * RUN_COLORS + next(_turns) % RUN_COLORS  # noqa: S311  # an id is no secret
    return f"{uuid.uuid4().hex[:-4]}{tail:04x}"


def new_model_id() -> str:
    """``m-`` and 32 hexadecimal digits, all of them random."""
    return f"{_MODEL}{uuid.uuid4().hex}"


def is_model_id(text: str) -> bool:
    """Whether the id of a run or logged model is one of a model."""
    return text.startswith(_MODEL)
