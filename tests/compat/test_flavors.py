"""Each flavor, in both directions with the real MLflow."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import stele.sklearn
from stele.testing.flavors import FlavorContract, Hostile, Sample, change_mlmodel

pytestmark = [pytest.mark.mlflow, pytest.mark.xdist_group("mlflow")]

FRAME = pd.DataFrame({"a": np.linspace(0.0, 1.0, 40), "b": np.linspace(3.0, -2.0, 40) ** 2})
LABELS = (FRAME["a"] + FRAME["b"] > 3).astype(int)
WRONG = FRAME.rename(columns={"b": "c"})


def _pickle_in(name: str, flavor: str, **keys: object):
    def make(directory: Path) -> None:
        (directory / name).write_bytes(pickle.dumps(Hostile()))
        change_mlmodel(directory, flavor, **keys)

    return make


def _outside(flavor: str, key: str):
    """A file beside the model, which MLmodel names with a way out."""

    def make(directory: Path) -> None:
        (directory.parent / "hostile.pkl").write_bytes(pickle.dumps(Hostile()))
        change_mlmodel(directory, flavor, **{key: "../hostile.pkl"}, serialization_format="pickle")

    return make


def _skops_with_a_function(directory: Path) -> None:
    import os

    skops.io.dump(FunctionTransformer(func=os.system), directory / "model.skops")
    change_mlmodel(directory, "sklearn", skops_trusted_types=["posix.system", "os.system"])


def _skops_with_a_module(directory: Path) -> None:
    """A type of a module that comes with the model, which the model says to trust."""
    bring = directory / "hostile_types.py"
    bring.write_text("open('hostile_ran', 'w')\n")
    with zipfile.ZipFile(directory / "model.skops") as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    schema = entries["schema.json"].replace(b"sklearn.pipeline", b"hostile_types.x")
    with zipfile.ZipFile(directory / "model.skops", "w") as archive:
        for name, content in (entries | {"schema.json": schema}).items():
            archive.writestr(name, content)
    change_mlmodel(directory, "sklearn", skops_trusted_types=["hostile_types.x.Pipeline"])


class TestSklearn(FlavorContract):
    module = stele.sklearn
    loader = "mlflow.sklearn"
    requirement = "scikit-learn"
    save_in_mlflow = "mlflow.sklearn.save_model(native, path, serialization_format='cloudpickle', input_example=data)"
    hostile_files: ClassVar = {
        "pickle": _pickle_in("model.pkl", "sklearn", pickled_model="model.pkl", serialization_format="pickle"),
        "cloudpickle": _pickle_in(
            "model.pkl", "sklearn", pickled_model="model.pkl", serialization_format="cloudpickle"
        ),
        "unsaid format": _pickle_in("model.skops", "sklearn", serialization_format=None),
        "outside": _outside("sklearn", "pickled_model"),
        "function in skops": _skops_with_a_function,
        "module in skops": _skops_with_a_module,
    }

    @pytest.fixture
    def sample(self) -> Sample:
        model = make_pipeline(StandardScaler(), RandomForestClassifier(5, random_state=0)).fit(FRAME, LABELS)
        return Sample(model, FRAME, WRONG, lambda native, data: native.predict(data))


class TestSklearnPickled(TestSklearn):
    @pytest.fixture
    def sample(self) -> Sample:
        model = make_pipeline(StandardScaler(), RandomForestClassifier(5, random_state=0)).fit(FRAME, LABELS)
        options = {"serialization_format": "pickle", "pyfunc_predict_fn": "predict_proba"}
        return Sample(model, FRAME, WRONG, lambda native, data: native.predict_proba(data), options)

    save_in_mlflow = (
        "mlflow.sklearn.save_model(native, path, serialization_format='pickle', pyfunc_predict_fn='predict_proba')"
    )
    hostile_files: ClassVar = {}
