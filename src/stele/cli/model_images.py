"""``stele models generate-dockerfile`` and ``build-docker``."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from stele.cli.model_options import model_option, trust_option
from stele.cli.output import json_option, note, show_json
from stele.cli.teaching import Command
from stele.serving.environments import admitted_directory
from stele.serving.images import build_image, write_context

__all__ = ["build_docker", "generate_dockerfile"]

_base_option = click.option(
    "--base-image", metavar="IMAGE", help="Instead of Python's slim image of the model's version."
)


@click.command("generate-dockerfile", cls=Command)
@model_option
@click.option(
    "--output-directory",
    "-d",
    default="stele-dockerfile",
    show_default=True,
    type=click.Path(path_type=Path),
    help="What is written here must not be there yet.",
)
@click.option("--name", "-n", default="stele-model", show_default=True, help="The image's name, for the manifest.")
@_base_option
@trust_option
@json_option
def generate_dockerfile(
    model_uri: str, output_directory: Path, name: str, base_image: str | None, trust: bool, as_json: bool
) -> None:
    r"""Write a Dockerfile with everything that belongs to it, and a manifest for Kubernetes.

    \b
    stele models generate-dockerfile -m models:/fraud/3 -d image
    docker build -t registry.example.org/fraud:3 image
    kubectl apply -f image/kubernetes.yaml
    """
    write_context(admitted_directory(model_uri, trust=trust), output_directory, name, base_image)
    if as_json:
        show_json({"directory": str(output_directory), "image": name})
        return
    note(f"Wrote {output_directory}. Build it with: docker build -t {name} {output_directory}")


@click.command("build-docker", cls=Command)
@model_option
@click.option("--name", "-n", default="stele-model", show_default=True, help="The image's name.")
@_base_option
@trust_option
@json_option
def build_docker(model_uri: str, name: str, base_image: str | None, trust: bool, as_json: bool) -> None:
    r"""Build a container image that serves a model on port 8080.

    \b
    stele models build-docker -m models:/fraud/3 -n registry.example.org/fraud:3
    docker run -p 8080:8080 registry.example.org/fraud:3
    """
    with tempfile.TemporaryDirectory(prefix="stele-image-") as folder:
        context = Path(folder) / "context"
        write_context(admitted_directory(model_uri, trust=trust), context, name, base_image)
        build_image(context, name)
    if as_json:
        show_json({"image": name})
        return
    note(f"Built {name}. Run it with: docker run -p 8080:8080 {name}")
