import datetime
import math

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import stele
from stele.entities import ViewType
from stele.errors import InvalidFilter, InvalidParameterValue


@pytest.fixture
def runs():
    stele.set_experiment("search")
    ids = []
    for lr in (0.1, 0.01, 0.001):
        with stele.start_run(run_name=f"lr={lr}") as run:
            stele.log_param("lr", lr)
            stele.log_metric("auc", 1 - lr)
            if lr < 0.1:
                stele.set_tag("small", "yes")
                stele.log_metric("extra", 1)
            ids.append(run.info.run_id)
    return ids


def test_the_default_is_a_pandas_frame_with_mlflows_columns(runs):
    frame = stele.search_runs(order_by=["metrics.auc DESC"])
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns[:6]) == ["run_id", "experiment_id", "status", "artifact_uri", "start_time", "end_time"]
    assert list(frame["run_id"]) == list(reversed(runs))
    assert list(frame["params.lr"]) == ["0.001", "0.01", "0.1"]
    assert math.isnan(frame["metrics.extra"].iloc[2])
    assert pd.isna(frame["tags.small"].iloc[2])
    assert str(frame["start_time"].dt.tz) == "UTC"
    assert abs(frame["start_time"].iloc[0] - pd.Timestamp.now("UTC")) < datetime.timedelta(minutes=5)


def test_a_frame_without_runs_has_the_columns():
    stele.set_experiment("empty")
    frame = stele.search_runs()
    assert frame.empty
    assert "run_id" in frame.columns
    assert "run_id" in stele.search_runs(output_format="polars").columns
    assert "run_id" in stele.search_runs(output_format="arrow").column_names


def test_other_kinds_of_tables(runs):
    columns = ["run_id", "start_time", "metrics.auc", "metrics.extra", "params.lr", "tags.small"]
    frame = stele.search_runs(output_format="polars", order_by=["metrics.auc"])
    table = stele.search_runs(output_format="arrow", order_by=["metrics.auc"])
    assert isinstance(frame, pl.DataFrame)
    assert isinstance(table, pa.Table)
    assert frame.schema["start_time"] == pl.Datetime("ms", "UTC")
    assert table.schema.field("start_time").type == pa.timestamp("ms", "UTC")
    assert frame["tags.small"].to_list() == table["tags.small"].to_pylist() == [None, "yes", "yes"]
    assert frame["start_time"].to_list() == table["start_time"].to_pylist()
    for name in columns:
        assert name in frame.columns
        assert name in table.column_names
    assert frame["metrics.auc"].to_list() == pytest.approx([0.9, 0.99, 0.999])


def test_a_run_that_goes_on_has_no_end(runs):
    with stele.start_run():
        assert pd.isna(stele.search_runs()["end_time"].iloc[0])
        assert stele.search_runs(output_format="polars")["end_time"][0] is None
        assert stele.search_runs(output_format="arrow")["end_time"][0].as_py() is None


def test_filters_and_views(runs):
    assert len(stele.search_runs(filter_string="metrics.auc > 0.95")) == 2
    stele.delete_run(runs[0])
    assert len(stele.search_runs()) == 2
    deleted = stele.search_runs(run_view_type=ViewType.DELETED_ONLY, output_format="list")
    assert [run.info.run_id for run in deleted] == [runs[0]]
    with pytest.raises(InvalidFilter):
        stele.search_runs(filter_string="metrics.auc >")


def test_where_to_look(runs):
    with stele.start_run(experiment_id="0") as other:
        pass
    experiment_id = stele.get_experiment_by_name("search").experiment_id

    def found(**where):
        return {run.info.run_id for run in stele.search_runs(output_format="list", **where)}

    assert found() == set(runs)
    assert found(experiment_ids=[experiment_id]) == set(runs)
    assert found(experiment_ids=["0", experiment_id]) == {*runs, other.info.run_id}
    assert found(experiment_names=["search", "unknown"]) == set(runs)
    assert found(experiment_names=["unknown"]) == set()
    assert found(search_all_experiments=True) == {*runs, other.info.run_id}
    with pytest.raises(InvalidParameterValue, match="not both"):
        found(experiment_ids=["0"], experiment_names=["search"])
    with pytest.raises(InvalidParameterValue, match="output_format"):
        stele.search_runs(output_format="xml")


def test_pages_are_joined_up_to_the_limit(runs, monkeypatch):
    monkeypatch.setattr("stele.client.calls.runs.DEFAULT_PAGE", 2)
    assert len(stele.search_runs()) == 3
    assert len(stele.search_runs(max_results=1)) == 1
    page = stele.Client().search_runs(["1"], max_results=2)
    assert page.token
    assert len(stele.Client().search_runs(["1"], max_results=2, page_token=page.token)) == 1
