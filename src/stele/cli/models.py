"""``stele models``. Each command lives in a module of its own: some bring a server along, some a model's library."""

from __future__ import annotations

import click

from stele.cli.lazy import LazyGroup

__all__ = ["models"]

_COMMANDS = {
    "inspect": ("stele.cli.model_inspect:inspect_model", "Show what a model would import and run."),
    "serve": ("stele.cli.model_serve:serve", "Answer predictions over HTTP."),
    "predict": ("stele.cli.model_predict:predict", "Predict for every row of a file."),
    "prepare-env": ("stele.cli.model_environment:prepare_env", "Make the environment of a model."),
    "generate-dockerfile": ("stele.cli.model_images:generate_dockerfile", "Write a Dockerfile and a manifest."),
    "build-docker": ("stele.cli.model_images:build_docker", "Build a container image."),
}


@click.group(cls=LazyGroup, table=_COMMANDS)
def models() -> None:
    r"""Look at models, serve them, predict for files, pack them.

    \b
    stele models inspect models:/fraud@champion
    stele models serve -m models:/fraud@champion -p 8080
    """
