"""``stele artifacts``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from stele.artifacts import walk
from stele.cli import suggest
from stele.cli.finding import find_run, open_client
from stele.cli.output import Column, json_option, note, show_json, show_table
from stele.cli.teaching import Group
from stele.client import downloads

__all__ = ["artifacts"]

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)


def _run_option(*, required: bool = True) -> Decorator:
    return click.option(
        "--run-id", "-r", required=required, metavar="ID", shell_complete=suggest.run_ids, help="The run."
    )


def _path_option(help_text: str) -> Decorator:
    return click.option("--artifact-path", "-a", metavar="PATH", help=help_text)


@click.group(cls=Group)
def artifacts() -> None:
    r"""List, download and log the files of runs.

    \b
    stele artifacts list -r 1f0c2a9d
    stele artifacts download -r 1f0c2a9d -a model -d ./here
    stele artifacts log report.html -r 1f0c2a9d
    """


@artifacts.command("list")
@_run_option(required=False)
@_path_option("Directory in the run. [its root]")
@click.option("--artifact-uri", "-u", metavar="URI", help="Such as runs:/ID/path, instead of a run.")
@click.option("--recursive", "-R", is_flag=True, help="Every file below, with directories left out.")
@json_option
def list_artifacts(
    run_id: str | None, artifact_path: str | None, artifact_uri: str | None, recursive: bool, as_json: bool
) -> None:
    r"""List the files of a run.

    \b
    stele artifacts list -r 1f0c2a9d
    stele artifacts list -r 1f0c2a9d -a model --recursive --json
    """
    _check_source(run_id, artifact_path, artifact_uri)
    client = open_client()
    if artifact_uri is not None:
        found = downloads.list_artifacts(artifact_uri)
        if recursive:
            raise click.UsageError("--recursive needs a run: --run-id ID.")
    else:
        assert run_id is not None
        repository = client.repository(find_run(client, run_id).info.run_id)
        path = artifact_path or ""
        found = list(walk(repository, path)) if recursive else list(repository.list(path))
    if as_json:
        show_json(found)
    elif not found:
        note("There are no files.")
    else:
        rows = [[info.path + ("/" if info.is_dir else ""), info.file_size] for info in found]
        show_table([Column("Path"), Column("Size", "size")], rows)


@artifacts.command()
@_run_option(required=False)
@_path_option("File or directory in the run. [everything]")
@click.option("--artifact-uri", "-u", metavar="URI", help="Such as runs:/ID/path, instead of a run.")
@click.option(
    "--dst-path",
    "-d",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory here, made when there is none. [a new temporary one]",
)
def download(run_id: str | None, artifact_path: str | None, artifact_uri: str | None, dst_path: Path | None) -> None:
    r"""Copy files of a run to this machine, and print where they are.

    \b
    stele artifacts download -r 1f0c2a9d -a plots/roc.png -d .
    stele artifacts download -u runs:/1f0c2a9d0b5e4c7aa0ef3c1d2b4a5968/model -d ./model
    """
    _check_source(run_id, artifact_path, artifact_uri)
    client = open_client()
    target = None if dst_path is None else str(dst_path)
    if artifact_uri is not None:
        click.echo(downloads.download_artifacts(artifact_uri, dst_path=target))
    else:
        assert run_id is not None
        click.echo(client.download_artifacts(find_run(client, run_id).info.run_id, artifact_path or "", target))


def _check_source(run_id: str | None, artifact_path: str | None, artifact_uri: str | None) -> None:
    if (run_id is None) == (artifact_uri is None):
        raise click.UsageError("Say whose files: --run-id ID, or --artifact-uri URI.")
    if artifact_uri is not None and artifact_path is not None:
        raise click.UsageError("--artifact-path goes with --run-id; a URI holds the path.")


@artifacts.command("log-artifact")
@click.option("--local-file", "-l", required=True, type=_FILE, help="The file here.")
@_run_option()
@_path_option("Directory in the run. [its root]")
def log_artifact(local_file: Path, run_id: str, artifact_path: str | None) -> None:
    r"""Keep a copy of a file with a run.

    \b
    stele artifacts log-artifact -l report.html -r 1f0c2a9d -a reports
    """
    _log(local_file, run_id, artifact_path)


@artifacts.command("log-artifacts")
@click.option("--local-dir", "-l", required=True, type=_DIRECTORY, help="The directory here.")
@_run_option()
@_path_option("Directory in the run. [its root]")
def log_artifacts(local_dir: Path, run_id: str, artifact_path: str | None) -> None:
    r"""Keep a copy of everything in a directory with a run.

    \b
    stele artifacts log-artifacts -l ./plots -r 1f0c2a9d -a plots
    """
    _log(local_dir, run_id, artifact_path)


@artifacts.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@_run_option()
@_path_option("Directory in the run. [its root]")
def log(path: Path, run_id: str, artifact_path: str | None) -> None:
    r"""Keep a copy of a file, or of everything in a directory, with a run.

    \b
    stele artifacts log report.html -r 1f0c2a9d
    stele artifacts log ./plots -r 1f0c2a9d -a plots
    """
    _log(path, run_id, artifact_path)


def _log(path: Path, run_id: str, artifact_path: str | None) -> None:
    client = open_client()
    found = find_run(client, run_id).info
    if path.is_dir():
        client.log_artifacts(found.run_id, str(path), artifact_path)
    else:
        client.log_artifact(found.run_id, str(path), artifact_path)
    where = "/".join(part for part in (found.run_id, artifact_path) if part)
    click.echo(f"Logged {path} to {where}{'/' if artifact_path or path.is_dir() else ''}.")
