"""The model that is being served: loaded, warmed up, and exchanged for another version while requests go on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from stele.artifacts.paths import resolve_beneath
from stele.errors import BadRequest, SteleError
from stele.models.examples import SERVING_FILE, read_example
from stele.models.pyfunc import PyFuncModel
from stele.serving.answers import answer, row_count, split_result
from stele.serving.batching import Answers, Job
from stele.serving.inputs import InputReader
from stele.serving.payloads import JSON, Payload, Rows, Value, parse_body

__all__ = ["ModelHolder", "ServedModel", "Work"]

logger = logging.getLogger(__name__)

VECTORISED = {"mlflow.sklearn", "mlflow.xgboost", "mlflow.lightgbm", "mlflow.catboost", "mlflow.onnx", "mlflow.pytorch"}
"""Loader modules of flavors whose models predict each row by itself, so that rows of several requests may be mixed."""


class ServedModel:
    """One loaded model.

    Args:
        model: As :func:`stele.pyfunc.load_model` returns it.
        uri: Where it came from.
        version: Of the registered model; "" when it is none.
        batching: ``auto``, ``on`` or ``off``.

    Attributes:
        computes: Whether predicting is known to do nothing but computing: no waiting for others, no files.
        vectorised: Whether rows of several requests may be predicted together.
    """

    def __init__(self, model: PyFuncModel, uri: str, version: str = "", batching: str = "auto") -> None:
        self.model = model
        self.uri = uri
        self.version = version
        signature = model.metadata.signature
        hints = bool(getattr(model.metadata, "is_signature_from_type_hint", False))
        self.reader = InputReader(signature.inputs if signature is not None else None, raw=hints)
        self._on_arrays = model.array_function()
        self.computes = _loader_module(model) in VECTORISED
        self.vectorised = batching == "on" or (batching == "auto" and self.computes)

    def predict(self, payload: Payload) -> Any:
        """The result for one request.

        Raises:
            InvalidParameterValue: The data do not fit the signature.
            BadRequest: The model failed on them.
        """
        array = None
        if self._on_arrays is not None and isinstance(payload.data, Rows) and not payload.params:
            array = self.reader.array(payload.data)
        data = self.reader.read(payload.data) if array is None else None
        try:
            if array is not None and self._on_arrays is not None:
                return self._on_arrays(array)
            return self.model.predict(data, params=payload.params)
        except SteleError:
            raise
        except Exception as e:
            logger.exception("The model failed")
            raise BadRequest(f"The model failed on this input: {type(e).__name__}: {e}") from e

    def warm_up(self) -> None:
        """Predict the model's own example once, so that the first request does not pay for what is loaded late.

        It goes the way that a request with it would go: what only other requests need is not loaded for it.
        """
        info = self.model.metadata.saved_input_example_info
        path = self.model.directory
        if info and path is not None:
            try:
                if self._on_arrays is not None and (array := self._example_array(path)) is not None:
                    self._on_arrays(array)
                    return
                data, params = read_example(path, info)
                self.model.predict(data, params=params)
            except Exception as e:
                logger.warning("The input example of %s cannot be predicted: %s", self.uri, e)

    def _example_array(self, directory: Path) -> Any:
        """The array that the example becomes when it is sent as a request; None when that would be no array."""
        file = resolve_beneath(directory, SERVING_FILE)
        if not file.is_file():
            return None
        payload = parse_body(JSON, file.read_bytes())
        data = self.reader.as_rows(payload.data)
        return self.reader.array(data) if isinstance(data, Rows) and not payload.params else None


def _loader_module(model: PyFuncModel) -> str:
    flavor = model.metadata.flavors.get("python_function", {})
    return str(flavor.get("loader_module", ""))


class Work(Struct, frozen=True):
    """A request with the model that was current when it came."""

    served: ServedModel
    payload: Payload
    observe: Callable[[Payload, Any], None] | None = None

    def group(self) -> Any:
        """What requests must have in common to be predicted together; None for one that stands alone."""
        data = self.payload.data
        if not self.served.vectorised or not isinstance(data, Rows | Value):
            return None
        params = msgspec.json.encode(self.payload.params)
        if isinstance(data, Rows):
            return id(self.served), data.names, params
        mergeable = isinstance(data.value, list) and self.served.reader.takes_batches_of_lists
        return (id(self.served), data.by_rows, params) if mergeable else None

    def rows(self) -> int:
        """How many rows it has."""
        data = self.payload.data
        if isinstance(data, Rows):
            return len(data.rows)
        return (row_count(data.value) or 1) if isinstance(data, Value) else 1

    def answer(self, result: Any) -> bytes:
        """The body of the answer with this result."""
        if self.observe is not None:
            self.observe(self.payload, result)
        data = self.payload.data
        return answer(result, wrapped=not (isinstance(data, Value) and data.whole))


def predict_jobs(jobs: list[Job]) -> Answers:
    """Answer jobs of one group, together when the model allows it."""
    works: list[Work] = [job.work for job in jobs]
    if len(works) > 1 and (answers := _together(works)) is not None:
        return answers
    return [_alone(work) for work in works]


def _together(works: list[Work]) -> Answers | None:
    """All answers from one prediction; None when something is wrong with one of them, or with mixing them."""
    served = works[0].served
    try:
        result = served.predict(Payload(_merged(works), works[0].payload.params))
    except SteleError:
        return None
    parts = split_result(result, [work.rows() for work in works])
    if parts is None:
        logger.warning("%s does not return a row for each row; its requests are no longer put together", served.uri)
        served.vectorised = False
        return None
    return [work.answer(part) for work, part in zip(works, parts, strict=True)]


def _merged(works: list[Work]) -> Rows | Value:
    data: list[Any] = [work.payload.data for work in works]  # of one kind, or they were not in one group
    if isinstance(data[0], Rows):
        return Rows(data[0].names, [row for each in data for row in each.rows])
    return Value([item for each in data for item in each.value], by_rows=data[0].by_rows)


def _alone(work: Work) -> bytes | BaseException:
    try:
        return work.answer(work.served.predict(work.payload))
    except SteleError as error:
        return error


class ModelHolder:
    """The current model, and the thread that exchanges it.

    Args:
        load: Loads what is to be served now; raises what it raises.
        newest: The version that should be served, looked up cheaply; None never exchanges.
        seconds: How often it is looked up.
        swapped: Told of each attempt: whether it succeeded.
    """

    def __init__(
        self,
        load: Callable[[], ServedModel],
        newest: Callable[[], str] | None = None,
        seconds: float = 5.0,
        swapped: Callable[[bool], None] = lambda succeeded: None,
    ) -> None:
        self._load = load
        self._newest = newest
        self._seconds = seconds
        self._swapped = swapped
        self._stopping = threading.Event()
        self._refused = ""
        self.current = load()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to follow."""
        if self._newest is not None and self._thread is None:
            self._thread = threading.Thread(target=self._follow, daemon=True, name="stele-follow")
            self._thread.start()

    def _follow(self) -> None:
        while not self._stopping.wait(self._seconds):
            self.check()

    def check(self) -> None:
        """Look for another version, and serve it if there is one that loads.

        A version that does not load is tried once: the one before goes on being served.
        """
        if self._newest is None:
            return
        try:
            version = self._newest()
        except SteleError as error:
            logger.warning("The version to serve cannot be looked up: %s", error)
            return
        if version in (self.current.version, self._refused):
            return
        try:
            served = self._load()
            served.warm_up()
        except Exception:  # whatever a broken version does, the good one stays
            logger.exception("Version %s does not load; version %s is still served", version, self.current.version)
            self._refused = version
            self._swapped(False)
            return
        before, self.current = self.current.version, served
        self._refused = ""
        logger.info("Version %s is served now, %s was before", served.version, before)
        self._swapped(True)

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
