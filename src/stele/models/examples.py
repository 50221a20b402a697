"""Input examples: one input of a model, kept beside it, so that everybody sees what it takes.

``input_example.json`` holds the example, ``serving_input_example.json`` the same as the body of a request to a scoring
server, and ``saved_input_example_info`` of the MLmodel file says how to read the first.
"""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any, Self

from msgspec import Struct

from stele.artifacts.paths import resolve_beneath
from stele.errors import InvalidParameterValue, shown
from stele.models.json_values import frame_rows, json_value

__all__ = ["EXAMPLE_FILE", "SERVING_FILE", "InputExample", "read_example", "serving_body"]

EXAMPLE_FILE = "input_example.json"
SERVING_FILE = "serving_input_example.json"

_CHAT_KEYS = {"messages", "prompt", "input"}
"""A dict with one of these is the body of a chat request, and is sent as it is."""


class InputExample(Struct, frozen=True):
    """An input of a model, ready to predict with and to be written.

    Attributes:
        data: What ``predict`` gets.
        params: The parameters of ``predict``; None when the example has none.
        info: ``saved_input_example_info`` of the MLmodel file.
        content: What ``input_example.json`` holds of ``data``.
    """

    data: Any
    params: dict[str, Any] | None
    info: dict[str, str]
    content: Any

    @classmethod
    def of(cls, example: Any) -> Self:
        """Read what a user gave as an example.

        Args:
            example: A data frame, array, dict of arrays, sparse matrix (csr or csc), dict, list, scalar, pydantic
                model, or a tuple of one of them and a dict of parameters.

        Raises:
            InvalidParameterValue: It is none of these, or holds what JSON cannot.
        """
        params = None
        if isinstance(example, tuple) and len(example) == 2 and isinstance(example[1], dict):
            example, params = example
        kind, content = _described(example)
        info = {"artifact_path": EXAMPLE_FILE, "serving_input_path": SERVING_FILE, "type": kind}
        if kind == "dataframe":
            info["pandas_orient"] = "split" if "columns" in content else "values"
        if params is not None:
            info["params"] = "true"
        return cls(example, params, info, content)

    def body(self) -> Any:
        """The body of a request to ``/invocations`` with this example."""
        return serving_body(self.info["type"], self.content, self.data, self.params)

    def write(self, directory: Path) -> None:
        """Write both files into a model's directory."""
        whole = self.content if self.params is None else {"inputs": self.content, "params": json_value(self.params)}
        (directory / EXAMPLE_FILE).write_text(_compact(whole), encoding="utf-8")
        (directory / SERVING_FILE).write_text(json.dumps(self.body(), ensure_ascii=False, indent=2), encoding="utf-8")


def serving_body(kind: str, content: Any, data: Any, params: dict[str, Any] | None) -> Any:
    """An example as the body of a request.

    Args:
        kind: ``type`` of its info.
        content: As in ``input_example.json``.
        data: The example itself; a sparse matrix is sent dense.
        params: Parameters to send along.
    """
    if isinstance(content, dict) and kind == "json_object" and _CHAT_KEYS & set(content):
        body = dict(content)
    elif kind == "dataframe":
        body = {"dataframe_split": content}
    elif kind.startswith("sparse_matrix"):
        body = {"inputs": json_value(data)}
    else:
        body = {"inputs": content}
    if params is not None:
        body["params"] = json_value(params)
    return body


def _described(example: Any) -> tuple[str, Any]:
    """The kind of an example and its JSON."""
    module = type(example).__module__.partition(".")[0]
    if module == "pandas" and hasattr(example, "columns"):
        return "dataframe", _frame_content(example)
    if module == "polars" and hasattr(example, "to_pandas"):
        return "dataframe", {"columns": list(example.columns), "data": [json_value(row) for row in example.rows()]}
    if _is_array(example) or (isinstance(example, dict) and example and all(map(_is_array, example.values()))):
        return "ndarray", json_value(example)
    form = getattr(example, "format", None)
    if module == "scipy" and form in ("csr", "csc"):
        parts = {name: json_value(getattr(example, name)) for name in ("data", "indices", "indptr")}
        return f"sparse_matrix_{form}", parts | {"shape": list(example.shape)}
    if not _is_json_object(example):
        raise InvalidParameterValue(
            f"An input example cannot be a {type(example).__name__}: {shown(example)}. Allowed are a data frame, "
            "an array, a dict of arrays, a csr or csc matrix, a dict, list or scalar, a pydantic model, and a tuple "
            "of one of them and a dict of parameters."
        )
    return "json_object", json_value(example)


def _is_array(value: Any) -> bool:
    return type(value).__module__ == "numpy" and hasattr(value, "ndim") and hasattr(value, "tolist") and value.ndim > 0


def _is_json_object(value: Any) -> bool:
    plain = (dict, list, str, bytes, bool, int, float, datetime.datetime, datetime.date)
    return isinstance(value, plain) or type(value).__module__ == "numpy" or hasattr(value, "model_dump")


def _frame_content(frame: Any) -> dict[str, Any]:
    rows = frame_rows(frame)
    names = list(frame.columns)
    if names == list(range(len(names))):  # nobody named them
        return {"data": rows}
    return {"columns": json_value(names), "data": rows}


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def read_example(directory: Path, info: dict[str, Any]) -> tuple[Any, dict[str, Any] | None]:
    """The example of a saved model, and its parameters.

    Args:
        directory: The model.
        info: ``saved_input_example_info`` of its MLmodel file.

    Raises:
        InvalidParameterValue: The file is not what the info says.
    """
    path = resolve_beneath(directory, str(info.get("artifact_path", EXAMPLE_FILE)))
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
        params = None
        if str(info.get("params", "")).lower() == "true":
            whole, params = whole["inputs"], whole["params"]
        return _read(str(info.get("type", "json_object")), whole), params
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise InvalidParameterValue(f"The input example {shown(path.name)} cannot be read: {e}.") from e


def _read(kind: str, content: Any) -> Any:
    if kind == "json_object":
        return content
    if kind == "dataframe":
        import pandas as pd

        return pd.DataFrame(content["data"], columns=content.get("columns"))
    import numpy as np

    if kind == "ndarray":
        if isinstance(content, dict):
            return {name: np.asarray(values) for name, values in content.items()}
        return np.asarray(content)
    from scipy import sparse  # the model that has such an example brought it

    matrix = {"sparse_matrix_csr": sparse.csr_matrix, "sparse_matrix_csc": sparse.csc_matrix}.get(kind)
    if matrix is None:
        raise ValueError(f"its type {shown(kind)} is unknown")
    return matrix((content["data"], content["indices"], content["indptr"]), shape=tuple(content["shape"]))
