"""Logged models: make, find, describe, and their files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from stele.artifacts.base import ArtifactRepository
from stele.client.calls.files import FileCalls, join, upload
from stele.client.paged_list import PagedList
from stele.errors import InvalidParameterValue, shown
from stele.schema import logged_models as lm
from stele.schema.artifacts import FileInfo
from stele.schema.logged_models import LoggedModel, LoggedModelStatus

__all__ = ["LoggedModelCalls"]

_WIRE_STATUS = {
    "PENDING": "LOGGED_MODEL_PENDING",
    "READY": "LOGGED_MODEL_READY",
    "FAILED": "LOGGED_MODEL_UPLOAD_FAILED",
}


class LoggedModelCalls(FileCalls):
    """The part of a client that is about logged models."""

    def create_logged_model(
        self,
        experiment_id: str,
        name: str | None = None,
        source_run_id: str | None = None,
        tags: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        model_type: str | None = None,
    ) -> LoggedModel:
        """Make a model whose files will follow; it is PENDING until :meth:`finalize_logged_model`.

        Args:
            experiment_id: Where it belongs.
            name: Its name, without any of ``/ : . % " '``; None lets the store invent one.
            source_run_id: The run that makes it.
            tags: Tags by key; values become text.
            params: Parameters by key; values become text.
            model_type: Any text that says what kind of model it is.

        Raises:
            DoesNotExist: There is no such experiment.
            InvalidParameterValue: A name, key or value is not allowed, or the experiment is deleted.
        """
        request = lm.CreateLoggedModel(
            experiment_id=str(experiment_id),
            name=name or "",
            model_type=model_type or "",
            source_run_id=source_run_id or "",
            params=_params(params),
            tags=_tags(tags),
        )
        return self._store.create_logged_model(request).model

    def finalize_logged_model(
        self, model_id: str, status: str | LoggedModelStatus, digest: str | None = None
    ) -> LoggedModel:
        """Say that the files of a model are complete, or will not be.

        Args:
            model_id: The model.
            status: ``READY`` or ``FAILED``.
            digest: ``sha256:`` and 64 hexadecimal digits over the manifest of the files. It is kept for good: loaders
                trust files that have it.

        Raises:
            DoesNotExist: There is no such model.
            InvalidParameterValue: The status is none, or the model has another digest already.
        """
        if str(status) not in _WIRE_STATUS:
            raise InvalidParameterValue(f"status {shown(str(status))} is not one of {', '.join(_WIRE_STATUS)}.")
        wire: Any = _WIRE_STATUS[str(status)]
        request = lm.FinalizeLoggedModel(model_id=model_id, status=wire, digest=digest)
        return self._store.finalize_logged_model(request).model

    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        """A model.

        Args:
            model_id: The model.
            allow_deleted: Whether a deleted one counts.

        Raises:
            DoesNotExist: There is none.
        """
        request = lm.LoggedModelId(model_id=model_id, allow_deleted=allow_deleted)
        return self._store.get_logged_model(request).model

    def delete_logged_model(self, model_id: str) -> None:
        """Hide a model from reads and searches; ``stele gc`` removes it for good.

        Raises:
            DoesNotExist: There is no such model.
        """
        self._store.delete_logged_model(lm.LoggedModelId(model_id=model_id))

    def search_logged_models(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        datasets: Sequence[Mapping[str, Any]] | None = None,
        max_results: int | None = None,
        order_by: Sequence[Mapping[str, Any]] | None = None,
        page_token: str | None = None,
    ) -> PagedList[LoggedModel]:
        """One page of the models that fit a filter.

        Args:
            experiment_ids: Where to look.
            filter_string: Such as ``metrics.accuracy > 0.9 AND params.kind = 'tree'``; a metric fits when one of its
                points does.
            datasets: Entries with ``dataset_name`` and perhaps ``dataset_digest``: only what was measured on one of
                them counts.
            max_results: Size of the page; None means 50.
            order_by: Entries with ``field_name`` (an attribute or ``metrics.x``) and perhaps ``ascending``,
                ``dataset_name`` and ``dataset_digest``. Without them the newest come first.
            page_token: Token of the page before.

        Raises:
            InvalidParameterValue: An argument is not allowed.
        """
        request = lm.SearchLoggedModels(
            experiment_ids=[str(experiment_id) for experiment_id in experiment_ids],
            filter=filter_string or "",
            datasets=_all_fields(lm.LoggedModelDataset, datasets, "datasets"),
            order_by=_all_fields(lm.LoggedModelOrder, order_by, "order_by"),
            page_token=page_token or "",
        )
        if max_results is not None:
            request.max_results = max_results
        response = self._store.search_logged_models(request)
        return PagedList(response.models, response.next_page_token)

    def set_logged_model_tags(self, model_id: str, tags: Mapping[str, Any]) -> None:
        """Set tags of a model; values become text.

        Raises:
            DoesNotExist: There is no such model.
            InvalidParameterValue: A key or value is too long.
        """
        self._store.set_logged_model_tags(lm.SetLoggedModelTags(model_id=model_id, tags=_tags(tags)))

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        """Remove a tag of a model.

        Raises:
            DoesNotExist: There is no such model or tag.
        """
        self._store.delete_logged_model_tag(lm.DeleteLoggedModelTag(model_id=model_id, tag_key=key))

    def log_model_params(self, model_id: str, params: Mapping[str, Any]) -> None:
        """Record parameters of a model. Each is written once: the same value again is fine.

        Raises:
            DoesNotExist: There is no such model.
            InvalidParameterValue: One has another value already, or is too long; then nothing is stored.
        """
        self._store.log_logged_model_params(lm.LogLoggedModelParams(model_id=model_id, params=_params(params)))

    def model_repository(self, model_id: str) -> ArtifactRepository:
        """The files of a model.

        Raises:
            DoesNotExist: There is no such model.
        """
        return self.open_repository(self.get_logged_model(model_id).artifact_location)

    def list_logged_model_artifacts(self, model_id: str, path: str | None = None) -> list[FileInfo]:
        """The files and directories directly below a directory of a model; None is its root.

        Raises:
            DoesNotExist: There is no such model.
            InvalidParameterValue: The path is not allowed.
        """
        return list(self.model_repository(model_id).list(path or ""))

    def log_model_artifact(self, model_id: str, local_path: str, artifact_path: str | None = None) -> None:
        """Keep a copy of a local file with a model.

        Args:
            model_id: The model.
            local_path: The file.
            artifact_path: Directory in the model; None means its root.

        Raises:
            DoesNotExist: There is no such model.
            InvalidParameterValue: There is no such file, or the path is not allowed.
        """
        local_path = os.path.abspath(os.fspath(local_path))  # noqa: PTH100 - pathlib costs 5 ms at import
        name = os.path.basename(local_path)  # noqa: PTH119
        upload(self.model_repository(model_id), local_path, join(artifact_path, name))

    def log_model_artifacts(self, model_id: str, local_dir: str, artifact_path: str | None = None) -> None:
        """Keep a copy of everything in a local directory with a model.

        Args:
            model_id: The model.
            local_dir: The directory.
            artifact_path: Directory in the model; None means its root.

        Raises:
            DoesNotExist: There is no such model.
            InvalidParameterValue: There is no such directory, or a path is not allowed.
        """
        if not os.path.isdir(local_dir):  # noqa: PTH112
            raise InvalidParameterValue(f"There is no directory {shown(os.fspath(local_dir))}.")
        upload(self.model_repository(model_id), os.fspath(local_dir), artifact_path or "")


def _tags(tags: Mapping[str, Any] | None) -> list[lm.LoggedModelTag]:
    return [lm.LoggedModelTag(str(key), str(value)) for key, value in (tags or {}).items()]


def _params(params: Mapping[str, Any] | None) -> list[lm.LoggedModelParameter]:
    return [lm.LoggedModelParameter(str(key), str(value)) for key, value in (params or {}).items()]


def _all_fields(message: type[Any], entries: Sequence[Mapping[str, Any]] | None, path: str) -> list[Any]:
    return [_fields(message, entry, f"{path}[{i}]") for i, entry in enumerate(entries or ())]


def _fields(message: type[Any], entry: Mapping[str, Any], path: str) -> Any:
    """The message with these fields.

    Raises:
        InvalidParameterValue: One is missing, or not among those of the message.
    """
    unknown = [name for name in entry if name not in message.__struct_fields__]
    first = message.__struct_fields__[0]
    if unknown or not entry.get(first):
        allowed = f"It needs {first} and may have {', '.join(message.__struct_fields__[1:])}."
        raise InvalidParameterValue(f"{path} {shown(dict(entry))} is not understood. {allowed}")
    return message(**{name: value for name, value in entry.items() if value is not None})
