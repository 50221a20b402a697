"""The active run, and the fluent functions about runs.

Every thread and every asynchronous task has its own stack of active runs: a new thread starts with none, a task with
those of the task that started it. All open runs are also known to the process, which ends those that are left when
it exits.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from msgspec import Struct

from stele import settings
from stele.client import active_model, console_log, context, experiments, system_metrics
from stele.client import tag_names as names
from stele.client.calls.base import as_tags
from stele.client.client import Client
from stele.client.console import WaitingLine, show_kept, show_run
from stele.client.endings import SHUTDOWN, finish_run
from stele.client.jobs import JOBS
from stele.client.stores import open_journalled
from stele.client.system_metrics import SystemMetricsMonitor
from stele.errors import InvalidParameterValue, SteleError, shown
from stele.schema.enums import LifecycleStage
from stele.schema.metrics import Metric
from stele.schema.runs import Run

if TYPE_CHECKING:
    from stele.client.console_recorder import ConsoleRecorder
    from stele.stores.journal.journal import Append

__all__ = [
    "ActiveRun",
    "active_run",
    "active_series",
    "client_of",
    "delete_run",
    "end_run",
    "ensure_run",
    "get_metric_history",
    "get_parent_run",
    "get_run",
    "join_series",
    "last_active_run",
    "reset",
    "restore_run",
    "start_run",
]


class ActiveRun(Run, frozen=True):
    """A run that logging functions write to; as a context manager it ends the run when the block is left.

    A block that raises makes the run FAILED, any other FINISHED. The data are those at the start: ``stele.get_run``
    reads anew.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        opened = _open.get(self.info.run_id)
        if opened is not None and opened.console is not None and error is not None:
            opened.console.hear_failure(error)
        # Runs that the block left open end with it.
        while self.info.run_id in [run.info.run_id for run in _stack()]:
            end_run("FINISHED" if kind is None else "KILLED" if SHUTDOWN.terminated else "FAILED")
        return False


class _Open(Struct):
    """A run that this process started and has not ended."""

    run: ActiveRun
    client: Client
    process: int
    series: dict[str, Append]
    """Writers of points by metric, of those that were logged here; empty for good when the run ends."""
    monitor: SystemMetricsMonitor | None = None
    console: ConsoleRecorder | None = None


_LOGGER = logging.getLogger(__name__)
_STACK: ContextVar[tuple[ActiveRun, ...]] = ContextVar("stele_active_runs", default=())
_SERIES: ContextVar[dict[str, Append]] = ContextVar("stele_active_series", default={})  # noqa: B039 - stays empty
_LAST: ContextVar[str] = ContextVar("stele_last_run_id", default="")
_open: dict[str, _Open] = {}


def start_run(
    run_id: str | None = None,
    experiment_id: str | None = None,
    run_name: str | None = None,
    nested: bool = False,
    parent_run_id: str | None = None,
    tags: dict[str, Any] | None = None,
    description: str | None = None,
    log_system_metrics: bool | None = None,
    fork_from: str | Run | None = None,
    fork_step: int | None = None,
    log_console: bool | None = None,
) -> ActiveRun:
    """Start a run, or continue one, and make it the active one.

    Use it as ``with start_run():``, or end the run with :func:`end_run`.

    Args:
        run_id: A run to continue; its status becomes RUNNING again. None means the one of ``STELE_RUN_ID``, else a
            new run.
        experiment_id: The experiment of a new run; None means that of the parent, else the current one.
        run_name: Name of a new run; None lets the store invent one.
        nested: Whether it may start inside the active run, which becomes its parent.
        parent_run_id: The run that becomes the parent, instead of the active one.
        tags: Tags by key; values become text.
        description: Free text about the run.
        log_system_metrics: Whether CPU, memory, disk, network and GPU are sampled; None does what
            :func:`enable_system_metrics_logging` or ``STELE_SYSTEM_METRICS`` say.
        fork_from: A run, or its id, whose points are the beginning of the new run's series, shared and not copied. The
            new run belongs to its experiment.
        fork_step: The last step that the two share; None for all.
        log_console: Whether what is printed is kept with the run; None does what :func:`enable_console_logging` or
            ``STELE_ENABLE_CONSOLE_LOGGING`` say.

    Raises:
        DoesNotExist: There is no such run, parent or experiment.
        InvalidParameterValue: A run is active and ``nested`` is not set, the run, parent or experiment is deleted, or
            both ``run_id`` and ``fork_from`` are given.
    """
    active = active_run()
    if active is not None and not nested:
        raise InvalidParameterValue(
            f"The run {active.info.run_id} is active already. End it with end_run(), or pass nested=True."
        )
    client = Client()
    tags = _with_description(tags, description)
    run_id = run_id or _run_id_of_environment()
    if run_id and (fork_from or fork_step is not None):
        raise InvalidParameterValue(f"The run {run_id} cannot be continued and be a fork; give run_id or fork_from.")
    if run_id:
        run = _resume(client, run_id, tags, experiment_id)
    else:
        parent = _parent(client, parent_run_id, active)
        fork = _Fork(fork_from.info.run_id if isinstance(fork_from, Run) else fork_from, fork_step)
        run = _create(client, parent, tags, experiment_id, run_name, fork)
    opened = _Open(ActiveRun(run.info, run.data, run.inputs, run.outputs), client, os.getpid(), {})
    client.remember_artifact_uri(run)
    _open[run.info.run_id] = opened
    _STACK.set((*_stack(), opened.run))
    _SERIES.set(opened.series)
    _LAST.set(run.info.run_id)
    SHUTDOWN.watch()
    if not run_id and (active is None or parent_run_id):
        _capture(client, run.info.run_id)
    if system_metrics.is_enabled(log_system_metrics):
        opened.monitor = SystemMetricsMonitor(client, run.info.run_id, resume=bool(run_id))
        opened.monitor.start()
    opened.console = console_log.recorder(client, opened.run, log_console)
    return opened.run


def _with_description(tags: dict[str, Any] | None, description: str | None) -> dict[str, Any]:
    tags = dict(tags or {})
    if description is not None:
        if names.NOTE in tags:
            raise InvalidParameterValue(f"The description is given twice, also as the tag {names.NOTE}.")
        tags[names.NOTE] = description
    return tags


def _run_id_of_environment() -> str:
    run_id = settings.RUN_ID.get()
    if run_id:  # it names one run: the next start_run() of this process makes a new one
        os.environ.pop(settings.RUN_ID.name, None)
        os.environ.pop(settings.RUN_ID.twin or "", None)
    return run_id


def _resume(client: Client, run_id: str, tags: dict[str, Any], experiment_id: str | None) -> Run:
    run = client.get_run(run_id)
    _demand_active(run, "continued")
    if experiment_id is not None and str(experiment_id) != run.info.experiment_id:
        raise InvalidParameterValue(
            f"The run {run_id} belongs to experiment {run.info.experiment_id}, not to {shown(experiment_id)}."
        )
    client.update_run(run_id, status="RUNNING")
    if tags:
        client.log_batch(run_id, tags=as_tags(tags), synchronous=True)
    return client.get_run(run_id)


def _parent(client: Client, parent_run_id: str | None, active: ActiveRun | None) -> Run | None:
    if parent_run_id is None:
        return active
    parent = client.get_run(parent_run_id)
    _demand_active(parent, "a parent")
    return parent


def _demand_active(run: Run, purpose: str) -> None:
    if run.info.lifecycle_stage != LifecycleStage.ACTIVE:
        raise InvalidParameterValue(f"The run {run.info.run_id} is deleted and cannot be {purpose}. Restore it first.")


class _Fork(Struct, frozen=True):
    """Of what a new run is a fork, if of anything."""

    run_id: str | None
    step: int | None


def _create(
    client: Client,
    parent: Run | None,
    tags: dict[str, Any],
    experiment_id: str | None,
    run_name: str | None,
    fork: _Fork,
) -> Run:
    if parent is not None:
        tags = {names.PARENT_RUN_ID: parent.info.run_id} | tags
    if run_name:
        tags = tags | {names.RUN_NAME: run_name}
    if experiment_id is None and fork.run_id:
        experiment_id = client.get_run(fork.run_id).info.experiment_id
    if experiment_id is None:
        experiment_id = parent.info.experiment_id if parent is not None else experiments.current_experiment_id()
    tags = context.context_tags() | tags
    run = client.create_run(experiment_id, None, tags, run_name, fork.run_id, fork.step)
    return client.get_run(run.info.run_id) if fork.run_id else run


def _capture(client: Client, run_id: str) -> None:
    """Write what is slow to find out in the background, for outermost runs: children share it with their parent."""
    if settings.CAPTURE.get():
        JOBS.submit(run_id, lambda: _write_slow_facts(client, run_id), optional=True)


def _write_slow_facts(client: Client, run_id: str) -> None:
    facts = context.slow_facts()
    if facts.tags:
        client.log_batch(run_id, tags=as_tags(facts.tags), synchronous=True)
    for path, text in facts.files.items():
        client.log_text(run_id, text, path)


def end_run(status: str = "FINISHED") -> None:
    """End the active run of this thread or task; without one nothing happens.

    Returns when everything that was logged to the run is stored. When the store takes nothing for
    ``STELE_EXIT_TIMEOUT``, it stays in the journal and a warning says so.

    Args:
        status: FINISHED, FAILED, KILLED or another name of ``RunStatus``.

    Raises:
        InvalidParameterValue: The status is none, or the run was deleted meanwhile.
    """
    stack = _stack()
    if stack:
        _STACK.set(stack[:-1])
        _SERIES.set(_open[stack[-2].info.run_id].series if stack[1:] else {})
        _end(stack[-1].info.run_id, status)


def _end(run_id: str, status: str) -> None:
    opened = _open.pop(run_id)
    opened.series.clear()
    if opened.monitor is not None:
        opened.monitor.finish()
    # Who has waited in vain for one part does not wait for the others.
    seconds = settings.EXIT_TIMEOUT_SECONDS.get() if JOBS.finish(run_id) else 0.0
    if opened.console is not None and not opened.console.finish(seconds):
        seconds = 0.0
    store = open_journalled(opened.client.tracking_uri)
    with WaitingLine(opened.client.tracking_uri) as line:
        finish_run(store, run_id, status, line.show, seconds)
    if store.offline:
        show_kept(store.directory)
    else:
        show_run(opened.client.tracking_uri, opened.run)


def _stack() -> tuple[ActiveRun, ...]:
    """The active runs of this thread or task, innermost last, without those that another task has ended."""
    return tuple(run for run in _STACK.get() if run.info.run_id in _open)


def active_run() -> ActiveRun | None:
    """The innermost active run of this thread or task; None when there is none."""
    stack = _stack()
    return stack[-1] if stack else None


active_series = _SERIES.get
"""The writers of points of the active run, by metric: what makes a call of ``log_metric`` take a microsecond."""


def join_series(run_id: str) -> dict[str, Append]:
    """The same for the active run with this id, which from now on is what :func:`active_series` gives here."""
    opened = _open.get(run_id)
    if opened is None:  # another thread has just ended it
        return {}
    _SERIES.set(opened.series)
    return opened.series


def ensure_run() -> ActiveRun:
    """The active run; one is started when there is none."""
    return active_run() or start_run()


def client_of(run_id: str) -> Client:
    """A client for the store in which a run was started, or for the current one."""
    opened = _open.get(run_id)
    return opened.client if opened is not None else Client()


def last_active_run() -> Run | None:
    """The active run, else the one that this thread or task ended last, with all its data; None when there was none."""
    run_id = _LAST.get()
    active = active_run()
    if active is not None:
        run_id = active.info.run_id
    return client_of(run_id).get_run(run_id) if run_id else None


def get_run(run_id: str | None = None) -> Run:
    """A run with everything that was logged to it.

    Args:
        run_id: None means the active run, else the one that ended last.

    Raises:
        DoesNotExist: There is no such run.
        InvalidParameterValue: No id was given and no run was started here.
    """
    if run_id is not None:
        return client_of(run_id).get_run(run_id)
    run = last_active_run()
    if run is None:
        raise InvalidParameterValue("get_run needs a run_id, because no run was started here.")
    return run


def get_parent_run(run_id: str) -> Run | None:
    """The run under which a run is nested; see :meth:`stele.Client.get_parent_run`."""
    return client_of(run_id).get_parent_run(run_id)


def get_metric_history(run_id: str, key: str) -> list[Metric]:
    """All points of a metric; see :meth:`stele.Client.get_metric_history`."""
    return client_of(run_id).get_metric_history(run_id, key)


def delete_run(run_id: str) -> None:
    """Mark a run as deleted; see :meth:`stele.Client.delete_run`."""
    client_of(run_id).delete_run(run_id)


def restore_run(run_id: str) -> None:
    """Bring a deleted run back; see :meth:`stele.Client.restore_run`."""
    Client().restore_run(run_id)


def reset() -> None:
    """Forget the open runs without ending them, and the experiment that was set: for tests."""
    for opened in _open.values():
        if opened.monitor is not None:
            opened.monitor.finish()
        if opened.console is not None:
            opened.console.finish()
        opened.series.clear()
    _open.clear()
    _STACK.set(())
    _SERIES.set({})
    _LAST.set("")
    active_model.reset()
    experiments.reset()


def _end_open_runs() -> None:
    """End what is still open when the process exits, innermost first; FAILED if an error ended the process."""
    interactive = hasattr(sys, "ps1") or "IPython" in sys.modules
    status = "FAILED" if getattr(sys, "last_value", None) is not None and not interactive else "FINISHED"
    if SHUTDOWN.terminated:
        status = "KILLED"
    for run_id, opened in reversed(list(_open.items())):
        # A forked child logs to the runs of its parent, but leaves it to the parent to end them.
        if opened.process == os.getpid():
            try:
                _end(run_id, status)
            except SteleError as error:
                _LOGGER.warning("The run %s could not be ended: %s", run_id, error)


def _after_fork_in_child() -> None:
    for opened in _open.values():
        opened.monitor = opened.console = None  # their threads stayed in the parent
        opened.series.clear()  # they write to the journal of the parent


atexit.register(_end_open_runs)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
