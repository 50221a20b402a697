"""Experiments in SQL."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, Row, delete, literal_column, select, update
from sqlalchemy.exc import IntegrityError

from stele import limits, settings
from stele.errors import AlreadyExists, DoesNotExist, InvalidParameterValue, shown
from stele.schema import experiments as e
from stele.schema.codec import required
from stele.schema.enums import view_name
from stele.schema.experiments import Empty, Experiment, ExperimentTag
from stele.stores.sql import dialect
from stele.stores.sql.change_stamps import next_stamp
from stele.stores.sql.core import (
    STAGE_NAMES,
    StoreCore,
    active_experiment,
    experiment_number,
    found_experiment,
    no_experiment,
    now_ms,
)
from stele.stores.sql.parts import parts
from stele.stores.sql.search import ExperimentQuery, find_experiments, set_time_limit
from stele.stores.sql.tables import CLAIMED, STAGE_ACTIVE, STAGE_DELETED, experiment_tags, experiments, runs

__all__ = ["ExperimentOperations", "artifact_location", "entities", "is_local", "local_root"]

# A location is a place to keep files, never an address that the server would fetch from.
_REFUSED_SCHEMES = frozenset({"http", "https", "ftp", "ftps", "sftp", "ssh", "scp", "telnet", "runs", "models", "data"})
_SCHEME = re.compile(r"[a-z][a-z0-9+.\-]+:", re.IGNORECASE)


class ExperimentOperations(StoreCore):
    """The experiment part of the store protocol."""

    def create_experiment(self, request: e.CreateExperiment) -> e.CreateExperimentResponse:
        name = limits.check_experiment_name(request.name)
        location = artifact_location(request.artifact_location)
        tags = _checked_tags(request.tags)

        def work(connection: Connection) -> int:
            now = now_ms()
            row = {"name": name, "artifact_location": location, "stage": STAGE_ACTIVE}
            inserted = connection.execute(experiments.insert(), row | {"creation_time": now, "last_update_time": now})
            number = int(inserted.inserted_primary_key[0])  # type: ignore[index]  # an insert of one row has it
            if not location:
                connection.execute(
                    update(experiments)
                    .where(experiments.c.experiment_id == number)
                    .values(artifact_location=f"{self.artifact_root.rstrip('/')}/{number}")
                )
            if tags:
                rows = [{"experiment_id": number, "key": key, "value": value} for key, value in tags.items()]
                connection.execute(experiment_tags.insert(), rows)
            return number

        return e.CreateExperimentResponse(experiment_id=str(self._unique_name(name, work)))

    def get_experiment(self, request: e.GetExperiment) -> e.GetExperimentResponse:
        number = experiment_number(request.experiment_id)
        return self.db.read(lambda c: e.GetExperimentResponse(experiment=_entity(c, found_experiment(c, number))))

    def get_experiment_by_name(self, request: e.GetExperimentByName) -> e.GetExperimentResponse:
        name = required(request.experiment_name, "experiment_name")

        def work(connection: Connection) -> e.GetExperimentResponse:
            row = connection.execute(select(experiments).where(experiments.c.name == name)).one_or_none()
            if row is None:
                raise DoesNotExist(f"No experiment has the name {shown(name)}.")
            return e.GetExperimentResponse(experiment=_entity(connection, row))

        return self.db.read(work)

    def search_experiments(self, request: e.SearchExperiments) -> e.SearchExperimentsResponse:
        query = ExperimentQuery(
            filter_string=request.filter,
            view=view_name(request.view_type),
            order_by=request.order_by,
            max_results=limits.check_max_results(request.max_results, limits.MAX_PAGE),
            page_token=request.page_token or None,
            now_ms=now_ms(),
        )

        def work(connection: Connection) -> e.SearchExperimentsResponse:
            set_time_limit(connection, int(settings.SEARCH_SECONDS.get() * 1000))
            page = find_experiments(connection, query)
            found = entities(connection, page.experiments)
            return e.SearchExperimentsResponse(experiments=found, next_page_token=page.next_page_token or "")

        return self.db.read(work)

    def update_experiment(self, request: e.UpdateExperiment) -> Empty:
        number = experiment_number(request.experiment_id)
        name = limits.check_experiment_name(request.new_name, "new_name")

        def work(connection: Connection) -> int:
            active_experiment(connection, number, lock=True)
            _set(connection, number, name=name)
            return number

        self._unique_name(name, work)
        return Empty()

    def delete_experiment(self, request: e.DeleteExperiment) -> Empty:
        return self._move(request.experiment_id, STAGE_ACTIVE, STAGE_DELETED)

    def restore_experiment(self, request: e.RestoreExperiment) -> Empty:
        return self._move(request.experiment_id, STAGE_DELETED, STAGE_ACTIVE)

    def set_experiment_tag(self, request: e.SetExperimentTag) -> Empty:
        number = experiment_number(request.experiment_id)
        tags = _checked_tags([ExperimentTag(request.key, request.value)])

        def work(connection: Connection) -> Empty:
            active_experiment(connection, number, lock=True)
            rows = [{"experiment_id": number, "key": key, "value": value} for key, value in tags.items()]
            connection.execute(dialect.upsert(connection, experiment_tags), rows)
            _set(connection, number)
            return Empty()

        return self.db.write(work)

    def delete_experiment_tag(self, request: e.DeleteExperimentTag) -> Empty:
        number = experiment_number(request.experiment_id)
        key = required(request.key, "key")

        def work(connection: Connection) -> Empty:
            active_experiment(connection, number, lock=True)
            t = experiment_tags.c
            if not connection.execute(delete(experiment_tags).where(t.experiment_id == number, t.key == key)).rowcount:
                raise DoesNotExist(f"Experiment '{number}' has no tag {shown(key)}.")
            _set(connection, number)
            return Empty()

        return self.db.write(work)

    def _move(self, experiment_id: str, before: int, after: int) -> Empty:
        """Move an experiment and all its runs between use and trash."""
        number = experiment_number(experiment_id)

        def work(connection: Connection) -> Empty:
            row = found_experiment(connection, number, lock=True)
            if row.last_update_time == CLAIMED:
                raise no_experiment(number)  # gc is removing it: some of its rows are gone
            if row.stage != before:
                raise DoesNotExist(f"Experiment '{number}' is {STAGE_NAMES[row.stage]} already.")
            _set(connection, number, stage=after)
            deleted_time = now_ms() if after == STAGE_DELETED else None
            connection.execute(
                update(runs)
                .where(
                    runs.c.experiment_id == number,
                    runs.c.stage == before,
                    runs.c.deleted_time.is_distinct_from(CLAIMED),
                )
                .values(stage=after, deleted_time=deleted_time)
            )
            return Empty()

        return self.db.write(work)

    def _unique_name(self, name: str, work: Any) -> int:
        """Run a write that may meet a name that is taken, also by a deleted experiment."""

        def checked(connection: Connection) -> int:
            try:
                return int(work(connection))
            except IntegrityError as e:
                raise AlreadyExists(
                    f"An experiment named {shown(name)} exists already; deleted experiments keep their names."
                ) from e

        return self.db.write(checked)


def artifact_location(location: str) -> str:
    """A location for artifacts that a client asked for, in its stored form; "" when it asked for none.

    A relative local path becomes absolute. Nothing is opened here.

    Raises:
        InvalidParameterValue: It is too long, or no place where files may be kept.
    """
    if not location:
        return ""
    limits.check_length(location, limits.MAX_ARTIFACT_LOCATION_CHARACTERS, "artifact_location")
    _refuse_parent(location)
    if is_local(location):
        return local_root(location)
    parts = urlsplit(location)
    if parts.scheme.lower() in _REFUSED_SCHEMES or parts.query or parts.fragment:
        raise InvalidParameterValue(
            f"artifact_location {shown(location)} is not a place to keep files: "
            "a path, or a URI such as s3://bucket/path, without query and fragment."
        )
    return location


def is_local(location: str) -> bool:
    """Whether a location is a path, not a URI."""
    return not _SCHEME.match(location)


def local_root(path: str) -> str:
    """A local path in its stored form: absolute, symbolic links as they are."""
    return os.path.abspath(Path(path).expanduser())  # noqa: PTH100  # Path.resolve would follow the links


def _refuse_parent(location: str) -> None:
    if ".." in re.split(r"[/\\]|%2f|%5c", location.replace("%2e", ".").replace("%2E", "."), flags=re.IGNORECASE):
        raise InvalidParameterValue(f"artifact_location {shown(location)} must not hold a '..' segment.")


def _checked_tags(tags: list[ExperimentTag]) -> dict[str, str]:
    checked: dict[str, str] = {}
    for i, tag in enumerate(tags):
        key = limits.check_length(required(tag.key, f"tags[{i}].key"), limits.MAX_KEY_CHARACTERS, f"tags[{i}].key")
        checked[key] = limits.check_length(tag.value, limits.MAX_EXPERIMENT_TAG_CHARACTERS, f"tags[{i}].value")
    return checked


def _set(connection: Connection, number: int, **values: object) -> None:
    """Change columns of an experiment, and note when: later than before, so that every change can be told."""
    later = next_stamp(literal_column("last_update_time"))
    connection.execute(
        update(experiments).where(experiments.c.experiment_id == number).values(last_update_time=later, **values)
    )


def _entity(connection: Connection, row: Row[Any]) -> Experiment:
    return _with_tags(connection, [row])[0]


def entities(connection: Connection, numbers: list[int]) -> list[Experiment]:
    """The experiments with these ids, in their order."""
    query = select(experiments)
    by_number = {
        row.experiment_id: row
        for part in parts(numbers)
        for row in connection.execute(query.where(experiments.c.experiment_id.in_(part)))
    }
    return _with_tags(connection, [by_number[number] for number in numbers])


def _with_tags(connection: Connection, rows: list[Row[Any]]) -> list[Experiment]:
    t = experiment_tags.c
    tags: dict[int, list[ExperimentTag]] = {row.experiment_id: [] for row in rows}
    query = select(experiment_tags).order_by(t.experiment_id, t.key)
    for part in parts(tags):
        for row in connection.execute(query.where(t.experiment_id.in_(part))):
            tags[row.experiment_id].append(ExperimentTag(row.key, row.value))
    return [
        Experiment(
            experiment_id=str(row.experiment_id),
            name=row.name,
            artifact_location=row.artifact_location,
            lifecycle_stage=STAGE_NAMES[row.stage],
            tag_list=tags[row.experiment_id],
            creation_time=row.creation_time,
            last_update_time=row.last_update_time,
        )
        for row in rows
    ]
