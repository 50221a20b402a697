"""The names that users import from ``mlflow.tracking``."""

from __future__ import annotations

from stele.client import fluent
from stele.client.client import Client, MlflowClient
from stele.client.stores import (
    get_registry_uri,
    get_tracking_uri,
    is_tracking_uri_set,
    set_registry_uri,
    set_tracking_uri,
)

__all__ = [
    "Client",
    "MlflowClient",
    "fluent",
    "get_registry_uri",
    "get_tracking_uri",
    "is_tracking_uri_set",
    "set_registry_uri",
    "set_tracking_uri",
]
