"""Drives logged models and the registry; see ``driver_tools.py``."""

import importlib
import json
import pathlib
import re
import time

from driver_tools import error_of, main, named, step


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


def show_version(version):
    """Everything of a version that both servers should agree on."""
    return {
        "place": [version.name, version.version, version.current_stage, version.status],
        "times": [bool(version.creation_timestamp), version.last_updated_timestamp >= version.creation_timestamp],
        "text": [version.description, version.run_id, version.run_link],
        "source": re.sub(r"(mlflow|stele) \d+", "<prefix>", version.source),
        "tags": dict(version.tags),
        "aliases": sorted(version.aliases),
    }


def show_registered(model):
    """The same of a registered model."""
    return {
        "name": model.name,
        "description": model.description or "",
        "tags": dict(model.tags),
        "aliases": dict(model.aliases),
        "latest": sorted([version.version, version.current_stage] for version in model.latest_versions),
        "times": [bool(model.creation_timestamp), model.last_updated_timestamp >= model.creation_timestamp],
    }


@step
def registered_models(c):
    client = c.client
    name = c.registered = f"{c.prefix} fraud"
    for other in (name, f"{c.prefix} scam", f"{c.prefix} copy"):
        named(other, other.removeprefix(c.prefix).strip())
    shown = [show_registered(client.create_registered_model(name, {"team": "x"}, "words"))]
    shown.append(show_registered(client.update_registered_model(name, "other words")))
    client.set_registered_model_tag(name, "k", "v")
    client.set_registered_model_tag(name, "k", "w")
    client.set_registered_model_tag(name, "gone", "v")
    client.delete_registered_model_tag(name, "gone")
    client.delete_registered_model_tag(name, "never there")
    shown.append(show_registered(client.get_registered_model(name)))
    client.create_registered_model(f"{c.prefix} scam")
    shown.append(error_of(lambda: client.rename_registered_model(f"{c.prefix} scam", name)))
    client.rename_registered_model(f"{c.prefix} scam", f"{c.prefix} copy")
    shown.append(show_registered(client.get_registered_model(f"{c.prefix} copy")))
    client.delete_registered_model(f"{c.prefix} copy")
    shown.append(error_of(lambda: client.get_registered_model(f"{c.prefix} copy")))
    return shown


@step
def register_models(c):
    mlflow, client = c.mlflow, c.client
    with mlflow.start_run(run_name="registering") as run:
        run_id = named(run.info.run_id, "registering")
        model = mlflow.initialize_logged_model("net")
        named(model.model_id, "net")
        (c.folder / "MLmodel").write_text("flavors: {}\n")
        client.log_model_artifact(model.model_id, str(c.folder / "MLmodel"))
        mlflow.log_artifact(str(c.folder / "MLmodel"), "old")
    mlflow.finalize_logged_model(model.model_id, "READY")
    name = c.registered
    shown = [
        show_version(mlflow.register_model(f"models:/{model.model_id}", name, tags={"a": "1"})),
        show_version(mlflow.register_model(f"runs:/{run_id}/net", name)),
        show_version(client.create_model_version(name, f"runs:/{run_id}/old", run_id, {"b": 2}, "http://l", "words")),
        show_version(client.create_model_version(name, "s3://bucket/model")),
        show_version(client.copy_model_version(f"models:/{name}/1", f"{c.prefix} copy")),
    ]
    shown.append(client.get_model_version_download_uri(name, "1").endswith(f"/models/{model.model_id}/artifacts"))
    shown.append(client.get_model_version_download_uri(name, "4"))
    shown.append(client.get_model_version_download_uri(f"{c.prefix} copy", "1").endswith("/artifacts"))
    shown.append(client.get_model_version_download_uri(name, "3") == f"runs:/{run_id}/old")
    by_name = client.create_model_version(f"{c.prefix} copy", f"runs:/{run_id}/net", run_id)
    shown.append(mlflow.artifacts.load_text(f"models:/{by_name.name}/{by_name.version}/MLmodel"))
    shown.append(pathlib.Path(mlflow.artifacts.download_artifacts(f"models:/{name}/3"), "MLmodel").read_text())
    shown.append(json.loads(mlflow.get_logged_model(model.model_id).tags["mlflow.modelVersions"])[:1])
    shown.append(show_registered(client.get_registered_model(name)))
    return shown


@step
def versions(c):
    client, name = c.client, c.registered
    client.set_model_version_tag(name, "1", "t", "x")
    client.set_model_version_tag(name, "1", "gone", "x")
    client.delete_model_version_tag(name, "1", "gone")
    client.delete_model_version_tag(name, "1", "never there")
    shown = [show_version(client.update_model_version(name, "1", "better")), client.get_model_version_stages(name, "1")]
    client.set_registered_model_alias(name, "champion", "1")
    client.set_registered_model_alias(name, "other", "1")
    client.set_registered_model_alias(name, "champion", "2")
    shown.append(show_version(client.get_model_version_by_alias(name, "champion")))
    shown.append(show_version(client.get_model_version_by_alias(name, "latest")))
    shown.append(show_version(client.get_model_version(name, "1")))
    client.delete_registered_model_alias(name, "other")
    client.delete_registered_model_alias(name, "never-there")
    shown.append(show_version(client.transition_model_version_stage(name, "1", "staging")))
    shown.append(show_version(client.transition_model_version_stage(name, "2", "Production")))
    shown.append(
        show_version(client.transition_model_version_stage(name, "3", "Staging", archive_existing_versions=True))
    )
    shown.append(show_version(client.get_model_version(name, "1")))
    shown.append(sorted([v.version, v.current_stage] for v in client.get_latest_versions(name)))
    shown.append([v.version for v in client.get_latest_versions(name, ["Production"])])
    client.set_model_version_tag(name, key="by stage", value="1", stage="Production")
    shown.append(show_version(client.get_model_version(name, "2")))
    client.delete_model_version(name, "4")
    shown.append(error_of(lambda: client.get_model_version(name, "4")))
    shown.append(client.create_model_version(name, "s3://bucket/model").version)
    shown.append(show_registered(client.get_registered_model(name)))
    return shown


@step
def registry_errors(c):
    client, name, missing = c.client, c.registered, f"{c.prefix} missing"
    calls = [
        lambda: client.create_registered_model(name),
        lambda: client.create_registered_model(""),
        *[lambda bad=bad: client.create_registered_model(bad) for bad in ("a/b", "a:b", ".", "..")],
        lambda: client.get_registered_model(missing),
        lambda: client.delete_registered_model(missing),
        lambda: client.update_registered_model(missing, "x"),
        lambda: client.rename_registered_model(missing, "x"),
        lambda: client.get_latest_versions(missing),
        lambda: client.get_latest_versions(name, ["Foo"]),
        lambda: client.set_registered_model_tag(missing, "k", "v"),
        lambda: client.set_registered_model_tag(name, "k" * 251, "v"),
        lambda: client.set_registered_model_tag(name, "k", "v" * 100_001),
        lambda: client.get_model_version(name, "99"),
        lambda: client.get_model_version(name, "x"),
        lambda: client.get_model_version_download_uri(name, "99"),
        lambda: client.set_model_version_tag(name, "99", "k", "v"),
        lambda: client.delete_model_version(name, "99"),
        lambda: client.update_model_version(name, "99", "x"),
        lambda: client.transition_model_version_stage(name, "1", "Foo"),
        lambda: client.transition_model_version_stage(name, "99", "Staging"),
        lambda: client.set_registered_model_alias(name, "champion", "99"),
        *[lambda bad=bad: client.set_registered_model_alias(name, bad, "1") for bad in ("a b", "latest", "v1", "a.b")],
        lambda: client.get_model_version_by_alias(name, "missing"),
        lambda: client.get_model_version_by_alias(missing, "champion"),
        *[
            lambda bad=bad: client.create_model_version(name, bad)
            for bad in ("http://h/x", "/etc", "file:///etc", "s3://b/../x", "foo://x", "mlflow-artifacts:/1/x")
        ],
        lambda: client.create_model_version(name, "runs:/" + "0" * 32 + "/m"),
        lambda: client.create_model_version(name, "models:/m-" + "0" * 32),
        lambda: client.create_model_version(missing, "s3://b/x"),
        lambda: client.search_registered_models("name > 'x'"),
        lambda: client.search_registered_models("foo = 'x'"),
        lambda: client.search_registered_models(order_by=["foo"]),
        lambda: client.search_registered_models(max_results=1001),
        lambda: client.search_registered_models(page_token="!!"),
        lambda: client.search_model_versions("version_number = 'x'"),
        lambda: client.search_model_versions("foo = 'x'"),
        lambda: client.search_model_versions(order_by=["foo"]),
        lambda: client.search_model_versions(max_results=200_001),
    ]
    return [error_of(call) for call in calls]


def wait_until_after(moment):
    """Return when the clock, which the server shares, has gone past a millisecond, so that the next time differs."""
    while time.time_ns() // 1_000_000 <= moment:
        pass


@step
def search_registry(c):
    client, prefix = c.client, f"{c.prefix}/"[:-1] + "-s-"
    for name, tags in (
        ("a", {"k": "1", "b c": "x"}),
        ("b", {}),
        ("C", {}),
    ):
        client.create_registered_model(f"{prefix}{name}", tags)
    for i, (name, run) in enumerate((("a", "r1"), ("a", "r2"), ("b", "r1"))):
        made = client.create_model_version(f"{prefix}{name}", f"s3://b/{i}", run * 16, {"k": str(i)})
        wait_until_after(made.last_updated_timestamp)
    own = f"name LIKE '{prefix}%'"

    def models(text="", **options):
        found = client.search_registered_models(f"{own} AND {text}" if text else own, **options)
        return [model.name.removeprefix(prefix) for model in found]

    def versions(text="", **options):
        found = client.search_model_versions(f"{own} AND {text}" if text else own, **options)
        return [f"{version.name.removeprefix(prefix)}{version.version}" for version in found]

    pages, token = [], None
    while True:
        page = client.search_registered_models(own, max_results=2, page_token=token)
        pages.append([model.name.removeprefix(prefix) for model in page])
        token = page.token
        if not token:
            break
    a, b = f"{prefix}a", f"{prefix}b"
    of_models = [
        "", "tags.k = '1'", "tags.k != '1'", "tag.k != '2'", "tags.`b c` ILIKE 'X'", f"name = '{a}'", f"name='{a}'",
        f"name != '{a}'", f"name IN ('{a}','{b}')", f"name NOT IN ('{a}')", f"attribute.name = '{a}'",
    ]  # fmt: skip
    of_versions = [
        "", f"name='{a}'", f"name IN ('{a}')", f"run_id = '{'r1' * 16}'", f"run_id IN ('{'r1' * 16}')",
        f"run_id NOT IN ('{'r1' * 16}')", f"run_id != '{'r1' * 16}'", "source_path = 's3://b/1'",
        "source_path LIKE 's3://b/%'", "version_number = 2", "version_number = '2'", "version_number > 1",
        "version_number >= '1'", "tags.k = '1'", "tags.k != '1'", "tag.k LIKE '%'",
    ]  # fmt: skip
    return {
        "models": [models(text) for text in of_models],
        "models ordered": [models(order_by=[key]) for key in ("name", "name DESC", "timestamp", "timestamp DESC")],
        "versions": [versions(text) for text in of_versions],
        "versions ordered": [
            versions(order_by=key)
            for key in (
                ["name", "version_number"],
                ["name DESC", "version_number ASC"],
                ["version_number", "name"],
                ["creation_timestamp"],
                ["last_updated_timestamp DESC"],
            )
        ],
        "pages": pages,
        "fluent": [
            sorted(model.name.removeprefix(prefix) for model in c.mlflow.search_registered_models(filter_string=own)),
            len(c.mlflow.search_model_versions(filter_string=own)),
        ],
    }


@step
def addresses(c):
    artifacts, name = importlib.import_module(f"{c.mlflow.__name__}.artifacts"), c.registered
    shown = []
    for i, uri in enumerate((f"models:/{name}/1", f"models:/{name}@champion", f"models:/{name}/Production")):
        folder = artifacts.download_artifacts(uri, dst_path=str(c.folder / f"registered-{i}"))
        shown.append((pathlib.Path(folder) / "MLmodel").read_text())
    shown.append([item.path for item in artifacts.list_artifacts(f"models:/{name}/1")])
    shown.append(error_of(lambda: artifacts.list_artifacts(f"models:/{name}/99")))
    shown.append(error_of(lambda: artifacts.list_artifacts(f"models:/{name}@missing")))
    return shown


if __name__ == "__main__":
    main()
