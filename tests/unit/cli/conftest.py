"""Commands run in this process, on a store of their own; a sweep of four runs to look at."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from stele.cli import stele
from stele.client.client import Client
from workplace import workplace

__all__ = ["workplace"]

Cli = Callable[..., Result]


@pytest.fixture
def cli() -> Cli:
    """Run a command; it must end with the exit code that is expected, 0 by default, and without a traceback."""

    def run(*arguments: str, code: int = 0, **options: Any) -> Result:
        result = CliRunner().invoke(stele, list(arguments), prog_name="stele", **options)
        assert result.exit_code == code, f"{result.output}\n{result.exception!r}"
        assert "Traceback" not in result.output
        return result

    return run


@pytest.fixture
def cli_json(cli: Cli) -> Callable[..., Any]:
    """What a command prints with ``--json``, decoded."""

    def run(*arguments: str, **options: Any) -> Any:
        return json.loads(cli(*arguments, "--json", **options).stdout)

    return run


@pytest.fixture
def sweep() -> list[str]:
    """The ids of four finished runs in the experiment ``churn``, oldest first."""
    client = Client()
    experiment = client.create_experiment("churn", tags={"team": "risk"})
    ids = []
    models = {"forest": 0.8, "boost": 0.81, "linear": 0.82, "svm": 0.83}
    for i, (model, auc) in enumerate(models.items()):
        run = client.create_run(experiment, start_time=1_767_225_600_000 + i * 60_000, run_name=f"{model}-{i}")
        ids.append(run.info.run_id)
        client.log_param(ids[i], "model", model)
        client.log_param(ids[i], "seed", 42)
        client.log_metric(ids[i], "auc", auc, step=3)
        client.log_metric(ids[i], "rows", 1000, step=0)
        client.set_terminated(ids[i], end_time=1_767_225_600_000 + i * 60_000 + 1_500)
    return ids
