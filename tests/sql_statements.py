"""What a test's own thread sends to databases: a store compacts and refreshes in threads of its own meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

__all__ = ["statements_sent"]


@contextmanager
def statements_sent(target: Engine | type[Engine] = Engine) -> Iterator[list[tuple[str, Any]]]:
    """Statements with their parameters, in order, as this thread sends them to one engine or to any."""
    sent: list[tuple[str, Any]] = []
    own = threading.get_ident()

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if threading.get_ident() == own:
            sent.append((statement, parameters))

    event.listen(target, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(target, "before_cursor_execute", note)
