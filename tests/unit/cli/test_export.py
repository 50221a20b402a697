"""``stele export``: Parquet files that DuckDB, polars and pyarrow read."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.dataset as ds
import pytest

from servers import STELE, stele_server
from stele.cli import export as export_module
from stele.client.client import Client
from stele.entities import Metric
from stele.errors import InvalidParameterValue
from terminal import shown_on_terminal

START = 1_767_225_600_000


@pytest.fixture
def points(sweep):
    """Series for the runs of the sweep: NaN, infinity, many points; and a run of another experiment."""
    client = Client()
    losses = [Metric("loss", 1 / (step + 1), START + step, step) for step in range(3_000)]
    client.log_batch(sweep[0], losses)
    client.log_batch(sweep[1], [Metric("auc", math.nan, START, 9), Metric("auc", math.inf, START, 8)])
    other = client.create_run("0", start_time=START, run_name="other").info.run_id
    client.log_batch(other, [Metric("x/y z", -1.5, START + 7, -3)])
    client.create_run("0", run_name="nothing logged")
    return [*sweep, other]


def test_everything_is_read_back(cli, points, tmp_path):
    done = cli("export", "out")
    assert "Wrote 6 runs and 3011 points to out: 6 files" in done.stderr
    out = tmp_path / "out"
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*.parquet")) == [
        "latest_metrics.parquet",
        "params.parquet",
        "points/experiment_id=0/part-00000.parquet",
        "points/experiment_id=1/part-00000.parquet",
        "runs.parquet",
        "tags.parquet",
    ]
    table = pl.read_parquet(f"{out}/points/**/*.parquet")
    assert table.schema["run_id"] == pl.String
    assert table.schema["timestamp"] == pl.Datetime("ms", "UTC")
    mine = table.filter(pl.col("run_id") == points[0], pl.col("key") == "loss")
    assert mine["step"].to_list() == list(range(3_000))
    assert mine["value"].to_list() == [1 / (step + 1) for step in range(3_000)]
    assert str(table.filter(pl.col("run_id") == points[1], pl.col("key") == "auc")["value"].to_list()) == (
        "[0.81, inf, nan]"
    )
    runs = {row["run_id"]: row for row in pl.read_parquet(out / "runs.parquet").to_dicts()}
    assert runs[points[0]] == {
        "run_id": points[0], "experiment_id": 1, "experiment": "churn", "name": "forest-0", "status": "FINISHED",
        "stage": "active", "user_id": runs[points[0]]["user_id"], "start_time": datetime(2026, 1, 1, tzinfo=UTC),
        "end_time": datetime(2026, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC),
        "artifact_uri": Client().get_run(points[0]).info.artifact_uri,
    }  # fmt: skip
    assert runs[points[4]]["end_time"] is None


def test_duckdb_and_pyarrow_see_the_experiments(cli, points, tmp_path):
    cli("export", "out")
    query = """
        SELECT p.experiment_id, r.experiment, count(*), min(p.step)
        FROM read_parquet('out/points/*/*.parquet', hive_partitioning = true) p JOIN 'out/runs.parquet' r USING (run_id)
        GROUP BY ALL ORDER BY ALL
    """
    assert duckdb.sql(query).fetchall() == [(0, "Default", 1, -3), (1, "churn", 3_010, 0)]
    assert duckdb.sql("SELECT value FROM 'out/params.parquet' WHERE key = 'model' ORDER BY 1").fetchall() == [
        ("boost",), ("forest",), ("linear",), ("svm",),
    ]  # fmt: skip
    table = ds.dataset("out/points", partitioning="hive").to_table(filter=ds.field("experiment_id") == 0)
    assert table.select(["run_id", "key", "step", "value"]).to_pylist() == [
        {"run_id": points[4], "key": "x/y z", "step": -3, "value": -1.5}
    ]


def test_experiments_and_filters_choose(cli, cli_json, points, tmp_path):
    report = cli_json("export", "one", "--experiment", "churn", "--filter", "metrics.auc > 0.815")
    assert {name: report[name] for name in ("runs", "points", "files")} == {"runs": 2, "points": 4, "files": 5}
    assert report["bytes"] == sum(path.stat().st_size for path in Path("one").rglob("*.parquet"))
    both = cli_json("export", "both", "-e", "churn", "-e", "1")  # one experiment, by name and by id
    assert (both["runs"], both["points"]) == (4, 3_010)
    assert cli_json("export", "two", "--runs-only")["files"] == 4
    assert cli_json("export", "three", "--filter", "run_name = 'none'")["runs"] == 0
    assert pl.read_parquet("three/runs.parquet").height == 0
    Client().delete_run(points[0])
    assert cli_json("export", "four", "--view", "deleted_only")["runs"] == 1


def test_a_long_export_is_cut_into_files_and_row_groups(cli, points, tmp_path, monkeypatch):
    monkeypatch.setattr("stele.cli.export._FILE_POINTS", 5)
    monkeypatch.setattr("stele.cli.export._ROW_GROUP_POINTS", 5)
    cli("export", "out")
    parts = sorted(path.name for path in Path("out/points/experiment_id=1").iterdir())
    assert parts == ["part-00000.parquet", "part-00001.parquet"]
    assert pl.read_parquet("out/points/**/*.parquet").unique().height == 3_011


def test_an_existing_directory_is_not_touched(cli, points, tmp_path):
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "thesis.txt").write_text("mine")
    assert "exists already" in cli("export", "taken", code=1).stderr
    assert [path.name for path in taken.iterdir()] == ["thesis.txt"]
    (tmp_path / "empty").mkdir()
    cli("export", "empty")
    assert (tmp_path / "empty/runs.parquet").exists()
    assert "exists already" in cli("export", ".", code=1).stderr
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


def test_a_failed_export_leaves_nothing(cli, points, tmp_path):
    assert "character" in cli("export", "out", "--filter", "metrics.auc >", code=1).stderr
    assert not (tmp_path / "out").exists()
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


def test_the_rest_of_a_killed_export_goes(cli, points, tmp_path):
    (tmp_path / ".out.0a1b2c3d.partial/points").mkdir(parents=True)
    (tmp_path / ".out.0a1b2c3d.partial/runs.parquet").write_text("half")
    (tmp_path / ".outer.0a1b2c3d.partial").mkdir()
    cli("export", "out")
    assert pl.read_parquet("out/runs.parquet").height == 6
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == [".outer.0a1b2c3d.partial"]


def test_exports_to_one_place_do_not_mix(points, tmp_path):
    first = export_module._fresh(tmp_path / "out")
    slow = first.__enter__()
    (slow / "file").write_text("slow")
    with export_module._fresh(tmp_path / "out") as quick:
        assert list(quick.iterdir()) == []
        (quick / "file").write_text("quick")
    assert (slow / "file").read_text() == "slow"
    with pytest.raises(InvalidParameterValue, match="exists already"):
        first.__exit__(None, None, None)
    assert (tmp_path / "out/file").read_text() == "quick"
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


def test_a_mount_point_is_refused_at_once(cli, points, tmp_path, monkeypatch):
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path).name == "volume")
    (tmp_path / "volume").mkdir()
    assert "is a mount point. Name a directory in it." in cli("export", "volume", code=1).stderr
    cli("export", "volume/out")
    assert (tmp_path / "volume/out/runs.parquet").exists()


def test_a_server_gives_the_same(points, tmp_path, tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    store = f"sqlite:///{tmp_path}/stele.db"
    with stele_server(folder, store=store) as server:
        command = [*STELE, "--tracking-uri", server.url, "export", "out", "--json"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["points"] == 3_011
    assert pl.read_parquet(f"{folder}/out/points/**/*.parquet")["value"].len() == 3_011


def test_a_terminal_shows_how_far_it_is(points, tmp_path):
    shown = shown_on_terminal([*STELE, "export", "out"], cwd=tmp_path)
    assert b"Exporting" in shown
    assert b"3,011 points" in shown


def test_without_pyarrow_the_extra_is_named(tmp_path):
    program = "import sys; sys.modules['pyarrow'] = None\nfrom stele.cli import main; main(['export', 'out'])"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install 'stele[export]'" in done.stderr
    assert not (tmp_path / "out").exists()
