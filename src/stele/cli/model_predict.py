"""``stele models predict``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import click

from stele.artifacts.progress import shown_progress
from stele.cli.model_environment import run_in_environment
from stele.cli.model_options import env_manager_option, model_option, trust_option
from stele.cli.output import json_option, note, show_json
from stele.cli.teaching import Command
from stele.models.pyfunc import load_model
from stele.serving.environments import require_manager
from stele.serving.file_prediction import predict_file
from stele.serving.served import ServedModel
from stele.serving.table_files import FORMATS

__all__ = ["predict"]


@click.command(cls=Command)
@model_option
@click.option("--input-path", "-i", type=click.Path(path_type=Path), help="The rows. [standard input]")
@click.option("--output-path", "-o", type=click.Path(path_type=Path), help="The predictions. [standard output]")
@click.option(
    "--content-type", "-t", "input_format", type=click.Choice(FORMATS), help="Format of the input. [by its name, json]"
)
@click.option("--output-format", type=click.Choice(FORMATS), help="Format of the predictions. [by their name, json]")
@click.option("--keep", multiple=True, metavar="COLUMN", help="Write this column of the input beside the predictions.")
@env_manager_option("local")
@click.option("--install-mlflow", is_flag=True, hidden=True, help="Does nothing: Stele is what predicts.")
@trust_option
@json_option
@click.pass_context
def predict(
    context: click.Context,
    /,
    model_uri: str,
    input_path: Path | None,
    output_path: Path | None,
    input_format: str | None,
    output_format: str | None,
    keep: Sequence[str],
    env_manager: str,
    install_mlflow: bool,
    trust: bool,
    as_json: bool,
) -> None:
    r"""Predict for every row of a file.

    CSV, Parquet and JSON lines are read and written in pieces, so a file may be larger than memory. JSON is read whole,
    in the forms that /invocations takes. The output appears when it is whole.

    \b
    stele models predict -m models:/fraud@champion -i rows.parquet -o scores.parquet --keep id
    stele models predict -m ./model -i rows.csv -o scores.csv
    echo '{"inputs": [[1.0, 2.0]]}' | stele models predict -m ./model
    """
    manager = require_manager(env_manager)
    if manager != "local":
        run_in_environment(context, manager, model_uri, trust=trust)
        return
    served = ServedModel(load_model(model_uri, trust=trust or None), model_uri)
    size = input_path.stat().st_size if input_path is not None and input_path.is_file() else None
    began = time.monotonic()
    with shown_progress("Predicting", size) as progress:
        done = predict_file(
            served,
            input_path,
            output_path,
            source_format=input_format,
            target_format=output_format,
            keep=keep,
            moved=progress.add,
        )
    seconds = time.monotonic() - began
    if as_json and output_path is not None:
        show_json({"rows": done.rows, "columns": done.columns, "seconds": seconds, "output": str(output_path)})
    elif output_path is not None:
        rate = done.rows / max(seconds, 1e-9)
        note(
            f"Wrote {done.rows:,} predictions ({', '.join(done.columns)}) to {output_path}, {rate:,.0f} rows a second."
        )
