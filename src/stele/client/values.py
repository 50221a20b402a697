"""Fluent logging of values: metrics, params, tags, datasets, models.

Each function writes to the active run and starts one when there is none. Wherever ``synchronous`` is an argument:
True returns when the value is stored; False returns at once with operations to wait for; None does what
``STELE_ASYNC_LOGGING`` says. When that is not set, metrics are written to the journal, which sends them within a
fraction of a second, and everything else is stored when the call returns.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from stele import settings
from stele.client.active_model import chosen_model_id, get_active_model_id
from stele.client.async_logging import RunOperations, flush, goes_straight, in_background
from stele.client.calls.base import as_tags, integer, milliseconds, now, number
from stele.client.fluent import active_series, client_of, ensure_run, join_series
from stele.client.stores import open_journalled
from stele.client.tag_names import DATASET_CONTEXT
from stele.errors import InvalidParameterValue, shown
from stele.schema.datasets import Dataset as DatasetEntity
from stele.schema.datasets import DatasetInput, InputTag, LoggedModelInput, LoggedModelOutput
from stele.schema.metrics import Metric
from stele.schema.runs import Param

if TYPE_CHECKING:
    from stele.client.client import Client
    from stele.data.dataset import Dataset

__all__ = [
    "delete_tag",
    "enable_async_logging",
    "flush_async_logging",
    "log_input",
    "log_inputs",
    "log_metric",
    "log_metrics",
    "log_outputs",
    "log_param",
    "log_params",
    "set_tag",
    "set_tags",
]

_SURELY_INT64 = 2**62
_linked: ContextVar[tuple[str, str]] = ContextVar("stele_linked_model", default=("", ""))
"""The last run and active model that were linked here."""


def log_metric(
    key: str,
    value: float,
    step: int | None = None,
    synchronous: bool | None = None,
    timestamp: int | None = None,
    run_id: str | None = None,
    model_id: str | None = None,
    dataset: Dataset | DatasetEntity | None = None,
) -> RunOperations | None:
    """Add a point to a metric of the active run.

    Args:
        key: Name of the metric, 1 to 250 characters.
        value: Any number, also NaN and infinities; arrays and tensors of one element too.
        step: Any 64-bit integer; None means 0.
        synchronous: See the module.
        timestamp: Milliseconds since 1970; None means now.
        run_id: Another run than the active one.
        model_id: Logged model that was measured; None means the active one, see :func:`stele.set_active_model`.
        dataset: Dataset on which it was measured.

    Raises:
        InvalidParameterValue: The key or value is not allowed. A deleted run is told of only when the call waits.
    """
    plain = synchronous is None and timestamp is None and run_id is None and model_id is None and dataset is None
    if plain and not chosen_model_id():
        try:
            active_series()[key](value, 0 if step is None else step)
        except (KeyError, TypeError, OverflowError, struct.error):
            pass  # a new metric, or something that has to be converted or refused
        else:
            return None
    active = run_id is None
    run_id = run_id or ensure_run().info.run_id
    name, digest = (dataset.name, dataset.digest) if dataset is not None else (None, None)
    client = client_of(run_id)
    chosen = model_id or _linked_model(client, run_id)
    operations = client.log_metric(run_id, key, value, timestamp, step, synchronous, name, digest, chosen)
    if active and chosen is None:
        _remember(client, run_id, [key])
    return operations


def _linked_model(client: Client, run_id: str) -> str | None:
    """The active model, recorded as one that the run uses; None when none is active."""
    model_id = get_active_model_id()
    if model_id is not None and (run_id, model_id) != _linked.get():
        client.log_inputs(run_id, models=[LoggedModelInput(model_id)])
        _linked.set((run_id, model_id))
    return model_id


def _remember(client: Client, run_id: str, keys: Iterable[str]) -> None:
    """Let the next points of these metrics of the active run take the short way, unless the environment forbids it."""
    if not in_background(None) and not goes_straight(None):
        store, series = open_journalled(client.tracking_uri), join_series(run_id)
        series.update((key, store.appender(run_id, key)) for key in keys if key not in series)


def log_metrics(
    metrics: dict[str, float],
    step: int | None = None,
    synchronous: bool | None = None,
    run_id: str | None = None,
    timestamp: int | None = None,
    model_id: str | None = None,
    dataset: Dataset | DatasetEntity | None = None,
) -> RunOperations | None:
    """Add a point to each of several metrics of the active run.

    Args:
        metrics: Values by name.
        step: Any 64-bit integer; None means 0.
        synchronous: See the module.
        run_id: Another run than the active one.
        timestamp: Milliseconds since 1970; None means now.
        model_id: Logged model that was measured; None means the active one, see :func:`stele.set_active_model`.
        dataset: Dataset on which it was measured.

    Raises:
        InvalidParameterValue: A key or value is not allowed; then nothing is stored. A deleted run is told of only when
            the call waits.
    """
    plain = synchronous is None and run_id is None and model_id is None and dataset is None and timestamp is None
    if plain and not chosen_model_id() and _go_the_short_way(metrics, step):
        return None
    active = run_id is None
    run_id = run_id or ensure_run().info.run_id
    name, digest = (dataset.name, dataset.digest) if dataset is not None else (None, None)
    moment, step = milliseconds(timestamp, "timestamp"), integer(step or 0, "step")
    client = client_of(run_id)
    chosen = model_id or _linked_model(client, run_id)
    points = [
        Metric(key, number(value, f"Metric {key!r}"), moment, step, chosen, name, digest)
        for key, value in metrics.items()
    ]
    operations = client.log_batch(run_id, metrics=points, synchronous=synchronous)
    if active and chosen is None:
        _remember(client, run_id, metrics)
    return operations


def _go_the_short_way(metrics: Mapping[str, float], step: int | None) -> bool:
    """Write points of the active run if none has to be converted, refused or made known first; else none of them."""
    series = active_series()
    if not metrics.keys() <= series.keys() or not all(type(value) is float for value in metrics.values()):
        return False
    if step is not None and not (type(step) is int and abs(step) < _SURELY_INT64):
        return False
    moment = now()
    try:
        writers = [series[key] for key in metrics]
    except KeyError:  # another thread has just ended the run
        return False
    for write, value in zip(writers, metrics.values(), strict=True):
        write(value, step or 0, moment)
    return True


def log_param(key: str, value: Any, synchronous: bool | None = None) -> Any:
    """Record a parameter of the active run. It is written once: the same value again is fine, another one is refused.

    Args:
        key: Name of the parameter, 1 to 250 characters.
        value: Anything; its text is kept, up to 6 000 characters.
        synchronous: See the module.

    Returns:
        The value, or operations to wait for when the logging is asynchronous.

    Raises:
        InvalidParameterValue: The key is not allowed, the parameter has another value, or the run is deleted.
    """
    run_id = ensure_run().info.run_id
    return client_of(run_id).log_param(run_id, key, value, synchronous)


def log_params(
    params: dict[str, Any], synchronous: bool | None = None, run_id: str | None = None
) -> RunOperations | None:
    """Record several parameters of the active run.

    Args:
        params: Values by name.
        synchronous: See the module.
        run_id: Another run than the active one.

    Raises:
        InvalidParameterValue: A key is not allowed or a parameter has another value; then nothing of the batch is
            stored.
    """
    run_id = run_id or ensure_run().info.run_id
    entities = [Param(str(key), str(value)) for key, value in params.items()]
    return client_of(run_id).log_batch(run_id, params=entities, synchronous=synchronous)


def set_tag(key: str, value: Any, synchronous: bool | None = None) -> RunOperations | None:
    """Set a tag of the active run; a later value replaces an earlier one.

    Args:
        key: Name of the tag, 1 to 250 characters.
        value: Anything; its text is kept, up to 8 000 characters.
        synchronous: See the module.

    Raises:
        InvalidParameterValue: The key is not allowed, or the run is deleted.
    """
    run_id = ensure_run().info.run_id
    return client_of(run_id).set_tag(run_id, key, value, synchronous)


def set_tags(tags: dict[str, Any], synchronous: bool | None = None) -> RunOperations | None:
    """Set several tags of the active run.

    Args:
        tags: Values by name.
        synchronous: See the module.

    Raises:
        InvalidParameterValue: A key is not allowed, or the run is deleted; then nothing of the batch is stored.
    """
    run_id = ensure_run().info.run_id
    return client_of(run_id).log_batch(run_id, tags=as_tags(tags), synchronous=synchronous)


def delete_tag(key: str) -> None:
    """Remove a tag of the active run.

    Raises:
        DoesNotExist: The run has no such tag.
    """
    run_id = ensure_run().info.run_id
    client_of(run_id).delete_tag(run_id, key)


def log_input(
    dataset: Dataset | None = None,
    context: str | None = None,
    tags: dict[str, str] | None = None,
    model: LoggedModelInput | None = None,
) -> None:
    """Record a dataset, or a logged model, that the active run reads.

    Args:
        dataset: One made by ``stele.data.from_pandas`` and its kind.
        context: What it is used for, such as ``training``.
        tags: More tags of this use.
        model: A logged model.

    Raises:
        InvalidParameterValue: A name, digest or description is too long.
    """
    log_inputs([dataset], [context], [tags], [model])


def log_inputs(
    datasets: list[Dataset | None] | None = None,
    contexts: list[str | None] | None = None,
    tags_list: list[dict[str, str] | None] | None = None,
    models: list[LoggedModelInput | None] | None = None,
) -> None:
    """Record several datasets and logged models that the active run reads.

    Args:
        datasets: The datasets.
        contexts: For each dataset what it is used for.
        tags_list: For each dataset more tags of this use.
        models: Logged models.

    Raises:
        InvalidParameterValue: The lists have different lengths, or a name, digest or description is too long.
    """
    datasets = list(datasets or [])
    contexts = _as_long(contexts, datasets, "contexts")
    tags_list = _as_long(tags_list, datasets, "tags_list")
    inputs = [
        _dataset_input(dataset, context, tags)
        for dataset, context, tags in zip(datasets, contexts, tags_list, strict=True)
        if dataset is not None
    ]
    run_id = ensure_run().info.run_id
    client_of(run_id).log_inputs(run_id, inputs, [model for model in models or [] if model is not None])


def _as_long(values: Sequence[Any] | None, datasets: Sequence[Any], path: str) -> list[Any]:
    if values is None:
        return [None] * len(datasets)
    if len(values) != len(datasets):
        raise InvalidParameterValue(f"{path} has {len(values)} entries for {len(datasets)} datasets.")
    return list(values)


def _dataset_input(
    dataset: Dataset | DatasetEntity, context: str | None, tags: Mapping[str, str] | None
) -> DatasetInput:
    """A dataset and its use, as :meth:`stele.Client.log_inputs` takes them.

    Raises:
        InvalidParameterValue: It is no dataset.
    """
    if isinstance(dataset, DatasetEntity):
        entity = dataset
    elif hasattr(dataset, "to_dict") and hasattr(dataset, "digest"):
        facts = dataset.to_dict()
        entity = DatasetEntity(
            name=facts["name"],
            digest=facts["digest"],
            source_type=facts["source_type"],
            source=facts["source"],
            schema=facts.get("schema"),
            profile=facts.get("profile"),
        )
    else:
        raise InvalidParameterValue(
            f"{shown(dataset)} is no dataset. Make one with stele.data.from_pandas or another of its functions."
        )
    uses = ({DATASET_CONTEXT: context} if context is not None else {}) | dict(tags or {})
    return DatasetInput(entity, [InputTag(str(key), str(value)) for key, value in uses.items()])


def log_outputs(models: list[LoggedModelOutput] | None = None) -> None:
    """Record which logged models the active run made."""
    run_id = ensure_run().info.run_id
    client_of(run_id).log_outputs(run_id, list(models or []))


def enable_async_logging(enable: bool = True) -> None:
    """Let params and tags go through the journal as metrics do, in this process and those that it starts.

    Args:
        enable: False stores everything, metrics too, before a call returns.
    """
    os.environ[settings.ASYNC_LOGGING.name] = str(enable).lower()


def flush_async_logging() -> None:
    """Block until everything that was logged in the background is stored.

    Raises:
        SteleError: The first thing that a store refused and that nobody was told yet.
        Unavailable: A store takes nothing for ``STELE_EXIT_TIMEOUT``; everything stays in the journal.
    """
    flush()
