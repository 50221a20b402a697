"""The digest of a model whose files the server keeps: recorded for clients that know of no digests."""

from __future__ import annotations

from msgspec.structs import replace

from stele import limits
from stele.artifacts.digests import repository_digest
from stele.errors import DoesNotExist, InvalidParameterValue
from stele.schema import logged_models as lm
from stele.server.artifacts import ArtifactService
from stele.stores.base import TrackingStore

__all__ = ["ModelFinisher"]

_READY = ("LOGGED_MODEL_READY", 2)


class ModelFinisher:
    """Finishes logged models.

    Args:
        store: Keeps the models.
        artifacts: Knows where their files are.
    """

    def __init__(self, store: TrackingStore, artifacts: ArtifactService) -> None:
        self._store = store
        self._artifacts = artifacts

    def finalize_logged_model(self, request: lm.FinalizeLoggedModel) -> lm.LoggedModelResponse:
        """As the store does it, with a digest where the client told none, none is recorded and the files are here.

        Raises:
            DoesNotExist: There is no such model.
            InvalidParameterValue: The digest is none, or not the one that was recorded.
        """
        if request.digest is None and request.status in _READY:
            request = replace(request, digest=self._digest_of_files(request.model_id))
        return self._store.finalize_logged_model(request)

    def _digest_of_files(self, model_id: str) -> str | None:
        wanted = lm.LoggedModelId(model_id=model_id, allow_deleted=True)
        model = self._store.get_logged_model(wanted).model
        if model.digest is not None:
            return None
        try:
            repository = self._artifacts.kept_below(model.artifact_location)
            return repository_digest(repository, limits.MAX_MODEL_FILES) if repository is not None else None
        except (DoesNotExist, InvalidParameterValue):  # somebody is removing them, or the location leads elsewhere
            return None
