"""Drives a client against a server and prints what came back, so that two pairs of client and server can be compared.

Runs in the virtual environment of the client: ``python driver.py <module> <tracking uri> <output> [step ...]``,
where the module is ``mlflow`` or ``stele``. Writes one JSON object: step name -> result. Ids are replaced by the
names they were made under, times that a server chose by their presence; an error becomes its code.
"""

import importlib
import json
import math
import os
import re
import sys
import tempfile
from pathlib import Path

STEPS = []
_NAMES = {}


def step(function):
    """Register a step; its name stands in the result."""
    STEPS.append(function)
    return function


class Context:
    """What the steps share."""

    def __init__(self, mlflow, uri, prefix):
        self.mlflow = mlflow
        self.client = mlflow.MlflowClient(tracking_uri=uri)
        self.prefix = prefix
        self.runs = {}
        self.folder = Path(tempfile.mkdtemp())


def named(value, name):
    """Remember the name that stands for an id."""
    _NAMES[str(value)] = f"<{name}>"
    return value


def plain(value):
    """JSON in which ids are names."""
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in sorted(value.items())}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "max" if value > 0 else "-max"
    if isinstance(value, float) and abs(value) > 1.7e308:
        return "max" if value > 0 else "-max"
    if isinstance(value, str):
        for key, name in _NAMES.items():
            if len(key) >= 32:
                value = value.replace(key, name)
        return _NAMES.get(value, value)
    return value


def show_run(run):
    """Everything of a run that both servers should agree on."""
    tags = {key: value for key, value in run.data.tags.items() if not key.startswith(("mlflow.source", "stele."))}
    tags.pop("mlflow.user", None)
    inputs = [
        [
            item.dataset.name,
            item.dataset.digest,
            item.dataset.source_type,
            item.dataset.source,
            sorted((t.key, t.value) for t in item.tags),
        ]
        for item in (run.inputs.dataset_inputs if run.inputs else [])
    ]
    return {
        "info": [
            run.info.run_id,
            run.info.run_name,
            run.info.status,
            run.info.lifecycle_stage,
            run.info.end_time is not None,
            run.info.artifact_uri.endswith(f"{run.info.run_id}/artifacts"),
        ],
        "metrics": dict(run.data.metrics),
        "params": dict(run.data.params),
        "tags": tags,
        "inputs": sorted(inputs),
    }


def show_experiment(experiment):
    """As :func:`show_run`."""
    tags = {key: value for key, value in experiment.tags.items() if not key.startswith("mlflow.experiment")}
    return [experiment.name, experiment.lifecycle_stage, tags, experiment.creation_time is not None]


def show_points(points):
    """A history."""
    return [[point.key, point.value, point.timestamp, point.step] for point in points]


def error_of(call):
    """The code of the error that a call raises."""
    try:
        return ["no error", plain(str(call()))]
    except Exception as e:
        return ["error", getattr(e, "error_code", type(e).__name__)]


# -- experiments


@step
def create_experiment(c):
    name = f"{c.prefix} first"
    c.experiment = c.client.create_experiment(name, tags={"team": "x"})
    named(name, "first")
    c.mlflow.set_experiment(name)
    return show_experiment(c.client.get_experiment(c.experiment))


@step
def experiment_errors(c):
    client, prefix = c.client, c.prefix
    return [
        error_of(lambda: client.create_experiment(f"{prefix} first")),
        error_of(lambda: client.create_experiment("")),
        error_of(lambda: client.create_experiment("x" * 501)),
        error_of(lambda: client.get_experiment("987654321")),
        error_of(lambda: client.get_experiment("abc")),
        error_of(lambda: client.delete_experiment("987654321")),
        error_of(lambda: client.restore_experiment(c.experiment)),
        error_of(lambda: client.set_experiment_tag("987654321", "k", "v")),
        client.get_experiment_by_name(f"{prefix} missing"),
    ]


@step
def experiment_tags(c):
    c.client.set_experiment_tag(c.experiment, "k1", "v1")
    c.client.set_experiment_tag(c.experiment, "k2", "v2")
    c.client.delete_experiment_tag(c.experiment, "k1")
    c.mlflow.set_experiment_tag("k3", 3)
    c.mlflow.set_experiment_tags({"k4": "v4", "k5": 5})
    missing = error_of(lambda: c.client.delete_experiment_tag(c.experiment, "missing"))
    return [show_experiment(c.client.get_experiment(c.experiment)), missing]


@step
def rename_delete_restore_experiment(c):
    other = c.client.create_experiment(f"{c.prefix} second")
    c.client.rename_experiment(other, f"{c.prefix} renamed")
    named(f"{c.prefix} renamed", "renamed")
    run = c.client.create_run(other)
    shown = [show_experiment(c.client.get_experiment_by_name(f"{c.prefix} renamed"))]
    c.client.delete_experiment(other)
    shown.append(c.client.get_run(run.info.run_id).info.lifecycle_stage)
    shown.append(error_of(lambda: c.client.create_run(other)))
    shown.append(error_of(lambda: c.mlflow.set_experiment(f"{c.prefix} renamed")))
    shown.append(show_experiment(c.client.get_experiment(other)))
    c.client.restore_experiment(other)
    shown.append(c.client.get_run(run.info.run_id).info.lifecycle_stage)
    return shown


@step
def search_experiments(c):
    for i in range(3):
        named(f"{c.prefix} s{i}", f"s{i}")
        c.client.create_experiment(f"{c.prefix} s{i}", tags={"n": str(i)})
    like = f"name LIKE '{c.prefix} s_'"

    def names(**options):
        return [item.name for item in c.client.search_experiments(**options)]

    pages = []
    token = None
    while True:
        page = c.client.search_experiments(filter_string=like, max_results=2, order_by=["name ASC"], page_token=token)
        pages.append([item.name for item in page])
        token = page.token
        if not token:
            break
    return {
        "asc": names(filter_string=like, order_by=["name ASC"]),
        "desc": names(filter_string=like, order_by=["name DESC"]),
        "tag": names(filter_string=f"{like} AND tags.n = '1'"),
        "not tag": names(filter_string=f"{like} AND tags.n != '1'", order_by=["name"]),
        "ilike": names(filter_string=f"name ILIKE '{c.prefix.upper()} S_'", order_by=["name"]),
        "null": names(filter_string=f"name LIKE '{c.prefix}%' AND tags.n IS NULL", order_by=["name"]),
        "pages": pages,
        "errors": [
            error_of(lambda bad=bad: names(filter_string=bad))
            for bad in ("name > 'x'", "foo = 'x'", "name = x", "creation_time = 'x'", "name = 'a' OR", "  ")
        ],
        "bad order": error_of(lambda: names(order_by=["foo"])),
        "bad page": error_of(lambda: c.client.search_experiments(page_token="!!")),
        "bad size": error_of(lambda: c.client.search_experiments(max_results=100_000)),
    }


# -- runs


@step
def fluent_run(c):
    mlflow = c.mlflow
    with mlflow.start_run(run_name="fluent", tags={"t": "1"}, description="words") as run:
        c.runs["fluent"] = named(run.info.run_id, "fluent")
        mlflow.log_param("p", 1)
        mlflow.log_params({"a": 1.5, "b": "two", "none": None})
        for i in range(3):
            mlflow.log_metric("m", 0.5 * i, step=i, timestamp=1000 + i)
        mlflow.log_metrics({"x": 1, "y": 2}, step=3, timestamp=2000)
        mlflow.set_tag("tag1", "v")
        mlflow.set_tags({"tag2": "v2", "tag3": 3})
        mlflow.delete_tag("tag3")
    return show_run(c.client.get_run(run.info.run_id))


@step
def fluent_status(c):
    mlflow = c.mlflow
    shown = []
    try:
        with mlflow.start_run(run_name="failing") as run:
            c.runs["failing"] = named(run.info.run_id, "failing")
            raise ValueError("on purpose")  # noqa: TRY301
    except ValueError:
        shown.append(c.client.get_run(run.info.run_id).info.status)
    mlflow.start_run(run_name="killed")
    named(mlflow.active_run().info.run_id, "killed")
    last = mlflow.active_run().info.run_id
    mlflow.end_run("KILLED")
    shown.append(c.client.get_run(last).info.status)
    shown.append(mlflow.active_run())
    shown.append(mlflow.last_active_run().info.run_id)
    with mlflow.start_run(run_id=last):
        shown.append(c.client.get_run(last).info.status)
        mlflow.log_metric("again", 1.0, timestamp=5)
    shown.append(show_run(c.client.get_run(last)))
    return shown


@step
def nested_runs(c):
    mlflow = c.mlflow
    with mlflow.start_run(run_name="parent") as parent:
        c.runs["parent"] = named(parent.info.run_id, "parent")
        with mlflow.start_run(run_name="child", nested=True) as child:
            c.runs["child"] = named(child.info.run_id, "child")
            mlflow.log_metric("inner", 1.0, timestamp=1)
        shown = [error_of(lambda: mlflow.start_run(run_name="refused"))[0]]
    with mlflow.start_run(run_name="adopted", parent_run_id=parent.info.run_id) as adopted:
        named(adopted.info.run_id, "adopted")
    shown += [
        mlflow.get_parent_run(child.info.run_id).info.run_id,
        mlflow.get_parent_run(adopted.info.run_id).info.run_id,
        mlflow.get_parent_run(parent.info.run_id),
    ]
    return shown


@step
def client_run(c):
    client = c.client
    run = client.create_run(c.experiment, start_time=123, tags={"k": "v"}, run_name="by client")
    run_id = c.runs["client"] = named(run.info.run_id, "client")
    client.log_metric(run_id, "m", 2.0, timestamp=10, step=1)
    client.log_param(run_id, "p", "v")
    client.set_tag(run_id, "t", "w")
    client.update_run(run_id, status="SCHEDULED", name="renamed run")
    shown = [show_run(client.get_run(run_id))]
    client.set_tag(run_id, "mlflow.runName", "by tag")
    client.set_terminated(run_id, end_time=999)
    found = client.get_run(run_id)
    shown.append([found.info.run_name, found.info.status, found.info.end_time, found.info.start_time])
    client.delete_run(run_id)
    shown.append(client.get_run(run_id).info.lifecycle_stage)
    shown.append(error_of(lambda: client.log_metric(run_id, "m", 3.0, synchronous=True)))
    shown.append(error_of(lambda: client.set_tag(run_id, "t", "x")))
    client.restore_run(run_id)
    shown.append(client.get_run(run_id).info.lifecycle_stage)
    return shown


@step
def run_errors(c):
    client, missing, run = c.client, "0" * 32, c.runs["client"]
    return [
        error_of(lambda: client.get_run(missing)),
        error_of(lambda: client.log_param(run, "p", "other")),
        error_of(lambda: client.log_param(missing, "p", "v")),
        error_of(lambda: client.log_metric(missing, "m", 1.0, synchronous=True)),
        error_of(lambda: client.set_tag(missing, "t", "v")),
        error_of(lambda: client.delete_tag(run, "missing")),
        error_of(lambda: client.delete_run(missing)),
        error_of(lambda: client.create_run("987654321")),
        error_of(lambda: client.log_metric(run, "bad;key", 1.0)),
        error_of(lambda: client.log_metric(run, "../up", 1.0)),
        error_of(lambda: client.log_param(run, "k" * 251, "v")),
        error_of(lambda: client.set_tag(run, "/a", "v")),
    ]


@step
def log_batch(c):
    entities = importlib.import_module(f"{c.mlflow.__name__}.entities")
    run = c.client.create_run(c.experiment, run_name="batch")
    run_id = c.runs["batch"] = named(run.info.run_id, "batch")
    c.client.log_batch(
        run_id,
        metrics=[entities.Metric("m", float(i), 100 + i, i) for i in range(20)],
        params=[entities.Param("p", "1"), entities.Param("q", "2")],
        tags=[entities.RunTag("t", "1"), entities.RunTag("t", "2")],
    )
    conflict = error_of(
        lambda: c.client.log_batch(run_id, [entities.Metric("n", 1.0, 1, 1)], [entities.Param("p", "9")])
    )
    double = error_of(lambda: c.client.log_batch(run_id, params=[entities.Param("z", "1"), entities.Param("z", "2")]))
    return [show_run(c.client.get_run(run_id)), conflict, double]


@step
def metric_values(c):
    run_id = c.runs["batch"]
    for i, value in enumerate((math.nan, math.inf, -math.inf, 5e-324, -1.5)):
        c.client.log_metric(run_id, "special", value, timestamp=50, step=i)
    for _ in range(2):
        c.client.log_metric(run_id, "double", 1.0, timestamp=7, step=7)
    c.client.log_metric(run_id, "double", 2.0, timestamp=7, step=7)
    c.client.log_metric(run_id, "late", 1.0, timestamp=10, step=5)
    c.client.log_metric(run_id, "late", 2.0, timestamp=11, step=-3)
    history = {
        key: show_points(c.client.get_metric_history(run_id, key)) for key in ("special", "double", "late", "m", "no")
    }
    return [history, dict(c.client.get_run(run_id).data.metrics)]


@step
def asynchronous_logging(c):
    mlflow = c.mlflow
    with mlflow.start_run(run_name="async") as run:
        named(run.info.run_id, "async")
        operations = [mlflow.log_metric("m", float(i), step=i, timestamp=i, synchronous=False) for i in range(50)]
        mlflow.log_param("p", "1", synchronous=False)
        mlflow.set_tag("t", "1", synchronous=False)
        for operation in operations:
            operation.wait()
        mlflow.flush_async_logging()
    found = c.client.get_run(run.info.run_id)
    return [show_run(found), len(c.client.get_metric_history(run.info.run_id, "m"))]


# -- search


@step
def search_runs(c):
    client = c.client
    experiment = client.create_experiment(f"{c.prefix} search")
    for i in range(12):
        run = client.create_run(experiment, start_time=1000 + i // 2, run_name=f"run-{i}")
        named(run.info.run_id, f"run-{i}")
        client.log_metric(run.info.run_id, "loss", math.nan if i == 5 else 1.0 / (1 + i), timestamp=1)
        if i % 2:
            client.log_metric(run.info.run_id, "acc", float(i % 4), timestamp=1)
        client.log_param(run.info.run_id, "model", ["tree", "net", "Tree"][i % 3])
        client.set_tag(run.info.run_id, "a b", f"v_{i}")
        if i < 4:
            client.set_tag(run.info.run_id, "small", "yes")
        client.set_terminated(run.info.run_id, status="FAILED" if i == 3 else "FINISHED", end_time=5000 + i)

    def found(filter_string="", order_by=("attributes.run_name ASC",), **options):
        runs = client.search_runs([experiment], filter_string, order_by=list(order_by), **options)
        return [run.info.run_name for run in runs]

    filters = [
        "metrics.loss < 0.2",
        "metrics.loss != 1.0",
        "metrics.loss >= 0.25 and params.model = 'tree'",
        "params.model LIKE 'T%'",
        "params.model ILIKE 't%'",
        "params.model != 'tree'",
        "tags.`a b` = 'v_1'",
        'tags."a b" LIKE "v_1%"',
        "tags.small IS NULL",
        "tags.small IS NOT NULL AND metrics.acc > 0",
        "status = 'FAILED'",
        "attributes.status != 'FINISHED'",
        "run_name LIKE 'run-1%'",
        "start_time > 1003 AND end_time <= 5010",
        "run_id IN ('x')",
        "metrics.missing > 0",
        "parameters.model='net'",
    ]
    orders = [
        ["metrics.loss ASC"],
        ["metrics.loss DESC"],
        ["metrics.acc DESC", "metrics.loss"],
        ["params.model", "start_time DESC"],
        ["tags.small DESC", "attributes.run_name ASC"],
        ["end_time DESC"],
        ["metrics.missing ASC", "run_name DESC"],
    ]
    bad = [
        "metrics.loss < 'x'",
        "params.model = tree",
        "foo.bar = 1",
        "nothing = 'x'",
        "metrics.loss",
        "params.model IN 'x'",
        "start_time LIKE 'x'",
        "; DROP TABLE runs",
    ]
    pages = []
    token = None
    while True:
        page = client.search_runs([experiment], max_results=5, order_by=["metrics.loss ASC"], page_token=token)
        pages.append([run.info.run_name for run in page])
        token = page.token
        if not token:
            break
    client.delete_run(client.search_runs([experiment], "run_name = 'run-0'")[0].info.run_id)
    return {
        "filters": {text: found(text) for text in filters},
        "orders": {str(order): found(order_by=order) for order in orders},
        "default order": sorted(found(order_by=())[:2]),
        "pages": pages,
        "views": [len(found(run_view_type=view)) for view in (1, 2, 3)],
        "errors": {text: error_of(lambda text=text: found(text)) for text in bad},
        "bad order": error_of(lambda: found(order_by=["nothing"])),
        "bad size": error_of(lambda: found(max_results=50_001)),
        "no experiments": [run.info.run_name for run in client.search_runs([])],
    }


@step
def search_runs_frame(c):
    frame = c.mlflow.search_runs(experiment_names=[f"{c.prefix} search"], order_by=["attributes.run_name"])
    listed = c.mlflow.search_runs(
        experiment_names=[f"{c.prefix} search"], order_by=["attributes.run_name"], output_format="list", max_results=3
    )
    columns = sorted(name for name in frame.columns if not name.startswith(("tags.mlflow", "tags.stele")))
    return [columns, frame["params.model"].tolist(), frame["metrics.acc"].fillna(-1).tolist(), len(listed)]


# -- artifacts


@step
def log_artifacts(c):
    mlflow, folder = c.mlflow, c.folder
    (folder / "tree/deep").mkdir(parents=True)
    (folder / "one.txt").write_text("one")
    (folder / "tree/two.bin").write_bytes(bytes(range(256)))
    (folder / "tree/deep/three ü.txt").write_text("drei")
    with mlflow.start_run(run_name="files") as run:
        run_id = c.runs["files"] = named(run.info.run_id, "files")
        mlflow.log_text("hällo", "text/a.txt")
        mlflow.log_dict({"a": [1, {"b": None}]}, "d.json")
        mlflow.log_dict({"a": 1}, "d.yaml")
        mlflow.log_artifact(str(folder / "one.txt"))
        mlflow.log_artifact(str(folder / "one.txt"), "sub/dir")
        mlflow.log_artifacts(str(folder / "tree"), "tree")
        mlflow.log_table({"x": [1, 2], "y": ["a", "b"]}, "tbl.json")
        mlflow.log_table({"x": [3], "y": ["c"]}, "tbl.json")
        uri = mlflow.get_artifact_uri("text/a.txt")

    def listing(path=None):
        files = [[item.path, item.is_dir, item.file_size] for item in c.client.list_artifacts(run_id, path)]
        # What Stele's client records about code and environment is its own.
        return sorted(entry for entry in files if not entry[0].startswith("environment"))

    return {
        "uri": uri.endswith(f"{run_id}/artifacts/text/a.txt"),
        "root": [entry[:2] for entry in listing()],
        "tree": listing("tree"),
        "deep": listing("tree/deep"),
        "file": listing("text/a.txt"),
        "nothing": listing("nothing"),
        "tags": c.client.get_run(run_id).data.tags.get("mlflow.loggedArtifacts"),
    }


@step
def read_artifacts(c):
    run_id = c.runs["files"]
    artifacts = importlib.import_module(f"{c.mlflow.__name__}.artifacts")
    target = c.folder / "downloads"
    target.mkdir()
    path = artifacts.download_artifacts(run_id=run_id, artifact_path="tree", dst_path=str(target))
    found = {str(p.relative_to(path)): p.read_bytes().hex()[:40] for p in Path(path).rglob("*") if p.is_file()}
    single = c.client.download_artifacts(run_id, "text/a.txt", str(target))
    table = c.mlflow.load_table("tbl.json", run_ids=[run_id])
    return {
        "tree": found,
        "single": Path(single).read_text(),
        "text": artifacts.load_text(f"runs:/{run_id}/text/a.txt"),
        "dict": artifacts.load_dict(f"runs:/{run_id}/d.json"),
        "table": table.sort_values("x").to_dict("list"),
        "listed": sorted(item.path for item in artifacts.list_artifacts(f"runs:/{run_id}/tree")),
        "missing": error_of(lambda: artifacts.download_artifacts(f"runs:/{run_id}/no.txt"))[0],
    }


@step
def figures_and_images(c):
    import matplotlib
    import numpy

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots()
    axes.plot([1, 2, 3])
    image = numpy.zeros((8, 8, 3), dtype=numpy.uint8)
    with c.mlflow.start_run(run_name="pictures") as run:
        named(run.info.run_id, "pictures")
        c.mlflow.log_figure(figure, "plots/f.png")
        c.mlflow.log_image(image, "plots/i.png")
        c.mlflow.log_image(image, key="dogs", step=3, timestamp=77, synchronous=True)
        if hasattr(c.mlflow, "flush_artifact_async_logging"):
            c.mlflow.flush_artifact_async_logging()
    plots = sorted(item.path for item in c.client.list_artifacts(run.info.run_id, "plots"))
    images = [
        re.sub(r"\+[0-9a-f-]{36}", "+<uuid>", item.path) for item in c.client.list_artifacts(run.info.run_id, "images")
    ]
    loaded = importlib.import_module(f"{c.mlflow.__name__}.artifacts").load_image(
        f"runs:/{run.info.run_id}/plots/i.png"
    )
    return [
        plots,
        sorted(images),
        list(loaded.size),
        c.client.get_run(run.info.run_id).data.tags.get("mlflow.loggedImages"),
    ]


# -- datasets


@step
def datasets(c):
    import numpy
    import pandas

    data = importlib.import_module(f"{c.mlflow.__name__}.data")
    frame = pandas.DataFrame({"a": [1, 2, 3], "b": [0.5, 1.5, 2.5], "c": ["x", "y", "z"]})
    dataset = data.from_pandas(frame, source="frame.csv", name="frame", targets="b", digest="abc")
    array = data.from_numpy(numpy.zeros((4, 2)), name="array", digest="def")
    with c.mlflow.start_run(run_name="data") as run:
        named(run.info.run_id, "data")
        c.mlflow.log_input(dataset, context="training", tags={"k": "v"})
        c.mlflow.log_input(dataset, context="training", tags={"k": "v"})
        c.mlflow.log_input(array, context="eval")
    found = c.client.get_run(run.info.run_id)
    described = {
        item.dataset.name: [item.dataset.digest, json.loads(item.dataset.schema), json.loads(item.dataset.profile)]
        for item in found.inputs.dataset_inputs
    }
    tags = {item.dataset.name: sorted((t.key, t.value) for t in item.tags) for item in found.inputs.dataset_inputs}
    hits = [
        [run.info.run_name for run in c.client.search_runs([c.experiment], text)]
        for text in (
            "dataset.name = 'frame'",
            "datasets.digest = 'def'",
            "dataset.context = 'eval'",
            "dataset.name = 'no'",
        )
    ]
    return [described, tags, hits]


def main():
    """Run the steps that were asked for, all of them when none was named."""
    module, uri, output, *wanted = sys.argv[1:]
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = os.environ["DO_NOT_TRACK"] = "true"
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "1"
    mlflow = importlib.import_module(module)
    mlflow.set_tracking_uri(uri)
    output = Path(output).absolute()
    context = Context(mlflow, uri, f"{module} {os.getpid()}")
    os.chdir(context.folder)
    result = {}
    for function in STEPS:
        if not wanted or function.__name__ in wanted:
            try:
                result[function.__name__] = plain(function(context))
            except Exception as e:
                while mlflow.active_run():
                    mlflow.end_run()
                result[function.__name__] = ["step failed", type(e).__name__, plain(str(e))[:2000]]
    output.write_text(json.dumps(result, indent=1, sort_keys=True))


if __name__ == "__main__":
    main()
