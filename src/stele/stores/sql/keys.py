"""Numbers for the names of metrics, params and tags, per experiment.

A name keeps its number until its experiment is removed for good, also when no run has it any more. Every process
remembers numbers, so neither an experiment nor a name ever gets one that another had.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select, tuple_
from sqlalchemy.dialects import mysql, postgresql, sqlite

from stele.stores.sql.database import after_commit
from stele.stores.sql.tables import KIND_METRIC, entity_keys

__all__ = ["Keys", "Name"]

Name = tuple[int, str]
"""Kind and name."""

_MAX_CACHED = 200_000
_LOOKUP = 500


class Keys:
    """Finds and makes key numbers; what is committed is remembered, since a number never changes."""

    def __init__(self) -> None:
        self._ids: dict[tuple[int, int], dict[str, int]] = {}
        """By experiment and kind."""
        self._names: dict[int, str] = {}

    def resolve(self, connection: Connection, experiment_id: int, wanted: Iterable[Name]) -> dict[Name, int]:
        """The number of each name, made where there is none yet."""
        wanted = list(dict.fromkeys(wanted))
        found = {name: key_id for name in wanted if (key_id := self._known(experiment_id, name)) is not None}
        missing = sorted(name for name in wanted if name not in found)  # one order, or two writers deadlock
        if missing:
            fresh = self._make(connection, experiment_id, missing)
            found |= fresh
            after_commit(connection, lambda: self.remember(experiment_id, fresh))
        return found

    def metric_ids(self, connection: Connection, experiment_id: int, names: Sequence[str]) -> list[int]:
        """The numbers of metrics in the order of their names, made where there are none yet."""
        known = self._ids.get((experiment_id, KIND_METRIC), {})
        found = list(map(known.get, names))
        if None not in found:
            return found  # type: ignore[return-value]  # as has just been seen
        ids = self.resolve(connection, experiment_id, [(KIND_METRIC, name) for name in names])
        return [ids[KIND_METRIC, name] for name in names]

    def _known(self, experiment_id: int, name: Name) -> int | None:
        return self._ids.get((experiment_id, name[0]), {}).get(name[1])

    def known(self, experiment_id: int, wanted: Iterable[Name]) -> dict[Name, int] | None:
        """The number of each name, None when one of them is not remembered: it may exist nevertheless."""
        found = {name: self._known(experiment_id, name) for name in wanted}
        complete = {name: key_id for name, key_id in found.items() if key_id is not None}
        return complete if len(complete) == len(found) else None

    def names(self, connection: Connection, key_ids: Iterable[int]) -> dict[int, str]:
        """The name of each number."""
        wanted, known = set(key_ids), self._names  # in whose place another thread may put an empty one
        found = {key_id: known[key_id] for key_id in wanted if key_id in known}
        missing = sorted(wanted - found.keys())
        for start in range(0, len(missing), _LOOKUP):
            part = missing[start : start + _LOOKUP]
            rows = connection.execute(
                select(entity_keys.c.key_id, entity_keys.c.name).where(entity_keys.c.key_id.in_(part))
            )
            found |= {row.key_id: row.name for row in rows}
        return found

    def remember(self, experiment_id: int, fresh: dict[Name, int]) -> None:
        """Keep numbers that were read from what is committed."""
        if len(self._names) > _MAX_CACHED:
            self._ids, self._names = {}, {}
        for (kind, name), key_id in fresh.items():
            self._ids.setdefault((experiment_id, kind), {})[name] = key_id
            self._names[key_id] = name

    def _make(self, connection: Connection, experiment_id: int, names: list[Name]) -> dict[Name, int]:
        values = [{"experiment_id": experiment_id, "kind": kind, "name": name} for kind, name in names]
        c = entity_keys.c
        found: dict[Name, int] = {}
        if connection.dialect.name in ("mysql", "mariadb"):
            connection.execute(mysql.insert(entity_keys).prefix_with("IGNORE"), values)
        else:
            insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
            statement = insert(entity_keys).on_conflict_do_nothing().returning(c.key_id, c.kind, c.name)
            found = {(row.kind, row.name): row.key_id for row in connection.execute(statement, values)}
        missing = [name for name in names if name not in found]  # another writer was first, or MySQL
        for start in range(0, len(missing), _LOOKUP):
            rows = connection.execute(
                select(c.key_id, c.kind, c.name).where(
                    c.experiment_id == experiment_id,
                    tuple_(c.kind, c.name).in_(missing[start : start + _LOOKUP]),
                )
            )
            found |= {(row.kind, row.name): row.key_id for row in rows}
        return found
