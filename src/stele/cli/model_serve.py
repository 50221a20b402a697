"""``stele models serve``."""

from __future__ import annotations

from typing import Any

import click

from stele import settings
from stele.cli.model_environment import run_in_environment
from stele.cli.model_options import env_manager_option, model_option, trust_option
from stele.cli.teaching import Command
from stele.client.stores import get_tracking_uri, is_tracking_uri_set
from stele.serving.config import ServingConfig
from stele.serving.environments import require_manager
from stele.serving.run import serve as run_server

__all__ = ["serve"]

_MORE_THAN_ZERO = click.FloatRange(min=0, min_open=True)


@click.command(cls=Command)
@model_option
@click.option("--host", "-h", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", "-p", default=5000, show_default=True, type=click.IntRange(0, 65535), help="TCP port.")
@click.option("--workers", "-w", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes that serve.")
@click.option(
    "--threads", default=1, show_default=True, type=click.IntRange(1, 256), help="Predictions at once in a process."
)
@click.option("--timeout", "-t", "timeout_seconds", type=_MORE_THAN_ZERO, help="Seconds for one request. [60]")
@click.option(
    "--max-body-bytes", default=64 * 1024 * 1024, show_default=True, type=click.IntRange(1), help="Largest request."
)
@env_manager_option("local")
@click.option("--no-conda", is_flag=True, hidden=True, help="The same as --env-manager local.")
@click.option("--install-mlflow", is_flag=True, hidden=True, help="Does nothing: Stele is what serves.")
@trust_option
@click.option("--follow-alias", is_flag=True, help="Serve another version when the alias or stage in the URI moves.")
@click.option(
    "--follow-seconds", default=5.0, show_default=True, type=_MORE_THAN_ZERO, help="How often it is looked up."
)
@click.option(
    "--batching",
    type=click.Choice(["auto", "on", "off"]),
    default="auto",
    show_default=True,
    help="Predict concurrent requests together; auto: when the model predicts each row by itself.",
)
@click.option("--max-batch-rows", default=1024, show_default=True, type=click.IntRange(1), help="Most rows of a batch.")
@click.option(
    "--batch-delay-ms",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0, 1000),
    help="How long an idle server waits for more requests.",
)
@click.option(
    "--sample-rate", default=0.0, show_default=True, type=click.FloatRange(0, 1), help="Share of requests to keep."
)
@click.option(
    "--sample-experiment", default="serving", show_default=True, help="The experiment that keeps them.", metavar="NAME"
)
@click.option("--allowed-hosts", default="", help="More host names to answer to, by comma; * for any.", metavar="NAMES")
@click.option(
    "--cors-allowed-origins",
    "allowed_origins",
    default="",
    help="Web origins that may send requests, by comma.",
    metavar="ORIGINS",
)
@click.option("--log-format", type=click.Choice(["text", "json", "off"]), default="text", show_default=True)
@click.pass_context
def serve(context: click.Context, /, **options: Any) -> None:
    r"""Answer predictions over HTTP: POST /invocations.

    The server takes the bodies that MLflow's takes (dataframe_split, dataframe_records, instances, inputs, CSV,
    Parquet), describes itself at /openapi.json and counts at /metrics. With STELE_SERVING_TOKEN set it asks for that
    token.

    \b
    stele models serve -m models:/fraud@champion --follow-alias -p 8080
    curl localhost:8080/invocations -H 'Content-Type: application/json' \
      -d '{"dataframe_split": {"columns": ["amount"], "data": [[12.5]]}}'
    """
    manager = require_manager(options.pop("env_manager"))
    if options.pop("no_conda"):
        manager = "local"
    options.pop("install_mlflow")
    if manager != "local":
        run_in_environment(context, manager, options["model_uri"], trust=options["trust"])
        return
    options["timeout_seconds"] = options["timeout_seconds"] or settings.SERVING_TIMEOUT_SECONDS.get()
    for name in ("allowed_hosts", "allowed_origins"):
        options[name] = tuple(part.strip() for part in options[name].split(",") if part.strip())
    config = ServingConfig(tracking_uri=get_tracking_uri() if is_tracking_uri_set() else "", **options)

    def started(version: str) -> None:
        what = f"{config.model_uri} (version {version})" if version else config.model_uri
        click.echo(f"Stele serves {what} on http://{config.host}:{config.port}/invocations")

    run_server(config, started=started)
