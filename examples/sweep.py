"""A real sweep: six families of scikit-learn classifiers on handwritten digits, one nested run for each setting.

    python examples/sweep.py --directory demo

Everything is logged with the functions that a training script would use; run `stele ui` in the directory to look at it.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.metrics import ConfusionMatrixDisplay, accuracy_score, classification_report, f1_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import stele
import stele.sklearn
from stele.models import infer_signature

matplotlib.use("Agg")
from matplotlib.figure import Figure  # the backend has to be chosen first

EPOCHS = 12

SWEEP: dict[str, tuple[Any, dict[str, list[Any]]]] = {
    "linear": (SGDClassifier, {"alpha": [1e-5, 1e-4, 1e-3, 1e-2], "loss": ["log_loss", "modified_huber"]}),
    "network": (MLPClassifier, {"hidden_layer_sizes": [(32,), (64,), (64, 32)], "learning_rate_init": [1e-3, 1e-2]}),
    "forest": (RandomForestClassifier, {"n_estimators": [20, 60, 120], "max_depth": [6, None]}),
    "logistic": (LogisticRegression, {"C": [0.01, 0.1, 1.0, 10.0]}),
    "neighbors": (KNeighborsClassifier, {"n_neighbors": [1, 3, 7, 15]}),
    "svm": (SVC, {"C": [0.5, 5.0], "gamma": ["scale", 0.02]}),
}
"""Family -> estimator and the values of its parameters to try in every combination."""


def settings() -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Family, estimator and parameters of each run."""
    for family, (estimator, grid) in SWEEP.items():
        for values in itertools.product(*grid.values()):
            yield family, estimator, dict(zip(grid, values, strict=True))


def train(model: Any, x_train: Any, y_train: Any, x_test: Any, y_test: Any) -> None:
    """Fit a model, epoch by epoch where it can be done, and log how it goes."""
    if not hasattr(model, "partial_fit"):
        model.fit(x_train, y_train)
        return
    classes = np.unique(y_train)
    shuffle = np.random.default_rng(0)
    for epoch in range(EPOCHS):
        order = shuffle.permutation(len(x_train))
        for batch in np.array_split(order, 8):
            model.partial_fit(x_train[batch], y_train[batch], classes=classes)
        metrics = {
            "train/accuracy": model.score(x_train, y_train),
            "val/accuracy": model.score(x_test, y_test),
            "val/log_loss": log_loss(y_test, model.predict_proba(x_test), labels=classes),
        }
        stele.log_metrics(metrics, step=epoch)


def evaluate(model: Any, x_test: Any, y_test: Any) -> float:
    """Log the figures of merit, a confusion matrix, a report and the digits it got wrong; returns the accuracy."""
    predicted = model.predict(x_test)
    accuracy = float(accuracy_score(y_test, predicted))
    stele.log_metrics({"accuracy": accuracy, "f1": f1_score(y_test, predicted, average="macro")})
    figure = Figure(figsize=(5, 5), layout="constrained")
    ConfusionMatrixDisplay.from_predictions(y_test, predicted, ax=figure.subplots(), colorbar=False)
    stele.log_figure(figure, "plots/confusion.png")
    stele.log_text(classification_report(y_test, predicted, digits=4, zero_division=0), "report.txt")
    wrong = np.flatnonzero(predicted != y_test)
    table = {"row": wrong.tolist(), "digit": y_test[wrong].tolist(), "taken_for": predicted[wrong].tolist()}
    stele.log_table(table, "mistakes.json")
    return accuracy


def register(scaler: StandardScaler, best: Any, x_train: Any) -> None:
    """Log the best classifier with the scaling before it, register it, and make it the champion."""
    model = make_pipeline(scaler, best)
    info = stele.sklearn.log_model(
        model,
        name="model",
        input_example=x_train[:2],
        signature=infer_signature(x_train, model.predict(x_train)),
        registered_model_name="digits",
    )
    version = str(info.registered_model_version)
    stele.Client().set_registered_model_alias("digits", "champion", version, reason="best of the sweep")


def sweep(console: Console) -> str:
    """Train every setting in a run of its own, under one parent; returns the parent's id."""
    digits = load_digits()
    x_train, x_test, y_train, y_test = train_test_split(
        digits.data, digits.target, test_size=0.3, random_state=0, stratify=digits.target
    )
    scaler = StandardScaler().fit(x_train)
    scaled = scaler.transform(x_train), y_train, scaler.transform(x_test), y_test
    frame = pd.DataFrame(x_train, columns=digits.feature_names).assign(digit=y_train)
    dataset = stele.data.from_pandas(frame, name="digits", targets="digit")

    stele.set_experiment("digits")
    with stele.start_run(
        run_name="sweep", tags={"team": "demo"}, description="Which family reads digits best?"
    ) as parent:
        stele.log_input(dataset, context="training")
        best, best_accuracy = None, 0.0
        for family, estimator, params in track(list(settings()), "Training", console=console):
            seed = {"random_state": 0} if "random_state" in estimator().get_params() else {}
            model = estimator(**params, **seed)
            name = " ".join([family, *(f"{key}={value}" for key, value in params.items())])
            with stele.start_run(run_name=name, nested=True, tags={"family": family}):
                stele.log_params({"family": family, **params})
                stele.log_input(dataset, context="training")
                began = time.perf_counter()
                train(model, *scaled)
                stele.log_metric("training_seconds", time.perf_counter() - began)
                accuracy = evaluate(model, scaled[2], y_test)
            if accuracy > best_accuracy:
                best, best_accuracy = model, accuracy
        register(scaler, best, x_train)
        return parent.info.run_id


def show_best(console: Console, parent: str) -> None:
    """Print the ten best runs."""
    best = stele.search_runs(
        filter_string=f"tags.mlflow.parentRunId = '{parent}' AND metrics.accuracy > 0",
        order_by=["metrics.accuracy DESC", "metrics.training_seconds"],
        max_results=10,
        output_format="list",
    )
    table = Table(title="Best of the sweep", title_justify="left")
    for column, justify in (("run", "left"), ("accuracy", "right"), ("f1", "right"), ("seconds", "right")):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]  # the words that rich knows
    for run in best:
        metrics = run.data.metrics
        figures = [f"{metrics['accuracy']:.4f}", f"{metrics['f1']:.4f}", f"{metrics['training_seconds']:.2f}"]
        table.add_row(run.info.run_name, *figures)
    console.print(table)


def main() -> None:
    """Run the sweep in a directory of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--directory", type=Path, default=Path("demo"), help="where stele.db and the files go")
    directory = parser.parse_args().directory
    directory.mkdir(parents=True, exist_ok=True)
    os.chdir(directory)
    console = Console(file=sys.stdout)
    began = time.perf_counter()
    parent = sweep(console)
    count = len(list(settings()))
    show_best(console, parent)
    console.print(f"{count} runs in {time.perf_counter() - began:.0f} s, kept in {directory / 'stele.db'}.")
    console.print("The best one is a model now: stele models serve -m models:/digits@champion -p 8080", soft_wrap=True)


if __name__ == "__main__":
    main()
