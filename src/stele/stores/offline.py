"""The store that asks nobody: what can be written goes to the journal, what has to be read is refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from stele import settings
from stele.errors import DoesNotExist, Unavailable, shown
from stele.schema import datasets as d
from stele.schema import experiments as e
from stele.schema import logged_models as lm
from stele.schema import runs as r
from stele.schema.enums import LifecycleStage
from stele.schema.experiments import Empty, Experiment
from stele.schema.metrics import GetMetricHistory, GetMetricHistoryResponse
from stele.schema.routes import by_operation
from stele.schema.runs import LogBatch, Run, RunData
from stele.stores.journal.journal import Journal
from stele.stores.journal.placeholders import name_of, placeholder
from stele.stores.journal.recorded_models import new_model, recorded_models
from stele.stores.journal.replay import new_info, recorded_history, recorded_runs
from stele.stores.run_ids import new_model_id, new_run_id

__all__ = ["OfflineStore"]

_Operations: Any = object  # as in stores/rest.py: the operations that are refused come from the route table


class OfflineStore(_Operations):  # type: ignore[misc]
    """A :class:`~stele.stores.base.TrackingStore` in a journal, for runs and logged models that are made here.

    Experiments are known by name, see :mod:`stele.stores.journal.placeholders`. What needs a server raises
    ``Unavailable``.

    Args:
        journal: The journal of this process; it is made when it is first asked for.
    """

    def __init__(self, journal: Callable[[], Journal]) -> None:
        self._journal = journal

    def create_experiment(self, request: e.CreateExperiment) -> e.CreateExperimentResponse:
        """Made at the sync, unless it exists then."""
        self._later("create_experiment", request)
        return e.CreateExperimentResponse(experiment_id=placeholder(request.name))

    def get_experiment_by_name(self, request: e.GetExperimentByName) -> e.GetExperimentResponse:
        """What stands for an experiment until the sync, whether it exists or not."""
        return e.GetExperimentResponse(experiment=_unknown_experiment(request.experiment_name))

    def get_experiment(self, request: e.GetExperiment) -> e.GetExperimentResponse:
        """As by name; the id of a store says nothing here."""
        name = name_of(request.experiment_id)
        if name is None:
            raise _refusal("get_experiment")
        return e.GetExperimentResponse(experiment=_unknown_experiment(name))

    def set_experiment_tag(self, request: e.SetExperimentTag) -> Empty:
        """Kept for the sync."""
        return self._later("set_experiment_tag", request)

    def create_run(self, request: r.CreateRun) -> r.CreateRunResponse:
        """A run with an id of its own; it gets a name at the sync when it has none."""
        request = replace(
            request,
            run_id=request.run_id or new_run_id(),
            start_time=request.start_time or time.time_ns() // 1_000_000,
        )
        journal = self._journal()
        if journal.directory is None:
            raise Unavailable(f"No run can be made offline, because no journal can be written. See {_SETTING}.")
        journal.submit("create_run", request, ordered=False)
        run = Run(new_info(journal, request), RunData([], [], list(request.tags)))
        return r.CreateRunResponse(run=run)

    def update_run(self, request: r.UpdateRun) -> r.UpdateRunResponse:
        """Kept for the sync, after the points that are there."""
        info = self._run(request.run_id, "update_run", points=False).info
        self._journal().submit("update_run", request, ordered=True)
        changed = {"status": request.status, "end_time": request.end_time, "run_name": request.run_name}
        return r.UpdateRunResponse(run_info=replace(info, **{key: value for key, value in changed.items() if value}))

    def get_run(self, request: r.GetRun) -> r.GetRunResponse:
        """A run that was made in this journal, with what was logged to it."""
        return r.GetRunResponse(run=self._run(request.run_id, "get_run"))

    def log_batch(self, request: LogBatch) -> Empty:
        """Kept for the sync."""
        return self._later("log_batch", request)

    def log_metric(self, request: r.LogMetric) -> Empty:
        """Written to the journal."""
        self._journal().appender(request.run_id, request.key)(request.value, request.step, request.timestamp)
        return Empty()

    def log_param(self, request: r.LogParam) -> Empty:
        """Kept for the sync."""
        return self._later("log_batch", LogBatch(run_id=request.run_id, params=[r.Param(request.key, request.value)]))

    def set_tag(self, request: r.SetTag) -> Empty:
        """Kept for the sync."""
        return self._later("log_batch", LogBatch(run_id=request.run_id, tags=[r.RunTag(request.key, request.value)]))

    def delete_tag(self, request: r.DeleteTag) -> Empty:
        """Kept for the sync."""
        if request.key not in self._run(request.run_id, "delete_tag", points=False).data.tags:
            raise DoesNotExist(f"The run {request.run_id} has no tag {shown(request.key)}.")
        return self._later("delete_tag", request)

    def log_inputs(self, request: d.LogInputs) -> Empty:
        """Kept for the sync."""
        return self._later("log_inputs", request)

    def log_outputs(self, request: d.LogOutputs) -> Empty:
        """Kept for the sync."""
        return self._later("log_outputs", request)

    def log_model(self, request: r.LogModel) -> Empty:
        """Kept for the sync."""
        return self._later("log_model", request)

    def create_logged_model(self, request: lm.CreateLoggedModel) -> lm.LoggedModelResponse:
        """A model with an id of its own; it gets a name at the sync when it has none."""
        request = replace(request, model_id=request.model_id or new_model_id())
        journal = self._journal()
        if journal.directory is None:
            raise Unavailable(f"No model can be made offline, because no journal can be written. See {_SETTING}.")
        journal.submit("create_logged_model", request, ordered=False)
        return lm.LoggedModelResponse(model=new_model(journal, request, time.time_ns() // 1_000_000))

    def get_logged_model(self, request: lm.LoggedModelId) -> lm.LoggedModelResponse:
        """A model that was made in this journal."""
        return lm.LoggedModelResponse(model=self._model(request.model_id, "get_logged_model"))

    def finalize_logged_model(self, request: lm.FinalizeLoggedModel) -> lm.LoggedModelResponse:
        """Kept for the sync, which sends the files first."""
        self._later("finalize_logged_model", request)
        return lm.LoggedModelResponse(model=self._model(request.model_id, "finalize_logged_model"))

    def set_logged_model_tags(self, request: lm.SetLoggedModelTags) -> Empty:
        """Kept for the sync."""
        return self._later("set_logged_model_tags", request)

    def log_logged_model_params(self, request: lm.LogLoggedModelParams) -> Empty:
        """Kept for the sync."""
        return self._later("log_logged_model_params", request)

    def get_metric_history(self, request: GetMetricHistory) -> GetMetricHistoryResponse:
        """All points of a metric of a run that was made in this journal."""
        self._run(request.run_id, "get_metric_history", points=False)
        return GetMetricHistoryResponse(metrics=recorded_history(self._journal(), request.run_id, request.metric_key))

    def close(self) -> None:
        """Nothing is kept open here; the journal belongs to who made it."""

    def _later(self, name: str, request: Any) -> Empty:
        self._journal().submit(name, request, ordered=False)
        return Empty()

    def _model(self, model_id: str, operation: str) -> lm.LoggedModel:
        model = recorded_models(self._journal()).get(model_id)
        if model is None:
            raise _refusal(operation)
        return model

    def _run(self, run_id: str, operation: str, *, points: bool = True) -> Run:
        recorded = recorded_runs(self._journal(), points=points).get(run_id)
        run = recorded.run() if recorded is not None else None
        if run is None:
            raise _refusal(operation)
        return run


_SETTING = settings.JOURNAL_DIR.name


def _unknown_experiment(name: str) -> Experiment:
    return Experiment(placeholder(name), name, "", LifecycleStage.ACTIVE)


def _refusal(operation: str) -> Unavailable:
    return Unavailable(
        f"{operation} needs the store, and {settings.OFFLINE.name} is set. Unset it, or send what is in the journal "
        "with `stele sync` first."
    )


def _refused(name: str) -> Callable[[OfflineStore, Any], Any]:
    def operation(self: OfflineStore, request: Any) -> Any:
        del self, request
        raise _refusal(name)

    operation.__name__ = name
    operation.__qualname__ = f"OfflineStore.{name}"
    operation.__doc__ = "Needs the store."
    return operation


for _name in by_operation():
    if not hasattr(OfflineStore, _name):
        setattr(OfflineStore, _name, _refused(_name))
