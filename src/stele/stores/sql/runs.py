"""Runs, params, tags and the write path of metrics in SQL."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, bindparam, update

from stele import limits, settings
from stele.errors import AlreadyExists, DoesNotExist, InvalidParameterValue, shown
from stele.schema import runs as r
from stele.schema.codec import required
from stele.schema.datasets import RunInputs
from stele.schema.enums import RunStatus, status_name, view_name
from stele.schema.experiments import Empty
from stele.schema.runs import Run, RunData
from stele.stores.run_ids import new_run_id
from stele.stores.sql import series, summaries
from stele.stores.sql.announcements import announce_run
from stele.stores.sql.batch import Batch, check_batch, check_tags, merge_params
from stele.stores.sql.core import active_experiment, experiment_number, locked_run, no_run, now_ms
from stele.stores.sql.dialect import Prepared
from stele.stores.sql.documents import RunDocument, pack, unpack
from stele.stores.sql.model_points import record_points
from stele.stores.sql.point_log import PointLog
from stele.stores.sql.rewinding import fork_series
from stele.stores.sql.run_names import random_run_name
from stele.stores.sql.run_rows import fetch_info, fetch_run, fetch_runs, run_entity, run_info
from stele.stores.sql.search import RunQuery, find_runs, set_time_limit
from stele.stores.sql.tables import CLAIMED, KIND_METRIC, STAGE_ACTIVE, STAGE_DELETED, runs
from stele.stores.sql.texts import forget_text, text_names, write_texts

__all__ = ["RunOperations"]

T = TypeVar("T")

RUN_NAME_TAG = "mlflow.runName"
FORKED_FROM_TAG, FORK_STEP_TAG = "stele.fork.from", "stele.fork.step"
LOGGED_MODELS_TAG = "mlflow.log-model.history"
_LOGGED_MODEL_FIELDS = ("artifact_path", "flavors", "run_id", "utc_time_created")

_APPLIED_AT_ONCE = 100

# Built once: a statement takes longer to build than to run.
SET_DOCUMENT = Prepared(update(runs).where(runs.c.run == bindparam("number")).values(document=bindparam("packed")))


class RunOperations(PointLog):
    """The run part of the store protocol."""

    def create_run(self, request: r.CreateRun) -> r.CreateRunResponse:
        number = experiment_number(request.experiment_id)
        tags = check_tags(request.tags)
        name = tags[RUN_NAME_TAG] = _agreed_name(request.run_name, tags.get(RUN_NAME_TAG, ""))
        limits.check_int64(request.start_time, "start_time")
        if request.fork_from:
            tags |= _fork_tags(request.fork_from, request.fork_step)
        elif request.fork_step is not None:
            raise InvalidParameterValue(f"fork_step {request.fork_step} is given without fork_from, the run to fork.")
        row: dict[str, Any] = {
            "run_id": limits.check_new_run_id(request.run_id) if request.run_id else new_run_id(),
            "experiment_id": number,
            "stage": STAGE_ACTIVE,
            "status": RunStatus.RUNNING,
            "start_time": request.start_time,
            "end_time": None,
            "name": name,
            "user_id": limits.check_length(request.user_id, limits.MAX_USER_ID_CHARACTERS, "user_id"),
        }
        packed = pack(RunDocument(tags=tags))

        def work(connection: Connection) -> r.CreateRunResponse:
            if request.run_id and (existing := self._same_run(connection, request.run_id, number)):
                return r.CreateRunResponse(run=existing)
            experiment = active_experiment(connection, number)
            row["artifact_uri"] = f"{experiment.artifact_location.rstrip('/')}/{row['run_id']}/artifacts"
            inserted = connection.execute(runs.insert(), row | {"document": packed})
            run = int(inserted.inserted_primary_key[0])  # type: ignore[index]  # an insert of one row has it
            write_texts(connection, run, {}, tags, self.keys.resolve(connection, number, text_names({}, tags)))
            if request.fork_from:
                fork_series(connection, self.keys, run, request.fork_from, number, request.fork_step)
            data = RunData(tag_list=[r.RunTag(key, value) for key, value in tags.items()])
            return r.CreateRunResponse(run=Run(run_info(**row), data, RunInputs()))

        return self.db.write(work)

    def _same_run(self, connection: Connection, run_id: str, experiment: int) -> Run | None:
        """The run that a client creates again because it saw no answer; None when there is none."""
        found = fetch_run(connection, self.keys, self.described, run_id)
        if found is None:
            return None
        run = run_entity(found, outputs=False)
        if run.info.experiment_id != str(experiment):
            raise AlreadyExists(f"The run {shown(run_id)} exists in experiment {run.info.experiment_id}.")
        return run

    def get_run(self, request: r.GetRun) -> r.GetRunResponse:
        def work(connection: Connection) -> tuple[Run, bool]:
            found = fetch_run(connection, self.keys, self.described, request.run_id)
            if found is None:
                raise no_run(request.run_id)
            return run_entity(found, outputs=True), found.pending

        run, pending = self.db.read(work)
        if pending:
            self.db.write(
                lambda c: summaries.apply_whole_log(c, self.keys, locked_run(c, request.run_id, active=False).run)
            )
            run, _ = self.db.read(work)
        return r.GetRunResponse(run=run)

    def search_runs(self, request: r.SearchRuns) -> r.SearchRunsResponse:
        query = RunQuery(
            experiment_ids=[experiment_number(i, "experiment_ids") for i in dict.fromkeys(request.experiment_ids)],
            filter_string=request.filter,
            view=view_name(request.run_view_type),
            order_by=request.order_by,
            max_results=limits.check_max_results(request.max_results, limits.MAX_PAGE),
            page_token=request.page_token or None,
            now_ms=now_ms(),
        )

        def search(connection: Connection) -> r.SearchRunsResponse:
            set_time_limit(connection, int(settings.SEARCH_SECONDS.get() * 1000))
            page = find_runs(connection, query, self.keys, self.searches)
            rows = fetch_runs(connection, self.keys, self.described, page.runs)
            found = [run_entity(row, outputs=False) for row in rows]
            return r.SearchRunsResponse(runs=found, next_page_token=page.next_page_token or "")

        found = self.db.read(lambda c: None if summaries.any_pending(c) else search(c))
        if found is None:
            self.apply_all()
            found = self.db.read(search)
        return found

    def update_run(self, request: r.UpdateRun) -> r.UpdateRunResponse:
        changes: dict[str, Any] = {}
        if request.status is not None:
            changes["status"] = RunStatus.from_string(status_name(request.status))
        if request.end_time is not None:
            changes["end_time"] = limits.check_int64(request.end_time, "end_time")
        name = limits.check_length(request.run_name, limits.MAX_RUN_NAME_CHARACTERS, "run_name")

        def work(connection: Connection) -> r.UpdateRunResponse:
            row = locked_run(connection, request.run_id)
            if name:
                self._write(connection, row, request.run_id, Batch(tags={RUN_NAME_TAG: name}))
            if changes:
                connection.execute(update(runs).where(runs.c.run == row.run).values(**changes))
            if RunStatus.is_terminated(changes.get("status", RunStatus.RUNNING)):
                info = fetch_info(connection, row.run)
                announce_run(connection, info.run_id, info.run_name, int(info.experiment_id), info.status)
                return r.UpdateRunResponse(run_info=info)
            return r.UpdateRunResponse(run_info=fetch_info(connection, row.run))

        return self.db.write(work)

    def delete_run(self, request: r.DeleteRun) -> Empty:
        return self._move_run(request.run_id, STAGE_DELETED)

    def restore_run(self, request: r.RestoreRun) -> Empty:
        return self._move_run(request.run_id, STAGE_ACTIVE)

    def log_batch(self, request: r.LogBatch) -> Empty:
        limits.check_run_id(request.run_id)
        return self._log(request.run_id, check_batch(request))

    def log_metric(self, request: r.LogMetric) -> Empty:
        return self._log(request.run_id, check_batch(request.as_batch()))

    def log_param(self, request: r.LogParam) -> Empty:
        param = r.Param(required(request.key, "key"), request.value)
        return self._log(request.run_id, check_batch(r.LogBatch(run_id=request.run_id, params=[param])))

    def set_tag(self, request: r.SetTag) -> Empty:
        tag = r.RunTag(required(request.key, "key"), request.value)
        return self._log(request.run_id, check_batch(r.LogBatch(run_id=request.run_id, tags=[tag])))

    def delete_tag(self, request: r.DeleteTag) -> Empty:
        key = required(request.key, "key")

        def change(connection: Connection, row: Row[Any], document: RunDocument) -> None:
            if document.tags.pop(key, None) is None:
                raise DoesNotExist(f"Run {shown(request.run_id)} has no tag {shown(key)}.")
            forget_text(connection, self.keys, row.run, row.experiment_id, key)

        return self.change_document(request.run_id, change)

    def log_model(self, request: r.LogModel) -> Empty:
        entry = _model_entry(required(request.model_json, "model_json"))

        def change(connection: Connection, row: Row[Any], document: RunDocument) -> None:
            history = json.loads(document.tags.get(LOGGED_MODELS_TAG, "[]"))
            text = limits.check_length(json.dumps([*history, entry]), 10 * limits.MAX_TAG_CHARACTERS, "model_json")
            document.tags[LOGGED_MODELS_TAG] = text
            tags = {LOGGED_MODELS_TAG: text}
            ids = self.keys.resolve(connection, row.experiment_id, text_names({}, tags))
            write_texts(connection, row.run, {}, tags, ids)

        return self.change_document(request.run_id, change)

    def change_document(self, run_id: str, change: Callable[[Connection, Row[Any], RunDocument], None]) -> Empty:
        """Change the document of an active run under its row lock."""

        def work(connection: Connection) -> Empty:
            row = locked_run(connection, run_id)
            document = unpack(row.document)
            change(connection, row, document)
            SET_DOCUMENT(connection, {"number": row.run, "packed": pack(document)})
            return Empty()

        return self.db.write(work)

    def apply_all(self) -> None:
        """Bring every dirty run up to date; the first step of everything that looks at many runs."""
        numbers = self.db.read(summaries.pending_runs)
        for start in range(0, len(numbers), _APPLIED_AT_ONCE):
            self.apply_logs(numbers[start : start + _APPLIED_AT_ONCE])

    def apply_logs(self, numbers: list[int]) -> None:
        """Bring some dirty runs up to date with what was logged before the call.

        The work is done while others may write; where one of them was faster, the rest is done at last.
        """
        changes = self.db.read(lambda c: summaries.pending_changes(c, self.keys, numbers))
        left = self.db.write(lambda c: summaries.store_changes(c, numbers, changes))
        while left:
            left = self.db.write(partial(summaries.apply_pending, keys=self.keys, numbers=left))

    def _log(self, run_id: str, batch: Batch) -> Empty:
        def work(connection: Connection) -> Empty:
            self._write(connection, locked_run(connection, run_id), run_id, batch)
            return Empty()

        return self.db.write(work)

    def _write(self, connection: Connection, row: Row[Any], run_id: str, batch: Batch) -> None:
        """Write a checked batch to a run whose row is locked."""
        names = [(KIND_METRIC, key) for key in {metric.key for metric in batch.metrics}]
        names += text_names(batch.params, batch.tags)
        ids = self.keys.resolve(connection, row.experiment_id, names)
        if batch.params or batch.tags:
            document = unpack(row.document)
            fresh = merge_params(document.params, batch.params, run_id)
            document.params |= fresh
            document.tags |= batch.tags
            write_texts(connection, row.run, fresh, batch.tags, ids)
            SET_DOCUMENT(connection, {"number": row.run, "packed": pack(document)})
            if name := batch.tags.get(RUN_NAME_TAG):
                name = name[: limits.MAX_RUN_NAME_CHARACTERS]
                connection.execute(update(runs).where(runs.c.run == row.run).values(name=name))
        if batch.metrics:
            record_points(connection, run_id, batch.metrics)
            self.append(connection, [series.log_entry(row.run, batch.metrics, ids)])

    def _move_run(self, run_id: str, stage: int) -> Empty:
        deleted_time = now_ms() if stage == STAGE_DELETED else None

        def work(connection: Connection) -> Empty:
            row = locked_run(connection, run_id, active=False)
            if row.deleted_time == CLAIMED:
                raise no_run(run_id)  # gc is removing it: its files may be gone already
            if row.stage != stage:
                connection.execute(
                    update(runs).where(runs.c.run == row.run).values(stage=stage, deleted_time=deleted_time)
                )
            return Empty()

        return self.db.write(work)


def _agreed_name(name: str, tag: str) -> str:
    """The name of a new run: as given, else as its tag says, else made up."""
    if name and tag and name != tag:
        raise InvalidParameterValue(
            f"run_name {shown(name)} and the tag {RUN_NAME_TAG} {shown(tag)} differ; give one of them."
        )
    return limits.check_length(name or tag or random_run_name(), limits.MAX_RUN_NAME_CHARACTERS, "run_name")


def _fork_tags(parent: str, step: int | None) -> dict[str, str]:
    tags = {FORKED_FROM_TAG: limits.check_run_id(parent, "fork_from")}
    return tags if step is None else tags | {FORK_STEP_TAG: str(limits.check_int64(step, "fork_step"))}


def _model_entry(text: str) -> dict[str, Any]:
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError) as e:
        raise InvalidParameterValue(f"model_json is not valid JSON: {shown(text)}.") from e
    missing = [name for name in _LOGGED_MODEL_FIELDS if not isinstance(entry, dict) or name not in entry]
    if missing:
        raise InvalidParameterValue(f"model_json lacks {', '.join(missing)}: {shown(text)}.")
    result: dict[str, Any] = entry
    return result
