"""Predicting for files: every format, in pieces, whole or not at all."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from serving_tools import frame
from stele.errors import InvalidParameterValue
from stele.models.pyfunc import load_model
from stele.serving import table_files
from stele.serving.file_prediction import predict_file
from stele.serving.served import ServedModel


@pytest.fixture(scope="module")
def served(linear: Path) -> ServedModel:
    return ServedModel(load_model(str(linear)), "linear")


def write(data: pd.DataFrame, path: Path) -> Path:
    if path.suffix == ".csv":
        data.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        data.to_parquet(path)
    elif path.suffix == ".jsonl":
        data.to_json(path, orient="records", lines=True)
    else:
        path.write_text(json.dumps({"dataframe_split": json.loads(data.to_json(orient="split"))}))
    return path


def read(path: Path) -> list[float]:
    if path.suffix == ".csv":
        return list(pd.read_csv(path)["prediction"])
    if path.suffix == ".parquet":
        return list(pd.read_parquet(path)["prediction"])
    if path.suffix == ".jsonl":
        return [json.loads(line)["prediction"] for line in path.read_text().splitlines()]
    return list(json.loads(path.read_text())["predictions"])


@pytest.mark.parametrize("source", ["csv", "parquet", "jsonl", "json"])
@pytest.mark.parametrize("target", ["csv", "parquet", "jsonl", "json"])
def test_every_format(source: str, target: str, served: ServedModel, tmp_path: Path) -> None:
    rows = write(frame(5), tmp_path / f"in.{source}")
    done = predict_file(served, rows, tmp_path / f"out.{target}")
    assert (done.rows, done.columns) == (5, ["prediction"])
    assert read(tmp_path / f"out.{target}") == pytest.approx([1.0, 3.0, 5.0, 7.0, 9.0])
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([rows.name, f"out.{target}"])


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl"])
def test_pieces_are_one_file(kind: str, served: ServedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_files, "ROWS_AT_ONCE", 16)
    monkeypatch.setattr(table_files, "_BLOCK_BYTES", 100)
    rows = write(frame(100), tmp_path / f"in.{kind}")
    assert predict_file(served, rows, tmp_path / "out.parquet").rows == 100
    assert read(tmp_path / "out.parquet") == pytest.approx(list(2.0 * np.arange(100) + 1))


def test_columns_of_the_input_are_kept(served: ServedModel, tmp_path: Path) -> None:
    data = frame(3).assign(id=["x", "y", "z"])
    for kind in ("csv", "jsonl", "json"):
        predict_file(served, write(data, tmp_path / f"in.{kind}"), tmp_path / "out.csv", keep=["id", "a"])
        found = pd.read_csv(tmp_path / "out.csv")
        assert list(found.columns) == ["id", "a", "prediction"]
        assert list(found["id"]) == ["x", "y", "z"]
    with pytest.raises(InvalidParameterValue, match="no column 'name'"):
        predict_file(served, tmp_path / "in.csv", tmp_path / "other.csv", keep=["name"])


@pytest.mark.parametrize("bad", ["a,b\n1,1\n2,x\n", "a\n1\n", "a,b\n1,\n"])
def test_a_row_that_does_not_fit_leaves_nothing(bad: str, served: ServedModel, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(bad)
    with pytest.raises(InvalidParameterValue):
        predict_file(served, tmp_path / "in.csv", tmp_path / "out.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_an_old_result_stays_when_a_new_one_fails(served: ServedModel, tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("old")
    (tmp_path / "in.csv").write_text("a\n1\n")
    with pytest.raises(InvalidParameterValue):
        predict_file(served, tmp_path / "in.csv", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "old"


def test_standard_streams(served: ServedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stream(io.BytesIO):
        @property
        def buffer(self) -> Any:
            return self

    monkeypatch.setattr(sys, "stdin", Stream(b'{"instances": [[1, 1]]}'))
    monkeypatch.setattr(sys, "stdout", written := Stream())
    predict_file(served, None, None)
    monkeypatch.undo()
    assert json.loads(written.getvalue())["predictions"] == pytest.approx([3.0])


def test_files_that_are_not_there(served: ServedModel, tmp_path: Path) -> None:
    with pytest.raises(InvalidParameterValue, match="cannot be read"):
        predict_file(served, tmp_path / "missing.csv", tmp_path / "out.csv")
    write(frame(1), tmp_path / "in.csv")
    with pytest.raises(InvalidParameterValue, match="directory does not exist"):
        predict_file(served, tmp_path / "in.csv", tmp_path / "no" / "out.csv")


def test_wide_results_are_columns(tmp_path: Path) -> None:
    from sklearn.linear_model import LogisticRegression

    import stele.sklearn

    data = frame(6)
    model = LogisticRegression().fit(data, [0, 0, 1, 1, 2, 2])
    stele.sklearn.save_model(model, tmp_path / "model", pyfunc_predict_fn="predict_proba")
    wide = ServedModel(load_model(str(tmp_path / "model")), "wide")
    done = predict_file(wide, write(data, tmp_path / "in.parquet"), tmp_path / "out.parquet")
    assert done.columns == ["prediction_0", "prediction_1", "prediction_2"]
    assert pd.read_parquet(tmp_path / "out.parquet").to_numpy() == pytest.approx(model.predict_proba(data))
