"""Carries one journal to a store, in order, each batch exactly once, whatever happens in between."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from stele.errors import InvalidParameterValue, SteleError
from stele.schema.codec import decode
from stele.schema.routes import by_operation
from stele.schema.runs import LogBatch
from stele.stores.base import TrackingStore
from stele.stores.journal import files
from stele.stores.journal.batches import Points, joined, log_batches, message
from stele.stores.journal.files import Operation, State
from stele.stores.journal.journal import Journal
from stele.stores.journal.placeholders import Experiments
from stele.stores.journal.refusals import Refusal, culprits, is_over_limit, is_temporary, is_unknown_operation
from stele.stores.journal.thinning import make_room
from stele.stores.run_ids import is_model_id

__all__ = ["Shipment", "Upload"]

_MOST_RECORDS = 200_000
_MOST_JOINED = 1_000
_LARGEST_STRIDE = 1 << 20
_CREATIONS = frozenset({"create_experiment", "create_run"})
_REMEMBERED_REFUSALS = 10_000

Upload = Callable[[TrackingStore, str, Path], None]
"""Copies the files below a directory to the run with an id."""


class _Batch(NamedTuple):
    state: State
    points: list[Points]


class Shipment:
    """Carries the journal to the store. One thread uses it.

    Args:
        journal: What is sent.
        store: Where it goes.
        upload: For journals that hold files.

    Attributes:
        refused_records: Why a point was not stored, by the number of its record.
        refused_operations: Why a request was not carried out, by its number.
        refused_files: Why files were not stored, by the id of their run or model.
        stored: How many points the store took.
    """

    def __init__(self, journal: Journal, store: TrackingStore, upload: Upload) -> None:
        self.journal = journal
        self.refused_records: dict[int, Refusal] = {}
        self.refused_operations: dict[int, Refusal] = {}
        self.refused_files: dict[str, Refusal] = {}
        self.stored = 0
        self._store = store
        self._upload = upload
        self._experiments = Experiments(store)
        self._created = journal.state.operations
        self._most = _MOST_RECORDS
        self._by_columns = True

    def step(self) -> bool:
        """Send the next batch or request.

        Returns:
            Whether there was something to send.

        Raises:
            SteleError: The store cannot take it now. The same step may be tried again.
        """
        journal = self.journal
        make_room(journal)
        self._create_runs()
        if not journal.state.acknowledged:
            self._ship(self._current())
            return True
        end, _ = journal.end()
        number = journal.state.operations + 1
        operation = journal.operations.get(number)
        if operation is not None and (operation.after is None or journal.state.stop >= operation.after):
            self._carry_out(number, operation)
            return True
        batch = self._next(min(journal.barriers[0][1], end) if journal.barriers else end)
        if batch is None:
            return False
        self._ship(batch)
        return True

    def is_done(self) -> bool:
        """Whether everything that is in the journal now is stored or set aside."""
        end, operations = self.journal.end()
        state = self.journal.state
        return state.acknowledged and state.stop >= end and state.operations >= operations

    def upload_files(self) -> None:
        """Send the files that the journal holds; those that are there already are sent no second time.

        Those of a run or model that the store refuses are set aside.

        Raises:
            SteleError: The store cannot take them now.
        """
        for directory in self._directories():
            self._upload_owned(directory.name)

    def holds_files(self) -> bool:
        """Whether there are files to send."""
        return bool(self._directories())

    def is_settled(self, record: int) -> bool:
        """Whether a point is stored or set aside."""
        state = self.journal.state
        through = state.stop if state.acknowledged else state.start
        return record < through and record not in state.missing and record not in state.late

    # -- points

    def _next(self, limit: int) -> _Batch | None:
        """The batch after the last one, up to a record; None when there is nothing."""
        state = self.journal.state
        stop = min(limit, state.stop + self._most)
        records, _, missing = self.journal.segments.read(state.stop, stop)
        late = [number for number in state.missing if self._is_complete(number)]
        if not len(records) and not late:
            if stop > state.stop:  # nothing but pieces that were joined, or records that are not complete
                waiting = sorted({*state.missing, *missing.tolist()})
                self.journal.keep_state(replace(state, start=stop, stop=stop, missing=waiting))
                return self._next(limit) if stop < limit else None
            return None
        still = sorted({*state.missing, *missing.tolist()} - set(late))
        return self._planned(state.stop, stop, late, still, [])

    def _planned(self, start: int, stop: int, late: list[int], missing: list[int], excluded: list[int]) -> _Batch:
        """A batch with the next number, noted before it is sent."""
        state = self.journal.state
        self.journal.keep_state(
            replace(
                state,
                sequence=state.sequence + 1,
                start=start,
                stop=stop,
                acknowledged=False,
                late=late,
                missing=missing,
                excluded=excluded,
            )
        )
        return self._current()

    def _current(self) -> _Batch:
        """The batch that was begun last."""
        import numpy as np

        state, segments = self.journal.state, self.journal.segments
        records, numbers, _ = segments.read(state.start, state.stop)
        wanted = ~np.isin(numbers, state.missing) & ~np.isin(records["series"], state.excluded)
        parts = [segments.read(number, number + 1) for number in state.late]
        records = np.concatenate([records[wanted], *[part[0] for part in parts]])
        numbers = np.concatenate([numbers[wanted], *[part[1] for part in parts]])
        points = Points.of(records, numbers, self.journal.name)
        return _Batch(state, [item.thinned(state.strides.get(item.run_id, 1)) for item in points])

    def _is_complete(self, number: int) -> bool:
        return len(self.journal.segments.read(number, number + 1)[0]) > 0

    def _ship(self, batch: _Batch) -> None:
        if batch.points:
            try:
                self._send(batch)
            except SteleError as error:
                if is_temporary(error):
                    raise
                self._divide(batch, error)
                return
        self.stored += sum(len(item.numbers) for item in batch.points)
        self._most = min(self._most * 2, _MOST_RECORDS)
        self._acknowledge(batch)

    def _acknowledge(self, batch: _Batch) -> None:
        self.journal.keep_state(replace(batch.state, acknowledged=True, late=[], excluded=[]))
        self.journal.forget_stored()

    def _send(self, batch: _Batch) -> None:
        if self._by_columns:
            try:
                self._store.ingest(message(self.journal.header.client_id, batch.state.sequence, batch.points))
            except SteleError as error:
                if not is_unknown_operation(error):
                    raise
                self._by_columns = False
        if not self._by_columns:
            for request in log_batches(batch.points):  # points that are there already change nothing
                self._store.log_batch(request)

    def _divide(self, batch: _Batch, error: SteleError) -> None:
        """Set aside the series at fault, or halve the batch until the point at fault is alone."""
        state, points = batch
        at_fault = culprits(error, points)
        if at_fault and is_over_limit(error):
            self._thin([item for item in points if item.series in at_fault], state, error)
            return
        records = sum(len(item.numbers) for item in points)
        if records == 1 or (len(points) == 1 and len(at_fault) == 1):
            self._set_aside(points, error)
            self._acknowledge(batch)
        elif at_fault:
            self._set_aside([item for item in points if item.series in at_fault], error)
            self._planned(state.start, state.stop, state.late, state.missing, [*state.excluded, *at_fault])
        elif state.late:
            half = len(state.late) // 2
            now, later = (state.late[:half], state.late[half:]) if state.start == state.stop else ([], state.late)
            self._planned(state.start, state.stop, now, sorted([*state.missing, *later]), state.excluded)
        else:
            middle = (state.start + state.stop) // 2
            self._most = max(middle - state.start, 1)
            missing = [number for number in state.missing if number < middle]
            self._planned(state.start, middle, [], missing, state.excluded)

    def _thin(self, points: list[Points], state: State, error: SteleError) -> None:
        """Send fewer points of runs that have as many as the store takes; of a batch that is too many still, none."""
        runs = {item.run_id for item in points}
        strides = state.strides | {run_id: min(state.strides.get(run_id, 1) * 2, _LARGEST_STRIDE) for run_id in runs}
        excluded = [item.series for item in points] if all(len(item.numbers) == 1 for item in points) else []
        self.journal.keep_state(replace(state, strides=strides))
        self._planned(state.start, state.stop, state.late, state.missing, [*state.excluded, *excluded])
        for run_id in runs:
            self.journal.warn_once(f"limit {run_id}", "Points of run %s are thinned from now on: %s", run_id, error)

    def _set_aside(self, points: list[Points], error: SteleError) -> None:
        reason = {"reason": error.message, "error_code": error.error_code, "time": time.time_ns() // 1_000_000}
        refusal = Refusal(error)
        for item in points:
            self.journal.set_aside([letter | reason for letter in item.letters()])
            if len(self.refused_records) < _REMEMBERED_REFUSALS:
                self.refused_records.update(dict.fromkeys(item.numbers.tolist(), refusal))
            self._warn(item.run_id, error)

    def _warn(self, run_id: str, error: SteleError) -> None:
        self.journal.warn_once(
            run_id,
            "The store refuses what was logged to run %s; it is set aside in %s: %s",
            run_id,
            self.journal.directory / files.DEAD if self.journal.directory else "memory",
            error,
        )

    # -- requests

    def _create_runs(self) -> None:
        """Create runs before anything else: thinning may move points to before the request that makes their run."""
        _, last = self.journal.end()
        while self._created < last:
            operation = self.journal.operations.get(self._created + 1)
            if operation is not None and operation.name in _CREATIONS:
                try:
                    self._call(operation.name, self._request(operation))
                except SteleError as error:
                    if is_temporary(error):
                        raise
                    # It is refused again, and then set aside, when its turn comes.
            self._created += 1

    def _carry_out(self, number: int, operation: Operation) -> None:
        count = 1
        try:
            request = self._request(operation)
            if isinstance(request, LogBatch):
                request, count = joined(self._neighbours(number))
            self._call(operation.name, request)
        except SteleError as error:
            if is_temporary(error):
                raise
            if count > 1:  # a request is carried out as a whole or not at all: ask for each part on its own
                for part in range(number, number + count):
                    self._carry_out_alone(part)
                return
            self._refuse(number, operation, error)
        self.journal.finish_operations(number + count - 1)

    def _carry_out_alone(self, number: int) -> None:
        operation = self.journal.operations[number]
        try:
            self._call(operation.name, self._request(operation))
        except SteleError as error:
            if is_temporary(error):
                raise
            self._refuse(number, operation, error)
        self.journal.finish_operations(number)

    def _neighbours(self, number: int) -> list[LogBatch]:
        """The requests from a number on that are of its kind."""
        found: list[LogBatch] = []
        while len(found) < _MOST_JOINED:
            operation = self.journal.operations.get(number + len(found))
            if operation is None or operation.name != "log_batch" or (found and operation.after is not None):
                break
            try:
                found.append(self._request(operation))
            except InvalidParameterValue:  # it is set aside when its turn comes
                break
        return found

    def _request(self, operation: Operation) -> Any:
        if operation.name not in by_operation():
            what = f"holds {operation.name}, which this version does not know" if operation.name else "is damaged"
            raise InvalidParameterValue(f"The line of the journal {what}.")
        return decode(bytes(operation.request), by_operation()[operation.name].request)

    def _call(self, name: str, request: Any) -> None:
        request = self._experiments.resolved(name, request)
        if name == "update_run":
            self._upload_owned(request.run_id)  # who sees that a run has ended finds its files
        elif name == "finalize_logged_model":
            self._upload_owned(request.model_id)
        if request is not None:
            getattr(self._store, name)(request)

    def _refuse(self, number: int, operation: Operation, error: SteleError) -> None:
        request = msgspec.json.decode(operation.request)
        run_id = request.get("run_id") if isinstance(request, dict) else None
        self.journal.set_aside(
            [
                {
                    "operation": operation.name,
                    "request": request,
                    "reason": error.message,
                    "error_code": error.error_code,
                    "time": time.time_ns() // 1_000_000,
                }
            ]
        )
        if len(self.refused_operations) < _REMEMBERED_REFUSALS:
            self.refused_operations[number] = Refusal(error)
        self._warn(str(run_id or operation.name or "?"), error)

    # -- files

    def _directories(self) -> list[Path]:
        if self.journal.directory is None:
            return []
        root = self.journal.directory / files.FILES
        return sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []

    def _upload_owned(self, owner: str) -> None:
        if self.journal.directory is None:
            return
        directory = self.journal.directory / files.FILES / owner
        if not directory.is_dir():
            return
        try:
            self._upload(self._store, owner, directory)
        except SteleError as error:
            if is_temporary(error):
                raise
            self._set_files_aside(owner, directory, error)
        else:
            shutil.rmtree(directory)  # a journal that is kept for what was refused does not send them again

    def _set_files_aside(self, owner: str, directory: Path, error: SteleError) -> None:
        kept = directory.parents[1] / files.REFUSED_FILES / owner
        kept.parent.mkdir(exist_ok=True)
        directory.rename(kept)  # so that nobody tries to send them again
        whose = {"model_id" if is_model_id(owner) else "run_id": owner}
        letter = whose | {"files": str(kept), "reason": error.message, "error_code": error.error_code}
        self.journal.set_aside([letter | {"time": time.time_ns() // 1_000_000}])
        self.refused_files[owner] = Refusal(error)
        self._warn(owner, error)
