"""The contract of a tracking store.

A test module subclasses :class:`TrackingStoreContract` and defines a ``store`` fixture. Tests make experiments with
names of their own, so one store may serve all of them. The rules are those of MLflow's wire, and what Stele adds to
them.
"""

from __future__ import annotations

import pytest

from stele.errors import AlreadyExists, DoesNotExist, InvalidParameterValue
from stele.schema import datasets as d
from stele.schema import experiments as e
from stele.schema import runs as r
from stele.schema.metrics import Metric
from stele.schema.runs import Param, Run, RunTag
from stele.stores.base import TrackingStore
from stele.testing.tracked_values import TrackedValuesContract
from stele.testing.tracking_calls import stored_run, unique

__all__ = ["TrackingStoreContract"]


class TrackingStoreContract(TrackedValuesContract):
    """Tests of every obligation that :class:`TrackingStore` names."""

    @pytest.fixture
    def experiment(self, store: TrackingStore) -> str:
        """The id of a fresh experiment."""
        return store.create_experiment(e.CreateExperiment(name=unique("exp"))).experiment_id

    @pytest.fixture
    def run(self, store: TrackingStore, experiment: str) -> str:
        """The id of a fresh run."""
        return store.create_run(r.CreateRun(experiment_id=experiment, start_time=1)).run.info.run_id

    # -- experiments

    def test_experiment_is_read_back(self, store: TrackingStore) -> None:
        name = unique("read back")
        tags = [e.ExperimentTag("team", "ranking"), e.ExperimentTag("owner", "ä")]
        made = store.create_experiment(e.CreateExperiment(name=name, tags=tags)).experiment_id
        found = store.get_experiment(e.GetExperiment(experiment_id=made)).experiment
        assert (found.name, found.lifecycle_stage, found.tags) == (name, "active", {"team": "ranking", "owner": "ä"})
        assert found.artifact_location.endswith(f"/{made}")
        assert found.creation_time == found.last_update_time
        assert store.get_experiment_by_name(e.GetExperimentByName(experiment_name=name)).experiment == found

    def test_default_experiment_exists(self, store: TrackingStore) -> None:
        assert store.get_experiment(e.GetExperiment(experiment_id="0")).experiment.name == "Default"

    def test_name_is_taken_also_by_deleted_experiment(self, store: TrackingStore) -> None:
        name = unique()
        made = store.create_experiment(e.CreateExperiment(name=name)).experiment_id
        with pytest.raises(AlreadyExists, match=name):
            store.create_experiment(e.CreateExperiment(name=name))
        store.delete_experiment(e.DeleteExperiment(experiment_id=made))
        with pytest.raises(AlreadyExists):
            store.create_experiment(e.CreateExperiment(name=name))

    @pytest.mark.parametrize("name", ["", "   ", "x" * 501, "nul\0"])
    def test_bad_experiment_name(self, store: TrackingStore, name: str) -> None:
        with pytest.raises(InvalidParameterValue):
            store.create_experiment(e.CreateExperiment(name=name))

    @pytest.mark.parametrize(
        "location",
        ["http://host/x", "runs:/a/b", "s3://b/k?x=1", "s3://b/k#f", "/a/../b", "s3://b/%2e%2e/c", "x" * 2049],
    )
    def test_bad_artifact_location(self, store: TrackingStore, location: str) -> None:
        with pytest.raises(InvalidParameterValue, match="artifact_location"):
            store.create_experiment(e.CreateExperiment(name=unique(), artifact_location=location))

    @pytest.mark.parametrize("experiment_id", ["987654321", "000000000987654321"])
    def test_unknown_experiment(self, store: TrackingStore, experiment_id: str) -> None:
        with pytest.raises(DoesNotExist):
            store.get_experiment(e.GetExperiment(experiment_id=experiment_id))

    @pytest.mark.parametrize("experiment_id", ["", "abc", "-1", "1.5", "٣", "9" * 40, "1; DROP TABLE runs"])
    def test_malformed_experiment_id(self, store: TrackingStore, experiment_id: str) -> None:
        with pytest.raises(InvalidParameterValue):
            store.get_experiment(e.GetExperiment(experiment_id=experiment_id))

    def test_rename(self, store: TrackingStore, experiment: str) -> None:
        name = unique("renamed")
        store.update_experiment(e.UpdateExperiment(experiment_id=experiment, new_name=name))
        assert store.get_experiment(e.GetExperiment(experiment_id=experiment)).experiment.name == name
        with pytest.raises(AlreadyExists):
            store.update_experiment(e.UpdateExperiment(experiment_id=experiment, new_name="Default"))

    def test_delete_and_restore_take_the_runs_along(self, store: TrackingStore, experiment: str, run: str) -> None:
        store.delete_experiment(e.DeleteExperiment(experiment_id=experiment))
        assert stored_run(store, run).info.lifecycle_stage == "deleted"
        with pytest.raises(DoesNotExist):
            store.delete_experiment(e.DeleteExperiment(experiment_id=experiment))
        with pytest.raises(InvalidParameterValue):
            store.create_run(r.CreateRun(experiment_id=experiment))
        with pytest.raises(InvalidParameterValue):
            store.set_experiment_tag(e.SetExperimentTag(experiment_id=experiment, key="k", value="v"))
        store.restore_experiment(e.RestoreExperiment(experiment_id=experiment))
        assert stored_run(store, run).info.lifecycle_stage == "active"
        with pytest.raises(DoesNotExist):
            store.restore_experiment(e.RestoreExperiment(experiment_id=experiment))

    def test_experiment_tags(self, store: TrackingStore, experiment: str) -> None:
        asked = e.GetExperiment(experiment_id=experiment)
        before = store.get_experiment(asked).experiment
        for value in ("1", "2"):
            store.set_experiment_tag(e.SetExperimentTag(experiment_id=experiment, key="k", value=value))
        after = store.get_experiment(asked).experiment
        assert after.tags == {"k": "2"}
        assert (after.last_update_time or 0) > (before.last_update_time or 0)
        store.delete_experiment_tag(e.DeleteExperimentTag(experiment_id=experiment, key="k"))
        with pytest.raises(DoesNotExist):
            store.delete_experiment_tag(e.DeleteExperimentTag(experiment_id=experiment, key="k"))
        with pytest.raises(InvalidParameterValue):
            store.set_experiment_tag(e.SetExperimentTag(experiment_id=experiment, key="k", value="v" * 20_001))

    def test_search_experiments_pages(self, store: TrackingStore) -> None:
        prefix = unique("page")
        made = [store.create_experiment(e.CreateExperiment(name=f"{prefix} {i}")).experiment_id for i in range(5)]
        query = e.SearchExperiments(filter=f"name LIKE '{prefix}%'", order_by=["name ASC"], max_results=2)
        found: list[str] = []
        pages = 0
        while True:
            page = store.search_experiments(query)
            found += [item.experiment_id for item in page.experiments]
            pages += 1
            if not page.next_page_token:
                break
            query.page_token = page.next_page_token
        assert (found, pages) == (made, 3)

    # -- runs

    def test_run_is_read_back(self, store: TrackingStore, experiment: str) -> None:
        tags = [RunTag("a", "1"), RunTag("mlflow.user", "ada")]
        request = r.CreateRun(experiment_id=experiment, user_id="ada", run_name="first", start_time=12345, tags=tags)
        made = store.create_run(request).run
        found = stored_run(store, made.info.run_id)
        assert found.info == made.info
        assert found.data.tags == made.data.tags == {"a": "1", "mlflow.user": "ada", "mlflow.runName": "first"}
        assert (found.info.status, found.info.user_id, found.info.start_time) == ("RUNNING", "ada", 12345)
        assert found.info.end_time is None
        assert found.info.run_uuid == found.info.run_id
        assert found.info.artifact_uri.endswith(f"/{experiment}/{found.info.run_id}/artifacts")

    def test_run_gets_a_name(self, store: TrackingStore, experiment: str) -> None:
        info = store.create_run(r.CreateRun(experiment_id=experiment)).run.info
        assert 0 < len(info.run_name) <= 20

    def test_name_and_tag_agree(self, store: TrackingStore, experiment: str) -> None:
        tag = RunTag("mlflow.runName", "by tag")
        assert store.create_run(r.CreateRun(experiment_id=experiment, tags=[tag])).run.info.run_name == "by tag"
        with pytest.raises(InvalidParameterValue, match="by tag"):
            store.create_run(r.CreateRun(experiment_id=experiment, run_name="other", tags=[tag]))

    def test_name_follows_every_change(self, store: TrackingStore, run: str) -> None:
        store.set_tag(r.SetTag(run_id=run, key="mlflow.runName", value="tagged"))
        assert stored_run(store, run).info.run_name == "tagged"
        info = store.update_run(r.UpdateRun(run_id=run, run_name="updated")).run_info
        assert info.run_name == "updated"
        assert stored_run(store, run).data.tags["mlflow.runName"] == "updated"
        store.delete_tag(r.DeleteTag(run_id=run, key="mlflow.runName"))
        assert stored_run(store, run).info.run_name == "updated"

    def test_unknown_run(self, store: TrackingStore) -> None:
        missing = "0" * 32
        for call in (
            lambda: store.get_run(r.GetRun(run_id=missing)),
            lambda: store.update_run(r.UpdateRun(run_id=missing, status="FINISHED")),
            lambda: store.delete_run(r.DeleteRun(run_id=missing)),
            lambda: store.restore_run(r.RestoreRun(run_id=missing)),
            lambda: store.log_batch(r.LogBatch(run_id=missing)),
            lambda: store.log_metric(r.LogMetric(run_id=missing, key="k", value=1.0, timestamp=0)),
            lambda: store.log_param(r.LogParam(run_id=missing, key="k")),
            lambda: store.set_tag(r.SetTag(run_id=missing, key="k")),
            lambda: store.delete_tag(r.DeleteTag(run_id=missing, key="k")),
            lambda: store.log_inputs(d.LogInputs(run_id=missing)),
            lambda: store.log_outputs(d.LogOutputs(run_id=missing, models=[])),
        ):
            with pytest.raises(DoesNotExist, match=missing):
                call()

    def test_run_in_unknown_experiment(self, store: TrackingStore) -> None:
        with pytest.raises(DoesNotExist):
            store.create_run(r.CreateRun(experiment_id="987654321"))

    @pytest.mark.parametrize("status", ["FINISHED", "FAILED", "KILLED", "SCHEDULED", "RUNNING"])
    def test_update_run(self, store: TrackingStore, run: str, status: str) -> None:
        info = store.update_run(r.UpdateRun(run_id=run, status=status, end_time=99)).run_info  # type: ignore[arg-type]
        assert (info.status, info.end_time) == (status, 99)
        assert stored_run(store, run).info == info

    def test_delete_and_restore_run(self, store: TrackingStore, run: str) -> None:
        for _ in range(2):
            store.delete_run(r.DeleteRun(run_id=run))
        assert stored_run(store, run).info.lifecycle_stage == "deleted"
        for call in (
            lambda: store.log_metric(r.LogMetric(run_id=run, key="k", value=1.0, timestamp=0)),
            lambda: store.log_param(r.LogParam(run_id=run, key="k", value="v")),
            lambda: store.set_tag(r.SetTag(run_id=run, key="k", value="v")),
            lambda: store.delete_tag(r.DeleteTag(run_id=run, key="k")),
            lambda: store.update_run(r.UpdateRun(run_id=run, status="FINISHED")),
            lambda: store.log_batch(r.LogBatch(run_id=run, tags=[RunTag("k", "v")])),
        ):
            with pytest.raises(InvalidParameterValue, match="deleted"):
                call()
        for _ in range(2):
            store.restore_run(r.RestoreRun(run_id=run))
        assert stored_run(store, run).info.lifecycle_stage == "active"

    # -- datasets and models

    def test_inputs_are_linked_once(self, store: TrackingStore, experiment: str, run: str) -> None:
        dataset = d.Dataset("iris", "abc", "local", '{"uri":"x"}', schema="{}", profile=None)
        item = d.DatasetInput(dataset, [d.InputTag("mlflow.data.context", "training")])
        for _ in range(2):
            store.log_inputs(d.LogInputs(run_id=run, datasets=[item], models=[d.LoggedModelInput("m-1")]))
        inputs = stored_run(store, run).inputs
        assert inputs == d.RunInputs([item], [d.LoggedModelInput("m-1")])
        found = store.search_datasets(d.SearchDatasets(experiment_ids=[experiment])).dataset_summaries
        assert found == [d.DatasetSummary(experiment, "iris", "abc", "training")]

    def test_outputs_are_linked_once(self, store: TrackingStore, run: str) -> None:
        request = d.LogOutputs(run_id=run, models=[d.LoggedModelOutput("m-1", 3)])
        store.log_outputs(request)
        assert stored_run(store, run).outputs == d.RunOutputs([d.LoggedModelOutput("m-1", 3)])
        with pytest.raises(InvalidParameterValue, match="m-1"):
            store.log_outputs(request)

    @pytest.mark.parametrize(
        "dataset",
        [
            d.Dataset("", "abc", "local", "x"),
            d.Dataset("n", "", "local", "x"),
            d.Dataset("n" * 501, "abc", "local", "x"),
            d.Dataset("n", "a" * 37, "local", "x"),
            d.Dataset("n", "a", "local", "x" * 65_536),
        ],
    )
    def test_bad_dataset(self, store: TrackingStore, run: str, dataset: d.Dataset) -> None:
        with pytest.raises(InvalidParameterValue, match=r"datasets\[0\]"):
            store.log_inputs(d.LogInputs(run_id=run, datasets=[d.DatasetInput(dataset)]))

    # -- search

    def test_search_shows_runs_whole(self, store: TrackingStore, experiment: str, run: str) -> None:
        dataset = d.DatasetInput(d.Dataset("iris", "abc", "local", "{}"))
        store.log_inputs(d.LogInputs(run_id=run, datasets=[dataset]))
        batch = r.LogBatch(
            run_id=run, metrics=[Metric("m", 0.5, 7, 3)], params=[Param("p", "1")], tags=[RunTag("t", "x" * 400)]
        )
        store.log_batch(batch)
        found = store.search_runs(r.SearchRuns(experiment_ids=[experiment])).runs
        whole = stored_run(store, run)
        assert found == [Run(whole.info, whole.data, d.RunInputs([dataset]))]

    def test_search_sees_what_was_logged_before(self, store: TrackingStore, experiment: str, run: str) -> None:
        query = r.SearchRuns(experiment_ids=[experiment], filter="metrics.m > 0.4")
        for value, hits in ((0.1, 0), (0.5, 1), (0.2, 0)):
            step = int(hits or value == 0.2) + (value == 0.2)
            store.log_metric(r.LogMetric(run_id=run, key="m", value=value, timestamp=1, step=step))
            assert len(store.search_runs(query).runs) == hits

    def test_search_of_no_experiment(self, store: TrackingStore) -> None:
        assert store.search_runs(r.SearchRuns()).runs == []
        assert store.search_runs(r.SearchRuns(experiment_ids=["987654321"])).runs == []

    @pytest.mark.parametrize("most", [0, -1, 50_001])
    def test_bad_page_size(self, store: TrackingStore, experiment: str, most: int) -> None:
        with pytest.raises(InvalidParameterValue, match="max_results"):
            store.search_runs(r.SearchRuns(experiment_ids=[experiment], max_results=most))

    def test_bad_filter_says_where(self, store: TrackingStore, experiment: str) -> None:
        with pytest.raises(InvalidParameterValue, match=r"\^"):
            store.search_runs(r.SearchRuns(experiment_ids=[experiment], filter="metrics.a >> 1"))

    def test_sql_in_names_stays_text(self, store: TrackingStore, experiment: str) -> None:
        text = "'; DROP TABLE runs; -- \" ` % _ \\"
        tags = [RunTag("note", text)]
        made = store.create_run(r.CreateRun(experiment_id=experiment, run_name=text, tags=tags)).run.info
        assert made.run_name == text
        quoted = r.SearchRuns(experiment_ids=[experiment], filter='tags.note LIKE "%DROP TABLE%"')
        assert [run.info.run_id for run in store.search_runs(quoted).runs] == [made.run_id]

    def test_search_of_deleted_runs(self, store: TrackingStore, experiment: str, run: str) -> None:
        store.delete_run(r.DeleteRun(run_id=run))
        views = {"ACTIVE_ONLY": 0, "DELETED_ONLY": 1, "ALL": 1}
        for view, hits in views.items():
            query = r.SearchRuns(experiment_ids=[experiment], run_view_type=view)  # type: ignore[arg-type]
            assert len(store.search_runs(query).runs) == hits
