"""What MLflow, or Stele, infers from data, and what it makes of data for a schema.

Runs in the virtual environment of the module: ``python schema_driver.py <mlflow or stele> <output>``. Writes one JSON
object: case -> result; an error becomes the text "refused".
"""

import datetime as dt
import importlib
import json
import logging
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

NAME = sys.argv[1]
MODELS = importlib.import_module(f"{NAME}.models")
TYPES = importlib.import_module(f"{NAME}.types.schema")
PYFUNC = importlib.import_module(f"{NAME}.pyfunc")

COLUMNS = {
    **{name: np.array([1, 2], name) for name in "int8 uint8 int16 uint16 int32 uint32 int64 uint64".split()},
    **{name: np.array([1.5, 2], name) for name in "float16 float32 float64".split()},
    "zero and one": np.array([0, 1]),
    "missing float": np.array([np.nan, 1.0]),
    "bool": np.array([True, False]),
    "text": np.array(["a", "b"], dtype=object),
    "string": pd.array(["a", None], dtype="string"),
    "bytes": np.array([b"a"], dtype=object),
    "objects of int": np.array([1, 2], dtype=object),
    "objects of float": np.array([1.5, None], dtype=object),
    "objects of bool": np.array([True, None], dtype=object),
    "nothing": np.array([None, None], dtype=object),
    "Int64": pd.array([1, 2], dtype="Int64"),
    "Int64 missing": pd.array([1, None], dtype="Int64"),
    "Int32": pd.array([1, 2], dtype="Int32"),
    "Float64": pd.array([1.5, None], dtype="Float64"),
    "boolean": pd.array([True, None], dtype="boolean"),
    "time": pd.to_datetime(["2020-01-01"]),
    "time with zone": pd.to_datetime(["2020-01-01"]).tz_localize("UTC"),
    "date": np.array([dt.date(2020, 1, 1)], dtype=object),
    "category": pd.Categorical(["a"]),
    "span": pd.to_timedelta([1]),
    "lists": [[1, 2], [3]],
    "lists with none": [[1, 2], None],
    "arrays": [np.array([1.0, 2.0]), np.array([3.0])],
    "matrices": [np.ones((2, 2))],
    "dictionaries": [{"a": 1, "b": "x"}, {"a": 2}],
    "nested": [{"a": {"c": [1.5]}, "b": [{"x": 1}, {"y": 2}]}],
    "mixed": np.array([1, "a"], dtype=object),
    "mixed numbers": np.array([1, 2.5], dtype=object),
}

DATA = {
    **{f"column {name}": pd.DataFrame({"c": pd.Series(values)}) for name, values in COLUMNS.items()},
    "columns without names": pd.DataFrame([[1.0, 2.0]]),
    "series": pd.Series([1.0, None], name="s"),
    "series without name": pd.Series([1]),
    "array": np.ones((3, 2), "float32"),
    "array of texts": np.array(["a", "bc"]),
    "array of objects": np.array(["a", 1], dtype=object),
    "csr": sp.csr_matrix(np.eye(3)),
    "arrays by name": {"a": np.ones((2, 3)), "b": np.array([1, 2])},
    "one row": {"a": 1, "b": "x", "c": 1.5, "d": True, "e": None},
    "lists by name": {"a": [1, 2], "b": ["x"]},
    "deep": {"b": {"b": {"c": 1}}, "a": [{"x": [1]}, {"x": [2], "z": None}]},
    "list of texts": ["a", "b"],
    "list of lists": [[1, 2], [3]],
    "list of rows": [{"b": 1}, {"b": 2, "a": "y"}],
    "list of both": [1, "a"],
    "empty list": [],
    "int": 5,
    "float": 1.5,
    "bytes": b"x",
    "date": dt.date(2020, 1, 1),
    "float32": np.float32(3),
    "set": {1, 2},
}

PARAMS = {
    "plain": {"a": 1, "b": 1.5, "c": "s", "d": True},
    "lists": {"a": [1, 2], "b": ["x"], "c": [1, 2.5]},
    "numpy": {"a": np.int32(3), "b": np.float32(2.5), "c": np.array([1.0])},
    "date": {"a": dt.datetime.fromisoformat("2020-01-01")},
    "object": {"a": {"x": 1, "y": ["a"]}},
    "none": {"a": None},
    "bytes": {"a": b"z"},
    "tuple": {"a": (1, 2)},
    "matrix": {"a": [[1, 2]]},
}


class Echo:
    def predict(self, model_input, params=None):
        return model_input


def attempt(call):
    try:
        return call()
    except Exception:
        return "refused"


def inferred(data):
    signature = MODELS.infer_signature(data)
    return signature.to_dict()["inputs"]


def plain(value):
    if isinstance(value, pd.DataFrame):
        return {str(name): [str(value[name].dtype), json.loads(value[name].to_json())] for name in value.columns}
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if sp.issparse(value):
        return ["sparse", str(value.dtype), value.toarray().tolist()]
    return [str(value.dtype), value.tolist()] if hasattr(value, "tolist") else repr(value)


def enforced(schema, data):
    model = MODELS.Model(signature=MODELS.ModelSignature(schema), flavors={"python_function": {"loader_module": "x"}})
    return plain(PYFUNC.PyFuncModel(model, Echo()).predict(data))


def tensor(dtype, shape, name=None):
    return TYPES.TensorSpec(np.dtype(dtype), shape, name)


KINDS = "boolean integer long float double string binary datetime".split()
TWO = [("double", "a", True), ("long", "b", True), ("string", "c", False)]
TABLES = {
    "extra": pd.DataFrame({"x": [1], "b": [1], "a": [1.5]}),
    "missing": pd.DataFrame({"b": [1]}),
    "lists": {"a": [1.5, 2.5], "b": [1, 2]},
    "row": {"a": 1.5, "b": 1},
    "records": [{"a": 1.5, "b": 1}, {"a": 2.5, "b": 2}],
    "rows": [[1.5, 1]],
    "array": np.array([[1.5, 1]]),
    "nothing": None,
}
ARRAYS = {
    "same": np.ones((3, 2)),
    "float32": np.ones((3, 2), "float32"),
    "rank": np.ones(2),
    "shape": np.ones((3, 3)),
    "list": [[1.0, 2.0]],
    "frame": pd.DataFrame(np.ones((2, 2))),
    "frame of ints": pd.DataFrame([[1, 2]]),
    "csr": sp.csr_matrix(np.eye(2)),
    "by name": {"a": np.ones((1, 2))},
}

found = {f"infer {name}": attempt(lambda data=data: inferred(data)) for name, data in DATA.items()}
for name, params in PARAMS.items():
    found[f"params {name}"] = attempt(
        lambda params=params: MODELS.infer_signature([1], None, params).to_dict()["params"]
    )
for kind in KINDS:
    schema = TYPES.Schema([TYPES.ColSpec(kind, "c")])
    for name, values in COLUMNS.items():
        frame = pd.DataFrame({"c": pd.Series(values)})
        found[f"{kind} from {name}"] = attempt(lambda schema=schema, frame=frame: enforced(schema, frame))
table = TYPES.Schema([TYPES.ColSpec(*each) for each in TWO])
unnamed = TYPES.Schema([TYPES.ColSpec("double"), TYPES.ColSpec("long")])
for name, data in TABLES.items():
    found[f"table from {name}"] = attempt(lambda data=data: enforced(table, data))
    found[f"positions from {name}"] = attempt(lambda data=data: enforced(unnamed, data))
for name, data in ARRAYS.items():
    found[f"tensor from {name}"] = attempt(lambda data=data: enforced(TYPES.Schema([tensor("float64", (-1, 2))]), data))
    found[f"named tensor from {name}"] = attempt(
        lambda data=data: enforced(TYPES.Schema([tensor("float64", (-1, 2), "a")]), data)
    )

Path(sys.argv[2]).write_text(json.dumps(found, default=str))
