"""Data for tests of the page, logged by a real client."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path

from PIL import Image

from stele.client.client import Client
from stele.entities import Metric, Param, RunTag
from stele.schema.datasets import Dataset, DatasetInput, InputTag

__all__ = ["EPOCH", "MLMODEL", "curve", "dataset", "diff", "model_version", "new_run", "picture", "put", "sweep"]

EPOCH = 1_750_000_000_000
"""When the first run of a test began, in milliseconds since 1970."""

MLMODEL = """\
artifact_path: model
flavors:
  python_function:
    loader_module: stele.sklearn
  sklearn:
    sklearn_version: 1.7.0
signature:
  inputs: '[{"type": "double", "name": "age", "required": true}, {"type": "string", "name": "city", "required": true}]'
  outputs: '[{"type": "double", "required": true}]'
"""


def curve(key: str, values: list[float], start: int = EPOCH) -> list[Metric]:
    """One point a step, one step a second."""
    return [Metric(key, value, start + 1000 * step, step) for step, value in enumerate(values)]


def new_run(
    client: Client,
    experiment_id: str,
    name: str,
    *,
    params: dict[str, str] | None = None,
    metrics: dict[str, float] | None = None,
    tags: dict[str, str] | None = None,
    points: list[Metric] | None = None,
    start: int = EPOCH,
    status: str = "FINISHED",
) -> str:
    """Log a run of one minute; answers with its id."""
    run = client.create_run(experiment_id, start_time=start, run_name=name).info.run_id
    values = [Metric(key, value, start, 0) for key, value in (metrics or {}).items()]
    client.log_batch(
        run,
        [*values, *(points or [])],
        [Param(key, value) for key, value in (params or {}).items()],
        [RunTag(key, value) for key, value in (tags or {}).items()],
    )
    if status != "RUNNING":
        client.set_terminated(run, status, start + 60_000)
    return run


OPTIMIZERS = ("adam", "sgd", "lion")


def sweep(client: Client, experiment_id: str, runs: int, steps: int = 12) -> list[str]:
    """Runs with params that matter, curves, tags; the second one diverges. Answers with their ids, oldest first."""
    made = []
    for i in range(runs):
        rate = (0.1, 0.03, 0.01, 0.003)[i % 4]
        losses = [1.5 * math.exp(-rate * 8 * step) + 0.02 * i for step in range(steps)]
        scores = [1 - loss / 2 for loss in losses]
        if i == 1:
            losses[-1], scores[-1] = math.nan, math.inf
        made.append(
            new_run(
                client,
                experiment_id,
                f"trial-{i:03}",
                params={"lr": str(rate), "optimizer": OPTIMIZERS[i % 3], "layers": "4"},
                tags={"team": ("vision", "speech")[i % 2]},
                points=curve("train/loss", losses) + curve("val/accuracy", scores),
                start=EPOCH + i * 60_000,
                status="FAILED" if i == 2 else "FINISHED",
            )
        )
    return made


def diff(rate: float) -> str:
    """Changes that nobody committed: another learning rate."""
    return f"""\
diff --git a/train.py b/train.py
--- a/train.py
+++ b/train.py
@@ -1,2 +1,2 @@
 import stele
-rate = 0.1
+rate = {rate}
"""


def put(client: Client, run: str, folder: Path, files: dict[str, str | bytes]) -> None:
    """Log files by their paths."""
    for path, content in files.items():
        local = folder / run / path
        local.parent.mkdir(parents=True, exist_ok=True)
        local.write_bytes(content if isinstance(content, bytes) else content.encode())
        client.log_artifact(run, str(local), path.rpartition("/")[0] or None)


def picture(color: str, side: int = 32) -> bytes:
    """A PNG of one colour."""
    stream = io.BytesIO()
    Image.new("RGB", (side, side), color).save(stream, "PNG")
    return stream.getvalue()


def dataset(name: str, rows: int = 1200) -> DatasetInput:
    """What a run trained on."""
    profile = json.dumps({"num_rows": rows})
    schema = json.dumps({"mlflow_colspec": [{"type": "double", "name": "age"}, {"type": "string", "name": "city"}]})
    source = json.dumps({"uri": "s3://data/customers"})
    return DatasetInput(
        Dataset(name, "d41d8cd9", "s3", source, schema, profile), [InputTag("mlflow.data.context", "training")]
    )


NEEDS = "scikit-learn==1.7.0\nnumpy==2.3.1\n"


def model_version(client: Client, name: str, run: str, folder: Path, text: str = MLMODEL, needs: str = NEEDS) -> str:
    """A model among the files of a run becomes the next version of a registered model; answers with its number."""
    files = {"model/MLmodel": text, "model/requirements.txt": needs}
    put(client, run, folder, files)
    client.ensure_registered_model(name)
    source = f"{client.get_run(run).info.artifact_uri}/model"
    return str(client.create_model_version(name, source, run).version)
