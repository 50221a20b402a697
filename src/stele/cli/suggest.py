"""What a shell offers behind ``-n``, ``-x`` and where a run is named.

Pressing TAB must be quick and must not fail, make a database, or print: whatever goes wrong, nothing is offered.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from stele import settings
from stele.cli import finding
from stele.client.client import Client
from stele.client.stores import get_tracking_uri
from stele.schema.enums import ViewType
from stele.schema.experiments import Experiment

__all__ = ["experiment_ids", "experiment_names", "experiments", "run_ids"]

_MOST = 50
_WAIT_SECONDS = "2"
_SQLITE = "sqlite:///"


def experiment_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of experiments."""
    del param
    return [
        CompletionItem(experiment.name, help=f"id {experiment.experiment_id}")
        for experiment in _found_experiments(ctx)
        if experiment.name.startswith(incomplete)
    ]


def experiment_ids(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids of experiments, with their names beside them."""
    del param
    return [
        CompletionItem(experiment.experiment_id, help=experiment.name)
        for experiment in _found_experiments(ctx)
        if experiment.experiment_id.startswith(incomplete)
    ]


def experiments(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names and ids of experiments."""
    return experiment_names(ctx, param, incomplete) + experiment_ids(ctx, param, incomplete)


def run_ids(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids of the newest runs, with their names beside them."""
    del param
    if not incomplete.isalnum() and incomplete:
        return []
    with suppress(Exception):
        client = _quick_client(ctx)
        if client is not None:
            condition = f"attributes.run_id LIKE '{incomplete}%'" if incomplete else ""
            found = client.search_runs(list(finding.experiment_names(client)), condition, ViewType.ALL, _MOST)
            return [CompletionItem(run.info.run_id, help=run.info.run_name) for run in found]
    return []


def _found_experiments(ctx: click.Context) -> list[Experiment]:
    with suppress(Exception):
        client = _quick_client(ctx)
        if client is not None:
            return list(client.search_experiments(ViewType.ALL, max_results=_MOST * 10))
    return []


def _quick_client(ctx: click.Context) -> Client | None:
    """A client that gives up soon; None when asking would make a database."""
    if uri := ctx.find_root().params.get("tracking_uri"):
        os.environ[settings.TRACKING_URI.name] = uri
    os.environ[settings.HTTP_TIMEOUT_SECONDS.name] = _WAIT_SECONDS
    os.environ[settings.HTTP_RETRIES.name] = "0"
    uri = get_tracking_uri()
    if uri.startswith(_SQLITE) and not Path(uri.removeprefix(_SQLITE).partition("?")[0]).exists():
        return None
    return Client()
