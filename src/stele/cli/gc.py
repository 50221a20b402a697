"""``stele gc``: deleted runs, logged models and experiments go for good, their files first.

In this order a crash leaves a run in the trash whose files are gone, and the next `gc` carries on; the other way round
it would leave files that nobody knows of.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import click
from msgspec import Struct, field

from stele.artifacts import scheme_of
from stele.cli.db import database_uri, sqlite_file
from stele.cli.gc_files import FilePlaces
from stele.cli.output import Column, json_option, note, show_json, show_table
from stele.cli.progress import progress
from stele.cli.teaching import Command
from stele.cli.text import clean, size
from stele.client.stores import close_stores, open_store
from stele.errors import DoesNotExist, InvalidParameterValue, SteleError, shown
from stele.stores.sql import SqlStore
from stele.stores.sql.core import experiment_number
from stele.stores.sql.purge import DeletedRun, PurgeChoice
from stele.stores.sql.purge_models import DeletedModel

__all__ = ["gc"]

_SENDER_MILLISECONDS = 90 * 86_400_000  # a journal that waited longer is sent as a new one would be
_RUNS_AT_ONCE = 100
_MOST_KEPT = 1_000
_MOST_SHOWN = 20
_AGE = re.compile(r"(?:([\d.]+)d)?(?:([\d.]+)h)?(?:([\d.]+)m)?(?:([\d.]+)s)?")
_AGE_UNITS_MS = (86_400_000, 3_600_000, 60_000, 1_000)
_LOCAL_ROOT = "./stele-artifacts"


class Kept(Struct):
    """A run or an experiment that stays, and why."""

    id: str
    place: str
    reason: str


class Outcome(Struct):
    """What was removed, or would be. ``kept`` has the first thousand that stay, ``kept_count`` counts all.

    ``forked`` counts runs that stay because others were forked from them.
    """

    dry_run: bool
    runs: int = 0
    models: int = 0
    experiments: int = 0
    bytes_freed: int = 0
    file_versions: int = 0
    file_bytes: int = 0
    forked: int = 0
    kept_count: int = 0
    kept: list[Kept] = field(default_factory=list)

    def keep(self, name: str, place: str, reason: str) -> None:
        """Note that something stays."""
        self.kept_count += 1
        if len(self.kept) < _MOST_KEPT:
            self.kept.append(Kept(name, place, reason))


def _milliseconds(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    """An age such as ``1d2h3m4s``."""
    if value is None:
        return None
    match = _AGE.fullmatch(value.strip())
    try:
        parts = [float(part or 0) for part in match.groups()] if match and value.strip() else []
    except ValueError:
        parts = []
    if not parts:
        raise click.BadParameter(f"{shown(value)} is no age. It looks like 30d, 12h or 1d2h3m4s.")
    return int(sum(part * unit for part, unit in zip(parts, _AGE_UNITS_MS, strict=True)))


def _ids(_ctx: click.Context, _param: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in (value or "").split(",") if part.strip()))


@click.command(cls=Command)
@click.option(
    "--older-than", callback=_milliseconds, metavar="AGE", help="Only what was deleted so long ago: 30d, 1d2h3m4s."
)
@click.option("--backend-store-uri", metavar="URI", help="The database. [the tracking URI]")
@click.option("--artifacts-destination", metavar="URI", help="Where the server keeps files. [beside the database]")
@click.option("--default-artifact-root", metavar="URI", help="Where runs keep files without a server. [the same]")
@click.option("--run-ids", callback=_ids, metavar="IDS", help="Only these runs, by comma.")
@click.option("--experiment-ids", callback=_ids, metavar="IDS", help="Only these experiments and their runs, by comma.")
@click.option("--leave-foreign-files", is_flag=True, help="Remove also runs whose files lie elsewhere; the files stay.")
@click.option(
    "--file-versions", is_flag=True, help="Remove also what files held until they were overwritten, --older-than ago."
)
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@json_option
@click.pass_context
def gc(
    ctx: click.Context,
    older_than: int | None,
    backend_store_uri: str | None,
    artifacts_destination: str | None,
    default_artifact_root: str | None,
    run_ids: tuple[str, ...],
    experiment_ids: tuple[str, ...],
    leave_foreign_files: bool,
    file_versions: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    r"""Remove deleted runs, logged models and experiments for good, with their files. Nothing brings them back.

    It may run while servers use the database, and may be interrupted: the next time it carries on. A run or a model
    stays when its files are not beneath one of the two roots; the exit code is 1 then. A registered model stays.

    Overwritten files keep what they held as versions, which --file-versions removes beneath the two roots, also those
    of runs in use. The files stay.

    \b
    stele gc --dry-run
    stele gc --older-than 30d --yes
    stele gc --older-than 90d --file-versions --dry-run
    stele gc --backend-store-uri postgresql://stele@db/stele --artifacts-destination /srv/stele/files
    """
    if file_versions and (older_than is None or run_ids or experiment_ids):
        raise click.UsageError("--file-versions needs --older-than, and takes no --run-ids or --experiment-ids.")
    store = _open(database_uri(backend_store_uri))
    ctx.call_on_close(close_stores)
    choice = PurgeChoice(
        deleted_before=None if older_than is None else time.time_ns() // 1_000_000 - older_than,
        run_ids=run_ids,
        experiment_ids=tuple(experiment_number(each) for each in experiment_ids),
    )
    store.check_purge(choice)
    root = default_artifact_root or store.artifact_root
    places = FilePlaces(artifacts_destination or (root if scheme_of(root) == "file" else _LOCAL_ROOT), root)
    with closing(places):
        collector = _Collector(store, choice, places, leave_foreign_files, file_versions)
        if dry_run:
            outcome = collector.plan(show=not as_json)
        else:
            if not yes:
                _ask(store, choice, collector.old_versions())
            outcome = collector.run()
    _tell(outcome, as_json=as_json)
    ctx.exit(1 if outcome.kept_count else 0)


def _open(uri: str) -> SqlStore:
    if (file := sqlite_file(uri)) and not file.exists():
        raise DoesNotExist(f"There is no file {shown(str(file))}.")
    store = open_store(uri)
    if not isinstance(store, SqlStore):
        raise InvalidParameterValue(f"{shown(uri)} is no SQL database.")
    return store


def _ask(store: SqlStore, choice: PurgeChoice, versions: int) -> None:
    runs, models = store.count_deleted_runs(choice), store.count_deleted_models(choice)
    experiments = len(store.deleted_experiments(choice))
    if not (runs or models or experiments or versions):
        return
    if not sys.stdin.isatty():
        raise click.UsageError("Nobody is here to be asked: add --yes, or look first with --dry-run.")
    question = f"Remove {_what(runs, models, experiments, versions)} of {store.db.name} for good?"
    click.confirm(question, abort=True, err=True)


class _Collector:
    """One pass over what is in the trash."""

    def __init__(
        self, store: SqlStore, choice: PurgeChoice, places: FilePlaces, leave_foreign: bool, file_versions: bool
    ) -> None:
        self._store = store
        self._choice = choice
        self._places = places
        self._leave_foreign = leave_foreign
        self._file_versions = file_versions
        self._with_kept_runs: set[int] = set()

    def plan(self, *, show: bool) -> Outcome:
        """What :meth:`run` would do; the first runs are printed."""
        outcome = Outcome(dry_run=True)
        sample: list[DeletedRun] = []
        for page in self._pages():
            runs = self._removable(page, outcome)
            outcome.runs += len(runs)
            sample += runs[: _MOST_SHOWN - len(sample)]
        for found in self._model_pages():
            outcome.models += len(self._removable_models(found, outcome))
        experiments = {experiment.experiment_id for experiment in self._store.deleted_experiments(self._choice)}
        outcome.experiments = len(experiments - self._with_kept_runs)
        outcome.forked = self._store.count_forked_runs(self._choice)
        self._sweep(outcome)
        if show and sample:
            columns = [Column("Run", "id"), Column("Name"), Column("Experiment", "id"), Column("Deleted", "time")]
            show_table(columns, [[run.run_id, run.name, str(run.experiment_id), run.deleted_time] for run in sample])
            if outcome.runs > len(sample):
                note(f"and {outcome.runs - len(sample)} more.")
        return outcome

    def run(self) -> Outcome:
        """Remove what may go."""
        outcome = Outcome(dry_run=False)
        before = self._store.file_bytes()
        with progress("Removing runs", self._store.count_deleted_runs(self._choice)) as advance:
            # A run that others were forked from goes after them.
            while removed := self._remove_runs(outcome, advance):
                outcome.runs += removed
        outcome.forked = self._store.count_forked_runs(self._choice)
        self._remove_models(outcome)
        self._remove_experiments(outcome)
        self._sweep(outcome)
        self._store.forget_senders(int(time.time() * 1000) - _SENDER_MILLISECONDS)
        self._reclaim()
        outcome.bytes_freed = max(0, before - self._store.file_bytes())
        return outcome

    def _remove_runs(self, outcome: Outcome, advance: Callable[[int], None]) -> int:
        """Go through the trash once; returns how many runs went."""
        outcome.kept, outcome.kept_count = [], 0
        removed = 0
        for page in self._pages():
            removed += self._remove(self._removable(page, outcome), outcome)
            advance(len(page))
        return removed

    def _pages(self) -> Iterator[list[DeletedRun]]:
        last: DeletedRun | None = None
        while page := self._store.deleted_runs(self._choice, _RUNS_AT_ONCE, last):
            yield page
            last = page[-1]

    def _removable(self, page: list[DeletedRun], outcome: Outcome) -> list[DeletedRun]:
        found = []
        for run in page:
            reason = self._places.reason(run.artifact_uri, run.run_id)
            if reason and not self._leave_foreign:
                outcome.keep(run.run_id, run.artifact_uri, reason)
                self._with_kept_runs.add(run.experiment_id)
            else:
                found.append(run)
        return found

    def _remove(self, runs: list[DeletedRun], outcome: Outcome) -> int:
        """Files first, then rows; returns how many runs went."""
        claimed = set(self._store.claim_runs([run.run for run in runs]))
        gone = []
        for run in runs:
            if run.run not in claimed:  # restored since the page was read
                continue
            try:
                if not self._places.reason(run.artifact_uri, run.run_id):
                    self._places.remove_run(run.artifact_uri, run.run_id)
                gone.append(run.run)
            except (SteleError, OSError) as e:
                outcome.keep(run.run_id, run.artifact_uri, str(e))
        self._store.purge_runs(gone)
        return len(gone)

    def _model_pages(self) -> Iterator[list[DeletedModel]]:
        last: DeletedModel | None = None
        while page := self._store.deleted_models(self._choice, _RUNS_AT_ONCE, last):
            yield page
            last = page[-1]

    def _removable_models(self, page: list[DeletedModel], outcome: Outcome) -> list[DeletedModel]:
        found = []
        for model in page:
            reason = self._places.reason(model.artifact_uri, model.model_id)
            if reason and not self._leave_foreign:
                outcome.keep(model.model_id, model.artifact_uri, reason)
                self._with_kept_runs.add(model.experiment_id)
            else:
                found.append(model)
        return found

    def _remove_models(self, outcome: Outcome) -> None:
        """Files first, then rows, as with runs."""
        for page in self._model_pages():
            models = self._removable_models(page, outcome)
            claimed = set(self._store.claim_models([model.model for model in models]))
            gone = []
            for model in models:
                if model.model not in claimed:  # registered since the page was read
                    continue
                try:
                    if not self._places.reason(model.artifact_uri, model.model_id):
                        self._places.remove_run(model.artifact_uri, model.model_id)
                    gone.append(model.model)
                except (SteleError, OSError) as e:
                    outcome.keep(model.model_id, model.artifact_uri, str(e))
            self._store.purge_models(gone)
            outcome.models += len(gone)

    def _remove_experiments(self, outcome: Outcome) -> None:
        for experiment in self._store.deleted_experiments(self._choice):
            name, place = f"experiment {experiment.experiment_id}", experiment.artifact_location
            if self._store.has_runs(experiment.experiment_id):
                outcome.keep(name, place, "it has runs that stay")
                continue
            if self._store.has_models(experiment.experiment_id):
                outcome.keep(name, place, "it has logged models that stay")
                continue
            try:
                self._places.remove_experiment(place)
                outcome.experiments += self._store.purge_experiment(experiment.experiment_id)
            except (SteleError, OSError) as e:
                outcome.keep(name, place, str(e))

    def old_versions(self) -> int:
        """How many versions of files may go."""
        outcome = Outcome(dry_run=True)
        self._sweep(outcome)
        return outcome.file_versions

    def _sweep(self, outcome: Outcome) -> None:
        if not self._file_versions or self._choice.deleted_before is None:
            return
        for found in self._places.sweep(self._choice.deleted_before, dry_run=outcome.dry_run):
            outcome.file_versions += found.versions
            outcome.file_bytes += found.size
            if found.problem:
                outcome.keep("file", str(found.path), found.problem)

    def _reclaim(self) -> None:
        while self._store.reclaim_pages():
            pass


def _tell(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        show_json(outcome)
        return
    what = _what(outcome.runs, outcome.models, outcome.experiments, outcome.file_versions)
    if outcome.file_versions:
        what += f" ({size(outcome.file_bytes)})"
    freed = f"; the database is {size(outcome.bytes_freed)} smaller" if outcome.bytes_freed else ""
    click.echo(f"Would remove {what}." if outcome.dry_run else f"Removed {what}{freed}.")
    if outcome.forked:
        note(f"Deleted runs that stay as long as those that were forked from them: {outcome.forked}")
    if outcome.kept_count:
        note(f"Kept {outcome.kept_count}:")
        for kept in outcome.kept[:_MOST_SHOWN]:
            note(f"  {kept.id}: {clean(kept.reason)}: {clean(kept.place)}")
        if outcome.kept_count > _MOST_SHOWN:
            note(f"  and {outcome.kept_count - _MOST_SHOWN} more")
        note("Name their roots with --artifacts-destination or --default-artifact-root, or add --leave-foreign-files.")


def _what(runs: int, models: int, experiments: int, versions: int) -> str:
    parts = [_counted(runs, "run")]
    parts += [_counted(models, "logged model")] if models else []
    parts += [_counted(experiments, "experiment")]
    parts += [_counted(versions, "old version") + " of files"] if versions else []
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
