"""Logged models in SQL: none can be made in this version, so searches find none."""

from __future__ import annotations

from stele import limits
from stele.errors import DoesNotExist, NotImplementedHere, shown
from stele.schema import logged_models as lm
from stele.schema.experiments import Empty
from stele.stores.sql.core import StoreCore, experiment_number

__all__ = ["LoggedModelOperations"]


class LoggedModelOperations(StoreCore):
    """The logged-model part of the wire."""

    def create_logged_model(self, request: lm.CreateLoggedModel) -> lm.LoggedModelResponse:
        raise NotImplementedHere(
            f"This version of Stele does not keep logged models; {shown(request.name)} was not made."
        )

    def search_logged_models(self, request: lm.SearchLoggedModels) -> lm.SearchLoggedModelsResponse:
        for experiment_id in request.experiment_ids:
            experiment_number(experiment_id, "experiment_ids")
        limits.check_max_results(request.max_results, limits.MAX_PAGE)
        return lm.SearchLoggedModelsResponse()

    def get_logged_model(self, request: lm.LoggedModelId) -> lm.LoggedModelResponse:
        raise _no_model(request.model_id)

    def finalize_logged_model(self, request: lm.FinalizeLoggedModel) -> lm.LoggedModelResponse:
        raise _no_model(request.model_id)

    def delete_logged_model(self, request: lm.LoggedModelId) -> Empty:
        raise _no_model(request.model_id)

    def set_logged_model_tags(self, request: lm.SetLoggedModelTags) -> Empty:
        raise _no_model(request.model_id)

    def delete_logged_model_tag(self, request: lm.DeleteLoggedModelTag) -> Empty:
        raise _no_model(request.model_id)

    def log_logged_model_params(self, request: lm.LogLoggedModelParams) -> Empty:
        raise _no_model(request.model_id)


def _no_model(model_id: str) -> DoesNotExist:
    return DoesNotExist(f"No logged model has the id {shown(model_id)}.")
