"""What drives a client against a server, step by step, and prints what came back.

A driver runs in the virtual environment of the client:
``python driver.py <module> <tracking uri> <output> [step ...]``, where the module is ``mlflow`` or ``stele``. It writes
one JSON object: step name -> result, so that two pairs of client and server can be compared. Ids are replaced by the
names they were made under, times that a server chose by their presence; an error becomes its code.
"""

import importlib
import json
import math
import os
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
