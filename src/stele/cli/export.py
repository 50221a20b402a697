"""``stele export``."""

from __future__ import annotations

import glob
import os
import secrets
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import click

from stele import settings
from stele.cli.finding import chosen_experiments, open_client, view_option
from stele.cli.output import json_option, note, show_json
from stele.cli.run_options import chosen_options
from stele.cli.teaching import Command
from stele.cli.text import size
from stele.client.client import Client
from stele.client.history import to_arrow, to_columns
from stele.client.run_tables import RUN_TABLES, Kind, RunKeys, in_groups, run_keys, run_pages, run_tables, series_of
from stele.errors import InvalidParameterValue, MissingDependency, shown
from stele.schema.enums import ViewType
from stele.stores.journal.locks import Lock

if TYPE_CHECKING:
    import rich.progress

__all__ = ["export"]

_ROW_GROUP_POINTS = 1_000_000
_FILE_POINTS = 20_000_000


@click.command(cls=Command)
@click.argument("directory", metavar="OUT_DIR", type=click.Path(path_type=Path))
@chosen_options("Of this experiment, by name or id; may be repeated. [all]")
@click.option("--runs-only", is_flag=True, help="Leave the points of metrics out.")
@view_option()
@json_option
def export(
    directory: Path, experiments: Sequence[str], condition: str, runs_only: bool, view: str, as_json: bool
) -> None:
    r"""Write runs and all points of their metrics as Parquet files.

    \b
    OUT_DIR/runs.parquet             a row per run
    OUT_DIR/params.parquet           run_id, key, value
    OUT_DIR/tags.parquet             run_id, key, value
    OUT_DIR/latest_metrics.parquet   run_id, key, step, timestamp, value
    OUT_DIR/points/experiment_id=N/part-00000.parquet ...

    OUT_DIR appears when everything is in it. After an export that was interrupted, start it again; one that was killed
    leaves a hidden directory beside OUT_DIR, which the next one removes.

    \b
    stele export --experiment churn exported
    stele export --filter "metrics.auc > 0.9" --runs-only best-runs
    """
    _refuse_taken(directory)
    client = open_client()
    chosen = chosen_experiments(client, experiments)
    with _fresh(directory.resolve()) as folder:
        found = _write_runs(folder, client, chosen, condition, ViewType.from_string(view))
        runs = sum(map(len, found.values()))
        points = 0 if runs_only else _write_points(folder, client, found, runs)
        files = [path for path in folder.rglob("*.parquet") if path.is_file()]
        report = {"runs": runs, "points": points, "files": len(files), "bytes": sum(f.stat().st_size for f in files)}
    if as_json:
        show_json(report)
    else:
        note(f"Wrote {runs} runs and {points} points to {directory}: {len(files)} files, {size(report['bytes'])}.")


def _refuse_taken(directory: Path) -> None:
    if directory.exists() and not (directory.is_dir() and next(directory.iterdir(), None) is None):
        raise InvalidParameterValue(f"{shown(str(directory))} exists already. Name a directory that does not.")
    if os.path.ismount(directory):  # a volume of a container
        raise InvalidParameterValue(f"{shown(str(directory))} is a mount point. Name a directory in it.")


@contextmanager
def _fresh(directory: Path) -> Iterator[Path]:
    """A directory beside the one that is wanted, which takes its place when all went well.

    Its name is no other export's, so that two of the same name do not mix their files.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    for rest in directory.parent.glob(f".{glob.escape(directory.name)}.*.partial"):
        lock = Lock.take(f"{rest}.lock")
        if lock is not None:  # nobody's: what an export left that was killed
            _remove(rest, lock)
    folder = directory.with_name(f".{directory.name}.{secrets.token_hex(4)}.partial")
    lock = Lock.take(f"{folder}.lock")
    try:
        folder.mkdir()
        yield folder
        _refuse_taken(directory)  # another export may have been faster
        if directory.exists():
            directory.rmdir()  # it is empty; Windows does not replace it
        folder.rename(directory)
    finally:
        _remove(folder, lock)


def _remove(folder: Path, lock: Lock | None) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if lock is not None:
        lock.release()
    Path(f"{folder}.lock").unlink(missing_ok=True)


def _write_runs(
    folder: Path, client: Client, experiments: dict[str, str], condition: str, view: int
) -> dict[str, list[RunKeys]]:
    """Write all but the points, in the memory of one page; returns the runs of each experiment."""
    found: dict[str, list[RunKeys]] = {}
    with ExitStack() as stack:
        writers = {
            table: stack.enter_context(_parquet_file(folder / f"{table}.parquet", _schema(columns)))
            for table, columns in RUN_TABLES.items()
        }
        for page in run_pages(client, list(experiments), condition, view):
            found.setdefault(page[0].info.experiment_id, []).extend(run_keys(page))
            for table, columns in run_tables(page, experiments).items():
                writers[table].write_table(_pyarrow().table(columns, schema=_schema(RUN_TABLES[table])))
    return found


def _write_points(folder: Path, client: Client, found: dict[str, list[RunKeys]], runs: int) -> int:
    points = 0
    with _progress(runs) as progress:
        for experiment_id, keys in found.items():
            part_folder = folder / "points" / f"experiment_id={experiment_id}"
            part_folder.mkdir(parents=True)
            with _Parts(part_folder) as parts:
                for group in in_groups(series_of(client, keys), _ROW_GROUP_POINTS):
                    table = to_arrow(to_columns(group))
                    written = parts.write(table)
                    points += len(table)
                    progress.add({series.run_id for series in group}, len(table), written)
    return points


class _Parts:
    """The files of one experiment, each of bounded length."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0
        self._rows = 0
        self._path: Path | None = None
        self._stack = ExitStack()
        self._writer: Any = None

    def write(self, table: Any) -> int:
        """Write a row group; returns the bytes by which the files have grown."""
        if self._path is None or self._rows >= _FILE_POINTS:
            self._stack.close()
            self._path = self._folder / f"part-{self._number:05}.parquet"
            self._writer = self._stack.enter_context(_parquet_file(self._path, table.schema))
            self._number += 1
            self._rows = 0
        before = self._path.stat().st_size
        self._writer.write_table(table)
        self._rows += len(table)
        return self._path.stat().st_size - before

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def _parquet_file(path: Path, schema: Any) -> Any:
    _pyarrow()
    import pyarrow.parquet

    # Without pyarrow's own schema every reader sees plain texts, not dictionaries.
    return pyarrow.parquet.ParquetWriter(path, schema, compression="zstd", store_schema=False)


def _schema(columns: Any) -> Any:
    pa = _pyarrow()
    kinds: dict[Kind, Any] = {
        "text": pa.string(),
        "integer": pa.int64(),
        "real": pa.float64(),
        "time": pa.timestamp("ms", "UTC"),
    }
    return pa.schema([(name, kinds[kind]) for name, kind in columns.items()])


def _pyarrow() -> Any:
    try:
        import pyarrow
    except ImportError as e:
        raise MissingDependency("pyarrow", "to write Parquet files", "export") from e
    return pyarrow


class _Progress(Protocol):
    def add(self, run_ids: set[str], points: int, count: int) -> None:
        """So many points of these runs, ``count`` bytes, have been written."""
        ...


class _Silence:
    def add(self, run_ids: set[str], points: int, count: int) -> None: ...


class _Bar:
    """Runs of all runs, points, bytes, and the time that is left."""

    def __init__(self, bar: rich.progress.Progress, runs: int) -> None:
        self._bar = bar
        self._task = bar.add_task("Exporting", total=runs, points=0, size=size(0))
        self._runs: set[str] = set()
        self._points = 0
        self._bytes = 0

    def add(self, run_ids: set[str], points: int, count: int) -> None:
        self._runs |= run_ids
        self._points += points
        self._bytes += count
        self._bar.update(self._task, completed=len(self._runs), points=self._points, size=size(self._bytes))


@contextmanager
def _progress(runs: int) -> Iterator[_Progress]:
    """A bar on a terminal when ``STELE_PROGRESS`` is on, else silence."""
    if not (sys.stderr.isatty() and settings.PROGRESS.get()):
        yield _Silence()
        return
    import rich.console
    import rich.progress as parts

    with parts.Progress(
        parts.TextColumn("{task.description}"),
        parts.BarColumn(),
        parts.MofNCompleteColumn(),
        parts.TextColumn("runs, {task.fields[points]:,} points, {task.fields[size]}"),
        parts.TimeRemainingColumn(),
        console=rich.console.Console(stderr=True),
        transient=True,
    ) as bar:
        yield _Bar(bar, runs)
