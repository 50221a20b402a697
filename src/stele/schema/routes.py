"""Every operation with its address, messages and permission.

The server mounts this table, the REST client calls it, OpenAPI is generated from it.

A path is written without its prefix. ``/api/<version>/mlflow`` (programs) and ``/ajax-api/<version>/mlflow`` (the page) are
added once, by :func:`addresses`, and the server's static prefix in front of both; what only Stele has stands under
``/api/2.0/stele``.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Literal, NamedTuple

from msgspec import Struct

from stele.schema import artifacts as a
from stele.schema import datasets as d
from stele.schema import experiment_overview as eo
from stele.schema import experiments as e
from stele.schema import finding as f
from stele.schema import governance as g
from stele.schema import ingest as i
from stele.schema import ingest_codec, series_arrow, series_codec
from stele.schema import logged_models as lm
from stele.schema import metrics as m
from stele.schema import registered_models as rm
from stele.schema import rewinds as w
from stele.schema import run_changes as rc
from stele.schema import run_table as t
from stele.schema import runs as r
from stele.schema import series as s
from stele.schema import views as v
from stele.schema import webhooks as wh
from stele.schema.experiments import Empty

__all__ = ["PROTOBUF", "ROUTES", "Format", "Permission", "Route", "addresses", "by_operation"]


class Permission(StrEnum):
    """What a principal must be allowed to do. There is no value for "nothing needed": every route has one of these."""

    READ_EXPERIMENT = "experiment:read"
    WRITE_EXPERIMENT = "experiment:write"
    CREATE_EXPERIMENT = "experiment:create"
    DELETE_EXPERIMENT = "experiment:delete"
    READ_ARTIFACT = "artifact:read"
    WRITE_ARTIFACT = "artifact:write"
    READ_MODEL = "model:read"
    WRITE_MODEL = "model:write"
    APPROVE_MODEL = "model:approve"
    MANAGE_WEBHOOK = "webhook:manage"
    READ_SERVER = "server:read"
    PUBLIC = "public"


class Format(NamedTuple):
    """Another form of a message than JSON.

    Attributes:
        media_type: As in ``Content-Type`` and ``Accept``.
        encode: Message to bytes.
        decode: The inverse; raises InvalidParameterValue for bytes that are no such message.
    """

    media_type: str
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]


class Route(NamedTuple):
    """One operation of the wire.

    Attributes:
        method: ``GET``, ``POST``, ``PATCH`` or ``DELETE``. GET reads the query, all others a JSON body.
        path: Below the prefix; ``{name}`` parts fill fields of the request, ``{name:path}`` also ones with slashes.
        request: The message that goes in.
        response: The message that comes out.
        operation: The method of the store (or service) that does the work.
        permission: What the principal needs.
        versions: API versions in the address.
        ajax_only: Only the page uses it; MLflow has no ``/api`` twin.
        product: Whose operation it is: MLflow's, or one that only Stele has.
        request_formats: Other forms of the request; clients send the first one.
        response_formats: Other forms of the response, chosen by ``Accept``; clients ask for the first one.
    """

    method: str
    path: str
    request: type[Struct]
    response: type[Struct]
    operation: str
    permission: Permission
    versions: tuple[str, ...] = ("2.0",)
    ajax_only: bool = False
    product: Literal["mlflow", "stele"] = "mlflow"
    request_formats: tuple[Format, ...] = ()
    response_formats: tuple[Format, ...] = ()


_READ, _WRITE = Permission.READ_EXPERIMENT, Permission.WRITE_EXPERIMENT
_READ_MODEL, _WRITE_MODEL = Permission.READ_MODEL, Permission.WRITE_MODEL
_READ_FILE = Permission.READ_ARTIFACT

_EXPERIMENTS = (
    Route("POST", "/experiments/create", e.CreateExperiment, e.CreateExperimentResponse, "create_experiment", Permission.CREATE_EXPERIMENT),
    Route("GET", "/experiments/get", e.GetExperiment, e.GetExperimentResponse, "get_experiment", _READ),
    Route("GET", "/experiments/get-by-name", e.GetExperimentByName, e.GetExperimentResponse, "get_experiment_by_name", _READ),
    Route("POST", "/experiments/search", e.SearchExperiments, e.SearchExperimentsResponse, "search_experiments", _READ),
    Route("GET", "/experiments/search", e.SearchExperiments, e.SearchExperimentsResponse, "search_experiments", _READ),
    Route("POST", "/experiments/update", e.UpdateExperiment, Empty, "update_experiment", _WRITE),
    Route("POST", "/experiments/delete", e.DeleteExperiment, Empty, "delete_experiment", Permission.DELETE_EXPERIMENT),
    Route("POST", "/experiments/restore", e.RestoreExperiment, Empty, "restore_experiment", Permission.DELETE_EXPERIMENT),
    Route("POST", "/experiments/set-experiment-tag", e.SetExperimentTag, Empty, "set_experiment_tag", _WRITE),
    Route("POST", "/experiments/delete-experiment-tag", e.DeleteExperimentTag, Empty, "delete_experiment_tag", _WRITE),
)  # fmt: skip

_RUNS = (
    Route("POST", "/runs/create", r.CreateRun, r.CreateRunResponse, "create_run", _WRITE),
    Route("GET", "/runs/get", r.GetRun, r.GetRunResponse, "get_run", _READ),
    Route("POST", "/runs/update", r.UpdateRun, r.UpdateRunResponse, "update_run", _WRITE),
    Route("POST", "/runs/delete", r.DeleteRun, Empty, "delete_run", _WRITE),
    Route("POST", "/runs/restore", r.RestoreRun, Empty, "restore_run", _WRITE),
    Route("POST", "/runs/search", r.SearchRuns, r.SearchRunsResponse, "search_runs", _READ),
    Route("POST", "/runs/log-batch", r.LogBatch, Empty, "log_batch", _WRITE),
    Route("POST", "/runs/log-metric", r.LogMetric, Empty, "log_metric", _WRITE),
    Route("POST", "/runs/log-parameter", r.LogParam, Empty, "log_param", _WRITE),
    Route("POST", "/runs/set-tag", r.SetTag, Empty, "set_tag", _WRITE),
    Route("POST", "/runs/delete-tag", r.DeleteTag, Empty, "delete_tag", _WRITE),
    Route("POST", "/runs/log-model", r.LogModel, Empty, "log_model", _WRITE),
    Route("POST", "/runs/log-inputs", d.LogInputs, Empty, "log_inputs", _WRITE),
    Route("POST", "/runs/outputs", d.LogOutputs, Empty, "log_outputs", _WRITE),
    Route("GET", "/metrics/get-history", m.GetMetricHistory, m.GetMetricHistoryResponse, "get_metric_history", _READ),
    Route("GET", "/metrics/get-history-bulk", m.GetMetricHistoryBulk, m.GetMetricHistoryBulkResponse, "get_metric_history_bulk", _READ, ajax_only=True),
    Route("GET", "/metrics/get-history-bulk-interval", m.GetMetricHistoryBulkInterval, m.GetMetricHistoryBulkResponse, "get_metric_history_bulk_interval", _READ),
    Route("POST", "/experiments/search-datasets", d.SearchDatasets, d.SearchDatasetsResponse, "search_datasets", _READ),
    Route("GET", "/artifacts/list", a.ListArtifacts, a.ListArtifactsResponse, "list_artifacts", _READ_FILE),
)  # fmt: skip

_LOGGED_MODELS = (
    Route("POST", "/logged-models", lm.CreateLoggedModel, lm.LoggedModelResponse, "create_logged_model", _WRITE),
    Route("POST", "/logged-models/search", lm.SearchLoggedModels, lm.SearchLoggedModelsResponse, "search_logged_models", _READ),
    Route("GET", "/logged-models/{model_id}", lm.LoggedModelId, lm.LoggedModelResponse, "get_logged_model", _READ),
    Route("PATCH", "/logged-models/{model_id}", lm.FinalizeLoggedModel, lm.LoggedModelResponse, "finalize_logged_model", _WRITE),
    Route("DELETE", "/logged-models/{model_id}", lm.LoggedModelId, Empty, "delete_logged_model", _WRITE),
    Route("PATCH", "/logged-models/{model_id}/tags", lm.SetLoggedModelTags, Empty, "set_logged_model_tags", _WRITE),
    Route("DELETE", "/logged-models/{model_id}/tags/{tag_key:path}", lm.DeleteLoggedModelTag, Empty, "delete_logged_model_tag", _WRITE),
    Route("GET", "/logged-models/{model_id}/artifacts/directories", lm.ListLoggedModelArtifacts, a.ListArtifactsResponse, "list_logged_model_artifacts", _READ_FILE),
    Route("POST", "/logged-models/{model_id}/params", lm.LogLoggedModelParams, Empty, "log_logged_model_params", _WRITE),
)  # fmt: skip

_REGISTRY = (
    Route("POST", "/registered-models/create", rm.CreateRegisteredModel, rm.RegisteredModelResponse, "create_registered_model", _WRITE_MODEL),
    Route("POST", "/registered-models/rename", rm.RenameRegisteredModel, rm.RegisteredModelResponse, "rename_registered_model", _WRITE_MODEL),
    Route("PATCH", "/registered-models/update", rm.UpdateRegisteredModel, rm.RegisteredModelResponse, "update_registered_model", _WRITE_MODEL),
    Route("DELETE", "/registered-models/delete", rm.RegisteredModelName, Empty, "delete_registered_model", _WRITE_MODEL),
    Route("GET", "/registered-models/get", rm.RegisteredModelName, rm.RegisteredModelResponse, "get_registered_model", _READ_MODEL),
    Route("GET", "/registered-models/search", rm.SearchRegisteredModels, rm.SearchRegisteredModelsResponse, "search_registered_models", _READ_MODEL),
    Route("POST", "/registered-models/get-latest-versions", rm.GetLatestVersions, rm.SearchModelVersionsResponse, "get_latest_versions", _READ_MODEL),
    Route("GET", "/registered-models/get-latest-versions", rm.GetLatestVersions, rm.SearchModelVersionsResponse, "get_latest_versions", _READ_MODEL),
    Route("POST", "/registered-models/set-tag", rm.SetRegisteredModelTag, Empty, "set_registered_model_tag", _WRITE_MODEL),
    Route("DELETE", "/registered-models/delete-tag", rm.RegisteredModelTagName, Empty, "delete_registered_model_tag", _WRITE_MODEL),
    Route("POST", "/registered-models/alias", rm.SetRegisteredModelAlias, Empty, "set_registered_model_alias", _WRITE_MODEL),
    Route("DELETE", "/registered-models/alias", rm.RegisteredModelAliasName, Empty, "delete_registered_model_alias", _WRITE_MODEL),
    Route("GET", "/registered-models/alias", rm.RegisteredModelAliasName, rm.ModelVersionResponse, "get_model_version_by_alias", _READ_MODEL),
    Route("POST", "/model-versions/create", rm.CreateModelVersion, rm.ModelVersionResponse, "create_model_version", _WRITE_MODEL),
    Route("PATCH", "/model-versions/update", rm.UpdateModelVersion, rm.ModelVersionResponse, "update_model_version", _WRITE_MODEL),
    Route("POST", "/model-versions/transition-stage", rm.TransitionModelVersionStage, rm.ModelVersionResponse, "transition_model_version_stage", _WRITE_MODEL),
    Route("DELETE", "/model-versions/delete", rm.ModelVersionName, Empty, "delete_model_version", _WRITE_MODEL),
    Route("GET", "/model-versions/get", rm.ModelVersionName, rm.ModelVersionResponse, "get_model_version", _READ_MODEL),
    Route("GET", "/model-versions/search", rm.SearchModelVersions, rm.SearchModelVersionsResponse, "search_model_versions", _READ_MODEL),
    Route("GET", "/model-versions/get-download-uri", rm.ModelVersionName, rm.GetModelVersionDownloadUriResponse, "get_model_version_download_uri", _READ_MODEL),
    Route("POST", "/model-versions/set-tag", rm.SetModelVersionTag, Empty, "set_model_version_tag", _WRITE_MODEL),
    Route("DELETE", "/model-versions/delete-tag", rm.ModelVersionTagName, Empty, "delete_model_version_tag", _WRITE_MODEL),
)  # fmt: skip

_WEBHOOK = Permission.MANAGE_WEBHOOK

_WEBHOOKS = (
    Route("POST", "/webhooks", wh.CreateWebhook, wh.WebhookResponse, "create_webhook", _WEBHOOK),
    Route("GET", "/webhooks", wh.ListWebhooks, wh.ListWebhooksResponse, "list_webhooks", _WEBHOOK),
    Route("GET", "/webhooks/{webhook_id}", wh.WebhookId, wh.WebhookResponse, "get_webhook", _WEBHOOK),
    Route("PATCH", "/webhooks/{webhook_id}", wh.UpdateWebhook, wh.WebhookResponse, "update_webhook", _WEBHOOK),
    Route("DELETE", "/webhooks/{webhook_id}", wh.WebhookId, Empty, "delete_webhook", _WEBHOOK),
    Route("POST", "/webhooks/{webhook_id}/test", wh.TestWebhook, wh.TestWebhookResponse, "test_webhook", _WEBHOOK),
)  # fmt: skip

PROTOBUF = "application/x-protobuf"
_INGEST_REQUEST = Format(PROTOBUF, ingest_codec.encode_request, ingest_codec.decode_request)
_INGEST_RESPONSE = Format(PROTOBUF, ingest_codec.encode_response, ingest_codec.decode_response)

_SERIES = (
    Format(series_codec.MEDIA_TYPE, series_codec.encode_series, series_codec.decode_series),
    Format(series_arrow.MEDIA_TYPE, series_arrow.encode_arrow, series_arrow.decode_arrow),
)

_STELE = (
    Route("POST", "/runs/rewind", w.RewindRun, w.RewindResponse, "rewind_run", _WRITE, product="stele"),
    Route("POST", "/runs/undo-rewind", w.UndoRewind, w.RewindResponse, "undo_rewind", _WRITE, product="stele"),
    Route("GET", "/runs/rewinds", w.ListRewinds, w.ListRewindsResponse, "list_rewinds", _READ, product="stele"),
    Route("GET", "/registry/events", g.SearchRegistryEvents, g.SearchRegistryEventsResponse, "search_registry_events", _READ_MODEL, product="stele"),
    Route("GET", "/registry/lineage", g.GetLineage, g.LineageResponse, "get_lineage", _READ_MODEL, product="stele"),
    Route("GET", "/registry/protections", g.ListProtections, g.ListProtectionsResponse, "list_protections", _READ_MODEL, product="stele"),
    Route("POST", "/registry/protections", g.SetProtection, Empty, "set_protection", Permission.APPROVE_MODEL, product="stele"),
    Route("POST", "/registry/requests", g.CreateApprovalRequest, g.ApprovalResponse, "create_approval_request", _WRITE_MODEL, product="stele"),
    Route("GET", "/registry/requests", g.SearchApprovals, g.SearchApprovalsResponse, "search_approval_requests", _READ_MODEL, product="stele"),
    Route("GET", "/registry/requests/{request_id}", g.ApprovalRequestId, g.ApprovalResponse, "get_approval_request", _READ_MODEL, product="stele"),
    Route("POST", "/registry/requests/{request_id}/approve", g.DecideApproval, g.ApprovalResponse, "approve_request", Permission.APPROVE_MODEL, product="stele"),
    Route("POST", "/registry/requests/{request_id}/reject", g.DecideApproval, g.ApprovalResponse, "reject_request", Permission.APPROVE_MODEL, product="stele"),
    Route("POST", "/registry/requests/{request_id}/withdraw", g.DecideApproval, g.ApprovalResponse, "withdraw_request", _WRITE_MODEL, product="stele"),
    Route("POST", "/registry/requests/{request_id}/comments", g.CommentOnApproval, g.ApprovalResponse, "comment_on_request", _WRITE_MODEL, product="stele"),
    Route("POST", "/ingest", i.Ingest, i.IngestResponse, "ingest", _WRITE, product="stele", request_formats=(_INGEST_REQUEST,), response_formats=(_INGEST_RESPONSE,)),
    Route("GET", "/artifacts/tree", a.ListArtifactTree, a.ListArtifactTreeResponse, "list_artifact_tree", _READ_FILE, product="stele"),
    Route("GET", "/artifacts/table", a.ReadArtifactTable, a.ReadArtifactTableResponse, "read_artifact_table", _READ_FILE, product="stele"),
    Route("POST", "/artifacts/tickets", a.CreateTicket, a.TicketResponse, "create_ticket", _READ_FILE, product="stele"),
    Route("GET", "/find", f.FindByName, f.FindByNameResponse, "find_by_name", _READ, product="stele"),
    Route("GET", "/views", v.ListViews, v.ListViewsResponse, "list_views", _READ, product="stele"),
    Route("POST", "/views", v.CreateView, v.ViewResponse, "create_view", _WRITE, product="stele"),
    Route("PATCH", "/views/{view_id}", v.UpdateView, v.ViewResponse, "update_view", _WRITE, product="stele"),
    Route("DELETE", "/views/{view_id}", v.ViewId, Empty, "delete_view", _WRITE, product="stele"),
    Route("POST", "/experiments/overview", eo.DescribeExperiments, eo.DescribeExperimentsResponse, "describe_experiments", _READ, product="stele"),
    Route("POST", "/runs/table", t.QueryRunsTable, t.QueryRunsTableResponse, "query_runs_table", _READ, product="stele"),
    Route("POST", "/runs/groups", t.GroupRuns, t.GroupRunsResponse, "group_runs", _READ, product="stele"),
    Route("POST", "/runs/keys", t.ListRunKeys, t.ListRunKeysResponse, "list_run_keys", _READ, product="stele"),
    Route("POST", "/runs/values", t.DescribeValues, t.DescribeValuesResponse, "describe_values", _READ, product="stele"),
    Route("POST", "/runs/columns", t.ReadColumns, t.ReadColumnsResponse, "read_columns", _READ, product="stele"),
    Route("POST", "/runs/differing", t.DifferingColumns, t.DifferingColumnsResponse, "differing_columns", _READ, product="stele"),
    Route("POST", "/runs/bulk", rc.ChangeRuns, rc.ChangeRunsResponse, "change_runs", _WRITE, product="stele"),
    Route("POST", "/series", s.GetSeries, s.GetSeriesResponse, "get_series", _READ, product="stele", response_formats=_SERIES),
)  # fmt: skip

ROUTES: tuple[Route, ...] = _EXPERIMENTS + _RUNS + _LOGGED_MODELS + _REGISTRY + _WEBHOOKS + _STELE


def addresses(route: Route) -> list[str]:
    """Every path under which a route is mounted, the first of them for clients."""
    roots = ("/ajax-api",) if route.ajax_only else ("/api", "/ajax-api")
    return [f"{root}/{version}/{route.product}{route.path}" for root in roots for version in route.versions]


def by_operation() -> dict[str, Route]:
    """The route that a client uses for an operation: the first one in the table."""
    table: dict[str, Route] = {}
    for route in ROUTES:
        table.setdefault(route.operation, route)
    return table


def path_fields(route: Route) -> list[str]:
    """The fields of the request that stand in the path."""
    return [_field(part) for part in route.path.split("/") if part.startswith("{")]


def fill_path(path: str, values: dict[str, Any], quote: Any) -> str:
    """The address with its ``{name}`` parts filled from ``values``, each passed through ``quote``."""
    return "/".join(quote(str(values[_field(part)])) if part.startswith("{") else part for part in path.split("/"))


def _field(part: str) -> str:
    return part[1:-1].removesuffix(":path")
