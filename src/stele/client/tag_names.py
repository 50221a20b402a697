"""Names of the tags that a client sets: those that begin with ``mlflow.`` are MLflow's, the others ours."""

from __future__ import annotations

RUN_NAME = "mlflow.runName"
PARENT_RUN_ID = "mlflow.parentRunId"
NOTE = "mlflow.note.content"
USER = "mlflow.user"
SOURCE_NAME = "mlflow.source.name"
SOURCE_TYPE = "mlflow.source.type"
GIT_COMMIT = "mlflow.source.git.commit"
GIT_BRANCH = "mlflow.source.git.branch"
GIT_DIRTY = "mlflow.source.git.dirty"
GIT_REPOSITORY = "mlflow.source.git.repoURL"
LOGGED_ARTIFACTS = "mlflow.loggedArtifacts"
LOGGED_IMAGES = "mlflow.loggedImages"
DATASET_CONTEXT = "mlflow.data.context"
EXTERNAL_MODEL = "mlflow.model.isExternal"

PYTHON_VERSION = "stele.python.version"
HOST = "stele.host"
GPU = "stele.gpu"
ARCHIVED_AT = "stele.archived_at"

__all__ = [
    "ARCHIVED_AT",
    "DATASET_CONTEXT",
    "EXTERNAL_MODEL",
    "GIT_BRANCH",
    "GIT_COMMIT",
    "GIT_DIRTY",
    "GIT_REPOSITORY",
    "GPU",
    "HOST",
    "LOGGED_ARTIFACTS",
    "LOGGED_IMAGES",
    "NOTE",
    "PARENT_RUN_ID",
    "PYTHON_VERSION",
    "RUN_NAME",
    "SOURCE_NAME",
    "SOURCE_TYPE",
    "USER",
]
