"""Steps about logged models; see ``driver_tools.py``."""

import importlib
import pathlib
import re

from driver_tools import error_of, named, step


def show_model(model):
    """Everything of a logged model that both servers should agree on."""
    named(model.model_id, f"model {model.name}")
    return {
        "id": bool(re.fullmatch("m-[0-9a-f]{32}", model.model_id)),
        "name": model.name,
        "uri": model.artifact_location.endswith(f"/models/{model.model_id}/artifacts"),
        "times": [bool(model.creation_timestamp), model.last_updated_timestamp >= model.creation_timestamp],
        "type": model.model_type or "",
        "run": model.source_run_id or "",
        "status": str(model.status),
        "tags": {key: value for key, value in model.tags.items() if key not in OWN_TAGS and "stele" not in key},
        "params": dict(model.params),
        "metrics": [
            [m.key, m.value, m.timestamp, m.step, m.dataset_name, m.dataset_digest, m.model_id, m.run_id]
            for m in sorted(model.metrics or [], key=lambda m: (m.key, m.timestamp, m.step))
        ],
        "model uri": model.model_uri == f"models:/{model.model_id}",
    }


OWN_TAGS = ("mlflow.user", "mlflow.source.name", "mlflow.source.type", "mlflow.source.git.commit")


@step
def fluent_models(c):
    mlflow = c.mlflow
    mlflow.set_experiment(f"{c.prefix} models")
    entities = importlib.import_module(f"{mlflow.__name__}.entities")
    outside = mlflow.initialize_logged_model(
        "outside", params={"a": 1, "none": None}, tags={"t": "x"}, model_type="tree"
    )
    shown = [show_model(outside), show_model(mlflow.last_logged_model())]
    with mlflow.start_run(run_name="training") as run:
        c.runs["training"] = named(run.info.run_id, "training")
        model = mlflow.initialize_logged_model("inside")
        c.model = model.model_id
        mlflow.log_outputs([entities.LoggedModelOutput(model.model_id, 2)])
        mlflow.log_metric("acc", 0.5, step=1, timestamp=10, model_id=model.model_id)
        mlflow.log_metric("acc", 0.75, step=2, timestamp=20, model_id=model.model_id)
        mlflow.log_metrics({"loss": 0.1}, step=2, timestamp=21, model_id=model.model_id)
        mlflow.log_input(model=entities.LoggedModelInput(outside.model_id))
        mlflow.flush_async_logging()
    shown.append(show_model(mlflow.finalize_logged_model(model.model_id, "READY")))
    shown.append(show_model(mlflow.finalize_logged_model(outside.model_id, "FAILED")))
    mlflow.log_model_params({"late": 1}, model.model_id)
    mlflow.set_logged_model_tags(model.model_id, {"k": 1, "l": "2"})
    mlflow.delete_logged_model_tag(model.model_id, "k")
    shown.append(show_model(mlflow.get_logged_model(model.model_id)))
    found = c.client.get_run(run.info.run_id)
    shown.append([[item.model_id, item.step] for item in found.outputs.model_outputs])
    shown.append(outside.model_id in [item.model_id for item in found.inputs.model_inputs])
    shown.append(dict(found.data.metrics))
    return shown


@step
def external_and_active_models(c):
    mlflow = c.mlflow
    external = mlflow.create_external_model("external", params={"p": "1"})
    shown = [show_model(external), mlflow.get_active_model_id()]
    active = mlflow.set_active_model(name="active")
    shown.append([show_model(active), mlflow.set_active_model(name="active").model_id == active.model_id])
    with mlflow.start_run(run_name="measuring") as run:
        named(run.info.run_id, "measuring")
        mlflow.log_metric("z", 2.0, timestamp=5)
        mlflow.log_metrics({"w": 1.0}, timestamp=6)
    with mlflow.set_active_model(model_id=external.model_id):
        shown.append(mlflow.get_active_model_id() == external.model_id)
    shown.append(mlflow.get_active_model_id() == active.model_id)
    mlflow.clear_active_model()
    shown.append(mlflow.get_active_model_id())
    shown.append(show_model(mlflow.get_logged_model(active.model_id)))
    shown.append([item.model_id for item in c.client.get_run(run.info.run_id).inputs.model_inputs])
    artifacts = importlib.import_module(f"{mlflow.__name__}.artifacts")
    folder = artifacts.download_artifacts(f"models:/{external.model_id}", dst_path=str(c.folder / "external"))
    shown.append("flavors: {}" in (pathlib.Path(folder) / "MLmodel").read_text())
    return shown


@step
def model_errors(c):
    client, mlflow, unknown = c.client, c.mlflow, "m-" + "0" * 32
    experiment = client.get_experiment_by_name(f"{c.prefix} models").experiment_id
    return [
        error_of(lambda: client.get_logged_model(unknown)),
        error_of(lambda: client.delete_logged_model(unknown)),
        error_of(lambda: client.finalize_logged_model(unknown, "READY")),
        error_of(lambda: client.delete_logged_model_tag(c.model, "missing")),
        error_of(lambda: client.create_logged_model("987654321", "x")),
        *[
            error_of(lambda bad=bad: client.create_logged_model(experiment, bad))
            for bad in ("a/b", "a.b", "a:b", "it's")
        ],
        error_of(lambda: client.search_logged_models(["abc"])),
        error_of(lambda: client.search_logged_models([experiment], "name > 'x'")),
        error_of(lambda: client.search_logged_models([experiment], order_by=[{"field_name": "nothing"}])),
        error_of(lambda: client.search_logged_models([experiment], page_token="!!")),
        error_of(lambda: mlflow.set_active_model()),
        error_of(lambda: mlflow.set_active_model(model_id=unknown)),
        error_of(lambda: mlflow.log_model_params({"a": "b"})),
    ]


@step
def model_files(c):
    client, artifacts = c.client, importlib.import_module(f"{c.mlflow.__name__}.artifacts")
    (c.folder / "weights.txt").write_text("w")
    client.log_model_artifact(c.model, str(c.folder / "weights.txt"))
    client.log_model_artifact(c.model, str(c.folder / "weights.txt"), "deep/er")
    run_id = c.runs["training"]

    def listed(files):
        return sorted([item.path, item.is_dir, item.file_size] for item in files)

    down = artifacts.download_artifacts(f"runs:/{run_id}/inside", dst_path=str(c.folder / "model"))
    whole = artifacts.download_artifacts(f"models:/{c.model}", dst_path=str(c.folder / "whole"))
    return {
        "model": listed(client.list_logged_model_artifacts(c.model)),
        "deep": listed(client.list_logged_model_artifacts(c.model, "deep")),
        "run": listed(client.list_artifacts(run_id, "inside")),
        "run deep": listed(artifacts.list_artifacts(f"runs:/{run_id}/inside/deep/er")),
        "uri": listed(artifacts.list_artifacts(f"models:/{c.model}")),
        "down": sorted(p.relative_to(down).as_posix() for p in pathlib.Path(down).rglob("*.txt")),
        "whole": sorted(p.relative_to(whole).as_posix() for p in pathlib.Path(whole).rglob("*.txt")),
        "text": artifacts.load_text(f"runs:/{run_id}/inside/weights.txt"),
        "missing": error_of(lambda: artifacts.load_text(f"runs:/{run_id}/inside/no.txt"))[0],
    }


@step
def search_models(c):
    client = c.client
    experiment = client.create_experiment(f"{c.prefix} search models")
    run = client.create_run(experiment).info.run_id
    models = {}
    for i, name in enumerate("ABCD"):
        params, tags = ({"p": "1", "p.q": "2"}, {"t": "x", "a b": "y"}) if i == 0 else ({}, {})
        kind = "agent" if i == 0 else None
        model = client.create_logged_model(experiment, name, run if i == 0 else None, tags, params, kind)
        models[name] = named(model.model_id, f"search {name}")
    for name, value, moment, number, dataset in (
        ("A", 1.0, 10, 0, ("", "")),
        ("A", 2.0, 11, 1, ("", "")),
        ("A", 9.0, 5, 9, ("d1", "x")),
        ("B", 3.0, 10, 2, ("", "")),
    ):
        data = {"dataset_name": dataset[0] or None, "dataset_digest": dataset[1] or None}
        client.log_metric(run, "acc", value, moment, number, model_id=models[name], synchronous=True, **data)
    client.finalize_logged_model(models["A"], "READY")

    def found(text=None, order=({"field_name": "name"},), **options):
        return [
            model.name for model in client.search_logged_models([experiment], text, order_by=list(order), **options)
        ]

    filters = [
        "name = 'A'", "name='A'", "name = A", "attributes.name = 'A'", "name != 'A'", "name LIKE 'a'", "name ILIKE 'a'",
        "name IN ('A','B')", "name NOT IN ('A')", "status = 2", "status = '2'", "status != 2", "model_type = 'agent'",
        "model_type != 'agent'", "creation_timestamp_ms > 0", "creation_time > 0", "last_updated_timestamp > 0",
        "params.p = '1'", "params.p = 1", "params.p != '1'", "params.p.q = '2'", "params.z != '1'", "tags.t='x'",
        "tags.`a b` = 'y'", "tags.t IN ('x','y')", "metrics.acc = 1", "metrics.acc = 2", "metrics.acc = 9",
        "metrics.acc > 2.5", "metrics.acc < 1.5", "metrics.acc != 2", "metrics.acc != 3", "metrics.none > 0",
        "name = 'A' AND model_type = 'agent'", "AND name = 'A'",
    ]  # fmt: skip
    orders = [
        [("metrics.acc", True, None, None), ("name", True, None, None)],
        [("metrics.acc", False, None, None), ("name", True, None, None)],
        [("metrics.acc", True, "d1", "x"), ("name", False, None, None)],
        [("metrics.none", True, None, None), ("name", False, None, None)],
        [("name", False, None, None)],
        [("model_type", True, None, None), ("name", True, None, None)],
        [("status", True, None, None), ("name", True, None, None)],
    ]
    names = ("field_name", "ascending", "dataset_name", "dataset_digest")
    d1 = [{"dataset_name": "d1", "dataset_digest": "x"}]
    pages, token = [], None
    while True:
        page = client.search_logged_models(
            [experiment], max_results=3, order_by=[{"field_name": "name"}], page_token=token
        )
        pages.append([model.name for model in page])
        token = page.token
        if not token:
            break
    result = {
        "filters": {text: found(text) for text in filters},
        "run": found(f"source_run_id = '{run}'"),
        "id": found(f"model_id = '{models['B']}'"),
        "orders": [
            found(order=[{n: v for n, v in zip(names, key, strict=True) if v is not None} for key in order])
            for order in orders
        ],
        "datasets": [
            found(text, datasets=d1) for text in (None, "metrics.acc > 2.5", "metrics.acc < 2.5", "name = 'B'")
        ],
        "pages": pages,
        "none": [model.name for model in client.search_logged_models(["987654321"])],
    }
    client.delete_logged_model(models["D"])
    client.delete_logged_model(models["D"])
    frame = c.mlflow.search_logged_models([experiment], order_by=[{"field_name": "name"}])
    result["frame"] = [sorted(frame.columns), frame["name"].tolist(), frame["params"].tolist()]
    result["deleted"] = error_of(lambda: client.get_logged_model(models["D"]))
    return result
