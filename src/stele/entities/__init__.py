"""What the store keeps, under MLflow's names: experiments, runs, metrics, datasets, files."""

from __future__ import annotations

from stele.schema.artifacts import FileInfo
from stele.schema.datasets import (
    Dataset,
    DatasetInput,
    DatasetSummary,
    InputTag,
    LoggedModelInput,
    LoggedModelOutput,
    RunInputs,
    RunOutputs,
)
from stele.schema.enums import LifecycleStage, RunStatus, SourceType, ViewType
from stele.schema.experiments import Experiment, ExperimentTag
from stele.schema.logged_models import LoggedModel, LoggedModelParameter, LoggedModelStatus, LoggedModelTag
from stele.schema.metrics import Metric, MetricWithRunId
from stele.schema.runs import Param, Run, RunData, RunInfo, RunTag
from stele.schema.webhooks import Webhook, WebhookEvent, WebhookStatus, WebhookTestResult

__all__ = [
    "Dataset",
    "DatasetInput",
    "DatasetSummary",
    "Experiment",
    "ExperimentTag",
    "FileInfo",
    "InputTag",
    "LifecycleStage",
    "LoggedModel",
    "LoggedModelInput",
    "LoggedModelOutput",
    "LoggedModelParameter",
    "LoggedModelStatus",
    "LoggedModelTag",
    "Metric",
    "MetricWithRunId",
    "Param",
    "Run",
    "RunData",
    "RunInfo",
    "RunInputs",
    "RunOutputs",
    "RunStatus",
    "RunTag",
    "SourceType",
    "ViewType",
    "Webhook",
    "WebhookEvent",
    "WebhookStatus",
    "WebhookTestResult",
]
