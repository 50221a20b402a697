"""Files of a run: texts, dictionaries, figures, images, tables, whole directories."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from stele.artifacts import Mounted, open_repository
from stele.client import images, tables
from stele.client import tag_names as names
from stele.client.async_logging import in_background
from stele.client.calls.base import integer, milliseconds
from stele.client.calls.runs import RunCalls
from stele.client.figures import figure_bytes
from stele.client.images import Image
from stele.client.jobs import JOBS
from stele.errors import InvalidParameterValue, MissingDependency, shown
from stele.registry import Registry
from stele.schema import runs as messages
from stele.schema.artifacts import FileInfo
from stele.schema.logged_models import LoggedModel, SearchLoggedModels
from stele.schema.runs import Run

if TYPE_CHECKING:
    import io

    import pandas

    from stele.artifacts.base import ArtifactRepository

__all__ = ["FileCalls", "join", "upload"]

_TRANSFERS: Registry[Callable[..., Any]] = Registry(
    "transfer", (), {"upload": "stele.client.transfers:upload", "download": "stele.client.transfers:download_to"}
)
"""Imported when first used: a training loop that logs metrics needs neither thread pools nor archives."""
_CHUNK_BYTES = 1 << 20
_REMEMBERED_RUNS = 1_000
_artifact_uris: dict[tuple[str, bool, str], str] = {}


class FileCalls(RunCalls):
    """The part of a client that is about the files of runs.

    Paths inside a run are relative, with forward slashes. Writing to a path that exists keeps what was there as an
    older version.
    """

    def remember_artifact_uri(self, run: Run) -> None:
        """Spare the question for the place of its files when something is logged to this run."""
        if len(_artifact_uris) >= _REMEMBERED_RUNS:
            _artifact_uris.pop(next(iter(_artifact_uris)))
        _artifact_uris[self._place(run.info.run_id)] = run.info.artifact_uri

    def _artifact_uri(self, run_id: str) -> str:
        place = self._place(run_id)
        if place not in _artifact_uris:
            self.remember_artifact_uri(self.get_run(run_id))
        return _artifact_uris[place]

    def _place(self, run_id: str) -> tuple[str, bool, str]:
        return self.tracking_uri, self._journalled.offline, run_id

    def repository(self, run_id: str) -> ArtifactRepository:
        """The files of a run.

        Raises:
            DoesNotExist: There is no such run.
        """
        return self.open_repository(self._artifact_uri(run_id))

    def open_repository(self, uri: str) -> ArtifactRepository:
        """The files under an address; ``mlflow-artifacts:`` goes through the server of this client.

        Raises:
            InvalidParameterValue: No repository handles this kind of address.
        """
        return open_repository(uri, getattr(self._store, "transport", None))

    def log_artifact(self, run_id: str, local_path: str, artifact_path: str | None = None) -> None:
        """Keep a copy of a local file, or of a directory under its own name.

        Args:
            run_id: The run.
            local_path: The file.
            artifact_path: Directory in the run; None means its root.

        Raises:
            DoesNotExist: There is no such run.
            InvalidParameterValue: There is no such file, or the path is not allowed.
        """
        local_path = os.path.abspath(os.fspath(local_path))  # noqa: PTH100 - pathlib costs 5 ms at import
        name = os.path.basename(local_path)  # noqa: PTH119
        upload(self.repository(run_id), local_path, join(artifact_path, name))

    def log_artifacts(self, run_id: str, local_dir: str, artifact_path: str | None = None) -> None:
        """Keep a copy of everything in a local directory, several files at a time.

        Args:
            run_id: The run.
            local_dir: The directory.
            artifact_path: Directory in the run; None means its root.

        Raises:
            DoesNotExist: There is no such run.
            InvalidParameterValue: There is no such directory, or a path is not allowed.
        """
        if not os.path.isdir(local_dir):  # noqa: PTH112
            raise InvalidParameterValue(f"There is no directory {shown(os.fspath(local_dir))}.")
        upload(self.repository(run_id), os.fspath(local_dir), artifact_path or "")

    def log_text(self, run_id: str, text: str, artifact_file: str) -> None:
        """Keep a text as a file.

        Args:
            run_id: The run.
            text: Written as UTF-8.
            artifact_file: Path in the run, such as ``reports/summary.md``.

        Raises:
            DoesNotExist: There is no such run.
            InvalidParameterValue: The path is not allowed.
        """
        self._write(run_id, artifact_file, str(text).encode())

    def log_dict(self, run_id: str, dictionary: dict[str, Any], artifact_file: str) -> None:
        """Keep a dictionary or list as a JSON file, or as YAML when the path ends in ``.yaml`` or ``.yml``.

        Args:
            run_id: The run.
            dictionary: Values that JSON does not know are written as lists (arrays) or as their texts.
            artifact_file: Path in the run.

        Raises:
            DoesNotExist: There is no such run.
            InvalidParameterValue: The path is not allowed.
        """
        content = tables.plain(dictionary)
        if artifact_file.lower().endswith((".yaml", ".yml")):
            self._write(run_id, artifact_file, _yaml(content))
        else:
            self._write(run_id, artifact_file, msgspec.json.format(msgspec.json.encode(content), indent=2))

    def log_figure(
        self, run_id: str, figure: Any, artifact_file: str, *, save_kwargs: dict[str, Any] | None = None
    ) -> None:
        """Keep a figure of matplotlib or plotly.

        Args:
            run_id: The run.
            figure: The figure.
            artifact_file: Path in the run; its ending tells the format, such as ``.png``, ``.svg`` or ``.html``.
            save_kwargs: Passed to the method of the figure that writes it.

        Raises:
            DoesNotExist: There is no such run.
            InvalidParameterValue: It is no figure, or the path is not allowed.
        """
        self._write(run_id, artifact_file, figure_bytes(figure, artifact_file, save_kwargs or {}))

    def log_image(
        self,
        run_id: str,
        image: Any,
        artifact_file: str | None = None,
        key: str | None = None,
        step: int | None = None,
        timestamp: int | None = None,
        synchronous: bool | None = None,
    ) -> None:
        """Keep a picture, at a path or as one of a series.

        Args:
            run_id: The run.
            image: An array of numpy, a Pillow image or a :class:`stele.Image`.
            artifact_file: Path in the run, for a single picture.
            key: Name of the series, instead of a path.
            step: Position in the series; None means 0.
            timestamp: Milliseconds since 1970; None means now.
            synchronous: False returns before it is written; see :func:`stele.flush_artifact_async_logging`.

        Raises:
            DoesNotExist: There is no such run.
            InvalidParameterValue: It is no picture, or not exactly one of path and key was given.
        """
        if (artifact_file is None) == (key is None):
            raise InvalidParameterValue("log_image needs either artifact_file or key.")
        if artifact_file is not None:
            files = {artifact_file: images.encode(image, artifact_file)}
        else:
            assert key is not None
            path = images.image_path(key, integer(step or 0, "step"), milliseconds(timestamp, "timestamp"))
            files = images.with_preview(image, path)
        write = partial(self._write_images, run_id, files, series=key is not None)
        if in_background(synchronous):
            JOBS.submit(run_id, write)
        else:
            write()

    def _write_images(self, run_id: str, files: dict[str, bytes], *, series: bool) -> None:
        for path, content in files.items():
            self._write(run_id, path, content)
        if series:
            self._store.set_tag(messages.SetTag(run_id=run_id, key=names.LOGGED_IMAGES, value="True"))

    def log_stream(self, run_id: str, stream: io.BufferedIOBase | io.RawIOBase, artifact_file: str) -> None:
        """Keep what a binary stream holds, in constant memory.

        Args:
            run_id: The run.
            stream: Read to its end.
            artifact_file: Path in the run.

        Raises:
            DoesNotExist: There is no such run.
            InvalidParameterValue: The path is not allowed.
        """
        self.repository(run_id).write(artifact_file, _chunks(stream))

    def log_table(self, run_id: str, data: dict[str, Any] | pandas.DataFrame, artifact_file: str) -> None:
        """Keep a table as a JSON file; rows are added when the file exists.

        Args:
            run_id: The run.
            data: Lists, or one value each, by column name; or a data frame. Cells may be :class:`stele.Image`.
            artifact_file: Path in the run; it ends in ``.json``.

        Raises:
            DoesNotExist: There is no such run.
            InvalidParameterValue: It is no table, its columns have different lengths, or the path is not allowed.
        """
        if not artifact_file.endswith(".json"):
            raise InvalidParameterValue(f"{shown(artifact_file)} does not end in .json, the format of tables.")
        table = tables.from_data(data, lambda image: self._keep_image(run_id, image))
        repository = self.repository(run_id)
        if repository.stat(artifact_file) is not None:
            table = tables.append(tables.from_bytes(repository.open_read(artifact_file).read(), artifact_file), table)
        repository.write(artifact_file, [tables.to_bytes(table)])
        entry = {"path": artifact_file, "type": "table"}
        known = msgspec.json.decode(self.get_run(run_id).data.tags.get(names.LOGGED_ARTIFACTS) or "[]")
        if entry not in known:
            value = json.dumps([*known, entry])  # a text that searches compare, spaces and all
            self._store.set_tag(messages.SetTag(run_id=run_id, key=names.LOGGED_ARTIFACTS, value=value))

    def _keep_image(self, run_id: str, image: Image) -> dict[str, str]:
        path = images.image_path("table", 0, milliseconds(None, "timestamp")).replace("images/", "table_images/")
        files = images.with_preview(image, path)
        self._write_images(run_id, files, series=False)
        picture, small = files
        return {"type": "image", "filepath": picture, "compressed_filepath": small}

    def load_table(
        self,
        experiment_id: str,
        artifact_file: str,
        run_ids: list[str] | None = None,
        extra_columns: list[str] | None = None,
    ) -> pandas.DataFrame:
        """The rows of a table in several runs, below each other.

        Args:
            experiment_id: The experiment of the runs.
            artifact_file: Path of the table in each run; runs without it are left out.
            run_ids: Which runs; None means all that have the table.
            extra_columns: What to add about the run of each row: fields such as ``run_id`` and ``start_time``, or
                ``params.x``, ``metrics.x`` and ``tags.x``.

        Raises:
            InvalidParameterValue: A column has the name of an extra column, or a run has no such field.
            MissingDependency: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as e:
            raise MissingDependency("pandas", "to load a table") from e
        parts = []
        for run in self._runs_with_table(experiment_id, artifact_file, run_ids):
            content = self.repository(run.info.run_id).open_read(artifact_file).read()
            part = pd.DataFrame(tables.from_bytes(content, artifact_file))
            for column in extra_columns or []:
                if column in part:
                    raise InvalidParameterValue(f"{artifact_file} has a column {column!r} already.")
                part[column] = _fact(run, column)
            parts.append(part)
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

    def _runs_with_table(self, experiment_id: str, artifact_file: str, run_ids: list[str] | None) -> Iterator[Run]:
        if run_ids is not None:
            runs: Iterator[Run] = (self.get_run(run_id) for run_id in run_ids)
        else:
            runs = iter(self.all_runs([experiment_id], f"tags.`{names.LOGGED_ARTIFACTS}` LIKE '%table%'"))
        entry = {"path": artifact_file, "type": "table"}
        for run in runs:
            if entry in msgspec.json.decode(run.data.tags.get(names.LOGGED_ARTIFACTS) or "[]"):
                yield run

    def list_artifacts(self, run_id: str, path: str | None = None) -> list[FileInfo]:
        """The files and directories directly below a directory of a run.

        Args:
            run_id: The run.
            path: The directory, which may be a logged model of the run by its name; None means the root.

        Raises:
            DoesNotExist: There is no such run.
            InvalidParameterValue: The path is not allowed.
        """
        repository, path = self.located(run_id, path or "")
        return list(repository.list(path))

    def download_artifacts(self, run_id: str, path: str, dst_path: str | None = None) -> str:
        """Copy a file or directory of a run to this machine, several files at a time.

        Args:
            run_id: The run.
            path: The file or directory, which may be in a logged model of the run, by the name of the model; an empty
                text means everything.
            dst_path: A local directory, made when it does not exist; None makes a temporary one.

        Returns:
            The local path of what was copied.

        Raises:
            DoesNotExist: There is no such run, file or directory.
            InvalidParameterValue: The path is not allowed.
        """
        repository, path = self.located(run_id, path)
        return str(_TRANSFERS.get("download")(repository, path, dst_path))

    def located(self, run_id: str, path: str) -> tuple[ArtifactRepository, str]:
        """Where a path of a run is read: among its files, else in its newest logged model of that name.

        Raises:
            DoesNotExist: There is no such run.
            InvalidParameterValue: The path is not allowed.
        """
        model = self.model_at(run_id, path)
        if model is None:
            return self.repository(run_id), path
        return Mounted(self.open_repository(model.artifact_location), model.name), path

    def model_at(self, run_id: str, path: str) -> LoggedModel | None:
        """The logged model of a run in which a path lies; None when the path is one of the run's own files, or of none.

        Raises:
            DoesNotExist: There is no such run.
            InvalidParameterValue: The path is not allowed.
        """
        own = not path.strip("/") or self._journalled.offline or self.repository(run_id).stat(path) is not None
        return None if own else self.model_of_run(run_id, path)

    def model_of_run(self, run_id: str, path: str) -> LoggedModel | None:
        """The newest logged model of a run whose name is the first part of a path; None when there is none."""
        name = path.strip("/").partition("/")[0]
        try:
            request = SearchLoggedModels.newest_of_run(self.get_run(run_id).info.experiment_id, run_id, name)
        except InvalidParameterValue:
            return None
        return next(iter(self._store.search_logged_models(request).models), None)

    def _write(self, run_id: str, path: str, content: bytes) -> None:
        self.repository(run_id).write(path, [content])


def upload(repository: ArtifactRepository, local_path: str, path: str) -> None:
    """As :func:`stele.client.transfers.upload`, which is loaded when it is first used."""
    _TRANSFERS.get("upload")(repository, local_path, path)


def join(directory: str | None, name: str) -> str:
    """The path of a name in a directory of a run; None and an empty text are its root."""
    return f"{directory.rstrip('/')}/{name}" if directory else name


def _chunks(stream: Any) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK_BYTES):
        if not isinstance(chunk, (bytes, bytearray, memoryview)):
            raise InvalidParameterValue("The stream yields text. Open the file in binary mode.")
        yield bytes(chunk)


def _yaml(content: Any) -> bytes:
    import yaml  # few scripts write YAML

    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True)).encode()


def _fact(run: Run, column: str) -> Any:
    kind, _, key = column.partition(".")
    if key and kind in ("metrics", "params", "tags"):
        return getattr(run.data, kind).get(key)
    if column not in run.info.__struct_fields__:
        raise InvalidParameterValue(
            f"Runs have no field {shown(column)}. Allowed are {', '.join(run.info.__struct_fields__)}, "
            "metrics.x, params.x, tags.x."
        )
    return getattr(run.info, column)
