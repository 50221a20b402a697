"""What is known of a model without loading it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stele.client.client import Client
from stele.models.enforcement import enforce_schema
from stele.models.format import Model
from stele.models.load import open_files
from stele.models.model_info import ModelInfo, model_info
from stele.models.schema import Schema

__all__ = ["find_description", "get_model_info", "validate_schema"]


def find_description(uri: str | Path) -> Model:
    """See :meth:`stele.models.Model.load`."""
    return open_files(uri)[1].model


def get_model_info(model_uri: str) -> ModelInfo:
    """What the MLmodel file of a model says, and the store about it if it was logged. Nothing of the model is run.

    Args:
        model_uri: A local path, or a URI as in :func:`stele.pyfunc.load_model`.

    Raises:
        DoesNotExist: There is no such model.
    """
    source, files = open_files(model_uri)
    model_id = files.model.model_id
    logged = Client().get_logged_model(model_id) if model_id and not source.is_local else None
    return model_info(files.model, str(model_uri), logged)


def validate_schema(data: Any, expected_schema: Schema) -> None:
    """Check data against a schema, as ``predict`` does.

    Args:
        data: See :func:`stele.models.enforcement.enforce_schema`.
        expected_schema: Of inputs, for example.

    Raises:
        InvalidParameterValue: They do not fit; the message names the column, what was found and what is expected.
    """
    enforce_schema(data, expected_schema)
