"""A large, seeded store for searches, written straight into the tables, and the searches to time on it.

Every run has 10 metrics, 10 params and 5 tags, all runs are in one experiment: the worst case of a search.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert

from benchmarks.measure import Progress
from stele.stores.sql import tables
from stele.stores.sql.documents import LatestMetric, RunDocument, pack, pack_latest
from stele.stores.sql.tables import KIND_METRIC, KIND_PARAM, KIND_TAG

__all__ = ["METRICS", "MODELS", "PARAMS", "QUERIES", "START", "TAGS", "Query", "load"]

START = 1_700_000_000_000
METRICS = ("auc", "loss", "f1", "acc", "val_acc", "val_loss", "precision", "recall", "epoch", "lr_now")
PARAMS = ("model", "lr", "optimizer", "batch_size", "depth", "seed", "dropout", "hidden", "dataset", "uid")
TAGS = ("team", "user", "git", "host", "note")

_CHUNK = 2_000
MODELS = ("xgboost", "lightgbm", "resnet", "bert", "mlp", "svm", "forest", "linear")
_RATES = ("0.1", "0.03", "0.01", "0.003", "0.001", "0.0003", "1e-4", "1e-5")
_OPTIMIZERS = ("adam", "adamw", "sgd", "rmsprop")
_TEAMS = tuple(
    f"{kind}-{name}" for kind in ("ds", "ml", "eng", "ops") for name in ("core", "growth", "ads", "risk", "lab")
)


class Query(NamedTuple):
    """One search of the benchmark."""

    name: str
    filter_string: str
    order_by: tuple[str, ...] = ()


QUERIES = (
    Query("Q1", "metrics.auc > 0.95 AND params.model = 'xgboost'", ("metrics.auc DESC",)),
    Query("Q2", "", ("start_time DESC",)),
    Query("Q3", "tags.team LIKE 'ds%'"),
    Query("Q3b", "tags.team LIKE '%growth'"),
    Query("Q4", "params.lr = '0.01' AND metrics.loss < 0.1"),
    Query("Q5", "metrics.auc > 0.99 OR params.model = 'bert'"),
    Query("Q5b", "params.uid = 'u77' OR params.uid = 'u4242' OR metrics.auc > 0.9995"),
    Query("Q6", "params.uid = 'u31337'"),
    Query("Q7", "params.uid = 'nobody'"),
    Query("Q8", "params.seed = '7' AND params.model = 'bert' AND metrics.loss < 0.05"),
    Query("Q9", "", ("metrics.f1 DESC",)),
    Query("Q10", "tags.user = 'user7' AND params.optimizer != 'adam' AND metrics.val_acc > 0.9"),
    Query("Q11", "metrics.auc > 0.5 AND params.uid LIKE '%9999'"),
    Query("Q12", "metrics.auc > 0.9 AND metrics.loss < 0.1 AND metrics.f1 > 0.9"),
)


def load(connection: Connection, runs: int, *, seed: int = 1, experiment_id: int = 1) -> None:
    """Fill an empty store: one experiment with this many runs, every one with the run number as its start time's rank.

    Args:
        connection: In a transaction; the caller commits.
        runs: How many.
        seed: Of the random values.
        experiment_id: The number of the experiment.
    """
    now = START
    experiment = {
        "experiment_id": experiment_id,
        "name": "search",
        "artifact_location": "mlflow-artifacts:/1",
        "stage": 0,
    }
    connection.execute(insert(tables.experiments), experiment | {"creation_time": now, "last_update_time": now})
    keys: dict[tuple[int, str], int] = {}
    for kind, names in ((KIND_METRIC, METRICS), (KIND_PARAM, PARAMS), (KIND_TAG, TAGS)):
        for name in names:
            keys[kind, name] = len(keys) + 1
            row = {"key_id": keys[kind, name], "experiment_id": experiment_id, "kind": kind, "name": name}
            connection.execute(insert(tables.entity_keys), row)
    generator = random.Random(seed)
    progress = Progress("making runs", runs)
    for first in range(1, runs + 1, _CHUNK):
        progress.at(first)
        made = [_run(generator, number, experiment_id) for number in range(first, min(first + _CHUNK, runs + 1))]
        connection.execute(insert(tables.runs), [run for run, *_ in made])
        connection.execute(insert(tables.latest_metrics), [row for run in made for row in _metrics(run, keys)])
        connection.execute(insert(tables.run_texts), [row for run in made for row in _texts(run, keys)])


def _run(generator: random.Random, number: int, experiment_id: int) -> tuple[Any, ...]:
    params = {
        "model": generator.choice(MODELS),
        "lr": generator.choice(_RATES),
        "optimizer": generator.choice(_OPTIMIZERS),
        "batch_size": str(2 ** generator.randrange(3, 10)),
        "depth": str(generator.randrange(1, 20)),
        "seed": str(generator.randrange(100)),
        "dropout": str(generator.randrange(10) / 10),
        "hidden": str(generator.choice((64, 128, 256))),
        "dataset": f"s3://bucket/data/v{generator.randrange(20)}.parquet",
        "uid": f"u{number}",
    }
    tags = {
        "team": generator.choice(_TEAMS),
        "user": f"user{generator.randrange(50)}",
        "git": f"{generator.getrandbits(160):040x}",
        "host": f"node-{generator.randrange(200)}",
        "note": "baseline" if generator.random() < 0.5 else "ablation of the second block",
    }
    metrics = {name: generator.random() for name in METRICS}
    metrics["epoch"] = float(generator.randrange(1, 100))
    run_id = f"{generator.getrandbits(128):032x}"
    latest = [LatestMetric(key, value, START + number, 100) for key, value in metrics.items()]
    end_time = START + number * 1_000 + generator.randrange(10_000_000)
    row = {
        "run": number,
        "run_id": run_id,
        "experiment_id": experiment_id,
        "stage": int(generator.random() < 0.01),
        "status": generator.choice((1, 3, 3, 3, 4)),
        "start_time": START + number * 1_000,
        "end_time": end_time,
        # Changed when they ended, not all of them in the minute that loading takes.
        "change_stamp": end_time,
        "record_stamp": end_time,
        "name": f"run-{number}",
        "user_id": tags["user"],
        "artifact_uri": f"mlflow-artifacts:/{experiment_id}/{run_id}/artifacts",
        "document": pack(RunDocument(params, tags)),
        "latest": pack_latest(latest),
    }
    return row, params, tags, metrics


def _metrics(made: tuple[Any, ...], keys: dict[tuple[int, str], int]) -> Iterator[dict[str, Any]]:
    run, _, _, metrics = made
    for name, value in metrics.items():
        yield {
            "run": run["run"],
            "key_id": keys[KIND_METRIC, name],
            "value": value,
            "special": 0,
            "step": 100,
            "timestamp": run["start_time"],
            "points": 100,
            "nan_points": 0,
            "first_value": value / 2,
            "first_step": 0,
            "first_timestamp": run["start_time"],
            "min_value": value / 4,
            "max_value": value * 2,
            "sum_value": value * 100,
        }


def _texts(made: tuple[Any, ...], keys: dict[tuple[int, str], int]) -> Iterator[dict[str, Any]]:
    run, params, tags, _ = made
    for kind, texts in ((KIND_PARAM, params), (KIND_TAG, tags)):
        for name, value in texts.items():
            number = _number(value) if kind == KIND_PARAM else None
            yield {"run": run["run"], "key_id": keys[kind, name], "value": value, "rest": None, "number": number}


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
