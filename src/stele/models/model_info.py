"""What is told about a model that was logged or found, under MLflow's names."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from stele.models.format import Model
from stele.models.signature import ModelSignature
from stele.schema.logged_models import LoggedModel

__all__ = ["ModelInfo", "model_info"]


class ModelInfo(Struct, frozen=True, kw_only=True):
    """A model.

    Attributes:
        artifact_path: Where its files are.
        flavors: Configuration by name of flavor.
        model_uri: The address under which it is loaded.
        model_uuid: The id in its MLmodel file.
        run_id: The run that made it, None when none did.
        saved_input_example_info: Which files hold an example, and its form.
        signature: What it takes and gives.
        utc_time_created: ``YYYY-MM-DD HH:MM:SS.ffffff``.
        mlflow_version: Version of the format.
        metadata: What it was saved with.
        registered_model_version: Its number when it was registered with the same call.
        env_vars: Names of environment variables that it reads.
        prompts: URIs of prompts.
        logged_model: The entity in the store, None for files alone.
    """

    artifact_path: str | None
    flavors: dict[str, Any]
    model_uri: str
    model_uuid: str
    run_id: str | None
    saved_input_example_info: dict[str, Any] | None
    signature: ModelSignature | None
    utc_time_created: str
    mlflow_version: str | None
    metadata: dict[str, Any] | None = None
    registered_model_version: int | None = None
    env_vars: list[str] | None = None
    prompts: list[str] | None = None
    logged_model: LoggedModel | None = None

    @property
    def signature_dict(self) -> dict[str, Any] | None:
        """The signature as it stands in MLmodel."""
        return None if self.signature is None else self.signature.to_dict()

    @property
    def model_id(self) -> str | None:
        """The id of the logged model."""
        return None if self.logged_model is None else self.logged_model.model_id

    @property
    def name(self) -> str | None:
        """The name of the logged model."""
        return None if self.logged_model is None else self.logged_model.name

    @property
    def tags(self) -> dict[str, str] | None:
        """The tags of the logged model."""
        return None if self.logged_model is None else self.logged_model.tags

    @property
    def params(self) -> dict[str, str] | None:
        """The parameters of the logged model."""
        return None if self.logged_model is None else self.logged_model.params

    @property
    def metrics(self) -> list[Any] | None:
        """What was measured on the logged model."""
        return None if self.logged_model is None else self.logged_model.metrics

    @property
    def creation_timestamp(self) -> int | None:
        """When the logged model was made, in milliseconds since 1970."""
        return None if self.logged_model is None else self.logged_model.creation_timestamp


def model_info(
    model: Model, uri: str, logged_model: LoggedModel | None = None, registered_model_version: int | None = None
) -> ModelInfo:
    """What is told of a model by its MLmodel file, and by the store if it is logged there."""
    return ModelInfo(
        artifact_path=model.artifact_path,
        flavors=model.flavors,
        model_uri=uri,
        model_uuid=model.model_uuid,
        run_id=model.run_id,
        saved_input_example_info=model.saved_input_example_info,
        signature=model.signature,
        utc_time_created=model.utc_time_created,
        mlflow_version=model.mlflow_version,
        metadata=model.metadata,
        registered_model_version=registered_model_version,
        env_vars=model.env_vars,
        prompts=model.prompts,
        logged_model=logged_model,
    )
