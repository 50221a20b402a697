"""Steps that make experiments and runs; see ``driver_tools.py``."""

import importlib
import math

from driver_tools import error_of, named, show_experiment, show_points, show_run, step


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
