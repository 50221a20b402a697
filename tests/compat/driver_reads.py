"""Steps that search, and keep artifacts and datasets; see ``driver_tools.py``."""

import importlib
import json
import math
import re
from pathlib import Path

from driver_tools import error_of, named, step


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
