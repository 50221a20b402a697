"""Fluent logging of files: texts, dictionaries, figures, images, tables, directories.

Each function writes to the active run and starts one when there is none. Paths inside a run are relative, with
forward slashes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stele.client.calls.files import join
from stele.client.experiments import current_experiment_id
from stele.client.fluent import client_of, ensure_run
from stele.client.jobs import JOBS

if TYPE_CHECKING:
    import io

    import pandas

__all__ = [
    "flush_artifact_async_logging",
    "get_artifact_uri",
    "load_table",
    "log_artifact",
    "log_artifacts",
    "log_dict",
    "log_figure",
    "log_image",
    "log_stream",
    "log_table",
    "log_text",
]


def log_artifact(local_path: str, artifact_path: str | None = None, run_id: str | None = None) -> None:
    """Keep a copy of a local file, or of a directory under its own name.

    Args:
        local_path: The file.
        artifact_path: Directory in the run; None means its root.
        run_id: Another run than the active one.

    Raises:
        InvalidParameterValue: There is no such file, or the path is not allowed.
    """
    run_id = run_id or ensure_run().info.run_id
    client_of(run_id).log_artifact(run_id, local_path, artifact_path)


def log_artifacts(local_dir: str, artifact_path: str | None = None, run_id: str | None = None) -> None:
    """Keep a copy of everything in a local directory, several files at a time.

    Args:
        local_dir: The directory.
        artifact_path: Directory in the run; None means its root.
        run_id: Another run than the active one.

    Raises:
        InvalidParameterValue: There is no such directory, or a path is not allowed.
    """
    run_id = run_id or ensure_run().info.run_id
    client_of(run_id).log_artifacts(run_id, local_dir, artifact_path)


def log_text(text: str, artifact_file: str, run_id: str | None = None) -> None:
    """Keep a text as a file.

    Args:
        text: Written as UTF-8.
        artifact_file: Path in the run, such as ``reports/summary.md``.
        run_id: Another run than the active one.

    Raises:
        InvalidParameterValue: The path is not allowed.
    """
    run_id = run_id or ensure_run().info.run_id
    client_of(run_id).log_text(run_id, text, artifact_file)


def log_dict(dictionary: dict[str, Any], artifact_file: str, run_id: str | None = None) -> None:
    """Keep a dictionary or list as a JSON file, or as YAML when the path ends in ``.yaml`` or ``.yml``.

    Args:
        dictionary: Values that JSON does not know are written as lists (arrays) or as their texts.
        artifact_file: Path in the run.
        run_id: Another run than the active one.

    Raises:
        InvalidParameterValue: The path is not allowed.
    """
    run_id = run_id or ensure_run().info.run_id
    client_of(run_id).log_dict(run_id, dictionary, artifact_file)


def log_figure(figure: Any, artifact_file: str, *, save_kwargs: dict[str, Any] | None = None) -> None:
    """Keep a figure of matplotlib or plotly.

    Args:
        figure: The figure.
        artifact_file: Path in the run; its ending tells the format, such as ``.png``, ``.svg`` or ``.html``.
        save_kwargs: Passed to the method of the figure that writes it.

    Raises:
        InvalidParameterValue: It is no figure, or the path is not allowed.
    """
    run_id = ensure_run().info.run_id
    client_of(run_id).log_figure(run_id, figure, artifact_file, save_kwargs=save_kwargs)


def log_image(
    image: Any,
    artifact_file: str | None = None,
    key: str | None = None,
    step: int | None = None,
    timestamp: int | None = None,
    synchronous: bool | None = False,
) -> None:
    """Keep a picture, at a path or as one of a series.

    Args:
        image: An array of numpy, a Pillow image or a :class:`stele.Image`.
        artifact_file: Path in the run, for a single picture.
        key: Name of the series, instead of a path.
        step: Position in the series; None means 0.
        timestamp: Milliseconds since 1970; None means now.
        synchronous: True returns when it is written.

    Raises:
        InvalidParameterValue: It is no picture, or not exactly one of path and key was given.
    """
    run_id = ensure_run().info.run_id
    client_of(run_id).log_image(run_id, image, artifact_file, key, step, timestamp, synchronous)


def log_stream(stream: io.BufferedIOBase | io.RawIOBase, artifact_file: str, run_id: str | None = None) -> None:
    """Keep what a binary stream holds, in constant memory.

    Args:
        stream: Read to its end.
        artifact_file: Path in the run.
        run_id: Another run than the active one.

    Raises:
        InvalidParameterValue: The path is not allowed.
    """
    run_id = run_id or ensure_run().info.run_id
    client_of(run_id).log_stream(run_id, stream, artifact_file)


def log_table(data: dict[str, Any] | pandas.DataFrame, artifact_file: str, run_id: str | None = None) -> None:
    """Keep a table as a JSON file; rows are added when the file exists.

    Args:
        data: Lists, or one value each, by column name; or a data frame. Cells may be :class:`stele.Image`.
        artifact_file: Path in the run; it ends in ``.json``.
        run_id: Another run than the active one.

    Raises:
        InvalidParameterValue: It is no table, its columns have different lengths, or the path is not allowed.
    """
    run_id = run_id or ensure_run().info.run_id
    client_of(run_id).log_table(run_id, data, artifact_file)


def load_table(
    artifact_file: str, run_ids: list[str] | None = None, extra_columns: list[str] | None = None
) -> pandas.DataFrame:
    """The rows of a table in several runs, below each other.

    Args:
        artifact_file: Path of the table in each run; runs without it are left out.
        run_ids: Which runs; None means all of the current experiment.
        extra_columns: What to add about the run of each row: fields such as ``run_id`` and ``start_time``, or
            ``params.x``, ``metrics.x`` and ``tags.x``.

    Raises:
        InvalidParameterValue: A column has the name of an extra column, or a run has no such field.
        MissingDependency: pandas is not installed.
    """
    client = client_of(run_ids[0] if run_ids else "")
    return client.load_table(current_experiment_id(), artifact_file, run_ids, extra_columns)


def get_artifact_uri(artifact_path: str | None = None) -> str:
    """The address of a file of the active run, or of the root of its files."""
    return join(ensure_run().info.artifact_uri, artifact_path) if artifact_path else ensure_run().info.artifact_uri


def flush_artifact_async_logging() -> None:
    """Block until every file that was logged in the background is written.

    Raises:
        Exception: The first thing that failed since the last call.
    """
    JOBS.flush()
