"""One change of many runs, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, get_args

from sqlalchemy import Connection, select, update

from stele import limits
from stele.errors import InvalidParameterValue, shown
from stele.schema.codec import required
from stele.schema.run_changes import ChangeRuns, ChangeRunsResponse, RunAction
from stele.schema.run_table import ARCHIVED_TAG
from stele.schema.runs import RunTag
from stele.stores.sql.batch import check_tags
from stele.stores.sql.core import lock_runs, no_run, now_ms, run_in_use
from stele.stores.sql.documents import pack, unpack
from stele.stores.sql.parts import parts
from stele.stores.sql.runs import RUN_NAME_TAG, SET_DOCUMENT, RunOperations
from stele.stores.sql.tables import CLAIMED, KIND_TAG, STAGE_ACTIVE, STAGE_DELETED, runs
from stele.stores.sql.texts import forget_texts, text_rows, write_rows

__all__ = ["BulkOperations"]

_AT_ONCE = 500


class BulkOperations(RunOperations):
    """What is done to many runs at once."""

    def change_runs(self, request: ChangeRuns) -> ChangeRunsResponse:
        run_ids = sorted(set(request.run_ids))
        if not 1 <= len(run_ids) <= limits.MAX_CHANGED_RUNS:
            raise InvalidParameterValue(
                f"run_ids has {len(run_ids)} entries, 1 to {limits.MAX_CHANGED_RUNS} are allowed."
            )
        if request.action not in get_args(RunAction):
            allowed = ", ".join(get_args(RunAction))
            raise InvalidParameterValue(f"action {shown(request.action)} is not one of {allowed}.")
        if request.action in ("delete", "restore"):
            stage = STAGE_DELETED if request.action == "delete" else STAGE_ACTIVE
            return self._change(run_ids, lambda connection, rows: _move(connection, rows, stage))
        key, value = _tag(request)
        return self._change(run_ids, lambda connection, rows: self._tag_runs(connection, rows, key, value))

    def _change(self, run_ids: Sequence[str], change: Any) -> ChangeRunsResponse:
        """Apply ``change`` to the locked rows of all runs, part by part."""

        def work(connection: Connection) -> ChangeRunsResponse:
            rows = lock_runs(connection, run_ids)
            for run_id in run_ids:
                if run_id not in rows:
                    raise no_run(run_id)
            changed = 0
            for part in parts(run_ids, _AT_ONCE):
                changed += change(connection, {run_id: rows[run_id] for run_id in part})
            return ChangeRunsResponse(changed=changed)

        return self.db.write(work)

    def _tag_runs(self, connection: Connection, rows: dict[str, Any], key: str, value: str | None) -> int:
        """Set a tag of active runs, or delete it where it is; returns how many runs that changes."""
        for run_id in rows:
            run_in_use(rows, run_id)
        tagged = list(_tagged(connection, rows, key, value))
        if not tagged:
            return 0
        SET_DOCUMENT.many(connection, [{"number": row.run, "packed": packed} for row, packed in tagged])
        by_experiment: dict[int, list[int]] = {}
        for row, _ in tagged:
            by_experiment.setdefault(row.experiment_id, []).append(row.run)
        for experiment, numbers in by_experiment.items():
            ids = self.keys.resolve(connection, experiment, [(KIND_TAG, key)])
            if value is None:
                forget_texts(connection, numbers, ids[KIND_TAG, key])
            else:
                tags = {key: value}
                write_rows(connection, [row for number in numbers for row in text_rows(number, {}, tags, ids)])
            if key == RUN_NAME_TAG and value:
                name = value[: limits.MAX_RUN_NAME_CHARACTERS]
                connection.execute(update(runs).where(runs.c.run.in_(numbers)).values(name=name))
        return len(tagged)


def _tag(request: ChangeRuns) -> tuple[str, str | None]:
    """Key and value of the tag that an action sets; no value when it deletes it."""
    if request.action in ("archive", "unarchive"):
        return ARCHIVED_TAG, "true" if request.action == "archive" else None
    key = required(request.key, "key")
    if request.action == "delete_tag":
        return key, None
    [(key, value)] = check_tags([RunTag(key, request.value)]).items()
    return key, value


def _tagged(connection: Connection, rows: dict[str, Any], key: str, value: str | None) -> Iterator[tuple[Any, bytes]]:
    """Those runs whose tag is another one, and their new documents."""
    numbers = [row.run for row in rows.values()]
    query = select(runs.c.run, runs.c.experiment_id, runs.c.document).where(runs.c.run.in_(numbers))
    for row in connection.execute(query).all():
        document = unpack(row.document)
        if document.tags.get(key) == value:
            continue
        if value is None:
            del document.tags[key]
        else:
            document.tags[key] = value
        yield row, pack(document)


def _move(connection: Connection, rows: dict[str, Any], stage: int) -> int:
    """Move runs between use and trash; returns how many that changes."""
    numbers = {row.run: run_id for run_id, row in rows.items()}
    claimed = runs.c.deleted_time == CLAIMED  # gc is removing it: its files may be gone already
    for number in connection.scalars(select(runs.c.run).where(runs.c.run.in_(numbers), claimed)):
        raise no_run(numbers[number])
    moved = [row for row in rows.values() if row.stage != stage]
    deleted_time = now_ms() if stage == STAGE_DELETED else None
    connection.execute(
        update(runs).where(runs.c.run.in_([row.run for row in moved])).values(stage=stage, deleted_time=deleted_time)
    )
    return len(moved)
