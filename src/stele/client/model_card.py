"""A model card in Markdown: what a version is, how good it is, and where it comes from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from stele.client.client import Client
from stele.client.locations import locate
from stele.errors import SteleError
from stele.schema.governance import Lineage, RegistryEvent
from stele.schema.logged_models import LoggedModel
from stele.schema.registered_models import ModelVersion
from stele.schema.runs import Run

__all__ = ["card", "lineage"]

_MOST_EVENTS = 20


def lineage(name: str, version: str) -> Lineage:
    """The way from the datasets to the aliases of a version; see :meth:`stele.Client.get_lineage`."""
    return Client().get_lineage(name, version)


def card(name: str, version: str) -> str:
    """A model card of a version, in Markdown.

    Args:
        name: The registered model.
        version: The version.

    Raises:
        DoesNotExist: There is no such model or version.
    """
    client = Client()
    found = client.get_lineage(name, version)
    description = client.get_registered_model(name).description
    run = client.get_run(found.run.run_id) if found.run is not None else None
    events = client.search_registry_events(name, str(version), max_results=_MOST_EVENTS)
    lines = [
        f"# {_text(name)}, version {version}",
        *_words(description, found.version.description),
        *_facts(found.version, found.model),
        *_section("Metrics", ("Metric", "Value"), _metrics(found.model, run)),
        *_section("Parameters", ("Parameter", "Value"), sorted(_params(found.model, run).items())),
        *_section("Datasets", ("Dataset", "Digest", "Use"), _datasets(found)),
        *_section("Signature", ("Part", "Name", "Type"), _signature(name, str(version))),
        *_section("Lineage", ("What", "Which"), _origin(found)),
        *_section("Events", ("When", "Who", "What", "Reason"), map(_event, events)),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _words(*texts: str | None) -> Iterator[str]:
    for text in texts:
        if text:
            yield from ("", text.strip())


def _facts(version: ModelVersion, model: LoggedModel | None) -> Iterator[str]:
    facts = {
        "Stage": "" if version.current_stage == "None" else version.current_stage,
        "Aliases": ", ".join(version.aliases),
        "Registered": f"{_time(version.creation_timestamp)}" + (f" by {version.user_id}" if version.user_id else ""),
        "Type": model.model_type if model is not None else "",
        "Digest": (model.digest or "") if model is not None else "",
    }
    yield ""
    yield from (f"- {name}: {_text(value)}" for name, value in facts.items() if value)


def _section(title: str, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    listed = list(rows)
    if not listed:
        return
    yield from ("", f"## {title}", "", f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}")
    yield from (f"| {' | '.join(_text(cell) for cell in row)} |" for row in listed)


def _metrics(model: LoggedModel | None, run: Run | None) -> list[tuple[str, str]]:
    values = dict(run.data.metrics) if run is not None else {}
    for point in sorted(model.metrics if model is not None else [], key=lambda p: (p.timestamp, p.step)):
        on = f" on {point.dataset_name}" if point.dataset_name else ""
        values[f"{point.key}{on}"] = point.value
    return [(name, f"{value:.6g}") for name, value in sorted(values.items())]


def _params(model: LoggedModel | None, run: Run | None) -> dict[str, str]:
    return (run.data.params if run is not None else {}) | (model.params if model is not None else {})


def _datasets(found: Lineage) -> Iterator[tuple[str, str, str]]:
    for item in found.datasets:
        uses = [tag.value for tag in item.tags if tag.key == "mlflow.data.context"]
        yield item.dataset.name, item.dataset.digest, ", ".join(uses)


def _signature(name: str, version: str) -> Iterator[tuple[str, str, str]]:
    """Inputs, outputs and parameters as the file ``MLmodel`` tells them; nothing when there is no such file."""
    try:
        import yaml

        place = locate(f"models:/{name}/{version}/MLmodel")
        content = yaml.safe_load(place.repository.open_read(place.path).read())
    except (ImportError, SteleError, UnicodeDecodeError, ValueError):
        return
    except yaml.YAMLError:
        return
    signature = content.get("signature") if isinstance(content, dict) else None
    for part in ("inputs", "outputs", "params"):
        text = signature.get(part) if isinstance(signature, dict) else None
        for field in _fields(text):
            yield part, str(field.get("name", "")), _type(field)


def _fields(text: Any) -> list[dict[str, Any]]:
    try:
        fields = json.loads(text) if isinstance(text, str) else []
    except ValueError:
        return []
    return [field for field in fields if isinstance(field, dict)] if isinstance(fields, list) else []


def _type(field: dict[str, Any]) -> str:
    tensor = field.get("tensor-spec")
    if isinstance(tensor, dict):
        return f"tensor {tensor.get('dtype', '')} {tensor.get('shape', '')}"
    optional = ", optional" if field.get("required") is False else ""
    return f"{field.get('type', '')}{optional}"


def _origin(found: Lineage) -> Iterator[tuple[str, str]]:
    if found.run is not None:
        yield "run", f"{found.run.run_name} ({found.run.run_id}), {found.run.status}"
        yield "experiment", found.run.experiment_id
    if found.model is not None:
        yield "logged model", f"{found.model.name} ({found.model.model_id})"
    yield "source", found.version.source
    yield from (("code", f"{tag.key}: {tag.value}") for tag in found.code)
    yield from (("input model", model_id) for model_id in found.input_models)
    yield from (("the same model", f"{sibling.name}, version {sibling.version}") for sibling in found.siblings)


def _event(event: RegistryEvent) -> tuple[str, str, str, str]:
    change = event.kind.replace("_", " ")
    if event.subject:
        change += f" {event.subject}"
    if event.before is not None or event.after is not None:
        change += f": {event.before or 'nothing'} to {event.after or 'nothing'}"
    return _time(event.time), event.principal, change, event.reason


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _text(value: object) -> str:
    """A value that stays in its cell, and that no reader of Markdown takes for markup."""
    text = " ".join(str(value).split())
    return "".join(f"\\{character}" if character in "\\|`*_<>[]#" else character for character in text)
