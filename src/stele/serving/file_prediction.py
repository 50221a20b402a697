"""Predicting for the rows of a file, in pieces, so that neither file has to fit into memory."""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from msgspec import Struct

from stele.errors import InvalidParameterValue, shown
from stele.models.types import DataType
from stele.serving.answers import row_count
from stele.serving.payloads import Payload, Rows, Table
from stele.serving.served import ServedModel
from stele.serving.table_files import format_of, open_writer, read_payloads

__all__ = ["Predicted", "predict_file"]

_AHEAD = 2
"""Pieces that are read while one is predicted."""

_ARROW_TYPES = {
    DataType.boolean: "bool",
    DataType.integer: "int32",
    DataType.long: "int64",
    DataType.float: "float32",
    DataType.double: "float64",
    DataType.string: "string",
}


class Predicted(Struct, frozen=True):
    """What was done: rows, and the columns of the result."""

    rows: int
    columns: list[str]


def predict_file(
    served: ServedModel,
    source: Path | None,
    target: Path | None,
    *,
    source_format: str | None = None,
    target_format: str | None = None,
    keep: Sequence[str] = (),
    moved: Callable[[int], None] = lambda count: None,
) -> Predicted:
    """Predict for every row of a file.

    Args:
        served: The model.
        source: CSV, Parquet, JSON lines, or JSON as a scoring server takes it; None reads standard input.
        target: Where the predictions go; it appears when it is whole. None writes to standard output.
        source_format: ``csv``, ``parquet``, ``jsonl`` or ``json``; None goes by the name.
        target_format: The same for the result; None goes by the name, JSON on standard output.
        keep: Columns of the input that are written beside the predictions.
        moved: Told how many bytes more of the source have been read.

    Raises:
        InvalidParameterValue: A format is unknown, the content is not what it should be, or a row does not fit.
        MissingDependency: Parquet without pyarrow.
    """
    kind = format_of(source, source_format, "json")
    columns: list[str] = []
    rows = 0
    with _source(source) as file, _target(target) as out:
        writer = open_writer(out, format_of(target, target_format, "json"))
        for payload in _ahead(read_payloads(file, kind, _types(served), moved)):
            result = _as_frame(served.predict(payload), payload, keep)
            columns = [str(name) for name in result.columns]
            rows += len(result)
            writer.write(result)
        writer.close()
    return Predicted(rows, columns)


def _types(served: ServedModel) -> dict[str, str]:
    """What Arrow calls the types of the model's columns."""
    signature = served.model.metadata.signature
    schema = signature.inputs if signature is not None else None
    if schema is None or schema.is_tensor_spec() or not schema.has_input_names():
        return {}
    return {str(spec.name): _ARROW_TYPES[spec.type] for spec in schema.inputs if spec.type in _ARROW_TYPES}


def _as_frame(result: Any, payload: Payload, keep: Sequence[str]) -> Any:
    """A result as a table, with columns of the input in front."""
    import pandas as pd

    if hasattr(result, "columns"):
        frame = result.reset_index(drop=True)
    elif hasattr(result, "to_frame"):
        frame = result.to_frame("prediction").reset_index(drop=True)
    elif getattr(result, "ndim", 1) > 1 and result.shape[1:] != (1,):
        wide = result.reshape(len(result), -1)
        frame = pd.DataFrame(wide, columns=[f"prediction_{place}" for place in range(wide.shape[1])])
    elif row_count(result) is not None:
        frame = pd.DataFrame({"prediction": result.reshape(-1) if hasattr(result, "reshape") else result})
    else:
        frame = pd.DataFrame({"prediction": [result]})
    if not keep:
        return frame
    data = payload.data
    if isinstance(data, Table):
        inputs = data.frame
    elif isinstance(data, Rows):
        inputs = pd.DataFrame(data.rows, columns=None if data.names is None else list(data.names))
    else:
        inputs = pd.DataFrame()
    absent = [name for name in keep if name not in inputs.columns]
    if absent:
        raise InvalidParameterValue(f"The input has no column {', '.join(map(shown, absent))} to keep.")
    if len(inputs) != len(frame):
        raise InvalidParameterValue(
            f"The model returned {len(frame)} rows for {len(inputs)}, so no column can be kept."
        )
    return pd.concat([inputs[list(keep)].reset_index(drop=True), frame], axis=1)


def _ahead(items: Iterator[Payload]) -> Iterator[Payload]:
    """The same items, read by another thread while one is worked on."""
    ready: queue.Queue[Payload | BaseException | None] = queue.Queue(_AHEAD)
    stopped = threading.Event()

    def offer(item: Payload | BaseException | None) -> None:
        while not stopped.is_set():
            with suppress(queue.Full):
                ready.put(item, timeout=0.1)
                break

    def read() -> None:
        try:
            for item in items:
                offer(item)
                if stopped.is_set():
                    return
            offer(None)
        except BaseException as error:
            offer(error)

    thread = threading.Thread(target=read, daemon=True, name="stele-read-ahead")
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopped.set()
        thread.join()


@contextmanager
def _source(path: Path | None) -> Iterator[IO[bytes]]:
    if path is None:
        yield sys.stdin.buffer
        return
    try:
        file = path.open("rb")
    except OSError as e:
        raise InvalidParameterValue(f"The input {shown(str(path))} cannot be read: {e.strerror}.") from e
    with file:
        yield file


@contextmanager
def _target(path: Path | None) -> Iterator[IO[bytes]]:
    """A file that takes its name when everything is in it."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("xb") as file:
            yield file
        partial.replace(path)
    except FileNotFoundError as e:
        raise InvalidParameterValue(
            f"The output {shown(str(path))} cannot be written: its directory does not exist."
        ) from e
    finally:
        partial.unlink(missing_ok=True)
