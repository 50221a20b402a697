"""The registry in SQL: nothing can be registered in this version, so searches find nothing."""

from __future__ import annotations

from stele import limits
from stele.errors import DoesNotExist, NotImplementedHere, shown
from stele.schema import registered_models as rm
from stele.schema.codec import required
from stele.schema.experiments import Empty
from stele.stores.sql.core import StoreCore

__all__ = ["RegisteredModelOperations"]

_MAX_MODELS_PAGE = 1_000
_MAX_VERSIONS_PAGE = 200_000


class RegisteredModelOperations(StoreCore):
    """The registry part of the wire."""

    def create_registered_model(self, request: rm.CreateRegisteredModel) -> rm.RegisteredModelResponse:
        required(request.name, "name")
        raise NotImplementedHere(f"This version of Stele has no model registry; {shown(request.name)} was not made.")

    def search_registered_models(self, request: rm.SearchRegisteredModels) -> rm.SearchRegisteredModelsResponse:
        limits.check_max_results(request.max_results, _MAX_MODELS_PAGE)
        return rm.SearchRegisteredModelsResponse()

    def search_model_versions(self, request: rm.SearchModelVersions) -> rm.SearchModelVersionsResponse:
        limits.check_max_results(request.max_results, _MAX_VERSIONS_PAGE)
        return rm.SearchModelVersionsResponse()

    def rename_registered_model(self, request: rm.RenameRegisteredModel) -> rm.RegisteredModelResponse:
        raise _no_model(request.name)

    def update_registered_model(self, request: rm.UpdateRegisteredModel) -> rm.RegisteredModelResponse:
        raise _no_model(request.name)

    def delete_registered_model(self, request: rm.RegisteredModelName) -> Empty:
        raise _no_model(request.name)

    def get_registered_model(self, request: rm.RegisteredModelName) -> rm.RegisteredModelResponse:
        raise _no_model(request.name)

    def get_latest_versions(self, request: rm.GetLatestVersions) -> rm.SearchModelVersionsResponse:
        raise _no_model(request.name)

    def set_registered_model_tag(self, request: rm.SetRegisteredModelTag) -> Empty:
        raise _no_model(request.name)

    def delete_registered_model_tag(self, request: rm.RegisteredModelTagName) -> Empty:
        raise _no_model(request.name)

    def set_registered_model_alias(self, request: rm.SetRegisteredModelAlias) -> Empty:
        raise _no_model(request.name)

    def delete_registered_model_alias(self, request: rm.RegisteredModelAliasName) -> Empty:
        raise _no_model(request.name)

    def get_model_version_by_alias(self, request: rm.RegisteredModelAliasName) -> rm.ModelVersionResponse:
        raise _no_model(request.name)

    def create_model_version(self, request: rm.CreateModelVersion) -> rm.ModelVersionResponse:
        raise _no_model(request.name)

    def update_model_version(self, request: rm.UpdateModelVersion) -> rm.ModelVersionResponse:
        raise _no_model(request.name)

    def transition_model_version_stage(self, request: rm.TransitionModelVersionStage) -> rm.ModelVersionResponse:
        raise _no_model(request.name)

    def delete_model_version(self, request: rm.ModelVersionName) -> Empty:
        raise _no_model(request.name)

    def get_model_version(self, request: rm.ModelVersionName) -> rm.ModelVersionResponse:
        raise _no_model(request.name)

    def get_model_version_download_uri(self, request: rm.ModelVersionName) -> rm.GetModelVersionDownloadUriResponse:
        raise _no_model(request.name)

    def set_model_version_tag(self, request: rm.SetModelVersionTag) -> Empty:
        raise _no_model(request.name)

    def delete_model_version_tag(self, request: rm.ModelVersionTagName) -> Empty:
        raise _no_model(request.name)


def _no_model(name: str) -> DoesNotExist:
    return DoesNotExist(f"No registered model has the name {shown(required(name, 'name'))}.")
