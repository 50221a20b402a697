"""Input examples: what is written, what a server would get, and what comes back."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from scipy import sparse

from stele.errors import InvalidParameterValue
from stele.models.examples import InputExample, read_example

NAN = float("nan")

# What MLflow 3.17.2 wrote for the same examples, but for NaN and None, which it writes as a bare NaN.
CASES: dict[str, tuple[Any, str, Any, Any]] = {
    "frame": (
        pd.DataFrame({"a": [1.5, NAN], "b": ["x", None]}),
        "dataframe",
        {"columns": ["a", "b"], "data": [[1.5, "x"], [None, None]]},
        {"dataframe_split": {"columns": ["a", "b"], "data": [[1.5, "x"], [None, None]]}},
    ),
    "frame without names": (
        pd.DataFrame([[1, 2], [3, 4]]),
        "dataframe",
        {"data": [[1, 2], [3, 4]]},
        {"dataframe_split": {"data": [[1, 2], [3, 4]]}},
    ),
    "frame of lists and dicts": (
        pd.DataFrame({"t": [[1, 2], [3]], "y": [{"k": 1}, {"k": 2}]}),
        "dataframe",
        {"columns": ["t", "y"], "data": [[[1, 2], {"k": 1}], [[3], {"k": 2}]]},
        {"dataframe_split": {"columns": ["t", "y"], "data": [[[1, 2], {"k": 1}], [[3], {"k": 2}]]}},
    ),
    "times": (
        pd.DataFrame({"t": pd.to_datetime(["2020-01-01 10:00:00"]), "b": [b"ab"]}),
        "dataframe",
        {"columns": ["t", "b"], "data": [["2020-01-01T10:00:00", "YWI="]]},
        {"dataframe_split": {"columns": ["t", "b"], "data": [["2020-01-01T10:00:00", "YWI="]]}},
    ),
    "array": (np.array([[1.0, NAN]]), "ndarray", [[1.0, None]], {"inputs": [[1.0, None]]}),
    "arrays": (
        {"x": np.array([[1, 2]]), "y": np.array([1.0])},
        "ndarray",
        {"x": [[1, 2]], "y": [1.0]},
        {"inputs": {"x": [[1, 2]], "y": [1.0]}},
    ),
    "dict": ({"a": 1, "b": [1, 2]}, "json_object", {"a": 1, "b": [1, 2]}, {"inputs": {"a": 1, "b": [1, 2]}}),
    "list": (["a", "b"], "json_object", ["a", "b"], {"inputs": ["a", "b"]}),
    "text": ("hello", "json_object", "hello", {"inputs": "hello"}),
    "number of numpy": (np.float32(1.5), "json_object", 1.5, {"inputs": 1.5}),
    "time": (datetime.datetime(2020, 1, 1), "json_object", "2020-01-01T00:00:00", {"inputs": "2020-01-01T00:00:00"}),  # noqa: DTZ001
    "chat": (
        {"messages": [{"role": "user", "content": "hi"}]},
        "json_object",
        {"messages": [{"role": "user", "content": "hi"}]},
        {"messages": [{"role": "user", "content": "hi"}]},
    ),
    "sparse": (
        sparse.csr_matrix(np.array([[0, 1.0], [2, 0]])),
        "sparse_matrix_csr",
        {"data": [1.0, 2.0], "indices": [1, 0], "indptr": [0, 1, 2], "shape": [2, 2]},
        {"inputs": [[0.0, 1.0], [2.0, 0.0]]},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_example_is_written_as_mlflow_writes_it(case: str, tmp_path: Path) -> None:
    example, kind, content, body = CASES[case]
    made = InputExample.of(example)
    made.write(tmp_path)
    assert made.info["type"] == kind
    assert json.loads((tmp_path / "input_example.json").read_text()) == content
    assert json.loads((tmp_path / "serving_input_example.json").read_text()) == body


def test_parameters_stand_beside_the_data(tmp_path: Path) -> None:
    made = InputExample.of((pd.DataFrame({"a": [1]}), {"p": np.float64(0.5)}))
    made.write(tmp_path)
    assert made.info == {
        "artifact_path": "input_example.json",
        "serving_input_path": "serving_input_example.json",
        "type": "dataframe",
        "pandas_orient": "split",
        "params": "true",
    }
    assert json.loads((tmp_path / "input_example.json").read_text()) == {
        "inputs": {"columns": ["a"], "data": [[1]]},
        "params": {"p": 0.5},
    }
    assert json.loads((tmp_path / "serving_input_example.json").read_text())["params"] == {"p": 0.5}
    data, params = read_example(tmp_path, made.info)
    assert_frame_equal(data, pd.DataFrame({"a": [1]}))
    assert params == {"p": 0.5}


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=5),
        st.lists(st.floats(allow_nan=True, width=64), min_size=3, max_size=3),
        min_size=1,
    )
)
def test_frames_come_back(tmp_path_factory: pytest.TempPathFactory, columns: dict[str, list[float]]) -> None:
    directory = tmp_path_factory.mktemp("model")
    frame = pd.DataFrame(columns)
    made = InputExample.of(frame)
    made.write(directory)
    found, _ = read_example(directory, made.info)
    assert_frame_equal(found.astype(float), frame.replace([np.inf, -np.inf], np.nan).astype(float))


def test_sparse_matrix_comes_back(tmp_path: Path) -> None:
    matrix = sparse.csc_matrix(np.array([[0, 1.0], [2, 0]]))
    made = InputExample.of(matrix)
    made.write(tmp_path)
    found, _ = read_example(tmp_path, made.info)
    assert found.format == "csc"
    assert (found.toarray() == matrix.toarray()).all()


def test_what_is_no_example_is_refused_by_type() -> None:
    with pytest.raises(InvalidParameterValue, match="cannot be a PosixPath"):
        InputExample.of(Path("x"))


@pytest.mark.parametrize("path", ["../secret.json", "/etc/passwd"])
def test_example_outside_of_the_model_is_not_read(path: str, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text("1")
    (tmp_path / "model").mkdir()
    with pytest.raises(InvalidParameterValue):
        read_example(tmp_path / "model", {"artifact_path": path, "type": "json_object"})


@pytest.mark.parametrize("text", ["{", "[1, 2]", '{"data": 5}'])
def test_damaged_example_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "input_example.json").write_text(text)
    with pytest.raises(InvalidParameterValue, match=r"input_example\.json"):
        read_example(tmp_path, {"artifact_path": "input_example.json", "type": "dataframe"})
