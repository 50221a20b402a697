"""Flavors of libraries besides scikit-learn, in both directions with the real MLflow."""

from __future__ import annotations

import io
import json
import pickle
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import cloudpickle
import lightgbm
import numpy as np
import onnx
import pandas as pd
import pytest
import statsmodels.api as sm
import torch
import xgboost
from onnx import TensorProto, helper, numpy_helper

import stele.lightgbm
import stele.onnx
import stele.pytorch
import stele.statsmodels
import stele.xgboost
from compat.environments import MODELS, python_with
from stele.testing.flavors import FlavorContract, Hostile, Sample, change_mlmodel

pytestmark = [pytest.mark.mlflow, pytest.mark.xdist_group("models")]

ROWS = 60
FRAME = pd.DataFrame({"a": np.linspace(0.0, 1.0, ROWS), "b": np.linspace(3.0, -2.0, ROWS) ** 2})
LABELS = (FRAME["a"] + FRAME["b"] > 3).astype(int)
TARGET = FRAME["a"] * 2 + FRAME["b"]
WRONG = FRAME.rename(columns={"b": "c"})


@pytest.fixture(scope="session")
def mlflow_python() -> Path:
    return python_with(MODELS[0], *MODELS[1:])


def predict(native, data):
    return native.predict(data)


def pickled(name: str, flavor: str, **keys: object) -> Callable[[Path], None]:
    """A hostile pickle where MLmodel says."""

    def make(directory: Path) -> None:
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_bytes(pickle.dumps(Hostile()))
        change_mlmodel(directory, flavor, **keys)

    return make


def named(flavor: str, **keys: object) -> Callable[[Path], None]:
    """Names in MLmodel that lead out of the model, or to a class of somebody else."""
    return lambda directory: change_mlmodel(directory, flavor, **keys)


class TestXGBoost(FlavorContract):
    module = stele.xgboost
    loader = "mlflow.xgboost"
    requirement = "xgboost-cpu"
    save_in_mlflow = "mlflow.xgboost.save_model(native, path, input_example=data)"
    hostile_files: ClassVar = {
        "class": named("xgboost", model_class="hostile_module.Booster2"),
        "outside": named("xgboost", data="../../etc/passwd"),
    }

    @pytest.fixture(params=["estimator", "booster"])
    def sample(self, request: pytest.FixtureRequest) -> Sample:
        if request.param == "estimator":
            return Sample(xgboost.XGBClassifier(n_estimators=3).fit(FRAME, LABELS), FRAME, WRONG, predict)
        model = xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix(FRAME, LABELS), 3)
        return Sample(
            model, FRAME, WRONG, lambda native, data: native.predict(xgboost.DMatrix(data)), {"model_format": "json"}
        )


class TestLightGBM(FlavorContract):
    module = stele.lightgbm
    loader = "mlflow.lightgbm"
    requirement = "lightgbm"
    save_in_mlflow = "mlflow.lightgbm.save_model(native, path, input_example=data)"
    hostile_files: ClassVar = {
        "pickle": pickled(
            "model.pkl", "lightgbm", data="model.pkl", model_class="lightgbm.sklearn.X", serialization_format="pickle"
        ),
        "outside": named("lightgbm", data="../../etc/passwd"),
    }

    @pytest.fixture(params=["estimator", "booster"])
    def sample(self, request: pytest.FixtureRequest) -> Sample:
        model = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1).fit(FRAME, LABELS)
        return Sample(model if request.param == "estimator" else model.booster_, FRAME, WRONG, predict)


class TestStatsmodels(FlavorContract):
    module = stele.statsmodels
    loader = "mlflow.statsmodels"
    requirement = "statsmodels"
    save_in_mlflow = "mlflow.statsmodels.save_model(native, path, input_example=data)"
    hostile_files: ClassVar = {
        "pickle": pickled("model.statsmodels", "statsmodels"),
        "outside": named("statsmodels", data="../../etc/passwd"),
    }

    @pytest.fixture
    def sample(self) -> Sample:
        return Sample(sm.OLS(TARGET, FRAME).fit(), FRAME, WRONG, predict)


def linear(weights: np.ndarray) -> onnx.ModelProto:
    rows, columns = weights.shape
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, rows])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, columns])],
        [numpy_helper.from_array(weights.astype("float32"), "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def _external_data_outside(directory: Path) -> None:
    model = onnx.load(directory / "model.onnx")
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.ClearField("raw_data")
    del tensor.external_data[:]
    tensor.external_data.add(key="location", value="../hostile_data")
    (directory.parent / "hostile_data").write_bytes(b"\0" * 4096)
    (directory / "model.onnx").write_bytes(model.SerializeToString())


class TestOnnx(FlavorContract):
    module = stele.onnx
    loader = "mlflow.onnx"
    requirement = "onnx"
    save_in_mlflow = "mlflow.onnx.save_model(native, path, input_example=data)"
    hostile_files: ClassVar = {
        "external data": _external_data_outside,
        "outside": named("onnx", data="../../etc/passwd"),
        "options": named("onnx", onnx_session_options={"extra_session_config": {"a": "hostile.so"}}),
        "unknown options": named("onnx", onnx_session_options={"register": "hostile.so"}),
    }

    @pytest.fixture(params=["small", "external"])
    def sample(self, request: pytest.FixtureRequest) -> Sample:
        weights = np.array([[1.0], [2.0]]) if request.param == "small" else np.ones((40, 40))
        data = np.ones((3, len(weights)), "float32")
        return Sample(linear(weights), data, data[0], lambda native, data: data @ weights)


cloudpickle.register_pickle_by_value(sys.modules[__name__])  # where it is loaded, there is no such module


class Net(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))

    def forward(self, x):
        return self.layers(x)


def _in_program(change: Callable[[dict[str, bytes]], None]) -> Callable[[Path], None]:
    """An exported program with other entries."""

    def make(directory: Path) -> None:
        path = directory / "data" / "model.pt2"
        if not path.exists():
            path.write_bytes(_program())
        with zipfile.ZipFile(path) as archive:
            entries = {name: archive.read(name) for name in archive.namelist()}
        change(entries)
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in entries.items():
                archive.writestr(name, content)

    return make


def _program() -> bytes:
    buffer = io.BytesIO()
    torch.export.save(torch.export.export(Net(), (torch.ones(3, 2),)), buffer)
    return buffer.getvalue()


def _key(entries: dict[str, bytes], end: str) -> str:
    return next(name for name in entries if name.endswith(end))


def _hostile_inputs(entries: dict[str, bytes]) -> None:
    entries[_key(entries, "sample_inputs/model.pt")] = pickle.dumps(Hostile())


def _hostile_archive(entries: dict[str, bytes]) -> None:
    buffer = io.BytesIO()
    torch.save(Hostile(), buffer)
    entries[_key(entries, "sample_inputs/model.pt")] = buffer.getvalue()


def _hostile_constant(entries: dict[str, bytes]) -> None:
    name = _key(entries, "model_constants_config.json")
    entries[name] = json.dumps(
        {
            "config": {
                "hostile": {"path_name": "custom_obj_0", "is_param": False, "use_pickle": True, "tensor_meta": None}
            }
        }
    ).encode()
    entries[name.replace("model_constants_config.json", "custom_obj_0")] = pickle.dumps(Hostile())


def _hostile_operation(entries: dict[str, bytes]) -> None:
    name = _key(entries, "models/model.json")
    entries[name] = entries[name].replace(b"torch.ops.aten.linear.default", b"torch.serialization.os.system")


def _hostile_expression(entries: dict[str, bytes]) -> None:
    name = _key(entries, "models/model.json")
    content = json.loads(entries[name])
    content["range_constraints"]["__import__('os').system('echo hostile_ran')"] = {"min_val": 0, "max_val": 1}
    entries[name] = json.dumps(content).encode()


class TestPyTorch(FlavorContract):
    module = stele.pytorch
    loader = "mlflow.pytorch"
    requirement = "torch"
    save_in_mlflow = "mlflow.pytorch.save_model(native, path, input_example=data)"
    hostile_files: ClassVar = {
        "example inputs": _in_program(_hostile_inputs),
        "archive of example inputs": _in_program(_hostile_archive),
        "constant": _in_program(_hostile_constant),
        "operation": _in_program(_hostile_operation),
        "expression": _in_program(_hostile_expression),
        "outside": named("pytorch", model_data="../.."),
    }

    @pytest.fixture
    def sample(self) -> Sample:
        torch.manual_seed(0)
        data = np.linspace(0, 1, 12, dtype="float32").reshape(6, 2)
        return Sample(Net().eval(), data, data.astype("float64"), self.call)

    @staticmethod
    def call(native, data):
        with torch.no_grad():
            return native(torch.from_numpy(data))

    def test_an_export_runs_no_code_and_takes_any_number_of_rows(self, sample: Sample, saved: Path) -> None:
        model = stele.pyfunc.load_model(str(saved), trust=False)
        for rows in (1, 2, 50):
            assert model.predict(np.ones((rows, 2), "float32")).shape == (rows, 1)


class TestPyTorchPickled(TestPyTorch):
    save_in_mlflow = "mlflow.pytorch.save_model(native, path, serialization_format='pickle')"
    hostile_files: ClassVar = {
        "pickle": pickled("data/model.pth", "pytorch"),
        "module": lambda directory: (directory / "data" / "pickle_module_info.txt").write_text("hostile_module"),
    }

    @pytest.fixture
    def sample(self) -> Sample:
        torch.manual_seed(0)
        data = np.linspace(0, 1, 12, dtype="float32").reshape(6, 2)
        return Sample(Net().eval(), data, data.astype("float64"), self.call, {"serialization_format": "pickle"})

    test_an_export_runs_no_code_and_takes_any_number_of_rows = None
