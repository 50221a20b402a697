"""The model behind a server: mixing requests changes no answer, and another version takes over only if it works."""

from __future__ import annotations

import asyncio
import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import stele.pyfunc
import stele.sklearn
from serving_tools import save_linear, until
from stele.errors import SteleError
from stele.models import infer_signature
from stele.models.flavors.estimator_arrays import nameless
from stele.models.pyfunc import load_model
from stele.serving.batching import Job
from stele.serving.payloads import JSON, Payload, parse_body
from stele.serving.served import ModelHolder, ServedModel, Work, predict_jobs


def jobs_of(served: ServedModel, bodies: list[Any]) -> list[Job]:
    loop = asyncio.new_event_loop()
    jobs = []
    for body in bodies:
        payload = parse_body(JSON, json.dumps(body).encode())
        work = Work(served, Payload(served.reader.as_rows(payload.data), payload.params))
        jobs.append(Job(work.group(), work.rows(), work, loop.create_future(), 0.0))
    loop.close()
    return jobs


@given(
    st.lists(
        st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=1, max_size=3), min_size=2, max_size=5
    )
)
def test_together_is_the_same_as_alone(linear: Path, requests: list[list[tuple[int, int]]]) -> None:
    served = ServedModel(load_model(str(linear)), "linear")
    bodies = [{"dataframe_split": {"columns": ["a", "b"], "data": rows}} for rows in requests]
    jobs = jobs_of(served, bodies)
    assert len({job.group for job in jobs}) == 1
    together = [json.loads(answer) for answer in predict_jobs(jobs) if isinstance(answer, bytes)]
    expected = [{"predictions": pytest.approx([2.0 * a + b for a, b in rows])} for rows in requests]
    assert together == expected
    assert [json.loads(predict_jobs([job])[0]) for job in jobs] == expected  # type: ignore[arg-type]


def test_one_bad_request_spoils_no_other(linear: Path) -> None:
    served = ServedModel(load_model(str(linear)), "linear")
    rows = [[[1, 1]], [[None, 1]], [[2, 1]]]
    jobs = jobs_of(served, [{"dataframe_split": {"columns": ["a", "b"], "data": data}} for data in rows])
    first, second, third = predict_jobs(jobs)
    assert json.loads(first) == {"predictions": pytest.approx([3.0])}  # type: ignore[arg-type]
    assert isinstance(second, SteleError)
    assert json.loads(third) == {"predictions": pytest.approx([5.0])}  # type: ignore[arg-type]


def test_requests_of_different_shape_are_not_mixed(linear: Path) -> None:
    served = ServedModel(load_model(str(linear)), "linear")
    bodies = [
        {"dataframe_split": {"columns": ["a", "b"], "data": [[1, 1]]}},
        {"dataframe_split": {"columns": ["b", "a"], "data": [[1, 1]]}},
        {"dataframe_split": {"columns": ["a", "b"], "data": [[1, 1]]}, "params": {"x": 1}},
    ]
    assert len({job.group for job in jobs_of(served, bodies)}) == 3
    off = ServedModel(load_model(str(linear)), "linear", batching="off")
    assert {job.group for job in jobs_of(off, bodies)} == {None}


def test_a_model_that_mixes_rows_is_found_out(tmp_path: Path) -> None:
    class Total(stele.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
            return {"total": float(model_input["a"].sum())}

    signature = infer_signature(pd.DataFrame({"a": [1.0]}), {"total": 1.0})
    stele.pyfunc.save_model(tmp_path / "total", python_model=Total(), signature=signature)
    with pytest.warns(UserWarning, match="runs code"):
        model = load_model(str(tmp_path / "total"))
    assert not ServedModel(model, "total").vectorised
    served = ServedModel(model, "total", batching="on")
    answers = predict_jobs(jobs_of(served, [{"dataframe_records": [{"a": n}]} for n in (1, 2)]))
    assert [json.loads(each) for each in answers] == [{"predictions": {"total": 1.0}}, {"predictions": {"total": 2.0}}]  # type: ignore[arg-type]
    assert not served.vectorised


NAMES = ["a", "b"]
DATA = pd.DataFrame(np.random.default_rng(0).random((60, 2)), columns=NAMES)
LABELS = (DATA["a"] > DATA["b"]).astype(int)


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(),
        LinearRegression(),
        RandomForestClassifier(5, random_state=0),
        make_pipeline(StandardScaler(), LogisticRegression()),
    ],
    ids=lambda each: type(each).__name__,
)
def test_arrays_predict_what_frames_do(estimator: Any) -> None:
    fitted = estimator.fit(DATA, LABELS)
    found = nameless(fitted, NAMES)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (found.predict(DATA.to_numpy()) == fitted.predict(DATA)).all()
    assert list(fitted.feature_names_in_) == NAMES  # the original is as it was


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(ColumnTransformer([("a", StandardScaler(), ["a"])]), LogisticRegression()),
        make_pipeline(FunctionTransformer(lambda frame: frame[["b"]]), LogisticRegression()),
        make_pipeline(StandardScaler().set_output(transform="pandas"), LogisticRegression()),
    ],
    ids=["columns", "function", "output"],
)
def test_estimators_that_look_at_names_get_frames(estimator: Any) -> None:
    assert nameless(estimator.fit(DATA, LABELS), NAMES) is None


def test_other_names_or_order_get_frames() -> None:
    fitted = LogisticRegression().fit(DATA, LABELS)
    assert nameless(fitted, ["b", "a"]) is None
    assert nameless(LogisticRegression().fit(DATA.to_numpy(), LABELS), ["x", "y"]) is not None


def holder_of(directory: Path, version: Path, swaps: list[bool]) -> ModelHolder:
    def load() -> ServedModel:
        number = version.read_text()
        return ServedModel(load_model(str(directory / number)), f"models:/m/{number}", number)

    return ModelHolder(load, version.read_text, 0.01, swaps.append)


def test_a_version_takes_over_when_it_loads_and_only_then(tmp_path: Path) -> None:
    save_linear(tmp_path / "1", 2.0)
    save_linear(tmp_path / "2", 3.0)
    shutil.copytree(tmp_path / "2", tmp_path / "broken")
    (tmp_path / "broken" / "model.skops").write_bytes(b"no model")
    version = tmp_path / "version"
    version.write_text("1")
    swaps: list[bool] = []
    holder = holder_of(tmp_path, version, swaps)
    first = holder.current
    work = jobs_of(first, [{"dataframe_records": [{"a": 1, "b": 0}]}])

    version.write_text("broken")
    holder.check()
    holder.check()  # it is not tried again and again
    assert (holder.current, swaps) == (first, [False])

    version.write_text("2")
    holder.check()
    assert (holder.current.version, swaps) == ("2", [False, True])
    # What had begun is answered by the version that it began with.
    assert json.loads(predict_jobs(work)[0]) == {"predictions": pytest.approx([2.0])}  # type: ignore[arg-type]

    version.write_text("1")
    holder.check()
    assert holder.current.version == "1"


def test_following_goes_on_by_itself(tmp_path: Path) -> None:
    save_linear(tmp_path / "1")
    save_linear(tmp_path / "2")
    version = tmp_path / "version"
    version.write_text("1")
    swaps: list[bool] = []
    holder = holder_of(tmp_path, version, swaps)
    holder.start()
    version.write_text("2")
    until(lambda: holder.current.version == "2")
    holder.stop()
    assert swaps == [True]


def test_a_store_that_is_away_changes_nothing(linear: Path) -> None:
    from stele.errors import Unavailable

    def newest() -> str:
        raise Unavailable("gone")

    served = ServedModel(load_model(str(linear)), "linear", "1")
    holder = ModelHolder(lambda: served, newest)
    holder.check()
    assert holder.current is served
