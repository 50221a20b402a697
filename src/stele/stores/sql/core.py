"""What every part of :class:`SqlStore` shares: the database, the key numbers, and how rows are looked up."""

from __future__ import annotations

import getpass
import time
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from stele.errors import DoesNotExist, InvalidParameterValue, shown
from stele.schema.codec import required
from stele.stores.base import ACTOR
from stele.stores.sql.backlog import Backlog
from stele.stores.sql.database import Database
from stele.stores.sql.described import DatasetCache
from stele.stores.sql.dialect import Prepared
from stele.stores.sql.keys import Keys
from stele.stores.sql.parts import parts
from stele.stores.sql.pyramid import CellCache
from stele.stores.sql.run_frames import FrameMemory
from stele.stores.sql.search_memory import SearchMemory
from stele.stores.sql.tables import STAGE_ACTIVE, STAGE_DELETED, experiments, runs

__all__ = ["STAGE_NAMES", "StoreCore", "actor", "experiment_number", "lock_runs", "locked_run", "now_ms", "run_numbers"]

STAGE_NAMES = {STAGE_ACTIVE: "active", STAGE_DELETED: "deleted"}

_MAX_DIGITS = 18

# Built once: they are the first statements of every write.
_EXPERIMENT = select(experiments).where(experiments.c.experiment_id == bindparam("number"))
_LOCKED_EXPERIMENT = _EXPERIMENT.with_for_update()
_LOCKED_RUN = Prepared(
    select(runs.c.run, runs.c.run_id, runs.c.experiment_id, runs.c.stage, runs.c.deleted_time, runs.c.document)
    .where(runs.c.run_id == bindparam("run_id"))
    .with_for_update()
)
_USED = select(runs.c.run, runs.c.run_id, runs.c.experiment_id, runs.c.stage)
_LOCKED_USED = Prepared(_USED.where(runs.c.run_id == bindparam("run_id")).with_for_update())
_HAS_ID = runs.c.run_id.in_(bindparam("run_ids", expanding=True))
_HAS_NUMBER = runs.c.run.in_(bindparam("numbers", expanding=True))
_NUMBERS = Prepared(select(runs.c.run).where(_HAS_ID))
_LOCKED_BY_ID, _LOCKED_BY_NUMBER = (
    Prepared(_USED.where(chosen).order_by(runs.c.run).with_for_update()) for chosen in (_HAS_ID, _HAS_NUMBER)
)
_LOCKED_AT_ONCE = 500


class StoreCore:
    """The state of a store."""

    db: Database
    keys: Keys
    described: DatasetCache
    backlog: Backlog
    searches: SearchMemory
    frames: FrameMemory
    cells: CellCache
    artifact_root: str


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def actor() -> str:
    """Who is behind the current call: a server's principal, else the user of this process."""
    try:
        return ACTOR.get() or getpass.getuser()
    except (OSError, KeyError):  # a container whose user has no name
        return "unknown"


def experiment_number(experiment_id: str, path: str = "experiment_id") -> int:
    """The number in an experiment id.

    Raises:
        InvalidParameterValue: It is no sequence of digits.
    """
    required(experiment_id, path)
    if not (experiment_id.isascii() and experiment_id.isdigit() and len(experiment_id) <= _MAX_DIGITS):
        raise InvalidParameterValue(
            f"{path} {shown(experiment_id)} is not an experiment id, which is a number such as '0'."
        )
    return int(experiment_id)


def found_experiment(connection: Connection, number: int, *, lock: bool = False) -> Row[Any]:
    """The row of an experiment, deleted ones included.

    Raises:
        DoesNotExist: There is none.
    """
    row = connection.execute(_LOCKED_EXPERIMENT if lock else _EXPERIMENT, {"number": number}).one_or_none()
    if row is None:
        raise no_experiment(number)
    return row


def active_experiment(connection: Connection, number: int, *, lock: bool = False) -> Row[Any]:
    """The row of an experiment that is in use.

    Raises:
        DoesNotExist: There is none.
        InvalidParameterValue: It is deleted.
    """
    row = found_experiment(connection, number, lock=lock)
    if row.stage != STAGE_ACTIVE:
        raise InvalidParameterValue(f"Experiment '{number}' ({shown(row.name)}) is deleted. Restore it to write to it.")
    return row


def locked_run(connection: Connection, run_id: str, *, active: bool = True) -> Any:
    """The row of a run, locked until the transaction ends. Its latest metrics are not read.

    Raises:
        DoesNotExist: There is none.
        InvalidParameterValue: It is deleted, and ``active`` asks for one that is not.
    """
    row = _LOCKED_RUN(connection, {"run_id": required(run_id, "run_id")}).first()
    if row is None:
        raise no_run(run_id)
    if active:
        _demand_active(row, run_id)
    return row


def lock_runs(connection: Connection, run_ids: Iterable[str]) -> dict[str, Any]:
    """The rows of those runs that are there, by id, locked until the transaction ends.

    Whoever locks several runs does so in the order of their row numbers, or two of them deadlock.
    """
    wanted = set(run_ids)
    if len(wanted) == 1:
        return {row.run_id: row for row in _LOCKED_USED(connection, {"run_id": wanted.pop()})}
    if 0 < len(wanted) <= _LOCKED_AT_ONCE and connection.dialect.name != "mysql":
        return {row.run_id: row for row in _LOCKED_BY_ID(connection, {"run_ids": wanted})}
    # MySQL locks rows as it comes across them, and sorts later.
    numbers = [row.run for ids in parts(wanted, _LOCKED_AT_ONCE) for row in _NUMBERS(connection, {"run_ids": ids})]
    locked = [_LOCKED_BY_NUMBER(connection, {"numbers": some}) for some in parts(sorted(numbers), _LOCKED_AT_ONCE)]
    return {row.run_id: row for rows in locked for row in rows}


def run_in_use(rows: dict[str, Any], run_id: str) -> Any:
    """The row of a run among those that :func:`lock_runs` found.

    Raises:
        DoesNotExist: It is not there.
        InvalidParameterValue: It is deleted.
    """
    if run_id not in rows:
        raise no_run(run_id)
    _demand_active(rows[run_id], run_id)
    return rows[run_id]


def _demand_active(row: Any, run_id: str) -> None:
    if row.stage != STAGE_ACTIVE:
        raise InvalidParameterValue(f"Run {shown(run_id)} is deleted. Restore it to write to it.")


def no_experiment(number: int) -> DoesNotExist:
    """The error for an experiment that is not there."""
    return DoesNotExist(f"No experiment has the id '{number}'.")


def no_run(run_id: str) -> DoesNotExist:
    """The error for a run that is not there."""
    return DoesNotExist(f"No run has the id {shown(run_id)}.")


def run_numbers(connection: Connection, run_ids: list[str]) -> dict[str, Any]:
    """``run`` and ``experiment_id`` of each run that exists, by its id."""
    query = select(runs.c.run_id, runs.c.run, runs.c.experiment_id).where(runs.c.run_id.in_(run_ids))
    return {row.run_id: row for row in connection.execute(query)}
