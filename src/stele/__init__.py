"""Experiment tracking that cannot lose what was logged. The names that users see, loaded when first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stele import artifacts as artifacts
    from stele import config as config
    from stele import data as data
    from stele import entities as entities
    from stele import exceptions as exceptions
    from stele import lightgbm as lightgbm
    from stele import models as models
    from stele import onnx as onnx
    from stele import pyfunc as pyfunc
    from stele import pytorch as pytorch
    from stele import registry as registry
    from stele import sklearn as sklearn
    from stele import statsmodels as statsmodels
    from stele import tracking as tracking
    from stele import types as types
    from stele import xgboost as xgboost
    from stele.client.active_model import ActiveModel as ActiveModel
    from stele.client.active_model import clear_active_model as clear_active_model
    from stele.client.active_model import get_active_model_id as get_active_model_id
    from stele.client.client import Client as Client
    from stele.client.client import MlflowClient as MlflowClient
    from stele.client.console_log import disable_console_logging as disable_console_logging
    from stele.client.console_log import enable_console_logging as enable_console_logging
    from stele.client.doctor import doctor as doctor
    from stele.client.experiments import archive_experiment as archive_experiment
    from stele.client.experiments import check_experiment_tags as check_experiment_tags
    from stele.client.experiments import create_experiment as create_experiment
    from stele.client.experiments import delete_experiment as delete_experiment
    from stele.client.experiments import delete_experiment_tag as delete_experiment_tag
    from stele.client.experiments import get_experiment as get_experiment
    from stele.client.experiments import get_experiment_by_name as get_experiment_by_name
    from stele.client.experiments import rename_experiment as rename_experiment
    from stele.client.experiments import restore_archived_experiment as restore_archived_experiment
    from stele.client.experiments import restore_experiment as restore_experiment
    from stele.client.experiments import search_experiments as search_experiments
    from stele.client.experiments import set_experiment as set_experiment
    from stele.client.experiments import set_experiment_tag as set_experiment_tag
    from stele.client.experiments import set_experiment_tags as set_experiment_tags
    from stele.client.files import flush_artifact_async_logging as flush_artifact_async_logging
    from stele.client.files import get_artifact_uri as get_artifact_uri
    from stele.client.files import load_table as load_table
    from stele.client.files import log_artifact as log_artifact
    from stele.client.files import log_artifacts as log_artifacts
    from stele.client.files import log_dict as log_dict
    from stele.client.files import log_figure as log_figure
    from stele.client.files import log_image as log_image
    from stele.client.files import log_stream as log_stream
    from stele.client.files import log_table as log_table
    from stele.client.files import log_text as log_text
    from stele.client.fluent import ActiveRun as ActiveRun
    from stele.client.fluent import active_run as active_run
    from stele.client.fluent import delete_run as delete_run
    from stele.client.fluent import end_run as end_run
    from stele.client.fluent import get_metric_history as get_metric_history
    from stele.client.fluent import get_parent_run as get_parent_run
    from stele.client.fluent import get_run as get_run
    from stele.client.fluent import last_active_run as last_active_run
    from stele.client.fluent import restore_run as restore_run
    from stele.client.fluent import start_run as start_run
    from stele.client.history import metric_history as metric_history
    from stele.client.images import Image as Image
    from stele.client.logged_models import create_external_model as create_external_model
    from stele.client.logged_models import delete_logged_model_tag as delete_logged_model_tag
    from stele.client.logged_models import finalize_logged_model as finalize_logged_model
    from stele.client.logged_models import get_logged_model as get_logged_model
    from stele.client.logged_models import initialize_logged_model as initialize_logged_model
    from stele.client.logged_models import last_logged_model as last_logged_model
    from stele.client.logged_models import log_model_params as log_model_params
    from stele.client.logged_models import search_logged_models as search_logged_models
    from stele.client.logged_models import set_active_model as set_active_model
    from stele.client.logged_models import set_logged_model_tags as set_logged_model_tags
    from stele.client.model_registry import register_model as register_model
    from stele.client.model_registry import search_model_versions as search_model_versions
    from stele.client.model_registry import search_registered_models as search_registered_models
    from stele.client.model_registry import set_model_version_tag as set_model_version_tag
    from stele.client.rewinds import list_rewinds as list_rewinds
    from stele.client.rewinds import rewind as rewind
    from stele.client.rewinds import undo_rewind as undo_rewind
    from stele.client.search import search_runs as search_runs
    from stele.client.stores import get_registry_uri as get_registry_uri
    from stele.client.stores import get_tracking_uri as get_tracking_uri
    from stele.client.stores import is_tracking_uri_set as is_tracking_uri_set
    from stele.client.stores import set_registry_uri as set_registry_uri
    from stele.client.stores import set_tracking_uri as set_tracking_uri
    from stele.client.system_metrics import disable_system_metrics_logging as disable_system_metrics_logging
    from stele.client.system_metrics import enable_system_metrics_logging as enable_system_metrics_logging
    from stele.client.system_metrics import set_system_metrics_node_id as set_system_metrics_node_id
    from stele.client.system_metrics import (
        set_system_metrics_samples_before_logging as set_system_metrics_samples_before_logging,
    )
    from stele.client.system_metrics import set_system_metrics_sampling_interval as set_system_metrics_sampling_interval
    from stele.client.values import delete_tag as delete_tag
    from stele.client.values import enable_async_logging as enable_async_logging
    from stele.client.values import flush_async_logging as flush_async_logging
    from stele.client.values import log_input as log_input
    from stele.client.values import log_inputs as log_inputs
    from stele.client.values import log_metric as log_metric
    from stele.client.values import log_metrics as log_metrics
    from stele.client.values import log_outputs as log_outputs
    from stele.client.values import log_param as log_param
    from stele.client.values import log_params as log_params
    from stele.client.values import set_tag as set_tag
    from stele.client.values import set_tags as set_tags
    from stele.exceptions import MlflowException as MlflowException
    from stele.exceptions import SteleException as SteleException

__version__ = "0.1.0"

_SUBMODULES = (
    "artifacts",
    "config",
    "data",
    "entities",
    "exceptions",
    "lightgbm",
    "models",
    "onnx",
    "pyfunc",
    "pytorch",
    "registry",
    "sklearn",
    "statsmodels",
    "tracking",
    "types",
    "xgboost",
)

_MODULES = {
    "stele.client.active_model": (
        "ActiveModel",
        "clear_active_model",
        "get_active_model_id",
    ),
    "stele.client.client": (
        "Client",
        "MlflowClient",
    ),
    "stele.client.console_log": (
        "disable_console_logging",
        "enable_console_logging",
    ),
    "stele.client.doctor": ("doctor",),
    "stele.client.experiments": (
        "archive_experiment",
        "check_experiment_tags",
        "create_experiment",
        "delete_experiment",
        "delete_experiment_tag",
        "get_experiment",
        "get_experiment_by_name",
        "rename_experiment",
        "restore_archived_experiment",
        "restore_experiment",
        "search_experiments",
        "set_experiment",
        "set_experiment_tag",
        "set_experiment_tags",
    ),
    "stele.client.files": (
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
    ),
    "stele.client.fluent": (
        "ActiveRun",
        "active_run",
        "delete_run",
        "end_run",
        "get_metric_history",
        "get_parent_run",
        "get_run",
        "last_active_run",
        "restore_run",
        "start_run",
    ),
    "stele.client.history": ("metric_history",),
    "stele.client.images": ("Image",),
    "stele.client.logged_models": (
        "create_external_model",
        "delete_logged_model_tag",
        "finalize_logged_model",
        "get_logged_model",
        "initialize_logged_model",
        "last_logged_model",
        "log_model_params",
        "search_logged_models",
        "set_active_model",
        "set_logged_model_tags",
    ),
    "stele.client.model_registry": (
        "register_model",
        "search_model_versions",
        "search_registered_models",
        "set_model_version_tag",
    ),
    "stele.client.rewinds": (
        "list_rewinds",
        "rewind",
        "undo_rewind",
    ),
    "stele.client.search": ("search_runs",),
    "stele.client.stores": (
        "get_registry_uri",
        "get_tracking_uri",
        "is_tracking_uri_set",
        "set_registry_uri",
        "set_tracking_uri",
    ),
    "stele.client.system_metrics": (
        "disable_system_metrics_logging",
        "enable_system_metrics_logging",
        "set_system_metrics_node_id",
        "set_system_metrics_samples_before_logging",
        "set_system_metrics_sampling_interval",
    ),
    "stele.client.values": (
        "delete_tag",
        "enable_async_logging",
        "flush_async_logging",
        "log_input",
        "log_inputs",
        "log_metric",
        "log_metrics",
        "log_outputs",
        "log_param",
        "log_params",
        "set_tag",
        "set_tags",
    ),
    "stele.exceptions": (
        "MlflowException",
        "SteleException",
    ),
}

_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

__all__ = ["__version__", *sorted((*_SUBMODULES, *_MODULE_OF))]


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return import_module(f"stele.{name}")
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'stele' has no attribute {name!r}")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value  # the next access costs nothing
    return value


def __dir__() -> list[str]:
    return __all__
