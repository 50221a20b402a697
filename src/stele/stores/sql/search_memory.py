"""What searches found out in the last seconds: estimates, the way chosen for a page, and the statements that read it.

A page that shows a table asks the same again and again, and then for the next page. Nothing here decides what is
found: an estimate only chooses the plan, so one that is a little old finds the same runs, and statements are run anew.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select

from stele.stores.sql.bounded_cache import BoundedCache
from stele.stores.sql.dialect import Prepared
from stele.stores.sql.search_estimate import Choice, Estimate
from stele.stores.sql.search_order import Term

__all__ = ["Page", "Reading", "Remembered", "SearchMemory"]

_SECONDS = 20.0
_MOST_SEARCHES = 256


class Reading:
    """A statement that reads runs, and the sort terms of its rows."""

    def __init__(self, query: Select[Any], terms: list[Term]) -> None:
        self.terms = terms
        self._query = query
        self._prepared: Prepared | None = None
        self._was_used = False

    def rows(self, connection: Connection, values: dict[str, Any]) -> list[Any]:
        """The rows for values of its parameters."""
        if not self._was_used:
            self._was_used = True
            return list(connection.execute(self._query, values).all())
        if self._prepared is None:  # to spell it out pays from the second time on
            self._prepared = Prepared(self._query)
        return list(self._prepared(connection, values).all())


@dataclass
class Page:
    """How the first page of a search is read.

    Args:
        choice: The way.
        readings: The statements by what they are for; filled as they are needed.
    """

    choice: Choice
    readings: dict[Hashable, Reading] = field(default_factory=dict)


@dataclass
class Remembered:
    """What is known of one search; one that finds it empty fills it.

    Args:
        estimate: Of its filter.
        pages: The first page, by its size.
    """

    estimate: Estimate | None = None
    pages: dict[int, Page] = field(default_factory=dict)


class SearchMemory:
    """The searches of the last seconds."""

    def __init__(self) -> None:
        self._kept: BoundedCache[Hashable, Remembered] = BoundedCache(_MOST_SEARCHES, seconds=_SECONDS)

    def of(self, mark: str, names: Mapping[tuple[int, str], tuple[int, ...]]) -> Remembered:
        """What is known of a search.

        Args:
            mark: Its fingerprint.
            names: The key ids that its names have now: a name that is new makes another search.
        """
        key = (mark, tuple(sorted(names.items())))
        found = self._kept.get(key)
        if found is None:
            found = Remembered()
            self._kept.keep(key, found)
        return found

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
