"""``stele.metric_history``: many series as one table of any library."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import stele
from servers import stele_server
from stele.entities import Metric
from stele.errors import InvalidParameterValue
from workplace import workplace

__all__ = ["workplace"]

START = 1_700_000_000_000


@pytest.fixture
def runs(workplace):
    """The ids of two runs with a loss each, of 5 and 400 points; the first one has an accuracy, with NaN and Inf."""
    client = stele.Client()
    ids = []
    for points in (5, 400):
        run = client.create_run("0", start_time=START)
        losses = [Metric("loss", 1 / (step + 1), START + 10 * step, step) for step in range(points)]
        client.log_batch(run.info.run_id, losses)
        ids.append(run.info.run_id)
    values = (0.5, math.nan, math.inf)
    client.log_batch(ids[0], [Metric("acc", value, START + step, step) for step, value in enumerate(values)])
    return ids


def test_all_metrics_of_runs_by_run_key_and_step(runs):
    table = stele.metric_history(runs)
    assert list(table.columns) == ["run_id", "key", "step", "timestamp", "value"]
    assert [tuple(pair) for pair in table[["run_id", "key"]].drop_duplicates().to_numpy()] == [
        (runs[0], "acc"),
        (runs[0], "loss"),
        (runs[1], "loss"),
    ]
    acc = table[(table.key == "acc")]
    assert acc.step.tolist() == [0, 1, 2]
    assert str(acc.value.tolist()) == "[0.5, nan, inf]"
    assert acc.timestamp.iloc[1] == pd.Timestamp(START + 1, unit="ms", tz="UTC")
    assert len(table) == 408


def test_every_library_gets_the_same_table(runs):
    tables = {
        kind: stele.metric_history(runs, ["loss", "acc"], output_format=kind)
        for kind in ("pandas", "polars", "arrow", "numpy")
    }
    expected = tables["numpy"]
    assert {name: str(column.dtype) for name, column in expected.items()} == {
        "run_id": "object", "key": "object", "step": "int64", "timestamp": "int64", "value": "float64",
    }  # fmt: skip
    polars, arrow, pandas = tables["polars"], tables["arrow"], tables["pandas"]
    assert polars.schema["timestamp"] == pl.Datetime("ms", "UTC")
    assert arrow.schema.field("timestamp").type == pa.timestamp("ms", "UTC")
    assert str(pandas.timestamp.dtype) == "datetime64[ms, UTC]"
    for name in ("run_id", "key", "step"):
        found = [pandas[name].tolist(), polars[name].to_list(), arrow[name].to_pylist()]
        assert found == [expected[name].tolist()] * 3
    for values in (pandas.value, polars["value"].to_numpy(), arrow["value"].to_numpy()):
        assert np.array_equal(values, expected["value"], equal_nan=True)


def test_runs_may_come_in_any_form(runs):
    found = {"numpy": stele.metric_history(runs[1], "loss", output_format="numpy")["value"].tolist()}
    run = stele.get_run(runs[1])
    condition = f"attributes.run_id = '{runs[1]}'"
    forms = {kind: stele.search_runs(["0"], condition, output_format=kind) for kind in ("pandas", "polars", "arrow")}
    columns = (forms["pandas"]["run_id"], forms["polars"]["run_id"], np.array([runs[1]]))
    found_runs = stele.search_runs(["0"], condition, output_format="list")
    for form in (run, [run], (runs[1],), found_runs, *forms.values(), *columns):
        for keys in ("loss", ["loss", "none"], None):
            table = stele.metric_history(form, keys, output_format="numpy")
            assert table["value"].tolist() == found["numpy"]


def test_numbers_and_texts_may_be_those_of_numpy(runs, workplace, tmp_path_factory):
    local = f"sqlite:///{workplace}/stele.db"
    bounds = {"start": np.int64(100), "end": np.int32(299), "buckets": np.int64(2)}
    with stele_server(tmp_path_factory.mktemp("server"), store=local) as server:
        for uri in (local, server.url):
            stele.set_tracking_uri(uri)
            table = stele.metric_history(np.array(runs), np.array(["loss"]), **bounds)
            assert table.points.tolist() == [100, 100]


@pytest.mark.parametrize("keys", ["loss", None])
def test_runs_that_do_not_exist_are_left_out(runs, keys):
    table = stele.metric_history(["nobody", runs[1]], keys, output_format="numpy")
    assert set(table["run_id"]) == {runs[1]}
    assert len(stele.metric_history("nobody", keys, output_format="numpy")["value"]) == 0


def test_a_range_of_every_axis(runs):
    def steps(**arguments):
        return stele.metric_history(runs, "loss", output_format="numpy", **arguments)["step"].tolist()

    assert steps(start=3, end=5) == [3, 4, 3, 4, 5]
    assert steps(x="time", start=START + 3_980) == [398, 399]
    assert steps(x="relative", end=10) == [0, 1, 0, 1]
    table = stele.metric_history(runs, "loss", x="relative", start=3_980, output_format="numpy")
    assert table["relative"].tolist() == [3_980, 3_990]


def test_buckets_of_long_series_and_points_of_short_ones(runs):
    table = stele.metric_history(runs, buckets=40)
    assert list(table.columns) == [
        "run_id", "key", "first_x", "last_x", "points", "nans", "infinities", "min", "max", "mean", "last", "timestamp",
    ]  # fmt: skip
    assert table.groupby(["run_id", "key"], observed=True).points.agg(["size", "sum"]).to_numpy().tolist() in (
        [[3, 3], [5, 5], [40, 400]],
        [[40, 400], [3, 3], [5, 5]],
    )
    acc = table[table.key == "acc"]
    assert acc.nans.tolist() == [0, 1, 0]
    assert acc.infinities.tolist() == [0, 0, 1]
    assert str(acc["mean"].tolist()) == "[0.5, nan, nan]"
    long = table[table.run_id == runs[1]]
    assert (long["max"].iloc[0], long["last"].iloc[-1]) == (1.0, 1 / 400)
    assert (long.first_x.iloc[1], long.last_x.iloc[-1]) == (10, 399)
    assert long.timestamp.iloc[0] == pd.Timestamp(START + 90, unit="ms", tz="UTC")
    assert acc.timestamp.iloc[-1] == pd.Timestamp(START + 2, unit="ms", tz="UTC")


def test_buckets_of_time(runs):
    table = stele.metric_history(runs[1], "loss", x="time", buckets=10)
    assert table.first_x.iloc[0] == pd.Timestamp(START, unit="ms", tz="UTC")
    relative = stele.metric_history(runs, "loss", x="relative", buckets=10, output_format="numpy")
    assert relative["first_x"][:5].tolist() == [0, 10, 20, 30, 40]
    assert relative["last_x"][-1] == 3_990


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow", "numpy"])
@pytest.mark.parametrize("buckets", [None, 5])
def test_nothing_is_an_empty_table_with_its_columns(workplace, kind, buckets):
    table = stele.metric_history([], "loss", buckets=buckets, output_format=kind)
    names = list(table) if kind == "numpy" else list(getattr(table, "column_names", table.columns))
    assert names[:2] == ["run_id", "key"]
    assert (names[-1], len(names)) == (("value", 5) if buckets is None else ("timestamp", 12))
    assert {len(column) for column in (table.values() if kind == "numpy" else [table])} == {0}


def test_more_series_than_one_request_may_have(workplace):
    client = stele.Client()
    run_ids = []
    for _ in range(3):
        run = client.create_run("0", start_time=START)
        run_ids.append(run.info.run_id)
        client.log_batch(run.info.run_id, [Metric(f"m{key}", key, START, 1) for key in range(450)])
    for buckets in (None, 10_000):
        table = stele.metric_history(run_ids, buckets=buckets, output_format="numpy")
        assert table["run_id"].tolist() == [run_id for run_id in run_ids for _ in range(450)]
        assert table["last" if buckets else "value"].tolist() == [float(key[1:]) for key in table["key"]]


def test_a_script_reads_its_own_writes(workplace):
    with stele.start_run() as run:
        for step in range(3):
            stele.log_metric("loss", step, step=step)
        assert stele.metric_history(run, "loss").value.tolist() == [0.0, 1.0, 2.0]
        assert stele.metric_history(run).value.tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"runs": 5}, "runs 5 is no run"),
        ({"runs": [object()]}, "is no run, no run id"),
        ({"output_format": "csv"}, "output_format 'csv' is not one of arrow, numpy, pandas, polars"),
        ({"keys": 5}, "keys 5 is no name of a metric"),
        ({"keys": [5]}, "is no name of a metric"),
        ({"x": "epoch"}, "x 'epoch' is not one of step, time, relative"),
        ({"buckets": 0}, "buckets 0 is not from 1 to 10000"),
        ({"start": 2, "end": 1}, "start 2 is greater than end 1"),
        ({"start": 1.5}, "start is 1.5, which is no whole number"),
        ({"end": "7"}, "end is '7', which is no whole number"),
        ({"buckets": "7"}, "buckets is '7', which is no whole number"),
        ({"start": 2**63}, "start 9223372036854775808 is not an integer from"),
        ({"x": None}, "x None is not one of step, time, relative"),
        ({"output_format": ["pandas"]}, "is not one of arrow, numpy, pandas, polars"),
        ({"runs": pd.DataFrame({"status": []})}, "runs is a table without a column run_id; it has .'status'."),
    ],
)
def test_what_is_not_allowed(workplace, arguments, message):
    with pytest.raises(InvalidParameterValue, match=message):
        stele.metric_history(**({"runs": "a", "keys": "loss"} | arguments))


def test_numpy_needs_no_library_of_tables(runs):
    program = (
        "import sys, stele; sys.modules['pandas'] = sys.modules['pyarrow'] = sys.modules['polars'] = None\n"
        f"print(len(stele.metric_history({runs!r}, 'loss', output_format='numpy')['step']))\n"
        "for kind in ('pandas', 'polars', 'arrow'):\n"
        f"    try: stele.metric_history({runs!r}, 'loss', output_format=kind)\n"
        "    except ImportError as e: print(e)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0] == "405"
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == ["pandas", "polars", "pyarrow"]
