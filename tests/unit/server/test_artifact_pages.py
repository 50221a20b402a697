"""What a page asks of files: all at once, tables by the window, and content that is shown but reaches nothing."""

from __future__ import annotations

import io
import json
import sys
from urllib.parse import urlencode

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stele import limits
from stele.server import csv_tables, table_windows

ROOT = "/api/2.0/stele/artifacts"


@pytest.fixture
def run(call) -> str:
    made = call.post("runs/create", {"experiment_id": "0"}).json["run"]["info"]
    return made["run_id"]


def put(call, run: str, path: str, content: bytes | str) -> None:
    info = call("GET", f"/api/2.0/mlflow/runs/get?run_id={run}").json["run"]["info"]
    address = info["artifact_uri"].removeprefix("mlflow-artifacts:/")
    body = content.encode() if isinstance(content, str) else content
    answer = call("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{address}/{path}", body)
    assert answer.status == 200, answer.body


def get(call, what: str, headers: dict[str, str] | None = None, **query):
    return call("GET", f"{ROOT}/{what}?{urlencode(query)}", headers=headers)


# --- The tree


def test_the_tree_has_all_files_with_true_totals(call, run):
    for path, content in {"b.txt": "12", "a/x.txt": "1", "a/z/deep.txt": "123", "a-1.txt": ""}.items():
        put(call, run, path, content)
    put(call, run, "b.txt", "1234")
    found = get(call, "tree", run_id=run).json
    assert [(item["path"], item["file_size"], item["versions"]) for item in found["files"]] == [
        ("a/x.txt", 1, 1),
        ("a/z/deep.txt", 3, 1),
        ("a-1.txt", 0, 1),
        ("b.txt", 4, 2),
    ]
    versions = get(call, "versions", run_id=run, path="b.txt").json["versions"]
    assert found["files"][3]["time"] == versions[1]["time"]
    assert (found["total_files"], found["total_bytes"], found["complete"]) == (4, 8, True)
    assert found["root_uri"].endswith(f"{run}/artifacts")
    below = get(call, "tree", run_id=run, path="a").json
    assert [item["path"] for item in below["files"]] == ["a/x.txt", "a/z/deep.txt"]
    assert below["total_files"] == 2


def test_pages_of_the_tree_are_a_partition(call, run):
    paths = [f"d{i % 3}/f{i}" for i in range(7)]
    for path in paths:
        put(call, run, path, "x")
    seen, token = [], ""
    while True:
        page = get(call, "tree", run_id=run, max_results=3, page_token=token).json
        assert page["total_files"] == 7
        seen.append([item["path"] for item in page["files"]])
        token = page.get("next_page_token", "")
        if not token:
            break
    assert [len(page) for page in seen] == [3, 3, 1]
    assert [path for page in seen for path in page] == sorted(paths)
    first = get(call, "tree", run_id=run, max_results=3).json["next_page_token"]
    assert get(call, "tree", run_id=run, path="d1", page_token=first).status == 400


def test_a_tree_that_is_too_large_says_so(call, run, monkeypatch):
    monkeypatch.setattr(limits, "MAX_TREE_FILES", 2)
    for name in "abc":
        put(call, run, name, "x")
    found = get(call, "tree", run_id=run).json
    assert (found["total_files"], found["complete"]) == (2, False)


def test_an_empty_tree(call, run):
    found = get(call, "tree", run_id=run).json
    assert (found["total_files"], found["total_bytes"], found["complete"]) == (0, 0, True)


def test_files_of_models_and_versions_are_found_like_those_of_runs(call, run):
    model = call.post("logged-models", {"experiment_id": "0", "name": "m", "source_run_id": run}).json["model"]["info"]
    address = model["artifact_uri"].removeprefix("mlflow-artifacts:/")
    assert call("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{address}/MLmodel", b"flavors: {}").status == 200
    call.post("registered-models/create", {"name": f"of-{run}"})
    source = {"name": f"of-{run}", "source": f"models:/{model['model_id']}", "model_id": model["model_id"]}
    assert call.post("model-versions/create", source).status == 200
    for owner in ({"model_id": model["model_id"]}, {"model_name": f"of-{run}", "model_version": "1"}):
        assert [item["path"] for item in get(call, "tree", **owner).json["files"]] == ["MLmodel"], owner
        assert get(call, "file", path="MLmodel", **owner).body == b"flavors: {}"
        assert len(get(call, "versions", path="MLmodel", **owner).json["versions"]) == 1
        assert get(call, "zip", **owner).body[:2] == b"PK"


def version_at(call, run: str, path: str, owner: str | None = None) -> dict[str, str]:
    """A new version that lies in a run; the owner is the run that the request names."""
    owner = owner or run
    call.post("registered-models/create", {"name": f"in-{run}"})
    source = {"name": f"in-{run}", "source": f"runs:/{owner}/{path}", "run_id": owner}
    made = call.post("model-versions/create", source)
    assert made.status == 200, made.body
    return {"model_name": f"in-{run}", "model_version": made.json["model_version"]["version"]}


def tree_of(call, owner: dict[str, str]) -> list[str]:
    return [item["path"] for item in get(call, "tree", **owner).json.get("files", [])]


def test_a_version_in_a_run_has_the_files_below_its_path(call, run):
    for path in ("secret", "model/MLmodel", "model/data/weights", "modelled"):
        put(call, run, path, path)
    owner = version_at(call, run, "model")
    assert tree_of(call, owner) == ["MLmodel", "data/weights"]
    assert get(call, "tree", **owner).json["root_uri"].endswith(f"{run}/artifacts/model")
    assert get(call, "file", path="data/weights", **owner).body == b"model/data/weights"
    assert get(call, "zip", **owner).body[:2] == b"PK"
    assert tree_of(call, version_at(call, run, "model/data")) == ["weights"]
    for path in ("../secret", "%2e%2e/secret", "..\\secret", "/secret"):
        assert get(call, "file", path=path, **owner).status == 400
    assert get(call, "file", path="secret", **owner).status == 404


def test_a_version_in_a_run_may_be_a_logged_model_of_the_run(call, run):
    """The newest of its name, and of this run only; files of the run itself go first."""
    owner, inner = version_at(call, run, "net"), version_at(call, run, "net/data")
    other = call.post("runs/create", {"experiment_id": "0"}).json["run"]["info"]["run_id"]
    assert tree_of(call, owner) == []
    for source_run, content in ((run, b"old"), (run, b"new"), (other, b"other")):
        model = {"experiment_id": "0", "name": "net", "source_run_id": source_run}
        made = call.post("logged-models", model).json["model"]["info"]
        address = made["artifact_uri"].removeprefix("mlflow-artifacts:/")
        for name in ("MLmodel", "data/weights"):
            call("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{address}/{name}", content)
    assert tree_of(call, owner) == ["MLmodel", "data/weights"]
    assert get(call, "file", path="MLmodel", **owner).body == b"new"
    assert tree_of(call, inner) == ["weights"]
    put(call, run, "net/of-the-run", "x")
    assert tree_of(call, owner) == ["of-the-run"]


def test_a_version_in_a_run_goes_with_its_run(call, run):
    put(call, run, "model/MLmodel", "x")
    owner, orphan = version_at(call, run, "model"), version_at(call, run, "model", "9" * 32)
    assert get(call, "tree", **orphan).status == 404
    assert call.post("runs/delete", {"run_id": run}).status == 200
    assert tree_of(call, owner) == ["MLmodel"]


@pytest.mark.parametrize(
    "path", ["..", "../..", "a/../../b", "%2e%2e/b", "a%2f..%2f..%2fb", "a\\..\\..\\b", "a/%252e%252e/b"]
)
def test_no_version_is_made_behind_a_run(call, run, path):
    call.post("registered-models/create", {"name": f"in-{run}"})
    source = {"name": f"in-{run}", "source": f"runs:/{run}/{path}", "run_id": run}
    assert call.post("model-versions/create", source).status == 400


@pytest.mark.parametrize("path", ["C:/b", "file:/etc", ".stele", "a#b", "．．/b", "…/b", "x" * 3_000])
def test_a_version_at_a_path_that_no_file_can_have_shows_nothing(call, run, path):
    """The registry takes such a source; whoever reads files checks the path once more."""
    put(call, run, "model/MLmodel", "x")
    answer = get(call, "tree", **version_at(call, run, path))
    assert (answer.status, answer.code) == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize("location", ["s3://bucket/x", "mlflow-artifacts://127.0.0.1:1/x", "gs://169.254.169.254/x"])
def test_a_version_in_a_run_elsewhere_is_refused(call, location):
    """An experiment may keep its files where the server does not look: it asks nobody there."""
    made = call.post("experiments/create", {"name": location, "artifact_location": location})
    run = call.post("runs/create", {"experiment_id": made.json["experiment_id"]}).json["run"]["info"]["run_id"]
    assert get(call, "tree", **version_at(call, run, "model")).status == 403


@pytest.mark.parametrize("what", ["tree", "table", "file", "zip"])
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 400),
        ({"run_id": "a", "model_id": "m-1"}, 400),
        ({"model_name": "m"}, 400),
        ({"run_id": "nobody"}, 404),
        ({"model_id": "m-nobody"}, 404),
        ({"model_name": "nobody", "model_version": "1"}, 404),
    ],
)
def test_the_owner_is_named_once_and_exists(call, what, query, status):
    assert get(call, what, path="x.csv", **query).status == status


@pytest.mark.parametrize("what", ["tree", "table", "file", "versions"])
@pytest.mark.parametrize("path", ["../x.csv", "/etc/x.csv", "a/../../x.csv", "%2e%2e/x.csv", "a\\..\\..\\x.csv"])
def test_no_path_leaves_the_root(call, run, what, path):
    answer = get(call, what, run_id=run, path=path)
    assert (answer.status, answer.code) == (400, "INVALID_PARAMETER_VALUE")


# --- Content that is shown


def test_html_runs_in_an_origin_of_its_own_that_reaches_nothing(call, run):
    put(call, run, "figure.html", "<script>1</script>")
    shown = get(call, "file", run_id=run, path="figure.html")
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    assert shown.headers["content-disposition"].startswith("inline")
    policy = dict((part + " ").split(" ", 1) for part in shown.headers["content-security-policy"].split("; "))
    assert policy["sandbox"].split() == ["allow-scripts"]
    assert policy["default-src"].strip() == policy["connect-src"].strip() == policy["form-action"].strip() == "'none'"
    assert not any("self" in policy[name] or "http" in policy[name] for name in policy if name != "frame-ancestors")
    # Where nobody asked to have it shown it stays a text to download.
    kept = call("GET", f"/get-artifact?run_id={run}&path=figure.html")
    assert kept.headers["content-type"].startswith("text/plain")
    assert kept.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("name", "kind", "shown"),
    [
        ("a.png", "image/png", True),
        ("a.webp", "image/webp", True),
        ("a.svg", "image/svg+xml", True),
        ("a.mp4", "video/mp4", True),
        ("a.wav", "audio/x-wav", True),
        ("a.pdf", "application/pdf", True),
        ("a.py", "text/plain; charset=utf-8", True),
        ("a.json", "text/plain; charset=utf-8", True),
        ("a.xhtml", "application/octet-stream", False),
        ("a.js", "text/plain; charset=utf-8", True),
        ("a.bin", "application/octet-stream", False),
        ("a.zip", "application/octet-stream", False),
    ],
)
def test_types_of_what_is_shown(call, run, name, kind, shown):
    put(call, run, name, "0123456789")
    answer = get(call, "file", run_id=run, path=name)
    assert (answer.status, answer.headers["content-type"]) == (200, kind)
    assert answer.headers["content-disposition"] == f'{"inline" if shown else "attachment"}; filename="{name}"'
    policy = answer.headers["content-security-policy"]
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_part_and_an_older_version_are_shown_too(call, run):
    put(call, run, "log.txt", "0123456789")
    put(call, run, "log.txt", "new")
    old = get(call, "file", run_id=run, path="log.txt", version=1, headers={"range": "bytes=2-4"})
    assert (old.status, old.body, old.headers["content-range"]) == (206, b"234", "bytes 2-4/10")
    assert get(call, "file", run_id=run, path="log.txt").body == b"new"
    assert get(call, "file", run_id=run, path="log.txt", version=9).status == 404


# --- Tables


def table(call, run: str, path: str, **query):
    answer = get(call, "table", run_id=run, path=path, **query)
    assert answer.status == 200, answer.body
    return answer.json


def test_csv_is_read_by_the_window(call, run):
    lines = ["id,größe,text,flag"] + [f'{i},{i / 4},"a, ""b""\n{i}",{i % 2 == 0}' for i in range(100)]
    put(call, run, "t.csv", "\ufeff" + "\r\n".join(lines) + "\r\n\r\n")
    found = table(call, run, "t.csv", offset=10, limit=2)
    assert found["columns"] == [
        {"name": "id", "type": "number"},
        {"name": "größe", "type": "number"},
        {"name": "text", "type": "text"},
        {"name": "flag", "type": "boolean"},
    ]
    assert found["rows"] == [["10", "2.5", 'a, "b"\n10', "True"], ["11", "2.75", 'a, "b"\n11', "False"]]
    assert (found["total"], found["complete"]) == (100, True)
    assert len(table(call, run, "t.csv", offset=98)["rows"]) == 2
    assert "rows" not in table(call, run, "t.csv", offset=100)


def test_ragged_rows_have_as_many_cells_as_there_are_columns(call, run):
    put(call, run, "t.tsv", "a\tb\n1\n1\t2\t3\n\n\n4\t5")
    found = table(call, run, "t.tsv")
    assert found["rows"] == [["1", ""], ["1", "2"], ["4", "5"]]
    assert found["total"] == 3
    put(call, run, "empty.csv", "")
    assert table(call, run, "empty.csv")["total"] == 0
    put(call, run, "header.csv", "a,b\n")
    assert table(call, run, "header.csv")["columns"] == [{"name": "a", "type": "text"}, {"name": "b", "type": "text"}]


def test_of_a_long_csv_the_beginning_is_read_and_it_is_said(call, run, monkeypatch):
    monkeypatch.setattr(csv_tables, "_MOST_BYTES", 100)
    put(call, run, "t.csv", "number\n" + "".join(f"{i:09}\n" for i in range(1000)))
    found = table(call, run, "t.csv")
    # 7 bytes of header and ten rows of 10, of which the last one may be cut off.
    assert (found["total"], found["complete"], found["scanned_bytes"]) == (9, False, 107)
    assert found["rows"][-1] == ["000000008"]


def test_every_window_of_a_long_csv_has_its_rows(call, run):
    lines = [f'{i},"line\nof {i}"' if i % 3 else f"{i},x\n" for i in range(3_500)]
    put(call, run, "t.csv", "i,text\n" + "\n".join(lines))
    for offset in (0, 999, 1_000, 1_001, 2_999, 3_000, 3_490, 1_500, 0):
        found = table(call, run, "t.csv", offset=offset, limit=20)
        assert [row[0] for row in found["rows"]] == [str(i) for i in range(offset, min(offset + 20, 3_500))]
        assert (found["total"], found["complete"]) == (3_500, True)
    put(call, run, "t.csv", "i,text\n1,2\n")
    assert table(call, run, "t.csv")["total"] == 1


def test_parquet_is_read_where_the_rows_are(call, run):
    columns = {
        "i": list(range(5000)),
        "x": [None if i == 4001 else float("nan") if i == 4002 else i / 2 for i in range(5000)],
        "s": [f"s{i}" for i in range(5000)],
        "list": [[i] for i in range(5000)],
        "big": [2**63 + i for i in range(5000)],
        "time": pa.array([i * 1000 for i in range(5000)], pa.timestamp("ms")),
    }
    stored = io.BytesIO()
    pq.write_table(pa.table({"big": pa.array(columns.pop("big"), pa.uint64()), **columns}), stored, row_group_size=1000)
    put(call, run, "t.parquet", stored.getvalue())
    found = table(call, run, "t.parquet", offset=4000, limit=3)
    assert [(column["name"], column["type"]) for column in found["columns"]] == [
        ("big", "number"),
        ("i", "number"),
        ("x", "number"),
        ("s", "text"),
        ("list", "other"),
        ("time", "time"),
    ]
    assert found["rows"] == [
        [str(2**63 + 4000), 4000, 2000.0, "s4000", "[4000]", "1970-01-01T01:06:40"],
        [str(2**63 + 4001), 4001, None, "s4001", "[4001]", "1970-01-01T01:06:41"],
        [str(2**63 + 4002), 4002, "NaN", "s4002", "[4002]", "1970-01-01T01:06:42"],
    ]
    assert (found["total"], found["complete"]) == (5000, True)
    assert table(call, run, "t.parquet", offset=990, limit=20)["rows"][-1][1] == 1009
    assert "rows" not in table(call, run, "t.parquet", offset=5000)


def test_parquet_without_its_library_names_the_extra(call, run, monkeypatch):
    put(call, run, "t.parquet", b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    answer = get(call, "table", run_id=run, path="t.parquet")
    assert (answer.status, answer.code) == (501, "NOT_IMPLEMENTED")
    assert "stele[export]" in answer.json["message"]


def test_tables_of_log_table_and_lists_of_objects(call, run):
    put(call, run, "t.json", json.dumps({"columns": ["a", "b"], "data": [[1, "x"], [None, "y"], [2.5, None]]}))
    found = table(call, run, "t.json", offset=1)
    assert found["columns"] == [{"name": "a", "type": "number"}, {"name": "b", "type": "text"}]
    assert found["rows"] == [[None, "y"], [2.5, None]]
    assert found["total"] == 3
    put(call, run, "list.json", json.dumps([{"a": True}, {"b": {"c": [1]}}]))
    found = table(call, run, "list.json")
    assert found["columns"] == [{"name": "a", "type": "boolean"}, {"name": "b", "type": "other"}]
    assert found["rows"] == [[True, None], [None, '{"c":[1]}']]


def test_an_older_version_of_a_table(call, run):
    put(call, run, "t.csv", "a\n1\n")
    put(call, run, "t.csv", "a\n2\n")
    assert table(call, run, "t.csv", file_version=1)["rows"] == [["1"]]
    assert table(call, run, "t.csv")["rows"] == [["2"]]


def test_an_answer_has_a_bound(call, run, monkeypatch):
    monkeypatch.setattr(table_windows, "_ANSWER_BYTES", 1_000)
    put(call, run, "t.csv", "a\n" + ("x" * 300 + "\n") * 10 + "y" * 2_000 + "\n")
    assert len(table(call, run, "t.csv")["rows"]) == 3
    assert len(table(call, run, "t.csv", offset=10)["rows"]) == 1  # one row is given however long it is
    assert table(call, run, "t.csv")["total"] == 11


@pytest.mark.parametrize(
    ("path", "content", "problem"),
    [
        ("t.txt", "a", "ends in none of .csv, .tsv, .parquet, .json"),
        ("t.json", "{", "not valid JSON"),
        ("t.json", '{"columns": ["a"], "data": [[1, 2]]}', "holds no table"),
        ("t.json", "[1]", "holds no table"),
        ("t.parquet", "PAR1 and nothing else PAR1", "not Parquet"),
        ("t.csv", "a\n" + "x" * 200_000, "not CSV"),
        ("t.csv", "a,b\n" + "x," * 600_000, "a line has more than 1048576 bytes"),
    ],
)
def test_what_is_no_table_is_refused(call, run, path, content, problem):
    put(call, run, path, content)
    answer = get(call, "table", run_id=run, path=path)
    assert (answer.status, answer.code) == (400, "INVALID_PARAMETER_VALUE")
    assert problem in answer.json["message"]


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 1001}, {"offset": -1}, {"file_version": -1}, {"limit": "x"}])
def test_windows_have_bounds(call, run, query):
    put(call, run, "t.csv", "a\n1\n")
    assert get(call, "table", run_id=run, path="t.csv", **query).status == 400
