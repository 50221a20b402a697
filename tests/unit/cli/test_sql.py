"""``stele sql``: queries over runs and points that reach nothing else."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import subprocess
import sys

import pytest

from servers import STELE, stele_server
from stele.client import run_database
from stele.client.client import Client
from stele.entities import Metric

START = 1_767_225_600_000


@pytest.fixture
def points(sweep):
    """The ids of the runs of the sweep; the first one has 200 losses, the second one NaN and infinity."""
    client = Client()
    client.log_batch(sweep[0], [Metric("loss", step / 2, START + step, step) for step in range(200)])
    client.log_batch(sweep[1], [Metric("loss", math.nan, START, 1), Metric("loss", -math.inf, START, 2)])
    client.create_run("0", run_name="other")
    return sweep


def test_tables_of_runs(cli_json, points):
    query = "SELECT experiment, count(*) AS n, max(end_time) AS ended FROM runs GROUP BY ALL ORDER BY 1"
    assert cli_json("sql", query) == [
        {"experiment": "Default", "n": 1, "ended": None},
        {"experiment": "churn", "n": 4, "ended": "2026-01-01T00:03:01.500Z"},
    ]
    query = """
        SELECT r.name, p.value AS model, m.value AS auc, m.step
        FROM runs r JOIN params p USING (run_id) JOIN latest_metrics m USING (run_id)
        WHERE p.key = 'model' AND m.key = 'auc' ORDER BY auc DESC LIMIT 2
    """
    assert cli_json("sql", query) == [
        {"name": "svm-3", "model": "svm", "auc": 0.83, "step": 3},
        {"name": "linear-2", "model": "linear", "auc": 0.82, "step": 3},
    ]
    assert cli_json("sql", "SELECT count(*) AS n FROM tags WHERE key = 'mlflow.runName'") == [{"n": 5}]


def test_points(cli_json, points):
    assert cli_json("sql", "SELECT key, count(*) AS n FROM points GROUP BY key ORDER BY key") == [
        {"key": "auc", "n": 4}, {"key": "loss", "n": 202}, {"key": "rows", "n": 4},
    ]  # fmt: skip
    query = f"SELECT step, timestamp, value FROM points WHERE run_id = '{points[0]}' AND key = 'loss' AND step >= 198"
    assert cli_json("sql", f"{query} ORDER BY step") == [
        {"step": 198, "timestamp": "2026-01-01T00:00:00.198Z", "value": 99.0},
        {"step": 199, "timestamp": "2026-01-01T00:00:00.199Z", "value": 99.5},
    ]
    found = cli_json("sql", f"SELECT value FROM points WHERE run_id = '{points[1]}' AND key = 'loss' ORDER BY step")
    assert found == [{"value": "NaN"}, {"value": "-Infinity"}]


@pytest.mark.parametrize(
    ("query", "loaded", "rows"),
    [
        ("SELECT 1 AS one", 0, 1),
        ("SELECT * FROM runs", 0, 5),
        ("SELECT * FROM points", 210, 210),
        ("SELECT * FROM points WHERE key = 'auc'", 4, 4),
        ("SELECT * FROM POINTS AS p WHERE 'auc' = p.KEY AND step > 5", 4, 0),
        ("SELECT * FROM points WHERE key IN ('auc', 'rows') AND value > 1", 8, 4),
        ("SELECT * FROM points WHERE key = 'auc' AND key = 'rows'", 0, 0),
        ("SELECT * FROM points WHERE key = 'auc' AND run_id = '{0}'", 1, 1),
        ("SELECT * FROM points WHERE run_id IN ('{0}', 'nobody')", 202, 202),
        ("SELECT * FROM runs r LEFT JOIN points p ON p.run_id = r.run_id WHERE p.key = 'auc'", 4, 4),
        ("SELECT * FROM runs WHERE run_id IN (SELECT run_id FROM points WHERE key = 'auc' AND value > 0.805)", 4, 3),
        ("WITH p AS (SELECT * FROM points WHERE key = 'auc') SELECT * FROM p", 4, 4),
        # What could need other rows reads all of them.
        ("SELECT * FROM points WHERE key = 'auc' OR step = 150", 210, 5),
        ("SELECT * FROM points WHERE upper(key) = 'AUC'", 210, 4),
        ("SELECT * FROM points WHERE key LIKE 'au%'", 210, 4),
        ("SELECT * FROM points WHERE NOT (key = 'loss')", 210, 8),
        ("SELECT * FROM points a, points b WHERE a.key = 'auc' AND b.key = 'rows' AND a.run_id = b.run_id", 210, 4),
        ("SELECT * FROM points p(run, metric) WHERE metric = 'auc'", 210, 4),
        ("SELECT * FROM (SELECT run_id, upper(key) AS key FROM points) WHERE key = 'AUC'", 210, 4),
        ("SELECT 1 FROM latest_metrics m JOIN points p USING (run_id) WHERE m.key = 'auc' AND p.step = 3", 210, 5),
        ("SELECT * FROM params ANTI JOIN points USING (run_id) WHERE key = 'model'", 210, 0),
        ("SELECT * FROM params SEMI JOIN points USING (run_id) WHERE key = 'model'", 210, 4),
        ("SELECT 1 FROM latest_metrics m ASOF JOIN points p ON m.run_id = p.run_id AND m.step >= p.step "
         "WHERE m.key = 'loss' AND p.key = 'auc'", 210, 0),
        ("SELECT * FROM points TABLESAMPLE 300 ROWS WHERE key = 'auc'", 210, 4),
        ("SELECT * FROM points WHERE key = 'auc' USING SAMPLE 300 ROWS", 210, 4),
    ],
)  # fmt: skip
def test_only_what_a_query_can_need_is_read(cli_json, points, monkeypatch, query, loaded, rows):
    read = []
    series_of = run_database.series_of

    def counted(*arguments):
        for series in series_of(*arguments):
            read.append(series.points)
            yield series

    monkeypatch.setattr(run_database, "series_of", counted)
    assert len(cli_json("sql", query.format(*points))) == rows
    assert sum(read) == loaded


def test_experiments_and_filters_choose(cli_json, points):
    assert cli_json("sql", "SELECT count(*) AS n FROM runs", "--experiment", "churn") == [{"n": 4}]
    query = "SELECT count(*) AS n FROM points"
    assert cli_json("sql", query, "--filter", "params.model = 'svm'") == [{"n": 2}]


def test_a_pipe_gets_plain_text_and_csv_on_demand(cli, points):
    query = "SELECT name, name, 1.50 AS d, true AS yes, [1, 2] AS list, NULL AS none FROM runs WHERE name = 'svm-3'"
    assert [line.split() for line in cli("sql", query).stdout.splitlines()] == [
        ["NAME", "NAME_2", "D", "YES", "LIST", "NONE"],
        ["svm-3", "svm-3", "1.5", "true", "[1,2]", "-"],
    ]
    table = list(csv.reader(io.StringIO(cli("sql", query, "--csv").stdout)))
    assert table == [
        ["name", "name_2", "d", "yes", "list", "none"],
        ["svm-3", "svm-3", "1.5", "true", "[1,2]", ""],
    ]
    assert cli("sql", "SELECT name FROM runs WHERE name = '?'").stdout.split() == ["NAME"]
    assert "not both" in cli("sql", query, "--csv", "--json", code=2).stderr


@pytest.mark.parametrize(
    "query",
    [
        "DROP TABLE runs",
        "INSERT INTO runs SELECT * FROM runs",
        "COPY runs TO 'runs.csv'",
        "ATTACH 'stele.db'",
        "INSTALL httpfs",
        "LOAD sqlite",
        "SET enable_external_access = true",
        "PRAGMA database_list",
        "EXPORT DATABASE 'copy'",
        "SELECT 1; DROP TABLE runs",
        "SELECT 1; SELECT 2",
        "CHOOSE 1",
        "SELECT '\udcff'",  # as a byte of the command line that is no UTF-8
        "",
        "SELECT * FROM read_text('secret.csv')",
        "SELECT * FROM read_csv('secret.csv')",
        "SELECT * FROM 'secret.csv'",
        "SELECT * FROM sniff_csv('secret.csv')",
        "SELECT * FROM read_parquet('https://example.com/a.parquet')",
        "SELECT * FROM glob('*')",
        "SELECT * FROM sqlite_scan('stele.db', 'runs')",
        "SELECT getenv('HOME')",
        "SELECT * FROM read",
        "SELECT * FROM query('COPY runs TO ''runs.csv''')",
        "SELECT nothing FROM runs",
        "SELECT value FROM points WHERE key = 'auc' AND step = 'x'",
    ],
)
def test_nothing_else_is_reached(cli, points, tmp_path, query):
    (tmp_path / "secret.csv").write_text("token\nhunter2\n")
    read = ["page of a store"]  # a variable that a query might see
    result = cli("sql", query, code=1)
    assert result.stderr.startswith("Error: ")
    assert "hunter2" not in result.output
    assert not {path.name for path in tmp_path.iterdir()} & {"runs.csv", "copy"}
    assert read


def test_times_are_in_utc_wherever_one_is(points, tmp_path):
    query = """
        SELECT count(*) FILTER (start_time > now()) AS ahead,
               count(*) FILTER (start_time > now() - INTERVAL 1 HOUR) AS new
        FROM runs WHERE name = 'other'
    """
    for zone in ("America/New_York", "Asia/Tokyo"):
        command = [*STELE, "sql", query, "--json"]
        done = subprocess.run(
            command, cwd=tmp_path, env=os.environ | {"TZ": zone}, capture_output=True, text=True, check=True
        )
        assert json.loads(done.stdout) == [{"ahead": 0, "new": 1}]


def test_times_with_a_zone_are_shown_in_utc(cli_json):
    query = """
        WITH t AS (SELECT TIMESTAMPTZ '2026-01-01 12:00:00+02' AS t)
        SELECT t, 1 AS n, [t] AS l, {'a b': t} AS s, TIMESTAMP_MS '2026-01-01 12:00:00' AT TIME ZONE 'Asia/Tokyo' AS t
        FROM t ORDER BY 1;
    """
    assert cli_json("sql", query) == [
        {
            "t": "2026-01-01T10:00:00.000Z",
            "n": 1,
            "l": ["2026-01-01T10:00:00.000Z"],
            "s": {"a b": "2026-01-01T10:00:00.000Z"},
            "t_2": "2026-01-01T03:00:00.000Z",
        }
    ]


@pytest.mark.parametrize("source", ["query('SELECT * FROM points')", "query_table('points')"])
def test_a_table_is_named_in_the_query_itself(cli, points, source):
    assert "hides which tables are read" in cli("sql", f"SELECT * FROM {source}", code=1).stderr


def test_a_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / "notes.txt").write_text("These are notes. " * 1_000)
    command = [*STELE, "--tracking-uri", "sqlite:///notes.txt", "sql", "SELECT * FROM runs"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: The file of sqlite:///")
    assert "notes.txt is no SQLite database, or is damaged: file is not a database." in done.stderr


def test_a_server_gives_the_same(points, tmp_path, tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    with stele_server(folder, store=f"sqlite:///{tmp_path}/stele.db") as server:
        query = "SELECT count(*) AS n, max(value) AS most FROM points WHERE key = 'loss' AND isfinite(value)"
        command = [*STELE, "--tracking-uri", server.url, "sql", query, "--json"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [{"n": 200, "most": 99.5}]


def test_without_duckdb_the_extra_is_named(tmp_path):
    program = "import sys; sys.modules['duckdb'] = None\nfrom stele.cli import main; main(['sql', 'SELECT 1'])"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install 'stele[sql]'" in done.stderr


def test_points_lie_on_disk_as_long_as_they_are_asked(points, monkeypatch, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setattr(run_database.tempfile, "tempdir", str(elsewhere))
    monkeypatch.setattr(run_database, "_ROWS_AT_ONCE", 7)
    client = Client()
    with run_database.RunDatabase(client, {"0": "Default", **names_of(client)}) as database:
        _, rows = database.ask("SELECT step FROM points WHERE key = 'loss' ORDER BY step")
        (folder,) = elsewhere.iterdir()
        assert (folder / "runs.duckdb").stat().st_size > 0
        assert [step for (step,) in rows] == sorted([*range(200), 1, 2])
    assert list(elsewhere.iterdir()) == []


def names_of(client: Client) -> dict[str, str]:
    return {each.experiment_id: each.name for each in client.search_experiments()}
