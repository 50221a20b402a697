"""Steps about the registry of models; see ``driver_tools.py``."""

import importlib
import json
import pathlib
import re
import time

from driver_tools import error_of, named, step


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
