"""Promotion gates: an alias moves to a version that is good enough, and only then."""

from __future__ import annotations

import builtins
import contextlib
import math
from typing import Literal

from msgspec import Struct

from stele.client.client import Client
from stele.client.model_registry import register_model
from stele.errors import DoesNotExist, InvalidParameterValue, shown
from stele.schema.logged_models import LoggedModel
from stele.schema.registered_models import ModelVersion
from stele.schema.runs import Run

__all__ = ["Promotion", "promote"]


class Promotion(Struct, frozen=True):
    """What became of a candidate. It counts as true when the alias points to it.

    Attributes:
        decision: ``promoted``; ``refused`` by a gate; ``unchanged``, because it was the champion already;
            ``requested``, because an approval was asked for; ``passed``, because this was a trial.
        name: The registered model.
        alias: The alias.
        metric: What was compared.
        candidate: The version of the candidate; None while it is not registered.
        candidate_value: Its metric; None when it has none.
        champion: The version to which the alias pointed; None for none.
        champion_value: Its metric; None when it has none.
        reasons: What each gate found, in words.
        request_id: The request for approval.
    """

    decision: Literal["promoted", "refused", "unchanged", "requested", "passed"]
    name: str
    alias: str
    metric: str
    candidate: str | None
    candidate_value: float | None
    champion: str | None
    champion_value: float | None
    reasons: list[str]
    request_id: str | None = None

    def __bool__(self) -> bool:
        return self.decision in ("promoted", "unchanged")


class _Candidate(Struct, frozen=True):
    """A model that may be promoted: as a version, or as an address that can be registered."""

    version: ModelVersion | None
    uri: str
    model_id: str
    run_id: str


def promote(
    name: str,
    candidate: str | int | ModelVersion | LoggedModel | Run,
    alias: str = "champion",
    *,
    metric: str,
    min: float | None = None,  # noqa: A002 - the word that a reader expects
    max: float | None = None,  # noqa: A002
    max_drop: float | None = None,
    higher_is_better: bool = True,
    reason: str = "",
    request_approval: bool = False,
    dry_run: bool = False,
) -> Promotion:
    """Let an alias point to a candidate if its metric passes every gate.

    The metric is the latest value that was logged for the logged model, else the latest of its run. The alias moves in
    one step, and only if it still points to the version that the candidate was compared with.

    Args:
        name: The registered model; it is made when it does not exist.
        candidate: A version (``3``), an address (``models:/fraud/3``, ``models:/m-...``, ``runs:/<run id>/<name>``), a
            logged model, or a run that made exactly one logged model. What is not a version yet is registered when it
            has passed.
        alias: The alias.
        metric: What is compared.
        min: The least value that passes.
        max: The greatest value that passes.
        max_drop: By how much the candidate may be worse than the version to which the alias points; 0 demands that it
            is as good. Without it the two are not compared.
        higher_is_better: Which direction is better.
        reason: Why; kept with the event, behind the figures.
        request_approval: Whether to ask for an approval instead of moving the alias.
        dry_run: Whether to change nothing.

    Raises:
        Conflict: Somebody else has moved the alias meanwhile.
        DoesNotExist: There is no such candidate.
        InvalidParameterValue: No gate was given, or the candidate is not understood.
        PermissionDenied: The alias is protected; pass ``request_approval=True``.
    """
    if min is None and max is None and max_drop is None:
        raise InvalidParameterValue("promote needs a gate: min, max or max_drop.")
    client = Client()
    found = _candidate(client, name, candidate)
    champion = _champion(client, name, alias)
    value = _value(client, found.model_id, found.run_id, metric)
    best = None if champion is None else _value(client, champion.model_id, champion.run_id, metric)
    problems = [*_bounds(metric, value, min, max)]
    if max_drop is not None and champion is not None:
        problems += _drop(metric, value, best, champion.version, max_drop, higher_is_better=higher_is_better)
    version = None if found.version is None else found.version.version

    def outcome(decision: str, number: str | None, reasons: list[str], request_id: str | None = None) -> Promotion:
        before = None if champion is None else champion.version
        return Promotion(decision, name, alias, metric, number, value, before, best, reasons, request_id)  # type: ignore[arg-type]

    if problems:
        return outcome("refused", version, problems)
    passed = [
        f"{metric} is {_figure(value)}" + (f"; that of version {champion.version} {_figure(best)}" if champion else "")
    ]
    if champion is not None and version == champion.version:
        return outcome("unchanged", version, [f"{alias} points to version {version} already", *passed])
    if dry_run:
        return outcome("passed", version, passed)
    if version is None:
        version = register_model(found.uri, name).version
    why = f"{passed[0]}. {reason}".strip(" .")
    if request_approval:
        asked = client.request_approval(name, "set_alias", alias=alias, version=version, reason=why)
        return outcome("requested", version, passed, asked.request_id)
    expected = "" if champion is None else champion.version
    client.set_registered_model_alias(name, alias, version, reason=why, expected_version=expected)
    return outcome("promoted", version, passed)


def _candidate(client: Client, name: str, words: str | int | ModelVersion | LoggedModel | Run) -> _Candidate:
    if isinstance(words, ModelVersion):
        return _of_version(words, name)
    if isinstance(words, LoggedModel):
        return _of_model(words)
    if isinstance(words, Run):
        return _of_run(client, words)
    text = str(words)
    if text.isascii() and text.isdigit():
        return _of_version(client.get_model_version(name, text), name)
    if text.startswith("models:/m-"):
        return _of_model(client.get_logged_model(text.removeprefix("models:/").strip("/")))
    if text.startswith("models:/"):
        return _of_version(client.version_at(text), name)
    if text.startswith("runs:/"):
        run_id, _, path = text.removeprefix("runs:/").strip("/").partition("/")
        model = client.model_of_run(run_id, path)
        return _of_model(model) if model is not None else _Candidate(None, text, "", run_id)
    raise InvalidParameterValue(f"{shown(text)} is neither a version nor an address of a model.")


def _of_version(version: ModelVersion, name: str) -> _Candidate:
    own = version if version.name == name else None
    return _Candidate(own, f"models:/{version.name}/{version.version}", version.model_id, version.run_id)


def _of_model(model: LoggedModel) -> _Candidate:
    return _Candidate(None, model.model_uri, model.model_id, model.source_run_id)


def _of_run(client: Client, run: Run) -> _Candidate:
    own = f"source_run_id = '{run.info.run_id}'"
    models = client.search_logged_models([run.info.experiment_id], own, max_results=2)
    if len(models) != 1:
        count = "no logged model" if not models else "several logged models"
        raise InvalidParameterValue(f"The run {run.info.run_id} has {count}; name one as runs:/<run id>/<name>.")
    return _of_model(models[0])


def _champion(client: Client, name: str, alias: str) -> ModelVersion | None:
    try:
        aliases = client.get_registered_model(name).aliases
    except DoesNotExist:
        return None
    return client.get_model_version(name, aliases[alias]) if alias in aliases else None


def _value(client: Client, model_id: str, run_id: str, metric: str) -> float | None:
    """The latest value of a metric: of the logged model, else of the run."""
    if model_id:
        with contextlib.suppress(DoesNotExist):
            points = [p for p in client.get_logged_model(model_id, allow_deleted=True).metrics if p.key == metric]
            if points:
                return builtins.max(points, key=lambda p: (p.timestamp, p.step)).value
    if run_id:
        with contextlib.suppress(DoesNotExist):
            return client.get_run(run_id).data.metrics.get(metric)
    return None


def _bounds(metric: str, value: float | None, least: float | None, most: float | None) -> list[str]:
    if value is None or math.isnan(value):
        return [f"the candidate has no {metric}"]
    problems = []
    if least is not None and not value >= least:
        problems.append(f"{metric} is {_figure(value)}, less than the {_figure(least)} that is demanded")
    if most is not None and not value <= most:
        problems.append(f"{metric} is {_figure(value)}, more than the {_figure(most)} that is allowed")
    return problems


def _drop(
    metric: str, value: float | None, best: float | None, version: str, most: float, *, higher_is_better: bool
) -> list[str]:
    if value is None or math.isnan(value):
        return []  # said already
    if best is None or math.isnan(best):
        return [f"version {version}, which it would replace, has no {metric} to compare with"]
    drop = best - value if higher_is_better else value - best
    if drop <= most:
        return []
    return [
        f"{metric} is {_figure(value)}, by {_figure(drop)} worse than the {_figure(best)} of version {version}; "
        f"{_figure(most)} is allowed"
    ]


def _figure(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.6g}"
